package http_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

const appCallback = "https://app.example/cb"

// An oauthApp is an application that takes people through the authorization
// endpoint.
type oauthApp struct {
	rig.Client
	s *rig.Server
	v *rig.Visitor
}

func newApp(s *rig.Server, v *rig.Visitor, more map[string]any) oauthApp {
	metadata := map[string]any{"client_name": "Notes", "doorward_type": "spa", "redirect_uris": []string{appCallback}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid profile offline_access"}
	maps.Copy(metadata, more)
	return oauthApp{s.Register(metadata), s, v}
}

// ask takes the person through a request, and gives where that ended.
func (a oauthApp) ask(verifier string, more map[string]string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {a.ID}, "redirect_uri": {appCallback}, "scope": {"openid profile offline_access"}, "state": {rand.Text()},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
	for name, value := range more {
		q.Set(name, value)
	}
	return a.v.Visit(a.s.URL + "/oauth/authorize?" + q.Encode()).Values()
}

// code is a code for a request, in the form that redeems it.
func (a oauthApp) code(t *testing.T, more map[string]string) url.Values {
	t.Helper()
	verifier := rand.Text() + rand.Text()
	answer := a.ask(verifier, more)
	if answer.Get("code") == "" {
		t.Fatalf("the application was told %v after %v", answer, a.v.Pages)
	}
	return url.Values{"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {appCallback}, "code_verifier": {verifier}}
}

func refreshing(text string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text}}
}

// onDPoP runs a test with a person who uses applications that have keys.
func onDPoP(t *testing.T, test func(t *testing.T, s *rig.Server, v *rig.Visitor)) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		test(t, s, s.Visitor(s.User("ana")))
	})
}

// proofAt is a fresh proof for the token endpoint.
func proofAt(s *rig.Server, h *rig.Holder) string {
	return h.Proof("POST", s.URL+"/oauth/token", "", nil)
}

