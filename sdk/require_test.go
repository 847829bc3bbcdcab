package doorward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A refusal as a client sees it.
type problem struct {
	Type, Title, Detail, Check, Ref string
	Status                          int
}

// guarded sends a request to a handler behind the guards. ran says whether the
// handler's body was reached.
func guarded(t *testing.T, v *Verifier, r *http.Request, guards ...Guard) (res *http.Response, p problem, ran bool) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/notes/{id}", v.Require(guards...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran = true
		if From(r.Context()) == nil {
			t.Error("no identity behind Require")
		}
	})))
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	res = rec.Result()
	if ran {
		return res, p, ran
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("%q: %v", rec.Body, err)
	}
	if res.Header.Get("Content-Type") != "application/problem+json" || res.Header.Get("Cache-Control") != "no-store" || p.Status != res.StatusCode {
		t.Errorf("headers %v, body %+v", res.Header, p)
	}
	if !regexp.MustCompile(`^[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{2}$`).MatchString(p.Ref) || p.Title == "" {
		t.Errorf("problem %+v", p)
	}
	return res, p, ran
}

func request(token string) *http.Request {
	r := httptest.NewRequest("GET", "/notes/n1", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func TestWhereATokenMayBe(t *testing.T) {
	_, _, v, token := good(t)
	if _, _, ran := guarded(t, v, request(token)); !ran {
		t.Fatal("a good token was refused")
	}
	r := request("")
	r.Header.Set("Authorization", "bEARER "+token)
	if _, _, ran := guarded(t, v, r); !ran {
		t.Error("RFC 9110 section 11.1: the scheme is compared without regard to case")
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		check  string
		status int
	}{
		"none":           {func(r *http.Request) { r.Header.Del("Authorization") }, checkPresent, 401},
		"Basic":          {func(r *http.Request) { r.SetBasicAuth("a", "b") }, checkPresent, 401},
		"DPoP":           {func(r *http.Request) { r.Header.Set("Authorization", "DPoP "+token) }, checkProofForm, 401},
		"scheme alone":   {func(r *http.Request) { r.Header.Set("Authorization", "Bearer") }, checkPresent, 401},
		"no scheme":      {func(r *http.Request) { r.Header.Set("Authorization", token) }, checkPresent, 401},
		"two headers":    {func(r *http.Request) { r.Header.Add("Authorization", "Bearer "+token) }, checkPlace, 400},
		"two schemes":    {func(r *http.Request) { r.Header.Add("Authorization", "Basic YTpi") }, checkPlace, 400},
		"query as well":  {func(r *http.Request) { r.URL.RawQuery = "access_token=" + token }, checkPlace, 400},
		"query, escaped": {func(r *http.Request) { r.URL.RawQuery = "x=1&acc%65ss_token=" }, checkPlace, 400},
		"query alone": {func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "access_token=" + token
		}, checkPlace, 400},
		"body alone": {func(r *http.Request) {
			*r = *httptest.NewRequest("POST", "/notes/n1", strings.NewReader("access_token="+token))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}, checkPresent, 401},
		"cookie alone": {func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: "access_token", Value: token})
		}, checkPresent, 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(token)
			c.change(r)
			res, p, ran := guarded(t, v, r)
			if ran || res.StatusCode != c.status || p.Check != c.check {
				t.Errorf("ran %v, %d %s, want %d %s", ran, res.StatusCode, p.Check, c.status, c.check)
			}
		})
	}
}

