package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
)

const back = "https://app.example/cb"

// app registers an application of the operator's own, which nobody is asked
// about.
func (g *rig) app(change func(*client.Client)) client.Client {
	g.t.Helper()
	c := client.Client{ID: "notes", Name: "Notes", Type: "web", FirstParty: true, Auth: client.AuthBasic, RedirectURIs: []string{back}, Scopes: []string{"openid", "email", "profile", "offline_access"},
		TokenFormat: client.JWT, Settings: client.Settings{PKCE: client.PKCEOptional}}
	if change != nil {
		change(&c)
	}
	_, err := g.store.Commit(context.Background(), core.Unit{client.Create{ID: c.ID, Name: c.Name, Type: c.Type, FirstParty: c.FirstParty, Auth: c.Auth, RedirectURIs: c.RedirectURIs,
		SecretHash: client.HashOf(c.ID, "secret"), Scopes: c.Scopes, TokenFormat: c.TokenFormat, Settings: c.Settings, Created: g.clock.Now()}})
	if err != nil {
		g.t.Fatal(err)
	}
	return c
}

// asks is an authorization request of the application; an empty value leaves a
// parameter out.
func asks(more ...string) string {
	q := url.Values{"client_id": {"notes"}, "response_type": {"code"}, "redirect_uri": {back}, "scope": {"openid"}, "state": {"s"}}
	for i := 0; i < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return "/oauth/authorize?" + q.Encode()
}

// told is what the application was told in its address.
func (a *answer) told() url.Values {
	a.t.Helper()
	to := a.is(http.StatusSeeOther).header.Get("Location")
	if !strings.HasPrefix(to, back+"?") {
		a.t.Fatalf("goes to %q", to)
	}
	u, err := url.Parse(to)
	if err != nil {
		a.t.Fatal(err)
	}
	return u.Query()
}

// arrive goes where an answer leads, as long as that is ours.
func (b *browser) arrive(a *answer) *answer {
	b.t.Helper()
	for range 10 {
		to := a.header.Get("Location")
		if a.code != http.StatusSeeOther || !strings.HasPrefix(to, "/") {
			return a
		}
		a = b.get(to)
	}
	b.t.Fatal("it does not end")
	return a
}

// AS-30, OAU-27: an answer travels in a form when that was asked for, to the
// registered address and nowhere else, refusals too, with the issuer (AS-14).
func TestAnswersTravelInForms(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(nil)
	posted := func(a *answer) url.Values {
		t.Helper()
		form := a.is(200).form(back)
		policy := a.header.Get("Content-Security-Policy")
		if form.Get("iss") != dev || form.Get("state") != "s" || !strings.Contains(policy, "form-action 'self' https://app.example;") || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the form holds %v under %s", form, policy)
		}
		return form
	}
	b := g.browser()
	if got := posted(b.get(asks("response_mode", "form_post", "prompt", "none"))); got.Get("error") != "login_required" || got.Has("code") {
		t.Errorf("told %v", got)
	}
	// Behind a form of ours.
	a := b.arrive(b.get(asks("response_mode", "form_post"))).is(200)
	a = b.post("/sign-in", with(a.form("/sign-in"), "username", ana, "password", password)).is(303)
	if got := posted(b.arrive(a)); !strings.HasPrefix(got.Get("code"), "dw_ac_") {
		t.Errorf("told %v", got)
	}
	// And at once.
	if got := posted(b.get(asks("response_mode", "form_post"))); !strings.HasPrefix(got.Get("code"), "dw_ac_") {
		t.Errorf("told %v", got)
	}
	for _, mode := range []string{"fragment", "query.jwt", "web_message", "FORM_POST"} {
		if got := b.get(asks("response_mode", mode)).told(); got.Get("error") != "invalid_request" || got.Get("iss") != dev {
			t.Errorf("%s: told %v", mode, got)
		}
	}
}