// AS-32: the tokens of an application that cannot prove which one it is are
// bound to the key that it began with, its refresh tokens too.
func TestDPoPOfAPublicApplication(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		a, h, thief := newApp(s, v, nil), s.Holder(), s.Holder()
		got := granted(t, s.Token(a.Client, proofAt(s, h), a.code(t, nil)))
		if got.Type != "DPoP" {
			t.Fatalf("%+v", got)
		}
		s.DPoP(h, "GET", "/oauth/userinfo", got.Access, nil).Want(t, 200)
		s.DPoP(h, "POST", "/oauth/userinfo", got.Access, nil).Want(t, 200)
		for name, try := range map[string]struct {
			a    rig.Answer
			code string
			id   string
		}{
			"as Bearer":      {s.Bearer("GET", "/oauth/userinfo", got.Access), "invalid_token", "token.sender"},
			"by a thief":     {s.DPoP(thief, "GET", "/oauth/userinfo", got.Access, nil), "invalid_token", "token.sender"},
			"for the POST":   {s.DPoP(h, "GET", "/oauth/userinfo", got.Access, map[string]any{"htm": "POST"}), "invalid_dpop_proof", "dpop.method"},
			"another's hash": {s.DPoP(h, "GET", "/oauth/userinfo", got.Access, map[string]any{"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}), "invalid_dpop_proof", "dpop.token"},
		} {
			if r := try.a.Refusal(t); try.a.Status != http.StatusUnauthorized || r.Check != try.id || !strings.HasPrefix(try.a.Header.Get("WWW-Authenticate"), `DPoP error="`+try.code+`"`) {
				t.Errorf("userinfo %s: %d %+v %s", name, try.a.Status, r, try.a.Header.Get("WWW-Authenticate"))
			}
		}
		once := map[string]any{"jti": "once"}
		s.DPoP(h, "GET", "/oauth/userinfo", got.Access, once).Want(t, 200)
		if r := s.DPoP(h, "GET", "/oauth/userinfo", got.Access, once).Refusal(t); r.Check != "dpop.unspent" {
			t.Errorf("a used proof at userinfo: %+v", r)
		}

		// Another key, or none, has nothing of the refresh token; and takes
		// nothing from who has it.
		refusedAt(t, "refreshed by a thief", s.Token(a.Client, proofAt(s, thief), refreshing(got.Refresh)), 400, "invalid_grant", "dpop.grant")
		refusedAt(t, "refreshed without a proof", s.Token(a.Client, "", refreshing(got.Refresh)), 400, "invalid_grant", "dpop.grant")
		next := granted(t, s.Token(a.Client, proofAt(s, h), refreshing(got.Refresh)))
		last := granted(t, s.Token(a.Client, proofAt(s, h), refreshing(next.Refresh)))
		if next.Type != "DPoP" || last.Type != "DPoP" {
			t.Errorf("%+v, %+v", next, last)
		}
		// One used long ago, in the thief's hands, is refused by the key alone.
		refusedAt(t, "an old one by a thief", s.Token(a.Client, proofAt(s, thief), refreshing(got.Refresh)), 400, "invalid_grant", "dpop.grant")
		last = granted(t, s.Token(a.Client, proofAt(s, h), refreshing(last.Refresh)))
		// By the key itself it is what it always was: evidence that two hold it.
		refusedAt(t, "an old one by its key", s.Token(a.Client, proofAt(s, h), refreshing(got.Refresh)), 400, "invalid_grant", "refresh.unspent")
		refusedAt(t, "after that", s.Token(a.Client, proofAt(s, h), refreshing(last.Refresh)), 400, "invalid_grant", "refresh.alive")

		// A family that began without a key is bound by the first proof.
		free := granted(t, s.Token(a.Client, "", a.code(t, nil)))
		free = granted(t, s.Token(a.Client, "", refreshing(free.Refresh)))
		if free.Type != "Bearer" {
			t.Fatalf("%+v", free)
		}
		tied := granted(t, s.Token(a.Client, proofAt(s, h), refreshing(free.Refresh)))
		refusedAt(t, "back to none", s.Token(a.Client, "", refreshing(tied.Refresh)), 400, "invalid_grant", "dpop.grant")
		refusedAt(t, "on to another", s.Token(a.Client, proofAt(s, thief), refreshing(tied.Refresh)), 400, "invalid_grant", "dpop.grant")
		granted(t, s.Token(a.Client, proofAt(s, h), refreshing(tied.Refresh)))

		strict := newApp(s, v, map[string]any{"dpop_bound_access_tokens": true})
		code := strict.code(t, nil)
		refusedAt(t, "a code without a proof", s.Token(strict.Client, "", code), 400, "invalid_dpop_proof", "dpop.demanded")
		got = granted(t, s.Token(strict.Client, proofAt(s, h), code)) // that cost nothing
		refusedAt(t, "a refresh without a proof", s.Token(strict.Client, "", refreshing(got.Refresh)), 400, "invalid_dpop_proof", "dpop.demanded")
	})
}

// An application that proves which one it is may change its key: its refresh
// token is bound to the application itself (RFC 9449 section 5).
func TestDPoPOfAConfidentialApplication(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		a := newApp(s, v, map[string]any{"doorward_type": "web", "token_endpoint_auth_method": "client_secret_basic"})
		old, fresh := s.Holder(), s.Holder()
		got := granted(t, s.Token(a.Client, proofAt(s, old), a.code(t, nil)))
		next := granted(t, s.Token(a.Client, proofAt(s, fresh), refreshing(got.Refresh)))
		s.DPoP(fresh, "GET", "/oauth/userinfo", next.Access, nil).Want(t, 200)
		if r := s.DPoP(old, "GET", "/oauth/userinfo", next.Access, nil).Refusal(t); r.Check != "token.sender" {
			t.Errorf("the new token by the old key: %+v", r)
		}
		s.DPoP(old, "GET", "/oauth/userinfo", got.Access, nil).Want(t, 200)
	})
}

// AS-13: a code that was asked for with dpop_jkt is good for that key alone.
func TestACodeIsBoundToItsKey(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		h, thief := s.Holder(), s.Holder()
		for _, more := range []map[string]any{nil, {"doorward_type": "web", "token_endpoint_auth_method": "client_secret_post"}} {
			a := newApp(s, v, more)
			bound := map[string]string{"dpop_jkt": h.Thumbprint}
			if got := granted(t, s.Token(a.Client, proofAt(s, h), a.code(t, bound))); got.Type != "DPoP" {
				t.Errorf("%+v", got)
			}
			for name, proof := range map[string]func() string{"with another key": func() string { return proofAt(s, thief) }, "without a key": func() string { return "" }} {
				code := a.code(t, bound)
				refusedAt(t, name, s.Token(a.Client, proof(), code), 400, "invalid_grant", "dpop.grant")
				// In the wrong hands once, it is worth nothing any more.
				refusedAt(t, name+", and then its own", s.Token(a.Client, proofAt(s, h), code), 400, "invalid_grant", "code.unspent")
			}
			for _, bad := range []string{"x", h.Thumbprint + "=", h.Thumbprint[:42], strings.Repeat("!", 43)} {
				if answer := a.ask(rand.Text()+rand.Text(), map[string]string{"dpop_jkt": bad}); answer.Get("error") != "invalid_request" || answer.Has("code") {
					t.Errorf("dpop_jkt %q: %v", bad, answer)
				}
			}
		}
	})
}

