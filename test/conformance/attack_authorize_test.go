package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// OAU-01, OAU-02, OAU-03: an address to go back to is the registered one, byte
// for byte, or the visit ends at a page of ours and nothing leaves.
func TestNearlyTheRegisteredAddress(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		for _, to := range []string{
			// OAU-01: a name in front of the host.
			"https://app.example@evil.example/cb", "https://app.example:443@evil.example/cb", "https://a@b@app.example/cb", "https://app.example%40evil.example/cb",
			"https://evil.example\\@app.example/cb", "https://@app.example/cb",
			// OAU-02: more, less, or another spelling.
			"https://app.example.evil.example/cb", "https://evilapp.example/cb", "https://appXexample/cb", "https://sub.app.example/cb", "https://app.example/cb/", "https://app.example/cb/../x",
			"https://app.example/./cb", "https://app.example/cb%2f..", "https://app.example/%63b", "https://app.example/CB", "https://APP.example/cb", "HTTPS://app.example/cb",
			"https://app.example:443/cb", "https://app.example./cb", "https://app.example/cb?", "https://app.example/cb#", "https://app.example/cb?a=b", "https://app.example/cb;a", "http://app.example/cb",
			"//app.example/cb", "/cb", "app.example/cb", " https://app.example/cb", "https://app.example/cb ", "https://app.example/cb\x00", "https://app.example/cb\r\nX: y", "https://app.example/cb\t", "https://аpp.example/cb",
			// OAU-03: what runs as a script.
			"javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://app.example/x", "about:blank",
		} {
			q := a.request("redirect_uri", to)
			l := a.authorize(x.visitor, q)
			if l.URL != nil || l.Page.Status < 400 || l.Page.Status >= 500 || l.Page.Header.Get("Location") != "" || strings.Contains(string(l.Page.Body), `href="`+to) {
				t := x.t
				t.Errorf("%q: the visit ended at %v, %s (%d)", to, l.URL, l.Path, l.Page.Status)
			}
		}
		// The one that was meant works, so that all of that was refused for what it is.
		a.code(x.t, x.visitor, a.request())
	})
}

// OAU-02: the port of a loopback address is the operating system's choice (RFC
// 8252 section 7.3); everything else of it is exact.
func TestLoopbackPortsAreFree(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(map[string]any{"doorward_type": "native", "token_endpoint_auth_method": "none", "doorward_pkce": nil,
			"redirect_uris": []string{"http://127.0.0.1/cb", "http://[::1]/cb", "com.example.notes:/cb"}})
		for to, good := range map[string]bool{"http://127.0.0.1:51004/cb": true, "http://[::1]:51004/cb": true, "http://127.0.0.1/cb": true, "http://127.0.0.1:51004/cb2": false,
			"http://127.0.0.2:51004/cb": false, "http://localhost:51004/cb": false, "https://127.0.0.1:51004/cb": false, "http://127.0.0.1:51004/cb?a": false, "http://127.0.0.1:99999/cb": false,
			"http://127.0.0.1:x/cb": false, "http://127.1:51004/cb": false, "http://127.0.0.1.evil.example:51004/cb": false, "http://evil@127.0.0.1:51004/cb": false, "com.example.notes:51004/cb": false} {
			verifier, challenge := pkce()
			q := a.request("redirect_uri", to, "code_challenge", challenge, "code_challenge_method", "S256")
			l := a.authorize(x.visitor, q)
			if !good {
				if l.URL != nil {
					x.t.Errorf("%s: the application was called at %s", to, l.URL)
				}
				continue
			}
			if l.URL == nil || !strings.HasPrefix(l.URL.String(), to) || l.Values().Get("code") == "" {
				x.t.Errorf("%s: the visit ended at %v, %s: %s", to, l.URL, l.Path, l.Text())
				continue
			}
			a.redeem(x.t, l.Values().Get("code"), "redirect_uri", to, "code_verifier", verifier)
		}
		// A web application's address has its port.
		b := x.app(map[string]any{"redirect_uris": []string{"http://localhost:3000/cb"}})
		if l := b.authorize(x.visitor, b.request("redirect_uri", "http://localhost:3001/cb")); l.URL != nil {
			x.t.Errorf("another port of a web application was called: %s", l.URL)
		}
	})
}