// AS-30: an application may be held to some of the ways; nothing is posted to
// what is not the web.
func TestWaysOfAnswering(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(func(c *client.Client) { c.ResponseModes = []string{client.ByQuery} })
	g.app(func(c *client.Client) {
		c.ID, c.RedirectURIs, c.ResponseModes = "forms", []string{back, "com.example.notes:/cb"}, []string{client.ByForm}
	})
	b := g.browser().signIn(ana)
	if got := b.get(asks("response_mode", "form_post")).told(); got.Get("error") != "invalid_request" {
		t.Errorf("told %v", got)
	}
	b.get(asks("client_id", "forms", "response_mode", "form_post")).is(200).form(back)
	for _, more := range [][]string{{"response_mode", "query"}, {"response_mode", ""}} {
		if got := b.get(asks(append(more, "client_id", "forms")...)).told(); got.Get("error") != "invalid_request" {
			t.Errorf("%v: told %v", more, got)
		}
	}
	a := b.get(asks("client_id", "forms", "response_mode", "form_post", "redirect_uri", "com.example.notes:/cb")).is(303)
	if to := a.header.Get("Location"); !strings.HasPrefix(to, "com.example.notes:/cb?error=invalid_request") {
		t.Errorf("goes to %s", to)
	}
}

// idToken trades the code of an answer for an ID token, and reads it.
func (g *rig) idToken(a *answer) (text string, claims map[string]any) {
	g.t.Helper()
	code := a.told().Get("code")
	got, err := g.x.Code(context.Background(), settle.Caller{}, exchange.ClientProof{ID: "notes", Secret: "secret"}, exchange.CodeInput{Code: code, Redirect: back})
	if err != nil {
		g.t.Fatalf("%v: %v", a.told(), err)
	}
	raw, _, err := jose.Peek(got.IDToken)
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return got.IDToken, claims
}

// OI-01, OI-10: an ID token of ours says whom the application means, even an old
// one; somebody else is asked to sign in, or the application hears of it.
func TestTheApplicationMeansSomebody(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(nil)
	g.app(func(c *client.Client) { c.ID = "other" })
	b := g.browser().signIn(ana)
	hint, claims := g.idToken(b.get(asks("nonce", strings.Repeat("n", 64))))
	if claims["nonce"] != strings.Repeat("n", 64) || claims["aud"] != "notes" { // FP-09, OI-04, OI-05
		t.Errorf("the ID token says %v", claims)
	}
	sub := claims["sub"].(string)
	g.clock.pass(time.Hour)
	for _, more := range [][]string{{"id_token_hint", hint}, {"claims", `{"id_token":{"sub":{"value":"` + sub + `"}}}`}} {
		more = append(more, "prompt", "none")
		if got := b.get(asks(more...)).told(); got.Get("code") == "" {
			t.Errorf("%s for ana: told %v", more[0], got)
		}
		if got := g.browser().signIn(ben).get(asks(more...)).told(); got.Get("error") != "login_required" {
			t.Errorf("%s for ben: told %v", more[0], got)
		}
	}
	for _, more := range [][]string{{"id_token_hint", hint[:len(hint)-4] + "AAAA"}, {"id_token_hint", "x"}, {"id_token_hint", hint, "client_id", "other"},
		{"id_token_hint", hint, "claims", `{"id_token":{"sub":{"value":"other"}}}`}} {
		if got := b.get(asks(more...)).told(); got.Get("error") != "invalid_request" {
			t.Errorf("%v: told %v", more, got)
		}
	}
	// With pages: ben is asked to be ana. As long as he is not, that is the answer.
	c := g.browser().signIn(ben)
	a := c.arrive(c.get(asks("id_token_hint", hint))).is(200)
	form := a.form("/sign-in")
	a = c.arrive(c.post("/sign-in", with(form, "username", ana, "password", password)).is(303)).is(200)
	if !strings.Contains(a.body, "code=dw_ac_") {
		t.Errorf("after the sign-in that was meant: %s", a.body)
	}
	c = g.browser().signIn(ben)
	form = c.arrive(c.get(asks("id_token_hint", hint))).is(200).form("/sign-in")
	g.clock.pass(time.Second)
	a = c.arrive(c.post("/sign-in", with(form, "username", ben, "password", password)).is(303)).is(200)
	if !strings.Contains(a.body, "error=login_required") {
		t.Errorf("after the wrong sign-in: %s", a.body)
	}
}