// OAU-09 with a key: of forty at once with one code, each with a proof of its
// own, one gets something.
func TestOneCodeManyProofs(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		a, h := newApp(s, v, nil), s.Holder()
		code := a.code(t, map[string]string{"dpop_jkt": h.Thumbprint})
		var group sync.WaitGroup
		answers := make([]rig.Answer, 40)
		start := make(chan struct{})
		for i := range answers {
			proof := proofAt(s, h)
			group.Go(func() {
				<-start
				answers[i] = s.Token(a.Client, proof, code)
			})
		}
		close(start)
		group.Wait()
		won := 0
		for _, got := range answers {
			if got.Status == 200 {
				won++
			} else if r := got.Refusal(t); r.Error != "invalid_grant" {
				t.Errorf("%d %+v", got.Status, r)
			}
		}
		if won != 1 {
			t.Errorf("%d of 40 got tokens", won)
		}
	})
}

// A lost answer is asked for again with a new proof: the grace gives the same
// refresh token, and the same proof gives nothing.
func TestALostAnswerOfABoundRefresh(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		a, h, thief := newApp(s, v, nil), s.Holder(), s.Holder()
		got := granted(t, s.Token(a.Client, proofAt(s, h), a.code(t, nil)))
		proof := proofAt(s, h)
		first := granted(t, s.Token(a.Client, proof, refreshing(got.Refresh)))
		refusedAt(t, "the same request", s.Token(a.Client, proof, refreshing(got.Refresh)), 400, "invalid_dpop_proof", "dpop.unspent")
		refusedAt(t, "a thief inside the grace", s.Token(a.Client, proofAt(s, thief), refreshing(got.Refresh)), 400, "invalid_grant", "dpop.grant")
		again := granted(t, s.Token(a.Client, proofAt(s, h), refreshing(got.Refresh)))
		if again.Refresh != first.Refresh {
			t.Error("the grace gives another successor")
		}
		s.Clock("+1m")
		h.Now = func() time.Time { return time.Now().Add(time.Minute) }
		granted(t, s.Token(a.Client, proofAt(s, h), refreshing(first.Refresh)))
	})
}

// A bound token of a first-party application acts in its session with its key
// alone; another application's acts in nobody's, whatever it proves.
func TestBoundTokensAtTheSessionAPI(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		h, thief := s.Holder(), s.Holder()
		mine := newApp(s, v, map[string]any{"doorward_first_party": true})
		got := granted(t, s.Token(mine.Client, proofAt(s, h), mine.code(t, nil)))
		s.DPoP(h, "GET", "/session", got.Access, nil).Want(t, 200)
		s.DPoP(h, "GET", "/sessions", got.Access, nil).Want(t, 200)
		other := newApp(s, v, nil)
		theirs := granted(t, s.Token(other.Client, proofAt(s, h), other.code(t, nil)))
		for _, at := range []struct{ method, path string }{{"GET", "/session"}, {"GET", "/sessions"}, {"POST", "/sessions/end-others"}, {"DELETE", "/session"}} {
			for what, a := range map[string]rig.Answer{"as Bearer": s.Bearer(at.method, at.path, got.Access), "by a thief": s.DPoP(thief, at.method, at.path, got.Access, nil)} {
				if r := a.Refusal(t); a.Status != 401 || r.Check != "token.sender" {
					t.Errorf("%s %s %s: %d %+v", at.method, at.path, what, a.Status, r)
				}
			}
			if a := s.DPoP(h, at.method, at.path, theirs.Access, nil); a.Status != 403 || a.Refusal(t).Check != "token.first_party" {
				t.Errorf("%s %s by another application: %d %s", at.method, at.path, a.Status, a.Body)
			}
		}
		s.DPoP(h, "DELETE", "/session", got.Access, nil).Want(t, 204)
		s.DPoP(h, "GET", "/session", got.Access, nil).Want(t, 401)
		if r := s.DPoP(h, "GET", "/api/v1/users", theirs.Access, nil).Refusal(t); r.Check == "" {
			t.Errorf("the management API: %+v", r)
		}
	})
}

