package exchange_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
)

const notesBack = "https://notes.example/cb"

// pushes registers a first-party application that may push and sign its requests.
func (r *rig) pushes(set []byte, change func(*client.Client)) {
	r.t.Helper()
	c := client.Client{ID: "notes", Name: "Notes", Type: "web", FirstParty: true, Auth: client.AuthBasic, RedirectURIs: []string{notesBack, notesBack + "2"}, Scopes: []string{"openid", "notes:read"},
		Resources: []string{"https://api.example"}, Settings: client.Settings{PKCE: client.PKCEOptional, Answers: client.Answers{JWKS: set}}}
	if change != nil {
		change(&c)
	}
	n := manage.NewClient{Client: c}
	if c.Auth == client.AuthBasic {
		n.Secret = secretText
	}
	if _, err := r.manage.CreateClients(r.t.Context(), settle.Caller{Actor: "host:0"}, []manage.NewClient{n}); err != nil {
		r.t.Fatal(err)
	}
}

const secretText = "a-secret-of-more-than-thirty-two-characters"

var notesProof = exchange.ClientProof{ID: "notes", Secret: secretText}

// asked is a request of the application; an empty value leaves a parameter out.
func (r *rig) asked(more ...string) client.Request {
	q := url.Values{"client_id": {"notes"}, "response_type": {"code"}, "redirect_uri": {notesBack}, "scope": {"openid"}, "state": {"s"}}
	for i := 0; i < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return client.ReadRequest(q, r.clock.now())
}

// brings is a browser that brings a request.
func (r *rig) brings(cookie string, in client.Request) (exchange.Authorization, error) {
	r.t.Helper()
	in, err := r.Receive(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.Authorize(r.t.Context(), home, cookie, in)
}

func (r *rig) uri(id, uri string) client.Request {
	return client.ReadRequest(url.Values{"client_id": {id}, "request_uri": {uri}, "state": {"outer"}, "scope": {"notes:read"}}, r.clock.now())
}

// AS-31, FP-03, FP-07: a pushed request is opened as often as it is looked at,
// by who pushed it, for a moment, and answered once, on whatever node.
func TestPushedRequests(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.pushes(nil, nil)
		r.pushes(nil, func(c *client.Client) { c.ID = "other" })
		cookie := r.seat(r.person()).Cookie
		push := func(more ...string) string {
			t.Helper()
			uri, err := r.Push(t.Context(), home, notesProof, r.asked(more...))
			if err != nil || !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") {
				t.Fatalf("%q: %v", uri, err)
			}
			return uri
		}
		uri := push("prompt", "none")
		// A look without a session is no answer; nor is that of somebody's preview.
		for range 2 {
			if a, err := r.Look(t.Context(), home, "", first(r.Receive(t.Context(), r.uri("notes", uri)))); named(err) != "authorize.signed_in" || a.Back != notesBack {
				t.Fatalf("%v, back to %s", err, a.Back)
			}
		}
		_, err := r.brings(cookie, r.uri("other", uri))
		refused(t, err, "request.pushed")
		a, err := r.brings(cookie, r.uri("notes", uri))
		if err != nil || a.Code == "" || a.Back != notesBack || strings.Join(a.Scopes, " ") != "openid" {
			t.Fatalf("%+v: %v", a, err)
		}
		_, err = r.brings(cookie, r.uri("notes", uri))
		refused(t, err, "request.unanswered")

		// On another node, and while a person reads: the request is gone only when nobody can wait for it.
		uri, elsewhere := push(), r.open()
		in := first(elsewhere.Receive(t.Context(), r.uri("notes", uri)))
		if kept := in.Kept(); kept.State != "" || kept.Redirect != "" || len(kept.ID) == 0 {
			t.Errorf("%+v is carried", kept)
		}
		r.clock.add(59 * time.Minute)
		again, waits, err := elsewhere.Recall(t.Context(), in.Kept())
		if err != nil || !waits || again.State != "s" {
			t.Fatalf("%+v %v: %v", again, waits, err)
		}
		if a, err := elsewhere.Authorize(t.Context(), home, cookie, again); err != nil || a.Code == "" {
			t.Fatal(err)
		}
		_, err = r.Authorize(t.Context(), home, cookie, again)
		refused(t, err, "request.unanswered")
		r.clock.add(3 * time.Minute)
		if _, waits, err = r.Recall(t.Context(), in.Kept()); waits || err != nil {
			t.Errorf("it waits for ever: %v", err)
		}

		uri = push()
		r.clock.add(90*time.Second - time.Microsecond)
		first(r.Receive(t.Context(), r.uri("notes", uri)))
		r.clock.add(time.Microsecond)
		_, err = r.brings(cookie, r.uri("notes", uri))
		refused(t, err, "request.pushed")
		for _, bad := range []string{"urn:ietf:params:oauth:request_uri:", uri + "A", strings.Repeat("A", 43), "https://notes.example/request.jwt", "http://127.0.0.1/"} {
			_, err = r.brings(cookie, r.uri("notes", bad))
			want := "request.uri"
			if bad == uri+"A" {
				want = "request.uri" // not in its one spelling
			}
			refused(t, err, want)
		}
	})
}