// OAU-06: a parameter that comes twice is no request, wherever it is sent (RFC
// 6749 sections 3.1 and 3.2).
func TestParametersComeOnce(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(map[string]any{"grant_types": []string{"authorization_code", "refresh_token", "client_credentials"}})
		a.code(x.t, x.visitor, a.request())
		for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce"} {
			q := a.request()
			for _, second := range []string{q.Get(name), "other"} {
				l := x.visitor.Visit(x.s.URL + x.at("authorization_endpoint") + "?" + q.Encode() + "&" + name + "=" + url.QueryEscape(second))
				if l.URL != nil && (l.Values().Has("code") || l.Values().Get("error") != "invalid_request") || l.URL == nil && (l.Page.Status < 400 || l.Page.Status >= 500) {
					x.t.Errorf("%s twice: the visit ended at %v, %s (%d)", name, l.URL, l.Path, l.Page.Status)
				}
			}
		}
		code := a.code(x.t, x.visitor, a.request())
		for name, form := range map[string]string{
			"grant_type": "grant_type=authorization_code&grant_type=client_credentials&code=" + code + "&redirect_uri=" + url.QueryEscape(callback),
			"code":       "grant_type=authorization_code&code=" + code + "&code=" + code + "&redirect_uri=" + url.QueryEscape(callback),
			"scope":      "grant_type=client_credentials&scope=notes:read&scope=notes:read",
			"client_id":  "grant_type=client_credentials&client_id=" + a.ID + "&client_id=other",
		} {
			b := x.s.Browser()
			b.Origin = ""
			answer := b.Do(http.MethodPost, x.at("token_endpoint"), form, "Content-Type", "application/x-www-form-urlencoded", "Authorization", a.basic())
			if r := answer.Refusal(x.t); answer.Status != http.StatusBadRequest || r.Error != "invalid_request" {
				x.t.Errorf("%s twice was answered %d %s", name, answer.Status, answer.Body)
			}
		}
		// Two proofs of the client, or one in the address.
		for what, ask := range map[string]func(b *rig.Browser) rig.Answer{
			"header and body": func(b *rig.Browser) rig.Answer {
				return b.Do(http.MethodPost, x.at("token_endpoint"), "grant_type=client_credentials&client_id="+a.ID+"&client_secret="+a.Secret, "Content-Type", "application/x-www-form-urlencoded", "Authorization", a.basic())
			},
			"the address": func(b *rig.Browser) rig.Answer {
				return b.Do(http.MethodPost, x.at("token_endpoint")+"?client_id="+a.ID+"&client_secret="+random(), "grant_type=client_credentials", "Content-Type", "application/x-www-form-urlencoded")
			},
		} {
			b := x.s.Browser()
			b.Origin = ""
			if answer := ask(b); answer.Status != http.StatusBadRequest && answer.Status != http.StatusUnauthorized {
				x.t.Errorf("the secret in %s was answered %d %s", what, answer.Status, answer.Body)
			}
		}
		// The code is as good as before: none of that had an effect.
		a.redeem(x.t, code)
	})
}

// OAU-17: what does not exist cannot be asked for, and what a browser carries
// for us cannot be changed.
func TestGrantsThatAreNotThere(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		for _, kind := range []string{"token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "none", "Code", "code code"} {
			q := a.request("response_type", kind)
			l := a.authorize(x.visitor, q)
			if a.refused(x.t, l, q, "unsupported_response_type", "invalid_request"); l.URL.Fragment != "" {
				x.t.Errorf("%s: answered in the fragment", kind)
			}
		}
		for _, mode := range []string{"fragment", "web_message", "query.jwt", "jwt"} {
			q := a.request("response_mode", mode)
			a.refused(x.t, a.authorize(x.visitor, q), q, "invalid_request", "unsupported_response_mode")
		}
		for _, grant := range []string{"password", "implicit", "Authorization_Code", "urn:ietf:params:oauth:grant-type:saml2-bearer", "client_credentials "} {
			invalid(x.t, a.post("token_endpoint", "grant_type", grant, "username", x.ana.Email, "password", x.ana.Password), http.StatusBadRequest, "unsupported_grant_type")
		}
		invalid(x.t, a.post("token_endpoint", "grant_type", "client_credentials"), http.StatusBadRequest, "unauthorized_client")
		for _, list := range []string{"response_types_supported", "grant_types_supported"} {
			for _, one := range x.meta[list].([]any) {
				if slices.Contains([]string{"token", "id_token", "implicit", "password"}, one.(string)) {
					x.t.Errorf("%s has %s", list, one)
				}
			}
		}
	})
}

// OAU-27: nothing that an application sends becomes markup on a page of ours.
func TestNothingBecomesMarkup(t *testing.T) {
	const markup = `"><script>alert(1)</script>` + "\u2028" + `'><img src=x onerror=alert(1)>`
	each(t, func(x *suite) {
		a := x.app(map[string]any{"client_name": "N " + `"><b>x</b>`})
		pages := map[string]rig.Landing{}
		for _, name := range []string{"state", "nonce", "scope", "login_hint", "ui_locales", "display", "prompt", "redirect_uri", "client_id", "acr_values", "claims", "response_mode"} {
			pages[name] = a.authorize(x.s.Visitor(rig.User{Email: "nobody@example.com", Password: "wrong"}), a.request(name, markup))
		}
		pages["form_post"] = a.authorize(x.visitor, a.request("response_mode", "form_post", "state", markup))
		for name, l := range pages {
			body := string(l.Page.Body)
			if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") || strings.Contains(body, "<b>x</b>") {
				x.t.Errorf("%s: %s repeats what was sent as markup", name, l.Path)
			}
			policy := l.Page.Header.Get("Content-Security-Policy")
			if strings.HasPrefix(l.Page.Header.Get("Content-Type"), "text/html") && (strings.Contains(policy, "unsafe-") || !strings.Contains(policy, "default-src 'none'")) {
				x.t.Errorf("%s: the policy is %s", name, policy)
			}
		}
	})
}

// OAU-28, AS-15: whatever a form carried stays here: a redirect behind it is a
// 303 and nothing else.
func TestFormsAreNotSentOn(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		q := a.request()
		b := x.s.Browser()
		answer := b.Do(http.MethodGet, x.at("authorization_endpoint")+"?"+q.Encode(), nil)
		for range 10 {
			where := answer.Header.Get("Location")
			if where == "" {
				break
			}
			if answer.Status != http.StatusSeeOther && answer.Status != http.StatusFound {
				x.t.Fatalf("a redirect by %d", answer.Status)
			}
			answer = b.Do(http.MethodGet, strings.TrimPrefix(where, x.s.URL), nil)
		}
		answer = x.visitor.VisitByForm(x.s.URL+x.at("authorization_endpoint"), q).Page
		if answer.Status == http.StatusTemporaryRedirect || answer.Status == http.StatusPermanentRedirect {
			x.t.Errorf("a form is sent on by %d", answer.Status)
		}
	})
}
