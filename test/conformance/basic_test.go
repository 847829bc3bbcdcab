package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// What a code buys: an ID token, an access token and who the person is.
func TestBasicTokens(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		x.module("oidcc-server", func(t *testing.T) {
			got, q := a.tokens(t, x.visitor)
			token, _ := a.identity(t, got.ID)
			if token.Nonce != q.Get("nonce") {
				t.Errorf("the nonce came back as %q", token.Nonce)
			}
			if err := token.VerifyAccessToken(got.Access); err != nil && token.AccessTokenHash != "" {
				t.Error(err)
			}
			if who := x.userinfo(t, got.Access); who["sub"] != token.Subject {
				t.Errorf("userinfo is of %v, the ID token of %s", who["sub"], token.Subject)
			}
		})
		x.module("oidcc-idtoken-signature", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor)
			signed, err := jose.ParseSigned(got.ID, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA})
			if err != nil {
				t.Fatal(err)
			}
			var keys jose.JSONWebKeySet
			x.s.Bearer(http.MethodGet, x.at("jwks_uri"), "").Want(t, http.StatusOK).Into(t, &keys)
			header := signed.Signatures[0].Header
			if found := keys.Key(header.KeyID); header.KeyID == "" || len(found) != 1 || found[0].Algorithm != header.Algorithm {
				t.Errorf("the key %q of the ID token is in the key set %d times", header.KeyID, len(found))
			}
		})
		x.module("oidcc-userinfo-get", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor)
			x.userinfo(t, got.Access)
		})
		x.module("oidcc-userinfo-post-header", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor)
			x.s.Bearer(http.MethodPost, x.at("userinfo_endpoint"), got.Access).Want(t, http.StatusOK)
		})
		x.module("oidcc-userinfo-post-body", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor)
			b := x.s.Browser()
			b.Origin = ""
			answer := b.Do(http.MethodPost, x.at("userinfo_endpoint"), url.Values{"access_token": {got.Access}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
			if answer.Status != http.StatusOK && answer.Status != http.StatusUnauthorized && answer.Status != http.StatusBadRequest {
				t.Errorf("a token in the body was answered %d %s", answer.Status, answer.Body)
			}
		})
		x.module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor, "nonce", "")
			if token, _ := a.identity(t, got.ID); token.Nonce != "" {
				t.Errorf("a nonce %q came from nowhere", token.Nonce)
			}
		})
		x.module("oidcc-server-client-secret-post", func(t *testing.T) {
			b := x.app(map[string]any{"token_endpoint_auth_method": "client_secret_post"})
			got, _ := b.tokens(t, x.visitor)
			b.identity(t, got.ID)
		})
		x.module("oidcc-ensure-request-with-valid-pkce-succeeds", func(t *testing.T) {
			verifier, challenge := pkce()
			code := a.code(t, x.visitor, a.request("code_challenge", challenge, "code_challenge_method", "S256"))
			a.identity(t, a.redeem(t, code, "code_verifier", verifier).ID)
		})
		x.module("oidcc-idtoken-rs256", func(t *testing.T) {
			b := x.app(map[string]any{"id_token_signed_response_alg": "RS256"})
			got, _ := b.tokens(t, x.visitor)
			b.identity(t, got.ID)
			if signed, err := jose.ParseSigned(got.ID, []jose.SignatureAlgorithm{jose.RS256}); err != nil {
				t.Errorf("%v %v", signed, err)
			}
		})
		x.module("oidcc-userinfo-rs256", func(t *testing.T) {
			b := x.app(map[string]any{"userinfo_signed_response_alg": "RS256"})
			got, _ := b.tokens(t, x.visitor)
			answer := x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.Access).Want(t, http.StatusOK)
			info, err := x.op.VerifierContext(x.context(), &oidc.Config{ClientID: b.ID, SkipExpiryCheck: true}).Verify(x.context(), string(answer.Body))
			if err != nil || info.Subject == "" || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/jwt") {
				t.Errorf("userinfo is %s (%v)", answer.Header.Get("Content-Type"), err)
			}
		})
		x.module("oidcc-idtoken-unsigned", func(t *testing.T) {
			algs, _ := x.meta["id_token_signing_alg_values_supported"].([]any)
			if len(algs) == 0 || slices.ContainsFunc(algs, func(v any) bool { return strings.EqualFold(v.(string), "none") }) {
				t.Errorf("ID tokens are signed by %v", algs)
			}
			r := x.s.CLI(`{"client_name":"Notes","redirect_uris":["`+callback+`"],"id_token_signed_response_alg":"none"}`, "clients", "create", "--metadata", "-", "--json")
			if r.Code == 0 {
				t.Error("a client may ask for ID tokens without a signature")
			}
		})
	})
}

