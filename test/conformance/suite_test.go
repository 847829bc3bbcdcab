// Package conformance plays the modules of the OpenID certification plans
// against the running program, as a relying party would: modules.toml says
// which test is which module.
package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

const (
	callback = "https://app.example/cb"
	audience = "https://api.example"
)

// A suite is a server and a person who uses its applications.
type suite struct {
	t       *testing.T
	s       *rig.Server
	ana     rig.User
	visitor *rig.Visitor // who has signed in nowhere yet
	meta    map[string]any
	op      *oidc.Provider // go-oidc's view of the server
	ahead   time.Duration  // of the server's clock
	mode    string         // response_mode of its requests
}

// now is the server's time.
func (x *suite) now() time.Time { return time.Now().Add(x.ahead) }

// pass moves the server's clock on.
func (x *suite) pass(d time.Duration) {
	x.t.Helper()
	x.ahead += d
	x.s.Clock("+" + x.ahead.String())
}

// each runs a group of modules on each engine, on one server: with answers in
// the query on the one, and by a form on the other.
func each(t *testing.T, f func(x *suite), options ...rig.Option) {
	t.Helper()
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		x := &suite{t: t, s: rig.Start(t, engine, options...)}
		if engine == rig.Postgres {
			x.mode = "form_post"
		}
		x.ana = x.s.User("ana")
		x.visitor = x.s.Visitor(x.ana)
		x.s.Bearer(http.MethodGet, "/.well-known/openid-configuration", "").Into(t, &x.meta)
		var err error
		if x.op, err = oidc.NewProvider(x.context(), x.s.URL); err != nil {
			t.Fatal(err)
		}
		f(x)
	})
}

// needs expects what the metadata must list.
func (x *suite) needs(members ...string) {
	x.t.Helper()
	for _, m := range members {
		if x.meta[m] == nil {
			x.t.Fatalf("there is no %s", m)
		}
	}
}

// module is one module of a plan.
func (x *suite) module(name string, f func(t *testing.T)) {
	x.t.Helper()
	x.t.Run(name, f)
}

func (x *suite) context() context.Context {
	return oidc.ClientContext(context.Background(), x.s.Client())
}

// at is an endpoint's path, as the metadata has it.
func (x *suite) at(endpoint string) string {
	address, _ := x.meta[endpoint].(string)
	if !strings.HasPrefix(address, x.s.URL+"/") {
		x.t.Fatalf("%s is %q", endpoint, address)
	}
	return strings.TrimPrefix(address, x.s.URL)
}

// An app is a registered application that speaks raw HTTP.
type app struct {
	rig.Client
	x    *suite
	auth string
}

// app registers an application: a confidential one that need not use PKCE,
// unless the metadata say otherwise.
func (x *suite) app(more map[string]any) *app {
	x.t.Helper()
	metadata := map[string]any{"client_name": "Notes", "redirect_uris": []string{callback}, "token_endpoint_auth_method": "client_secret_basic",
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid profile email offline_access notes:read",
		"doorward_resources": []string{audience}, "doorward_pkce": "optional"}
	maps.Copy(metadata, more)
	for name, value := range metadata {
		if value == nil {
			delete(metadata, name)
		}
	}
	return &app{x.s.Register(metadata), x, metadata["token_endpoint_auth_method"].(string)}
}