// OI-02: max_age is of the request, or of the registration.
func TestHowOldAProofMayBe(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	minute := int32(60)
	g.app(func(c *client.Client) { c.DefaultMaxAge, c.RequireAuthTime = &minute, true })
	b := g.browser().signIn(ana)
	if _, claims := g.idToken(b.get(asks())); claims["auth_time"] == nil {
		t.Errorf("the ID token says %v", claims)
	}
	g.clock.pass(2 * time.Minute)
	for more, want := range map[string]string{"": "login_required", "119": "login_required", "1000": "", "0": "login_required", "x": "invalid_request", "-1": "invalid_request", "1e9": "invalid_request",
		"99999999999999999999": "invalid_request", "+5": "invalid_request", "05": "invalid_request"} {
		if got := b.get(asks("prompt", "none", "max_age", more)).told(); got.Get("error") != want {
			t.Errorf("max_age %q: told %v", more, got)
		} else if want == "invalid_request" && !strings.Contains(got.Get("error_description"), "(max_age)") {
			t.Errorf("max_age %q: not told which parameter: %v", more, got)
		}
	}
	for _, more := range [][]string{{"max_age", ""}, {"prompt", "login", "max_age", "1000"}} {
		a := b.arrive(b.get(asks(more...))).is(200)
		g.clock.pass(time.Second)
		before := g.clock.Now()
		a = b.arrive(b.post("/step-up", with(a.form("/step-up"), "password", password)).is(303)).is(200)
		at := regexp.MustCompile(`code=(dw_ac_[A-Za-z0-9_-]+)`).FindStringSubmatch(a.body)
		if at == nil {
			t.Fatalf("%v: %s", more, a.body)
		}
		_, claims := g.idToken(&answer{t: t, code: 303, header: http.Header{"Location": {back + "?code=" + at[1]}}})
		if claims["auth_time"].(float64) < float64(before.Unix()) {
			t.Errorf("%v: the ID token says %v", more, claims)
		}
		g.clock.pass(2 * time.Minute)
	}
}

// OI-09: an essential level that is not reached is an error, never a lower one;
// one that is not essential is no condition.
func TestLevelsOfProof(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(func(c *client.Client) { c.DefaultACR = []string{"phr"} })
	b := g.browser().signIn(ana)
	essential := func(rest string) string { return `{"id_token":{"acr":{"essential":true` + rest + `}}}` }
	for _, c := range []struct{ acrs, claims, want string }{
		{"", "", ""}, {"phrh urn:doorward:acr:2", "", ""}, {"1 2", "", ""}, // asked for, not demanded
		{"", `{"id_token":{"acr":{"values":["urn:doorward:acr:2"]}}}`, ""},
		{"", essential(""), ""},
		{"", essential(`,"value":"urn:doorward:acr:1"`), ""},
		{"", essential(`,"values":["urn:doorward:acr:2","urn:doorward:acr:1"]`), ""},
		{"", essential(`,"value":"urn:doorward:acr:2"`), "unmet_authentication_requirements"},
		{"", essential(`,"values":["phr","phrh"]`), "unmet_authentication_requirements"},
		{"", essential(`,"value":"gold"`), "unmet_authentication_requirements"},
		{"urn:doorward:acr:phr", essential(""), "unmet_authentication_requirements"},
		{"", `{"id_token":[]}`, "invalid_request"}, {"", `{`, "invalid_request"}, {"", `"x"`, "invalid_request"}, {"", `{"id_token":{"acr":{}},"id_token":{}}`, "invalid_request"},
		{"", `{"userinfo":{"nobody_knows":{"essential":true}},"more":7}`, ""},
	} {
		a := b.get(asks("acr_values", c.acrs, "claims", c.claims))
		if got := a.told(); got.Get("error") != c.want {
			t.Errorf("%q %s: told %v", c.acrs, c.claims, got)
		} else if c.want == "" {
			if _, claims := g.idToken(a); claims["acr"] != "urn:doorward:acr:1" {
				t.Errorf("the ID token says %v", claims)
			}
		}
	}
}