// RFC 6750 section 3: no error code without a token; the failed check is named
// only to the holder of a token with a good signature.
func TestChallenges(t *testing.T) {
	i, s, v, token := good(t)
	expired := s.mint(i.claims(map[string]any{"exp": start.Unix() - 60}))
	for name, c := range map[string]struct {
		token  string
		guards []Guard
		status int
		check  string
		says   string
	}{
		"none":          {"", nil, 401, checkPresent, `^Bearer realm="notes-api"$`},
		"forged":        {token[:len(token)-10] + "AAAAAAAAAA", nil, 401, "", `^Bearer realm="notes-api", error="invalid_token", error_description="The access token was not accepted. ref [\w-]{7}"$`},
		"expired":       {expired, nil, 401, checkTime, `^Bearer realm="notes-api", error="invalid_token", error_description="token.time: the token expired at 2026-11-03T09:13:00Z, ref [\w-]{7}"$`},
		"scope":         {token, []Guard{Scope("notes:delete")}, 403, checkScope, `error="insufficient_scope", .*, scope="notes:delete"$`},
		"part of one":   {token, []Guard{Scope("notes")}, 403, checkScope, `insufficient_scope`},
		"empty scope":   {token, []Guard{Scope("")}, 403, checkScope, `insufficient_scope`},
		"fresh":         {token, []Guard{Fresh(59 * time.Second)}, 401, checkProof, `error="insufficient_user_authentication", .*, max_age=59$`},
		"scope first":   {token, []Guard{Scope("a"), Fresh(time.Second)}, 403, checkScope, `insufficient_scope`},
		"second of two": {token, []Guard{Scope("notes:read"), Scope("notes:delete")}, 403, checkScope, `scope="notes:delete"$`},
	} {
		t.Run(name, func(t *testing.T) {
			res, p, ran := guarded(t, v, request(c.token), c.guards...)
			if ran || res.StatusCode != c.status || p.Check != c.check {
				t.Errorf("ran %v, %d %+v", ran, res.StatusCode, p)
			}
			if got := res.Header.Get("WWW-Authenticate"); !regexp.MustCompile(c.says).MatchString(got) {
				t.Errorf("WWW-Authenticate: %s\nwant %s", got, c.says)
			}
			if c.check == "" && p.Detail != "" {
				t.Errorf("detail for a forger: %s", p.Detail)
			}
		})
	}
	if _, _, ran := guarded(t, v, request(token), Scope("notes:read"), Scope("notes:write"), Fresh(time.Minute), FeedWithin(time.Second)); !ran {
		t.Error("every guard holds and the handler did not run")
	}
	// A machine proved no person's presence; a proof of the future is none.
	for _, change := range []map[string]any{{"auth_time": nil}, {"auth_time": start.Unix() + 31}} {
		if _, p, ran := guarded(t, v, request(s.mint(i.claims(change))), Fresh(time.Hour)); ran || p.Check != checkProof {
			t.Errorf("%v: %+v", change, p)
		}
	}
}

// Words of a token cannot leave the quotes they stand in.
func TestChallengeIsOneLine(t *testing.T) {
	i, s, v, _ := good(t)
	token := s.mint(i.claims(map[string]any{"aud": "x\", error=\"none\\\r\nSet-Cookie: a=b é " + strings.Repeat("y", 500)}))
	res, _, _ := guarded(t, v, request(token))
	h := res.Header.Get("WWW-Authenticate")
	if strings.Count(h, `"`) != 6 || strings.ContainsAny(h, "\r\n\\") || len(h) > 400 {
		t.Errorf("%q", h)
	}
}

func TestFeedWithin(t *testing.T) {
	i, s, v, _ := good(t)
	token := s.mint(i.claims(map[string]any{"exp": start.Add(time.Hour).Unix()}))
	// A view that is too old for the route is renewed at once.
	i.clock.advance(3 * time.Second)
	polls := i.polls.Load()
	if _, _, ran := guarded(t, v, request(token), FeedWithin(time.Second)); !ran || i.polls.Load() != polls+1 {
		t.Error("the feed was not read")
	}
	if _, _, ran := guarded(t, v, request(token), FeedWithin(time.Second)); !ran || i.polls.Load() != polls+1 {
		t.Error("the feed was read again although it is fresh")
	}
	// A server whose own reading is old does not help.
	i.clock.advance(2 * time.Second)
	i.feedAge.Store(1500)
	if res, _, ran := guarded(t, v, request(token), FeedWithin(time.Second)); ran || res.StatusCode != 503 {
		t.Error("a reading of 1.5 s was enough for 1 s")
	}
	i.feedAge.Store(0)
	// What that reading brings counts.
	i.clock.advance(2 * time.Second)
	i.revoke("session", "ses_1")
	if _, p, ran := guarded(t, v, request(token), FeedWithin(time.Second)); ran || p.Check != checkRevoked {
		t.Errorf("%+v", p)
	}
	// Server away: others go on, this one is 503.
	token = s.mint(i.claims(map[string]any{"rev": i.head}))
	i.away.Store(true)
	i.clock.advance(6 * time.Second)
	if _, _, ran := guarded(t, v, request(token)); !ran {
		t.Error("an ordinary route stopped")
	}
	res, p, ran := guarded(t, v, request(token), FeedWithin(10*time.Second))
	if ran || res.StatusCode != 503 || p.Check != checkFeed || res.Header.Get("Retry-After") == "" || res.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("%d %+v %v", res.StatusCode, p, res.Header)
	}
	// Introspection alone is no fresh feed once its answer is too old.
	i.away.Store(false)
	i.feedStatus.Store(500)
	i.clock.advance(2 * time.Second)
	if _, _, ran := guarded(t, v, request(token), FeedWithin(time.Second)); !ran {
		t.Error("the server's word of this instant was not enough")
	}
	i.clock.advance(2 * time.Second)
	if res, _, ran := guarded(t, v, request(token), FeedWithin(time.Second)); ran || res.StatusCode != 503 {
		t.Error("an answer of 2 s was enough for 1 s")
	}
}