// A device's tokens are bound to the key that it asks with.
func TestDPoPOfADevice(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		const grant = "urn:ietf:params:oauth:grant-type:device_code"
		tv := s.Register(map[string]any{"client_name": "Television", "doorward_type": "native", "token_endpoint_auth_method": "none",
			"grant_types": []string{grant, "refresh_token"}, "scope": "openid profile offline_access"})
		h, thief := s.Holder(), s.Holder()
		var d struct {
			Code     string `json:"device_code"`
			Complete string `json:"verification_uri_complete"`
		}
		sent(s, "/oauth/device", url.Values{"client_id": {tv.ID}, "scope": {"openid profile offline_access"}}).Want(t, http.StatusOK).Into(t, &d)
		ask := url.Values{"grant_type": {grant}, "device_code": {d.Code}}
		v.Visit(d.Complete)
		got := granted(t, s.Token(tv, proofAt(s, h), ask))
		if got.Type != "DPoP" {
			t.Errorf("%+v", got)
		}
		s.DPoP(h, "GET", "/oauth/userinfo", got.Access, nil).Want(t, 200)
		refusedAt(t, "refreshed by a thief", s.Token(tv, proofAt(s, thief), refreshing(got.Refresh)), 400, "invalid_grant", "dpop.grant")
		granted(t, s.Token(tv, proofAt(s, h), refreshing(got.Refresh)))
	})
}

// RFC 9449 section 10.1: a request that is pushed with a proof asks for a code
// for the proof's key.
func TestAPushedRequestIsBoundToItsKey(t *testing.T) {
	onDPoP(t, func(t *testing.T, s *rig.Server, v *rig.Visitor) {
		a, h, thief := newApp(s, v, nil), s.Holder(), s.Holder()
		push := func(verifier, jkt, proof string) rig.Answer {
			sum := sha256.Sum256([]byte(verifier))
			form := url.Values{"response_type": {"code"}, "client_id": {a.ID}, "redirect_uri": {appCallback}, "scope": {"openid profile"},
				"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
			if jkt != "" {
				form.Set("dpop_jkt", jkt)
			}
			headers := []string{"Content-Type", "application/x-www-form-urlencoded"}
			if proof != "" {
				headers = append(headers, "DPoP", proof)
			}
			b := s.Browser()
			b.Origin = ""
			return b.Do("POST", "/oauth/par", form.Encode(), headers...)
		}
		at := func(h *rig.Holder) string { return h.Proof("POST", s.URL+"/oauth/par", "", nil) }
		for what, c := range map[string]struct{ jkt, proof string }{"a proof": {"", at(h)}, "both": {h.Thumbprint, at(h)}, "dpop_jkt": {h.Thumbprint, ""}} {
			redeem := func() url.Values {
				verifier := rand.Text() + rand.Text()
				proof := c.proof
				if proof != "" {
					proof = at(h)
				}
				var pushed struct {
					URI string `json:"request_uri"`
				}
				push(verifier, c.jkt, proof).Want(t, 201).Into(t, &pushed)
				answer := v.Visit(s.URL + "/oauth/authorize?" + url.Values{"client_id": {a.ID}, "request_uri": {pushed.URI}}.Encode()).Values()
				if answer.Get("code") == "" {
					t.Fatalf("pushed with %s: %v", what, answer)
				}
				return url.Values{"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {appCallback}, "code_verifier": {verifier}}
			}
			refusedAt(t, "pushed with "+what+", redeemed by a thief", s.Token(a.Client, proofAt(s, thief), redeem()), 400, "invalid_grant", "dpop.grant")
			refusedAt(t, "pushed with "+what+", redeemed without a proof", s.Token(a.Client, "", redeem()), 400, "invalid_grant", "dpop.grant")
			if got := granted(t, s.Token(a.Client, proofAt(s, h), redeem())); got.Type != "DPoP" {
				t.Errorf("%+v", got)
			}
		}
		refusedAt(t, "two keys", push(rand.Text()+rand.Text(), thief.Thumbprint, at(h)), 400, "invalid_request", "dpop.jkt")
		refusedAt(t, "no thumbprint", push(rand.Text()+rand.Text(), "x", ""), 400, "invalid_request", "dpop.jkt")
		refusedAt(t, "a proof for the token endpoint", push(rand.Text()+rand.Text(), "", proofAt(s, h)), 400, "invalid_dpop_proof", "dpop.address")
		once := at(h)
		push(rand.Text()+rand.Text(), "", once).Want(t, 201)
		refusedAt(t, "a used proof", push(rand.Text()+rand.Text(), "", once), 400, "invalid_dpop_proof", "dpop.unspent")
	})
}