// What the scopes and claims that an application asks for tell it.
func TestBasicScopesAndClaims(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		asked := func(t *testing.T, scope string, more ...string) (map[string]any, map[string]any) {
			t.Helper()
			got, _ := a.tokens(t, x.visitor, append([]string{"scope", scope}, more...)...)
			_, claims := a.identity(t, got.ID)
			return claims, x.userinfo(t, got.Access)
		}
		x.module("oidcc-scope-profile", func(t *testing.T) {
			if _, who := asked(t, "openid profile"); who["sub"] == nil {
				t.Errorf("userinfo says %v", who)
			}
		})
		x.module("oidcc-scope-email", func(t *testing.T) {
			_, who := asked(t, "openid email")
			if _, said := who["email_verified"].(bool); who["email"] != x.ana.Email || !said {
				t.Errorf("userinfo says %v", who)
			}
		})
		for module, scope := range map[string]string{"oidcc-scope-address": "openid address", "oidcc-scope-phone": "openid phone",
			"oidcc-scope-all": "openid profile email address phone"} {
			x.module(module, func(t *testing.T) {
				// What is not known of anybody is not promised either.
				q := a.request("scope", scope)
				answer := a.back(t, a.authorize(x.visitor, q), q)
				if answer.Get("code") == "" && answer.Get("error") != "invalid_scope" {
					t.Errorf("the application was told %v", answer)
				}
			})
		}
		for _, module := range []string{"oidcc-alternate-happy-flow", "oidcc-ensure-other-scope-order-succeeds"} {
			x.module(module, func(t *testing.T) {
				if _, who := asked(t, "email openid"); who["email"] != x.ana.Email {
					t.Errorf("userinfo says %v", who)
				}
			})
		}
		x.module("oidcc-claims-essential", func(t *testing.T) {
			_, who := asked(t, "openid", "claims", `{"userinfo":{"name":{"essential":true}}}`)
			if who["sub"] == nil {
				t.Errorf("userinfo says %v", who)
			}
		})
		for module, more := range map[string][]string{
			"oidcc-display-page": {"display", "page"}, "oidcc-display-popup": {"display", "popup"}, "oidcc-ui-locales": {"ui_locales", "se"},
			"oidcc-claims-locales": {"claims_locales", "se"}, "oidcc-ensure-request-with-unknown-parameter-succeeds": {"extra", "foobar"},
			"oidcc-ensure-request-with-acr-values-succeeds": {"acr_values", "1 2"}, "oidcc-login-hint": {"login_hint", "buffy@example.com"},
		} {
			x.module(module, func(t *testing.T) { asked(t, "openid", more...) })
		}
	})
}