// Z3: another person's object answers exactly as a missing one.
func TestOwned(t *testing.T) {
	i, s, v, token := good(t)
	owner := func(_ context.Context, id string) (string, error) {
		switch id {
		case "mine":
			return "usr_ana", nil
		case "bens":
			return "usr_ben", nil
		case "nobodys":
			return "", nil
		case "failing":
			return "usr_ana", errors.New("disk on fire")
		case "panics":
			panic("disk on fire")
		}
		return "", fmt.Errorf("reading: %w", ErrMissing)
	}
	at := func(id string) *http.Request {
		r := request(token)
		r.URL.Path = "/notes/" + id
		return r
	}
	if _, _, ran := guarded(t, v, at("mine"), Owned("id", owner)); !ran {
		t.Fatal("the owner was refused")
	}
	type seen struct {
		status  int
		headers string
		p       problem
	}
	var answers []seen
	for _, id := range []string{"bens", "missing", "nobodys"} {
		res, p, ran := guarded(t, v, at(id), Owned("id", owner))
		if ran || res.StatusCode != 404 || p.Check != checkOwner {
			t.Errorf("%s: ran %v, %d %+v", id, ran, res.StatusCode, p)
		}
		p.Ref = ""
		answers = append(answers, seen{res.StatusCode, fmt.Sprint(res.Header), p})
	}
	if answers[0] != answers[1] || answers[1] != answers[2] {
		t.Errorf("the answers differ: %+v", answers)
	}
	for _, id := range []string{"failing", "panics"} {
		res, p, ran := guarded(t, v, at(id), Owned("id", owner))
		if ran || res.StatusCode != 500 || strings.Contains(fmt.Sprint(p), "fire") {
			t.Errorf("%s: ran %v, %d %+v", id, ran, res.StatusCode, p)
		}
	}
	// A route without the parameter lets nobody by.
	if res, _, ran := guarded(t, v, at("mine"), Owned("note", owner)); ran || res.StatusCode != 500 {
		t.Errorf("ran %v, %d", ran, res.StatusCode)
	}
	// The app's data is not read for who may not ask at all, in whatever order
	// the guards were written.
	asked := false
	spy := func(context.Context, string) (string, error) { asked = true; return "usr_ana", nil }
	guarded(t, v, request(s.mint(i.claims(map[string]any{"scope": ""}))), Owned("id", spy), Scope("notes:read"))
	guarded(t, v, request(""), Owned("id", spy))
	if asked {
		t.Error("the owner was asked for before the scope was checked")
	}
}

// A guard that cannot work is seen when the route is set up.
func TestWiringMistakes(t *testing.T) {
	i := newIssuer(t)
	i.addKey(jose.ES256)
	v := i.verifier(t, Stateless())
	for name, g := range map[string]Guard{"the zero guard": {}, "a feed without one": FeedWithin(time.Second)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was accepted", name)
				}
			}()
			v.Require(g)
		}()
	}
	if From(t.Context()) != nil {
		t.Error("an identity out of nothing")
	}
}

// One line for each refusal, with the reason that the caller does not get and
// without the token; a flood is counted, not written.
func TestLog(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	log, out := lines()
	v := i.verifier(t, Logger(log))
	token := s.mint(i.claims(map[string]any{"aud": "billing-api"}))
	r := request(token)
	r.URL.RawQuery = "q=secret"
	_, p, _ := guarded(t, v, r)
	line := out.String()
	for _, want := range []string{"doorward: refused", "method=GET", "path=/notes/n1", "status=401", "check=token.audience", "billing-api", "ref=" + p.Ref} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in %s", want, line)
		}
	}
	if strings.Contains(line, token) || strings.Contains(line, token[len(token)-40:]) || strings.Contains(line, "secret") {
		t.Errorf("the log has what it must not: %s", line)
	}
	owner := func(context.Context, string) (string, error) { return "usr_ben", nil }
	out.Reset()
	guarded(t, v, request(s.mint(i.claims(nil))), Owned("id", owner))
	if !strings.Contains(out.String(), "somebody else") || !strings.Contains(out.String(), "subject=usr_ana") {
		t.Errorf("the log does not tell why: %s", out)
	}

	i.clock.advance(time.Second)
	out.Reset()
	for range 500 {
		guarded(t, v, request(""))
	}
	if n := strings.Count(out.String(), "\n"); n != linesMost {
		t.Errorf("%d lines for 500 refusals", n)
	}
	i.clock.advance(time.Second)
	out.Reset()
	guarded(t, v, request(""))
	if !strings.Contains(out.String(), "lines_left_out=480") {
		t.Errorf("%s", out)
	}
}
