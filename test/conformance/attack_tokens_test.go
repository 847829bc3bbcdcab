package conformance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

// OAU-16: whatever this server gives out is good for one thing: every other
// cell of the matrix is refused.
func TestNothingStandsForAnotherThing(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(map[string]any{"grant_types": []string{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"}})
		opaque := x.app(map[string]any{"doorward_type": "machine", "grant_types": []string{"client_credentials"}, "redirect_uris": nil, "doorward_pkce": nil,
			"doorward_token_format": "opaque", "scope": "notes:read"})
		got, _ := a.tokens(x.t, x.visitor, "scope", "openid offline_access")
		var machine tokens
		opaque.post("token_endpoint", "grant_type", "client_credentials").Want(x.t, http.StatusOK).Into(x.t, &machine)
		things := map[string]string{"code": a.code(x.t, x.visitor, a.request()), "access": got.Access, "opaque": machine.Access, "refresh": got.Refresh, "identity": got.ID,
			"secret": a.Secret, "nothing": ""}
		for name, value := range x.visitor.Cookies {
			switch name {
			case "doorward_session":
				things["session"] = value
			case "doorward_refresh":
				things["page's refresh"] = value
			}
		}
		if x.meta["device_authorization_endpoint"] != nil {
			var device struct {
				Device string `json:"device_code"`
				User   string `json:"user_code"`
			}
			a.post("device_authorization_endpoint", "scope", "openid").Want(x.t, http.StatusOK).Into(x.t, &device)
			things["device"], things["user code"] = device.Device, device.User
		}
		if x.meta["pushed_authorization_request_endpoint"] != nil {
			var pushed struct {
				URI string `json:"request_uri"`
			}
			a.send("pushed_authorization_request_endpoint", a.request()).Want(x.t, http.StatusCreated).Into(x.t, &pushed)
			things["pushed"] = pushed.URI
		}
		grant := func(form ...string) int { return a.post("token_endpoint", form...).Status }
		bearer := func(path string) func(string) int {
			return func(text string) int { return x.s.Bearer(http.MethodGet, path, text).Status }
		}
		places := []struct {
			name  string
			takes []string
			ask   func(text string) int
		}{
			{"a code", []string{"code"}, func(text string) int {
				return grant("grant_type", "authorization_code", "code", text, "redirect_uri", callback)
			}},
			{"a device code", nil, func(text string) int { // nobody has allowed it yet
				return grant("grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", text)
			}},
			{"a subject token", []string{"access", "opaque"}, func(text string) int {
				return grant("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", text, "subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
			}},
			{"userinfo", []string{"access"}, bearer(x.at("userinfo_endpoint"))},
			{"the session API", []string{"access"}, bearer("/session")},
			{"a session", []string{"session"}, func(text string) int {
				return x.s.Browser().Do(http.MethodGet, "/session", nil, "Cookie", "doorward_session="+text).Status
			}},
			{"a page's refresh token", []string{"page's refresh"}, func(text string) int {
				return x.s.Browser().Do(http.MethodPost, "/session/refresh", nil, "Cookie", "doorward_refresh="+text).Status
			}},
			{"a client's secret", []string{"secret"}, func(text string) int {
				by := &app{rig.Client{ID: a.ID, Secret: text}, x, "client_secret_basic"}
				return by.post("introspection_endpoint", "token", "x").Status
			}},
			{"a refresh token", []string{"refresh"}, func(text string) int { return grant("grant_type", "refresh_token", "refresh_token", text) }},
		}
		for _, place := range places {
			for what, text := range things {
				status := place.ask(text)
				if status >= 500 || status == http.StatusNotFound {
					x.t.Errorf("%s as %s was answered %d", what, place.name, status)
				}
				mine := false
				for _, one := range place.takes {
					mine = mine || one == what
				}
				if status < 300 && !mine {
					x.t.Errorf("%s is taken for %s", what, place.name)
				}
			}
		}
		if uri := things["pushed"]; uri != "" {
			for what, text := range things {
				q := url.Values{"client_id": {a.ID}, "request_uri": {text}}
				if l := a.authorize(x.s.Visitor(x.ana), q); what != "pushed" && l.URL != nil && l.Values().Has("code") {
					x.t.Errorf("%s is taken for a pushed request", what)
				}
			}
		}
	})
}

// OAU-34: no page of a foreign origin reads what is an application's, and none
// at all what the authorization endpoint answers.
func TestForeignPagesReadNothing(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		got, _ := a.tokens(x.t, x.visitor)
		for _, origin := range []string{"https://evil.example", "null", "https://app.example.evil.example", "https://evilapp.example", "http://app.example", "https://app.example:444", x.s.URL + "0"} {
			for _, endpoint := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "introspection_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint", "end_session_endpoint", "registration_endpoint", "device_authorization_endpoint"} {
				if x.meta[endpoint] == nil {
					continue
				}
				for _, method := range []string{http.MethodOptions, http.MethodGet, http.MethodPost} {
					b := x.s.Browser()
					b.Origin = origin
					answer := b.Do(method, x.at(endpoint), nil, "Authorization", "Bearer "+got.Access, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
					if allowed := answer.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
						x.t.Errorf("%s of %s may be read by %s: %s", method, endpoint, origin, allowed)
					}
				}
			}
		}
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", x.at("jwks_uri")} {
			b := x.s.Browser()
			b.Origin = "https://evil.example"
			answer := b.Do(http.MethodGet, path, nil)
			if answer.Header.Get("Access-Control-Allow-Credentials") != "" {
				x.t.Errorf("%s may be read with cookies", path)
			}
		}
	})
}