// When a person is asked to prove again who they are, and when not.
func TestBasicPrompts(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		proofs := func() int {
			n := 0
			for _, page := range x.visitor.Pages {
				if page == "/sign-in" || page == "/step-up" {
					n++
				}
			}
			return n
		}
		x.module("oidcc-prompt-none-not-logged-in", func(t *testing.T) {
			q := a.request("prompt", "none")
			stranger := x.s.Visitor(x.ana)
			a.refused(t, a.authorize(stranger, q), q, "login_required", "interaction_required")
			if shown := x.shown(stranger); len(shown) > 0 {
				t.Errorf("pages were shown: %v", shown)
			}
		})
		first, _ := a.tokens(x.t, x.visitor)
		before, _ := a.identity(x.t, first.ID)
		x.module("oidcc-prompt-none-logged-in", func(t *testing.T) {
			q := a.request("prompt", "none")
			landing := a.authorize(x.visitor, q)
			if shown := x.shown(x.visitor); len(shown) > 0 {
				t.Errorf("pages were shown: %v", shown)
			}
			after, claims := a.identity(t, a.redeem(t, a.back(t, landing, q).Get("code")).ID)
			if after.Subject != before.Subject || claims["auth_time"] == nil && before.IssuedAt.IsZero() {
				t.Errorf("the ID token says %v", claims)
			}
		})
		x.module("oidcc-prompt-login", func(t *testing.T) {
			_, was := a.identity(t, first.ID)
			x.pass(40 * time.Second)
			got, _ := a.tokens(t, x.visitor, "prompt", "login")
			_, is := a.identity(t, got.ID)
			if proofs() == 0 || is["sub"] != was["sub"] || is["auth_time"].(float64) <= was["auth_time"].(float64) {
				t.Errorf("after %v the ID token says %v, before %v", x.visitor.Pages, is, was)
			}
		})
		x.module("oidcc-max-age-1", func(t *testing.T) {
			x.pass(40 * time.Second)
			got, _ := a.tokens(t, x.visitor, "max_age", "1")
			if _, claims := a.identity(t, got.ID); proofs() == 0 || claims["auth_time"] == nil {
				t.Errorf("after %v the ID token says %v", x.visitor.Pages, claims)
			}
		})
		x.module("oidcc-max-age-10000", func(t *testing.T) {
			x.pass(40 * time.Second)
			one, _ := a.tokens(t, x.visitor, "max_age", "10000")
			if proofs() > 0 {
				t.Errorf("proof was asked for: %v", x.visitor.Pages)
			}
			two, _ := a.tokens(t, x.visitor, "max_age", "10000")
			_, first := a.identity(t, one.ID)
			if _, second := a.identity(t, two.ID); first["auth_time"] == nil || first["auth_time"] != second["auth_time"] {
				t.Errorf("auth_time is %v and then %v", first["auth_time"], second["auth_time"])
			}
		})
		x.module("oidcc-id-token-hint", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor)
			q := a.request("prompt", "none", "id_token_hint", got.ID)
			landing := a.authorize(x.visitor, q)
			after, _ := a.identity(t, a.redeem(t, a.back(t, landing, q).Get("code")).ID)
			if before, _ := a.identity(t, got.ID); after.Subject != before.Subject {
				t.Errorf("the hint was of %s, the answer of %s", before.Subject, after.Subject)
			}
			// Somebody else is signed in than the hint means (check OI-10).
			ben := x.s.Visitor(x.s.User("ben"))
			a.tokens(t, ben)
			q = a.request("prompt", "none", "id_token_hint", got.ID)
			a.refused(t, a.authorize(ben, q), q, "login_required")
		})
	})
}

// What a code is good for: once, soon, and for whom it was made.
func TestBasicCodes(t *testing.T) {
	each(t, func(x *suite) {
		a, b := x.app(nil), x.app(nil)
		again := func(t *testing.T) {
			t.Helper()
			code := a.code(t, x.visitor, a.request())
			got := a.redeem(t, code)
			invalid(t, a.post("token_endpoint", "grant_type", "authorization_code", "code", code, "redirect_uri", callback), http.StatusBadRequest, "invalid_grant")
			if answer := x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.Access); answer.Status != http.StatusUnauthorized {
				t.Errorf("the token that the code bought still works: %d", answer.Status)
			}
		}
		x.module("oidcc-codereuse", again)
		x.module("oidcc-codereuse-30seconds", func(t *testing.T) {
			code := a.code(t, x.visitor, a.request())
			got := a.redeem(t, code)
			x.pass(35 * time.Second)
			invalid(t, a.post("token_endpoint", "grant_type", "authorization_code", "code", code, "redirect_uri", callback), http.StatusBadRequest, "invalid_grant")
			if answer := x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.Access); answer.Status != http.StatusUnauthorized {
				t.Errorf("the token that the code bought still works: %d", answer.Status)
			}
		})
		x.module("oidcc-refresh-token", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor, "scope", "openid offline_access", "prompt", "consent")
			first, was := a.identity(t, got.ID)
			if got.Refresh == "" {
				t.Fatal("there is no refresh token")
			}
			var next tokens
			a.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", got.Refresh).Want(t, http.StatusOK).Into(t, &next)
			second, is := a.identity(t, next.ID)
			if second.Subject != first.Subject || is["auth_time"] != was["auth_time"] || is["nonce"] != nil && is["nonce"] != was["nonce"] || next.Access == got.Access {
				t.Errorf("refreshed, the ID token says %v, before %v", is, was)
			}
			x.userinfo(t, next.Access)
			invalid(t, b.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", next.Refresh), http.StatusBadRequest, "invalid_grant")
		})
	})
}