func first[T any](v T, _ error) T { return v }

// What is refused of a request that a browser brings is refused when it is
// pushed, and who pushes is known (AS-31; RFC 9126 section 2.1).
func TestWhatIsNotPushed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.pushes(nil, nil)
		r.pushes(nil, func(c *client.Client) { c.ID, c.Auth, c.PKCE = "public", client.AuthNone, "" })
		good, err := r.Push(t.Context(), home, notesProof, r.asked())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			proof exchange.ClientProof
			more  []string
			want  string
		}{
			{exchange.ClientProof{ID: "notes", Secret: "wrong"}, nil, "client.authentic"},
			{exchange.ClientProof{ID: "notes"}, nil, "client.authentic"},
			{exchange.ClientProof{ID: "nobody"}, nil, "client.authentic"},
			{exchange.ClientProof{ID: "public"}, nil, "pkce.challenge"},
			{exchange.ClientProof{ID: "public"}, []string{"code_challenge", strings.Repeat("c", 43), "code_challenge_method", "S256"}, "passed"},
			{notesProof, []string{"redirect_uri", "https://evil.example/cb"}, "redirect.exact"},
			{notesProof, []string{"redirect_uri", ""}, "redirect.exact"},
			{notesProof, []string{"response_type", "token"}, "request.response_type"},
			{notesProof, []string{"response_mode", "fragment"}, "request.response_mode"},
			{notesProof, []string{"max_age", "x"}, "request.form"},
			{notesProof, []string{"request_uri", good}, "request.form"},
			{notesProof, []string{"request", "x.y.z"}, "request.object"},
			{notesProof, []string{"scope", "admin"}, "client.scope"},
			{notesProof, []string{"resource", "https://other.example"}, "client.resource"},
			{notesProof, []string{"resource", "https://api.example"}, "passed"},
			{notesProof, []string{"id_token_hint", "x"}, "request.hint"},
			{notesProof, []string{"code_challenge", "x"}, "pkce.challenge"},
		} {
			if _, err := r.Push(t.Context(), home, c.proof, r.asked(c.more...)); named(err) != c.want {
				t.Errorf("%s %v: %s, want %s", c.proof.ID, c.more, named(err), c.want)
			}
		}
		// DOS-01: 10 a second from one network.
		for range 100 {
			_, err = r.Push(t.Context(), from("198.51.100.9"), exchange.ClientProof{ID: "public"}, r.asked())
		}
		if _, err = r.Push(t.Context(), from("198.51.100.9"), exchange.ClientProof{ID: "public"}, r.asked()); named(err) != "limit.network" {
			t.Errorf("the 101st: %s", named(err))
		}
	})
}

var objects atomic.Int64

// object signs a request; a nil takes a claim out.
func (r *rig) object(k *jose.SigningKey, changes ...any) string {
	r.t.Helper()
	now := r.clock.now().Unix()
	claims := map[string]any{"iss": "notes", "client_id": "notes", "aud": issuer, "exp": now + 300, "nbf": now, "jti": fmt.Sprint(objects.Add(1)),
		"response_type": "code", "redirect_uri": notesBack, "scope": "openid", "state": "inner", "max_age": 3600}
	typ := "oauth-authz-req+jwt"
	for i := 0; i < len(changes); i += 2 {
		switch name := changes[i].(string); {
		case name == "typ":
			typ = changes[i+1].(string)
		case changes[i+1] == nil:
			delete(claims, name)
		default:
			claims[name] = changes[i+1]
		}
	}
	return signed(r.t, k, typ, claims)
}