// OAU-35, OAU-12: whatever ends a grant ends its tokens, at introspection and
// at userinfo, within a second, and its refresh.
func TestAnEndIsTheEndOfItsTokens(t *testing.T) {
	each(t, func(x *suite) {
		for what, end := range map[string]func(t *testing.T, a *app, v *rig.Visitor, ana rig.User, got tokens){
			"the person is paused": func(t *testing.T, _ *app, _ *rig.Visitor, ana rig.User, _ tokens) {
				if r := x.s.CLI("", "users", "pause", ana.Email); r.Code != 0 {
					t.Fatal(r.Stderr)
				}
			},
			"the refresh token is revoked": func(t *testing.T, a *app, _ *rig.Visitor, _ rig.User, got tokens) {
				a.post("revocation_endpoint", "token", got.Refresh).Want(t, http.StatusOK)
			},
			"the access token is revoked": func(t *testing.T, a *app, _ *rig.Visitor, _ rig.User, got tokens) {
				a.post("revocation_endpoint", "token", got.Access).Want(t, http.StatusOK)
			},
			"the session ends": func(t *testing.T, _ *app, _ *rig.Visitor, ana rig.User, _ tokens) {
				if r := x.s.CLI("", "sessions", "end", "user:"+ana.Email, "--yes"); r.Code != 0 {
					t.Fatal(r.Stderr)
				}
			},
			"the app is removed by its person": func(t *testing.T, a *app, v *rig.Visitor, _ rig.User, _ tokens) {
				if l := v.Press("/account/apps", a.ID+"/remove"); l.Page.Status >= 400 {
					t.Fatalf("%s answers %d: %s", l.Path, l.Page.Status, l.Text())
				}
			},
		} {
			x.t.Run(what, func(t *testing.T) {
				ana := x.s.User(strings.ToLower(random()[:8]) + "x")
				v := x.s.Visitor(ana)
				a := x.app(map[string]any{"doorward_token_format": "jwt", "doorward_resources": []string{x.s.URL}})
				got, _ := a.tokens(t, v, "scope", "openid")
				x.userinfo(t, got.Access)
				end(t, a, v, ana, got)
				at := time.Now()
				for x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.Access).Status != http.StatusUnauthorized {
					if time.Since(at) > time.Second {
						t.Fatal("a second later userinfo still answers")
					}
					time.Sleep(10 * time.Millisecond)
				}
				var seen struct {
					Active bool `json:"active"`
				}
				if a.post("introspection_endpoint", "token", got.Access).Want(t, http.StatusOK).Into(t, &seen); seen.Active {
					t.Error("introspection says that the token is active")
				}
				if answer := a.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", got.Refresh); what != "the access token is revoked" && answer.Status != http.StatusBadRequest {
					t.Errorf("the refresh token gave %d %s", answer.Status, answer.Body)
				}
			})
		}
	})
}

// JWT-01, JWT-02: nothing that an application signs passes without a signature,
// or with its public key taken for a secret, at any of those who read it.
func TestForgedTokensOfApplications(t *testing.T) {
	each(t, func(x *suite) {
		x.needs("pushed_authorization_request_endpoint", "dpop_signing_alg_values_supported")
		f := x.fapiApp(x.t, map[string]any{"doorward_security_profile": nil})
		got, _ := x.app(nil).tokens(x.t, x.visitor)
		public, err := f.auth.public.MarshalJSON()
		if err != nil {
			x.t.Fatal(err)
		}
		forged := func(token string) map[string]string {
			parts := strings.Split(token, ".")
			header, _ := base64.RawURLEncoding.DecodeString(parts[0])
			out := map[string]string{"no signature": parts[0] + "." + parts[1] + ".", "another's": parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86)}
			for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "HS256", "HS512"} {
				signed := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(header), `"ES256"`, `"`+alg+`"`, 1))) + "." + parts[1]
				mac := hmac.New(sha256.New, public)
				mac.Write([]byte(signed))
				out["alg "+alg] = signed + "."
				out["alg "+alg+" with the public key"] = signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
			}
			return out
		}
		for what, token := range forged(f.assertion(x.t, f.auth, nil)) {
			form := f.request()
			pairs := asserted(token)
			form.Set(pairs[0], pairs[1])
			form.Set(pairs[2], pairs[3])
			if answer := f.send("pushed_authorization_request_endpoint", form); answer.Status != http.StatusUnauthorized && answer.Status != http.StatusBadRequest {
				x.t.Errorf("an assertion with %s was answered %d", what, answer.Status)
			}
		}
		q, _ := f.asks()
		for what, token := range forged(f.object(x.t, f.auth, q, nil)) {
			if answer := f.push(x.t, url.Values{"client_id": {f.ID}, "request": {token}}, nil); answer.Status != http.StatusBadRequest {
				x.t.Errorf("a request with %s was answered %d", what, answer.Status)
			}
		}
		for what, token := range forged(x.proof(x.t, f.key, http.MethodGet, x.at("userinfo_endpoint"), got.Access, nil)) {
			b := x.s.Browser()
			b.Origin = ""
			answer := b.Do(http.MethodGet, x.at("userinfo_endpoint"), nil, "Authorization", "DPoP "+got.Access, "DPoP", token)
			if answer.Status != http.StatusUnauthorized && answer.Status != http.StatusBadRequest {
				x.t.Errorf("a proof with %s was answered %d", what, answer.Status)
			}
		}
		for what, token := range forged(got.ID) {
			ask := f.request("prompt", "none", "id_token_hint", token, "code_challenge", vectorChallenge, "code_challenge_method", "S256")
			if l := f.authorize(x.visitor, ask); l.URL != nil && l.Values().Has("code") {
				x.t.Errorf("a hint with %s was believed", what)
			}
		}
	})
}