// Requests that are answered on the spot, and those that go to the
// application.
func TestBasicRequests(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		x.module("oidcc-response-type-missing", func(t *testing.T) {
			q := a.request("response_type", "")
			a.refused(t, a.authorize(x.visitor, q), q, "invalid_request", "unsupported_response_type")
		})
		x.module("oidcc-ensure-registered-redirect-uri", func(t *testing.T) {
			a.stays(t, a.authorize(x.visitor, a.request("redirect_uri", callback+"/"+random())))
		})
		x.module("oidcc-ensure-redirect-uri-in-authorization-request", func(t *testing.T) {
			a.stays(t, a.authorize(x.visitor, a.request("redirect_uri", "")))
		})
		x.module("oidcc-redirect-uri-query-OK", func(t *testing.T) {
			b := x.app(map[string]any{"redirect_uris": []string{callback + "?foo=bar"}})
			q := b.request("redirect_uri", callback+"?foo=bar")
			landing := b.authorize(x.visitor, q)
			if landing.URL == nil || landing.URL.Query().Get("foo") != "bar" || landing.Values().Get("code") == "" {
				t.Fatalf("the application was called at %v (%s)", landing.URL, landing.Text())
			}
			b.redeem(t, landing.Values().Get("code"), "redirect_uri", callback+"?foo=bar")
		})
		x.module("oidcc-redirect-uri-query-mismatch", func(t *testing.T) {
			b := x.app(map[string]any{"redirect_uris": []string{callback + "?foo=bar"}})
			a.stays(t, b.authorize(x.visitor, b.request("redirect_uri", callback+"?foo=baz")))
		})
		x.module("oidcc-redirect-uri-query-added", func(t *testing.T) {
			a.stays(t, a.authorize(x.visitor, a.request("redirect_uri", callback+"?foo=bar")))
		})
		x.module("oidcc-ensure-post-request-succeeds", func(t *testing.T) {
			q := a.request()
			landing := x.visitor.VisitByForm(x.s.URL+x.at("authorization_endpoint"), q)
			a.redeem(t, a.back(t, landing, q).Get("code"))
		})
		x.module("oidcc-redirect-uri-regfrag", func(t *testing.T) {
			r := x.s.CLI(`{"client_name":"Notes","redirect_uris":["`+callback+`#foobar"]}`, "clients", "create", "--metadata", "-", "--json")
			if r.Code == 0 {
				t.Error("an address with a fragment was registered")
			}
		})
		unsigned := "eyJhbGciOiJub25lIn0." + "e30" + "."
		x.module("oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", func(t *testing.T) {
			q := a.request("request", unsigned)
			a.refused(t, a.authorize(x.visitor, q), q, "request_not_supported", "invalid_request_object", "invalid_request")
		})
		x.module("oidcc-ensure-request-object-with-redirect-uri", func(t *testing.T) {
			key := newPair(t, jose.ES256)
			b := x.app(map[string]any{"jwks": key.jwks(t), "redirect_uris": []string{callback, callback + "/signed"}})
			q := b.request("redirect_uri", callback+"/signed")
			l := b.authorize(x.visitor, b.request("request", b.object(t, key, q, nil)))
			if l.URL == nil || !strings.HasPrefix(l.URL.String(), callback+"/signed") || l.Values().Get("code") == "" || l.Values().Get("state") != q.Get("state") {
				t.Errorf("the application was called at %v: %s", l.URL, l.Text())
			}
		})
		for _, module := range []string{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", "oidcc-request-uri-unsigned", "oidcc-request-uri-signed-rs256"} {
			x.module(module, func(t *testing.T) {
				if x.meta["request_uri_parameter_supported"] != false {
					t.Errorf("request_uri_parameter_supported is %v", x.meta["request_uri_parameter_supported"])
				}
				q := a.request("request_uri", "https://app.example/request.jwt")
				a.refused(t, a.authorize(x.visitor, q), q, "request_uri_not_supported", "invalid_request_uri", "invalid_request")
			})
		}
	})
}