// OI-03, OI-20, AS-42, AS-43: what nobody knows means nothing, what has no
// bounds is refused, and the application reads registered codes.
func TestParametersOfARequest(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(nil)
	g.app(func(c *client.Client) { c.ID, c.PKCE = "strict", "" })
	b := g.browser().signIn(ana)
	for _, c := range []struct {
		more []string
		want string
	}{
		{[]string{"display", "popup", "extra", "foobar", "claims_locales", "se", "registration", "{}"}, ""},
		{[]string{"ui_locales", "se de-CH-1996 x;;q=0"}, ""},
		{[]string{"nonce", strings.Repeat("n", 512)}, ""},
		{[]string{"nonce", strings.Repeat("n", 513)}, "invalid_request"},
		{[]string{"state", strings.Repeat("s", 513)}, "invalid_request"},
		{[]string{"claims", `{"x":"` + strings.Repeat("x", 2048) + `"}`}, "invalid_request"},
		{[]string{"scope", "openid admin root"}, ""}, // left out, never given
		{[]string{"scope", "admin"}, "invalid_scope"},
		{[]string{"response_type", "token"}, "unsupported_response_type"}, // AS-09
		{[]string{"response_type", "code id_token"}, "unsupported_response_type"},
		{[]string{"response_type", ""}, "unsupported_response_type"},
		{[]string{"prompt", "none login"}, "invalid_request"},
		{[]string{"prompt", "create"}, "invalid_request"},
		{[]string{"resource", "https://api.example"}, "invalid_target"}, // AS-24
		{[]string{"client_id", "strict"}, "invalid_request"},            // AS-05
		{[]string{"client_id", "strict", "code_challenge", strings.Repeat("c", 43), "code_challenge_method", "plain"}, "invalid_request"},
	} {
		if got := b.get(asks(c.more...)).told(); got.Get("error") != c.want || got.Get("iss") != dev {
			t.Errorf("%.60v: told %v", c.more, got)
		}
	}
	b.get(asks("client_id", "nobody")).is(400) // AS-02
	b.get(asks("redirect_uri", back+"/")).is(400)
	b.get(asks() + "&state=t").is(400)
	b.get(asks() + "&extra=1&extra=2").is(400)
}

// The name that the application knows a person by is there when they sign in.
func TestTheHintOfAName(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(nil)
	for hint, want := range map[string]string{ana: ana, "": "", "call +1 555 0100": "", `"><b>`: ""} {
		b := g.browser()
		if got := b.arrive(b.get(asks("login_hint", hint))).is(200).form("/sign-in").Get("username"); got != want {
			t.Errorf("%q is there as %q", hint, got)
		}
	}
}

// What is asked for by the name of a claim is asked for by its scope: when the
// application may have that (OI-14 of offline_access too).
func TestScopesOfClaims(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claims, scope string
		change        func(*client.Client)
		want          string
	}{
		{`{"userinfo":{"email":null}}`, "openid", nil, "openid email"},
		{`{"id_token":{"name":{"essential":true}},"userinfo":{"email_verified":null}}`, "openid", nil, "openid email profile"},
		{`{"userinfo":{"email":null}}`, "openid", func(c *client.Client) { c.Scopes = []string{"openid"} }, "openid"},
		{"", "openid offline_access", nil, "openid offline_access"},
		{"", "openid offline_access", func(c *client.Client) { c.Grants = []string{client.GrantCode} }, "openid"},
	} {
		a := client.Client{Scopes: []string{"openid", "email", "profile", "offline_access"}, Type: "web"}
		if c.change != nil {
			c.change(&a)
		}
		if got := strings.Join(a.Asks(client.Request{Scope: c.scope, Claims: c.claims}), " "); got != c.want {
			t.Errorf("%s %s asks for %q, want %q", c.scope, c.claims, got, c.want)
		}
	}
}

// AS-33: an authorization detail is allowed in the operator's sentence, with
// what it holds, and one alone: the next is asked for.
func TestPeopleAllowDetails(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(func(c *client.Client) { c.FirstParty, c.DetailTypes = false, []string{"payment"} })
	if _, err := g.store.Commit(context.Background(), core.Unit{client.DeclareType{Name: "payment", Schema: `{"required":["amount"]}`, Says: "pay {amount} euros to {to}", Changed: g.clock.Now()}}); err != nil {
		t.Fatal(err)
	}
	b := g.browser().signIn(ana)
	g.clock.pass(time.Second)
	pay := asks("authorization_details", `[{"type":"payment","amount":"12","to":"<Books>","reference":"A-1"}]`)
	a := b.arrive(b.get(pay)).is(200).says("pay 12 euros to <Books>", "reference", "A-1")
	b.arrive(b.post("/consent", a.form("/consent")).is(303)).is(200)
	if got := b.get(pay).told(); got.Get("code") == "" {
		t.Errorf("told %v", got)
	}
	g.clock.pass(time.Second)
	b.arrive(b.get(asks("authorization_details", `[{"type":"payment","amount":"13","to":"Books"}]`))).is(200).says("pay 13 euros to Books").lacks("pay 12")
	if got := b.get(asks("authorization_details", `[{"type":"payment"}]`)).told(); got.Get("error") != "invalid_authorization_details" {
		t.Errorf("told %v", got)
	}
}