// random is unguessable text.
func random() string {
	b := secret.Random()
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// request is an authorization request; more are names and values, and an empty
// value leaves a parameter out.
func (a *app) request(more ...string) url.Values {
	if a.x.mode != "" {
		more = append([]string{"response_mode", a.x.mode}, more...)
	}
	q := url.Values{"response_type": {"code"}, "client_id": {a.ID}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {random()}, "nonce": {random()}}
	for i := 0; i+1 < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return q
}

// authorize takes a person through a request.
func (a *app) authorize(v *rig.Visitor, q url.Values) rig.Landing {
	a.x.t.Helper()
	return v.Visit(a.x.s.URL + a.x.at("authorization_endpoint") + "?" + q.Encode())
}

// code takes a person through a request that is granted.
func (a *app) code(t *testing.T, v *rig.Visitor, q url.Values) string {
	t.Helper()
	answer := a.back(t, a.authorize(v, q), q)
	if answer.Get("code") == "" || answer.Has("error") {
		t.Fatalf("the application was told %v after %v", answer, v.Pages)
	}
	return answer.Get("code")
}

// back expects that a visit ended at the application, with the state and
// issuer that belong to the request.
func (a *app) back(t *testing.T, l rig.Landing, q url.Values) url.Values {
	t.Helper()
	if l.URL == nil {
		t.Fatalf("the visit ended at %s (%d): %s", l.Path, l.Page.Status, l.Text())
	}
	answer := l.Values()
	if where := *l.URL; l.Method != http.MethodPost {
		where.RawQuery = ""
		if where.String() != q.Get("redirect_uri") || where.Fragment != "" {
			t.Fatalf("the application was called at %s", l.URL)
		}
	}
	if answer.Get("state") != q.Get("state") || answer.Get("iss") != a.x.s.URL {
		t.Fatalf("state %q and iss %q came back for %q", answer.Get("state"), answer.Get("iss"), q.Get("state"))
	}
	return answer
}

// shown are the pages that a visitor saw, but the one that carries an answer.
func (x *suite) shown(v *rig.Visitor) []string {
	return slices.DeleteFunc(slices.Clone(v.Pages), func(path string) bool { return path == x.at("authorization_endpoint") })
}

// refused expects that a visit ended with an error, told to the application.
func (a *app) refused(t *testing.T, l rig.Landing, q url.Values, codes ...string) {
	t.Helper()
	if answer := a.back(t, l, q); answer.Has("code") || !slices.Contains(codes, answer.Get("error")) {
		t.Fatalf("the application was told %v, not %v", answer, codes)
	}
}

// stays expects that a visit ended at an error page of ours.
func (a *app) stays(t *testing.T, l rig.Landing) {
	t.Helper()
	if l.URL != nil || l.Page.Status < 400 || l.Page.Status >= 500 {
		t.Fatalf("the visit ended at %v, %s (%d)", l.URL, l.Path, l.Page.Status)
	}
}

// basic is the header that proves the application by its secret.
func (a *app) basic() string {
	pair := url.QueryEscape(a.ID) + ":" + url.QueryEscape(a.Secret)
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// post asks an endpoint in the application's name.
func (a *app) post(endpoint string, more ...string) rig.Answer {
	a.x.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(more); i += 2 {
		if form.Set(more[i], more[i+1]); more[i+1] == "" {
			form.Del(more[i])
		}
	}
	return a.send(endpoint, form)
}

func (a *app) send(endpoint string, form url.Values, headers ...string) rig.Answer {
	a.x.t.Helper()
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	switch a.auth {
	case "client_secret_basic":
		headers = append(headers, "Authorization", a.basic())
	case "client_secret_post":
		form.Set("client_id", a.ID)
		form.Set("client_secret", a.Secret)
	case "none":
		form.Set("client_id", a.ID)
	}
	b := a.x.s.Browser()
	b.Origin = ""
	return b.Do(http.MethodPost, a.x.at(endpoint), form.Encode(), headers...)
}

// tokens are what the token endpoint gives.
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Scope   string `json:"scope"`
}

// redeem trades a code for tokens.
func (a *app) redeem(t *testing.T, code string, more ...string) (out tokens) {
	t.Helper()
	answer := a.post("token_endpoint", append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback}, more...)...).Want(t, http.StatusOK)
	answer.Into(t, &out)
	if answer.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		t.Errorf("the tokens came with %v", answer.Header)
	}
	if out.Access == "" || out.Expires < 1 || !strings.EqualFold(out.Type, "Bearer") && !strings.EqualFold(out.Type, "DPoP") {
		t.Errorf("the tokens are of type %q and last %d seconds", out.Type, out.Expires)
	}
	return out
}

// tokens takes a person through the whole flow.
func (a *app) tokens(t *testing.T, v *rig.Visitor, more ...string) (tokens, url.Values) {
	t.Helper()
	q := a.request(more...)
	return a.redeem(t, a.code(t, v, q)), q
}

// invalid expects an OAuth error.
func invalid(t *testing.T, answer rig.Answer, status int, code string) {
	t.Helper()
	if r := answer.Refusal(t); answer.Status != status || r.Error != code || r.Ref == "" {
		t.Fatalf("answered %d %s (%s), not %d %s", answer.Status, r.Error, answer.Body, status, code)
	}
}

// identity reads an ID token as go-oidc does.
func (a *app) identity(t *testing.T, raw string) (*oidc.IDToken, map[string]any) {
	t.Helper()
	token, err := a.x.op.Verifier(&oidc.Config{ClientID: a.ID, SupportedSigningAlgs: []string{"ES256", "RS256", "PS256", "EdDSA"}}).Verify(a.x.context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if token.Subject == "" || len(token.Subject) > 255 || token.IssuedAt.After(a.x.now().Add(time.Minute)) || !slices.Equal(token.Audience, []string{a.ID}) {
		t.Errorf("the ID token says %v", claims)
	}
	return token, claims
}

// userinfo asks who the person is.
func (x *suite) userinfo(t *testing.T, token string) map[string]any {
	t.Helper()
	claims := map[string]any{}
	x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), token).Want(t, http.StatusOK).Into(t, &claims)
	return claims
}

// pkce is a verifier and its challenge.
func pkce() (verifier, challenge string) {
	verifier = random()
	sum := sha256.Sum256([]byte(verifier))
	return verifier, base64.RawURLEncoding.EncodeToString(sum[:])
}