// The same answers in the body of a form.
func TestFormPost(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		x.module("response_mode=form_post", func(t *testing.T) {
			q := a.request("response_mode", "form_post")
			landing := a.authorize(x.visitor, q)
			if landing.Method != http.MethodPost || landing.URL == nil || landing.URL.String() != callback {
				t.Fatalf("the application was called at %s %v: %s", landing.Method, landing.URL, landing.Text())
			}
			got := a.redeem(t, a.back(t, landing, q).Get("code"))
			if token, _ := a.identity(t, got.ID); token.Nonce != q.Get("nonce") {
				t.Errorf("the nonce came back as %q", token.Nonce)
			}
		})
		x.module("an error", func(t *testing.T) {
			q := a.request("response_mode", "form_post", "prompt", "none")
			landing := a.authorize(x.s.Visitor(x.ana), q)
			if landing.Method != http.MethodPost {
				t.Fatalf("the application was called by %s", landing.Method)
			}
			a.refused(t, landing, q, "login_required", "interaction_required")
		})
		x.module("without a session, and by POST", func(t *testing.T) {
			q := a.request("response_mode", "form_post")
			a.redeem(t, a.back(t, x.s.Visitor(x.ana).VisitByForm(x.s.URL+x.at("authorization_endpoint"), q), q).Get("code"))
		})
	})
}

// What the server says of itself is whole and true.
func TestDiscovery(t *testing.T) {
	each(t, func(x *suite) {
		x.module("oidcc-discovery-endpoint-verification", func(t *testing.T) {
			lists := map[string]string{"response_types_supported": "code", "subject_types_supported": "public", "id_token_signing_alg_values_supported": "RS256",
				"scopes_supported": "openid", "claims_supported": "sub", "grant_types_supported": "authorization_code", "code_challenge_methods_supported": "S256",
				"token_endpoint_auth_methods_supported": "client_secret_basic"}
			for name, one := range lists {
				if got, _ := x.meta[name].([]any); !slices.Contains(got, any(one)) {
					t.Errorf("%s is %v", name, x.meta[name])
				}
			}
			if x.meta["issuer"] != x.s.URL || x.meta["authorization_response_iss_parameter_supported"] != true {
				t.Errorf("issuer %v, iss in answers %v", x.meta["issuer"], x.meta["authorization_response_iss_parameter_supported"])
			}
			for _, endpoint := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} {
				x.at(endpoint)
			}
			for name, value := range x.meta {
				if address, is := value.(string); is && (strings.HasSuffix(name, "_endpoint") || name == "jwks_uri") && !strings.HasPrefix(address, x.s.URL+"/") {
					t.Errorf("%s is at %s", name, address)
				}
			}
			answer := x.s.Bearer(http.MethodGet, x.at("jwks_uri"), "")
			for _, private := range []string{`"d":`, `"p":`, `"k":`, `"oct"`} {
				if strings.Contains(string(answer.Body), private) {
					t.Errorf("the key set has %s", private)
				}
			}
		})
	})
}

// Keys change while tokens of the old ones are still good.
func TestKeysRotate(t *testing.T) {
	each(t, func(x *suite) {
		a := x.app(nil)
		x.module("oidcc-server-rotate-keys", func(t *testing.T) {
			got, _ := a.tokens(t, x.visitor)
			var before, after jose.JSONWebKeySet
			x.s.Bearer(http.MethodGet, x.at("jwks_uri"), "").Into(t, &before)
			if r := x.s.CLI("", "keys", "rotate", "--json"); r.Code != 0 {
				t.Fatalf("keys rotate: %d %s", r.Code, r.Stderr)
			}
			for range 100 {
				if x.s.Bearer(http.MethodGet, x.at("jwks_uri"), "").Into(t, &after); len(after.Keys) > len(before.Keys) {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			for _, k := range before.Keys {
				if len(after.Key(k.KeyID)) == 0 {
					t.Errorf("the key %s is gone", k.KeyID)
				}
			}
			x.userinfo(t, got.Access)
			a.identity(t, got.ID)
			next, _ := a.tokens(t, x.visitor)
			a.identity(t, next.ID)
		})
	})
}