// OI-11, JW-02, JW-12: what is inside of a signed request wins, what is around
// it is nothing; and it is believed only when it is the application's, for this
// server, for now.
func TestSignedRequests(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		other, _ := signer(t, jose.ES256)
		r.pushes(set, nil)
		r.pushes(set, func(c *client.Client) { c.ID, c.RequestAlg = "pinned", "PS256" })
		cookie := r.seat(r.person()).Cookie
		around := func(object string) client.Request {
			return client.ReadRequest(url.Values{"client_id": {"notes"}, "request": {object}, "redirect_uri": {notesBack + "2"}, "scope": {"notes:read"}, "state": {"outer"}, "prompt": {"login"}}, r.clock.now())
		}
		in := first(r.Receive(t.Context(), around(r.object(k))))
		if in.Trouble != nil || in.State != "inner" || in.Scope != "openid" || in.Redirect != notesBack || in.Prompt != "" || in.MaxAge != "3600" || !in.Signed {
			t.Fatalf("%+v is asked", in)
		}
		if a, err := r.Authorize(t.Context(), home, cookie, in); err != nil || a.Code == "" || a.Back != notesBack {
			t.Fatal(err)
		}
		now := r.clock.now().Unix()
		mine := func(changes ...any) string { return r.object(k, changes...) }
		text := mine()
		for i, c := range []struct{ what, object, want string }{
			{"of the older types", mine("typ", "JWT"), "passed"},
			{"for us in a list", mine("aud", []string{issuer}), "passed"},
			{"for us and another server", mine("aud", []string{issuer, "https://other.example.com"}), "passed"}, // the state and nonce inside are of one request
			{"with claims", mine("claims", map[string]any{"id_token": map[string]any{"acr": nil}}), "passed"},
			{"with resources", mine("resource", []string{"https://api.example"}), "passed"},
			{"with what nobody knows", mine("extra", map[string]any{"a": 1}), "passed"},
			{"by a clock that goes before", mine("nbf", now+29), "passed"}, // FP-05

			{"by somebody else's key", r.object(other), "request.object"},
			{"changed", text[:len(text)-6] + "AAAAAA", "request.object"},
			{"by nobody", "eyJhbGciOiJub25lIn0." + strings.Split(text, ".")[1] + ".", "request.object"},
			{"of another kind", mine("typ", "at+jwt"), "request.object"},
			{"that proves the client", mine("sub", "notes"), "request.object"},
			{"by another issuer", mine("iss", "other"), "request.object"},
			{"by nobody named", mine("iss", nil), "request.object"},
			{"of another client", mine("client_id", "other"), "request.object"},
			{"of no client", mine("client_id", nil), "request.object"},
			{"for another server", mine("aud", "https://other.example.com"), "request.object"},
			{"for nobody", mine("aud", nil), "request.object"},
			{"without an end", mine("exp", nil), "request.object"},
			{"over", mine("exp", now-31), "request.object"},
			{"for a day", mine("exp", now+86400), "request.object"},
			{"not begun", mine("nbf", now+61), "request.object"},
			{"begun long ago", mine("nbf", now-3700), "request.object"},
			{"with a request inside", mine("request", "x"), "request.object"},
			{"with an address inside", mine("request_uri", "urn:x"), "request.object"},
			{"with several states", mine("state", []string{"a", "b"}), "request.object"},
			{"not of JWT", "x", "request.object"},

			{"of a scope that is not registered", mine("scope", "admin"), "client.scope"},
			{"to an address that is not registered", mine("redirect_uri", "https://evil.example/"), "redirect.exact"},
			{"for another resource", mine("resource", "https://other.example"), "client.resource"},
		} {
			a, err := r.brings(cookie, around(c.object))
			if named(err) != c.want {
				t.Errorf("%d, %s: %s, want %s", i, c.what, named(err), c.want)
			}
			if c.want == "redirect.exact" && a.Back != "" {
				t.Errorf("%s is told", a.Back)
			}
			// Inside a pushed request the same holds (RFC 9126 section 3).
			if _, err := r.Push(t.Context(), home, notesProof, r.asked("request", c.object)); named(err) != c.want {
				t.Errorf("%d, %s, pushed: %s, want %s", i, c.what, named(err), c.want)
			}
		}
		// JW-01: the algorithm is the registered one.
		pinned := client.ReadRequest(url.Values{"client_id": {"pinned"}, "request": {mine("iss", "pinned", "client_id", "pinned")}}, r.clock.now())
		_, err := r.brings(cookie, pinned)
		refused(t, err, "request.object")
		both := around(mine())
		both.URI = "urn:ietf:params:oauth:request_uri:x"
		_, err = r.brings(cookie, both)
		refused(t, err, "request.form")
	})
}

// FP-03: an application may be held to pushing, or to signing.
func TestRequestsInOneWay(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		r.pushes(set, func(c *client.Client) { c.RequirePushed, c.RequireSigned = true, true })
		cookie := r.seat(r.person()).Cookie
		_, err := r.brings(cookie, r.asked())
		refused(t, err, "request.way")
		_, err = r.brings(cookie, client.ReadRequest(url.Values{"client_id": {"notes"}, "request": {r.object(k)}}, r.clock.now()))
		refused(t, err, "request.way")
		_, err = r.Push(t.Context(), home, notesProof, r.asked())
		refused(t, err, "request.way")
		uri, err := r.Push(t.Context(), home, notesProof, client.ReadRequest(url.Values{"client_id": {"notes"}, "request": {r.object(k)}}, r.clock.now()))
		if err != nil {
			t.Fatal(err)
		}
		if a, err := r.brings(cookie, r.uri("notes", uri)); err != nil || a.Code == "" {
			t.Fatal(err)
		}
	})
}
