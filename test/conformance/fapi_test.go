package conformance

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/doorward/doorward/test/rig"
)

// A fapiApp keeps to FAPI 2.0: it proves itself by one key, and that it holds
// its tokens by another.
type fapiApp struct {
	*app
	auth, key pair
}

func (x *suite) fapiApp(t *testing.T, more map[string]any) *fapiApp {
	t.Helper()
	auth := newPair(t, jose.ES256)
	metadata := map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": auth.jwks(t), "doorward_security_profile": "fapi2", "doorward_pkce": nil}
	maps.Copy(metadata, more)
	return &fapiApp{x.app(metadata), auth, newPair(t, jose.ES256)}
}

// asks is a request with a challenge, and its verifier.
func (f *fapiApp) asks(more ...string) (url.Values, string) {
	verifier, challenge := pkce()
	return f.request(append([]string{"code_challenge", challenge, "code_challenge_method", "S256"}, more...)...), verifier
}

// push sends a request ahead of the browser. Changes are of the assertion.
func (f *fapiApp) push(t *testing.T, q url.Values, changes map[string]any, headers ...string) rig.Answer {
	t.Helper()
	form := maps.Clone(q)
	pairs := asserted(f.assertion(t, f.auth, changes))
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return f.send("pushed_authorization_request_endpoint", form, headers...)
}

// pushed is the reference to a request that was taken.
func (f *fapiApp) pushed(t *testing.T, q url.Values, headers ...string) string {
	t.Helper()
	var out struct {
		URI     string `json:"request_uri"`
		Expires int    `json:"expires_in"`
	}
	f.push(t, q, nil, headers...).Want(t, http.StatusCreated).Into(t, &out)
	if !strings.HasPrefix(out.URI, "urn:ietf:params:oauth:request_uri:") || out.Expires < 5 || out.Expires >= 600 {
		t.Fatalf("the request was taken as %v", out)
	}
	return out.URI
}

func (f *fapiApp) reference(uri string, more ...string) url.Values {
	q := url.Values{"client_id": {f.ID}, "request_uri": {uri}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q
}

// granted takes a person through a pushed request.
func (f *fapiApp) granted(t *testing.T, q url.Values, headers ...string) string {
	t.Helper()
	answer := f.back(t, f.authorize(f.x.visitor, f.reference(f.pushed(t, q, headers...))), q)
	if answer.Get("code") == "" {
		t.Fatalf("the application was told %v", answer)
	}
	return answer.Get("code")
}

// trade asks the token endpoint with an assertion and a proof of a key.
func (f *fapiApp) trade(t *testing.T, key pair, assertion, proof map[string]any, more ...string) rig.Answer {
	t.Helper()
	return withNonce(func(nonce any) rig.Answer {
		form := url.Values{}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		pairs := asserted(f.assertion(t, f.auth, assertion))
		form.Set(pairs[0], pairs[1])
		if form.Set(pairs[2], pairs[3]); assertion["none"] != nil {
			form.Del(pairs[0])
			form.Del(pairs[2])
		}
		changes := map[string]any{"nonce": nonce}
		maps.Copy(changes, proof)
		if proof["none"] != nil {
			return f.send("token_endpoint", form)
		}
		return f.send("token_endpoint", form, "DPoP", f.x.proof(t, key, http.MethodPost, f.x.at("token_endpoint"), "", changes))
	})
}

func code(code, verifier string) []string {
	return []string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier}
}

// flow is the whole of it.
func (f *fapiApp) flow(t *testing.T, more ...string) tokens {
	t.Helper()
	q, verifier := f.asks(more...)
	var out tokens
	f.trade(t, f.key, nil, nil, code(f.granted(t, q), verifier)...).Want(t, http.StatusOK).Into(t, &out)
	if !strings.EqualFold(out.Type, "DPoP") || out.Access == "" {
		t.Fatalf("the token is of type %q", out.Type)
	}
	return out
}

// who asks userinfo with a bound token.
func (f *fapiApp) who(t *testing.T, key pair, scheme, access string, changes map[string]any) rig.Answer {
	t.Helper()
	return withNonce(func(nonce any) rig.Answer {
		all := map[string]any{"nonce": nonce}
		maps.Copy(all, changes)
		b := f.x.s.Browser()
		b.Origin = ""
		headers := []string{"Authorization", scheme + " " + access}
		if changes["none"] == nil {
			headers = append(headers, "DPoP", f.x.proof(t, key, http.MethodGet, f.x.at("userinfo_endpoint"), access, all))
		}
		return b.Do(http.MethodGet, f.x.at("userinfo_endpoint"), nil, headers...)
	})
}

// bad expects that an endpoint refuses, by whichever of these codes.
func bad(t *testing.T, answer rig.Answer, codes ...string) {
	t.Helper()
	r := answer.Refusal(t)
	for _, code := range codes {
		if answer.Status >= 400 && answer.Status < 500 && r.Error == code {
			return
		}
	}
	t.Errorf("answered %d %s, not %v", answer.Status, answer.Body, codes)
}

// What an application that keeps to the profile may do.
func TestFAPIGrants(t *testing.T) {
	each(t, func(x *suite) {
		x.needs("pushed_authorization_request_endpoint", "dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported")
		f := x.fapiApp(x.t, nil)
		name := func(s string) string { return "fapi2-security-profile-final-" + s }
		x.module(name("discovery-end-point-verification"), func(t *testing.T) {
			for member, one := range map[string]string{"token_endpoint_auth_methods_supported": "private_key_jwt", "dpop_signing_alg_values_supported": "ES256", "id_token_signing_alg_values_supported": "ES256",
				"token_endpoint_auth_signing_alg_values_supported": "ES256", "code_challenge_methods_supported": "S256"} {
				found := false
				list, _ := x.meta[member].([]any)
				for _, v := range list {
					found = found || v == one
				}
				if !found {
					t.Errorf("%s is %v", member, x.meta[member])
				}
			}
			if x.meta["authorization_response_iss_parameter_supported"] != true {
				t.Error("answers do not name the issuer")
			}
			x.at("pushed_authorization_request_endpoint")
		})
		x.module(name("happy-flow"), func(t *testing.T) {
			got := f.flow(t)
			token, _ := f.identity(t, got.ID)
			var who map[string]any
			if f.who(t, f.key, "DPoP", got.Access, nil).Want(t, http.StatusOK).Into(t, &who); who["sub"] != token.Subject {
				t.Errorf("userinfo is of %v", who)
			}
		})
		x.module(name("user-rejects-authentication"), func(t *testing.T) {
			q, _ := f.asks("prompt", "consent")
			v := x.s.Visitor(x.ana)
			v.Visit(x.s.URL + "/sign-in")
			v.Refuses = true
			f.refused(t, f.authorize(v, f.reference(f.pushed(t, q))), q, "access_denied")
		})
		x.module(name("ensure-authorization-request-without-state-success"), func(t *testing.T) { f.flow(t, "state", "") })
		x.module(name("ensure-authorization-request-without-nonce-success"), func(t *testing.T) { f.flow(t, "nonce", "") })
		x.module(name("ensure-authorization-request-with-64-char-nonce-success"), func(t *testing.T) {
			nonce := strings.Repeat("n", 64)
			if token, _ := f.identity(t, f.flow(t, "nonce", nonce).ID); token.Nonce != nonce {
				t.Errorf("the nonce came back as %q", token.Nonce)
			}
		})
		x.module(name("ensure-other-scope-order-succeeds"), func(t *testing.T) { f.flow(t, "scope", "email openid") })
		x.module(name("test-claims-parameter-identity-claims"), func(t *testing.T) { f.flow(t, "claims", `{"id_token":{"name":null},"userinfo":{"email":null}}`) })
		x.module(name("access-token-type-header-case-sensitivity"), func(t *testing.T) {
			got := f.flow(t)
			f.who(t, f.key, "dPOP", got.Access, nil).Want(t, http.StatusOK)
		})
		for module, long := range map[string]string{"ensure-authorization-request-with-long-nonce": "nonce", "ensure-authorization-request-with-long-state": "state"} {
			x.module(name(module), func(t *testing.T) { f.flow(t, long, strings.Repeat("x", 384)) })
		}
		x.module(name("refresh-token"), func(t *testing.T) {
			got := f.flow(t, "scope", "openid offline_access")
			if got.Refresh == "" {
				t.Fatal("there is no refresh token")
			}
			refresh := []string{"grant_type", "refresh_token", "refresh_token", got.Refresh}
			var next tokens
			f.trade(t, f.key, nil, nil, refresh...).Want(t, http.StatusOK).Into(t, &next)
			f.who(t, f.key, "DPoP", next.Access, nil).Want(t, http.StatusOK)
			// It does not rotate (check FP-04): the same works again.
			f.trade(t, f.key, nil, nil, refresh...).Want(t, http.StatusOK)
			other := x.fapiApp(t, nil)
			bad(t, other.trade(t, other.key, nil, nil, refresh...), "invalid_grant")
		})
		x.module(name("par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"), func(t *testing.T) {
			q, verifier := f.asks()
			uri := f.pushed(t, q)
			address := x.at("authorization_endpoint") + "?" + f.reference(uri).Encode()
			for range 2 { // somebody's preview of the link
				x.s.Browser().Do(http.MethodGet, address, nil)
			}
			answer := f.back(t, f.authorize(x.visitor, f.reference(uri)), q)
			f.trade(t, f.key, nil, nil, code(answer.Get("code"), verifier)...).Want(t, http.StatusOK)
		})
	})
}

// Requests that the profile does not allow.
func TestFAPIRequests(t *testing.T) {
	each(t, func(x *suite) {
		x.needs("pushed_authorization_request_endpoint", "dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported")
		f, other := x.fapiApp(x.t, nil), x.fapiApp(x.t, nil)
		name := func(s string) string { return "fapi2-security-profile-final-" + s }
		refused := func(t *testing.T, q url.Values, codes ...string) {
			t.Helper()
			bad(t, f.push(t, q, nil), codes...)
		}
		for _, module := range []string{"ensure-registered-redirect-uri", "plain-fapi-tolerate-unregistered-redirect-uri"} {
			x.module(name(module), func(t *testing.T) {
				q, _ := f.asks("redirect_uri", callback+"/"+random())
				refused(t, q, "invalid_request", "invalid_redirect_uri")
			})
		}
		for _, module := range []string{"ensure-redirect-uri-in-authorization-request", "ensure-request-object-without-redirect-uri-fails"} {
			x.module(name(module), func(t *testing.T) {
				q, _ := f.asks("redirect_uri", "")
				refused(t, q, "invalid_request")
			})
		}
		x.module(name("ensure-unsigned-authorization-request-without-using-par-fails"), func(t *testing.T) {
			q, _ := f.asks()
			if l := f.authorize(x.visitor, q); l.URL != nil && l.Values().Has("code") {
				t.Error("a request that was not pushed got a code")
			}
		})
		for module, kind := range map[string]string{"ensure-response-type-code-idtoken-fails": "code id_token", "ensure-response-type-token-fails": "token"} {
			x.module(name(module), func(t *testing.T) {
				q, _ := f.asks("response_type", kind)
				refused(t, q, "unsupported_response_type", "invalid_request", "unauthorized_client")
			})
		}
		for module, outside := range map[string]string{"ensure-different-nonce-inside-and-outside-request-object": "nonce", "ensure-different-state-inside-and-outside-request-object": "state"} {
			x.module(name(module), func(t *testing.T) {
				q, verifier := f.asks()
				l := f.authorize(x.visitor, f.reference(f.pushed(t, q), outside, "other"))
				if l.URL == nil || l.Values().Has("error") {
					return
				}
				var got tokens
				f.trade(t, f.key, nil, nil, code(f.back(t, l, q).Get("code"), verifier)...).Want(t, http.StatusOK).Into(t, &got)
				if token, _ := f.identity(t, got.ID); token.Nonce != q.Get("nonce") {
					t.Errorf("the nonce came back as %q", token.Nonce)
				}
			})
		}
		x.module(name("state-only-outside-request-object-not-used"), func(t *testing.T) {
			q, _ := f.asks("state", "")
			if l := f.authorize(x.visitor, f.reference(f.pushed(t, q), "state", "outside")); l.URL != nil && l.Values().Has("state") {
				t.Errorf("a state from outside came back: %v", l.Values())
			}
		})
		x.module(name("par-without-duplicate-parameters"), func(t *testing.T) {
			q, _ := f.asks()
			f.granted(t, q)
		})
		x.module(name("par-attempt-reuse-request_uri"), func(t *testing.T) {
			q, _ := f.asks()
			uri := f.pushed(t, q)
			f.back(t, f.authorize(x.visitor, f.reference(uri)), q)
			if l := f.authorize(x.visitor, f.reference(uri)); l.URL != nil && l.Values().Has("code") {
				t.Error("a pushed request was answered twice")
			}
		})
		x.module(name("par-attempt-to-use-expired-request_uri"), func(t *testing.T) {
			q, _ := f.asks()
			uri := f.pushed(t, q)
			x.pass(601e9)
			if l := f.authorize(x.visitor, f.reference(uri)); l.URL != nil && l.Values().Has("code") {
				t.Error("an old request was answered")
			}
		})
		x.module(name("par-attempt-to-use-request_uri-for-different-client"), func(t *testing.T) {
			q, _ := f.asks()
			if l := other.authorize(x.visitor, other.reference(f.pushed(t, q))); l.URL != nil && l.Values().Has("code") {
				t.Error("another application's request was answered")
			}
		})
		x.module(name("par-authorization-request-containing-request_uri-form-param"), func(t *testing.T) {
			q, _ := f.asks("request_uri", "urn:ietf:params:oauth:request_uri:x")
			refused(t, q, "invalid_request")
		})
		x.module(name("par-attempt-invalid-http-method"), func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				if answer := x.s.Bearer(method, x.at("pushed_authorization_request_endpoint"), "x"); answer.Status != http.StatusMethodNotAllowed || answer.Header.Get("Allow") == "" {
					t.Errorf("%s is answered %d", method, answer.Status)
				}
			}
		})
		x.module(name("par-ensure-pkce-required"), func(t *testing.T) {
			q, _ := f.asks("code_challenge", "", "code_challenge_method", "")
			refused(t, q, "invalid_request")
		})
		x.module(name("par-plain-pkce-rejected"), func(t *testing.T) {
			q, verifier := f.asks("code_challenge_method", "plain")
			q.Set("code_challenge", verifier)
			refused(t, q, "invalid_request")
		})
		x.module(name("ensure-pkce-code-verifier-required"), func(t *testing.T) {
			q, _ := f.asks()
			bad(t, f.trade(t, f.key, nil, nil, "grant_type", "authorization_code", "code", f.granted(t, q), "redirect_uri", callback), "invalid_grant", "invalid_request")
		})
		x.module(name("incorrect-pkce-code-verifier-rejected"), func(t *testing.T) {
			q, _ := f.asks()
			bad(t, f.trade(t, f.key, nil, nil, code(f.granted(t, q), random())...), "invalid_grant")
		})
	})
}

// How an application proves itself, and what does not.
func TestFAPIAssertions(t *testing.T) {
	each(t, func(x *suite) {
		x.needs("pushed_authorization_request_endpoint", "dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported")
		f, other := x.fapiApp(x.t, nil), x.fapiApp(x.t, nil)
		name := func(s string) string { return "fapi2-security-profile-final-" + s }
		par, endpoint := x.s.URL+x.at("pushed_authorization_request_endpoint"), x.s.URL+x.at("token_endpoint")
		for module, changes := range map[string]map[string]any{
			"par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": {"nbf": x.now().Unix() + 70, "iat": x.now().Unix() + 70, "exp": x.now().Unix() + 130},
			"ensure-client-assertion-with-exp-is-5-minutes-in-past-fails":              {"exp": x.now().Unix() - 300},
			"ensure-client-assertion-with-wrong-aud-fails":                             {"aud": "https://other.example"},
			"ensure-client-assertion-with-no-sub-fails":                                {"sub": nil},
			"ensure-invalid-client-assertions-fail":                                    {"iss": "somebody"},
			"par-test-array-as-audience-fails":                                         {"aud": []string{x.s.URL, par}},
			"par-test-par-endpoint-url-as-audience-fails":                              {"aud": par},
			"par-test-token-endpoint-url-as-audience-fails":                            {"aud": endpoint},
		} {
			x.module(name(module), func(t *testing.T) {
				q, verifier := f.asks()
				bad(t, f.push(t, q, changes), "invalid_client")
				good, verifier := f.asks()
				bad(t, f.trade(t, f.key, changes, nil, code(f.granted(t, good), verifier)...), "invalid_client")
			})
		}
		x.module(name("par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted"), func(t *testing.T) {
			q, _ := f.asks()
			f.push(t, q, map[string]any{"nbf": x.now().Unix() + 8, "iat": x.now().Unix() + 8}).Want(t, http.StatusCreated)
		})
		x.module(name("ensure-signed-client-assertion-with-RS256-fails"), func(t *testing.T) {
			rs := &fapiApp{f.app, newPair(t, jose.RS256), f.key}
			q, _ := f.asks()
			bad(t, rs.push(t, q, nil), "invalid_client")
			r := x.s.CLI(`{"client_name":"Notes","redirect_uris":["`+callback+`"],"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"RS256","doorward_security_profile":"fapi2","jwks":{"keys":[]}}`, "clients", "create", "--metadata", "-", "--json")
			if r.Code == 0 {
				t.Error("the profile allows RS256")
			}
		})
		x.module(name("ensure-client-assertion-in-token-endpoint"), func(t *testing.T) {
			q, verifier := f.asks()
			bad(t, f.trade(t, f.key, map[string]any{"none": true}, nil, append(code(f.granted(t, q), verifier), "client_id", f.ID)...), "invalid_client")
		})
		x.module(name("ensure-client-id-in-token-endpoint"), func(t *testing.T) {
			q, verifier := f.asks()
			bad(t, f.trade(t, f.key, nil, nil, append(code(f.granted(t, q), verifier), "client_id", other.ID)...), "invalid_client", "invalid_request")
		})
		x.module(name("ensure-authorization-code-is-bound-to-client"), func(t *testing.T) {
			q, verifier := f.asks()
			bad(t, other.trade(t, other.key, nil, nil, code(f.granted(t, q), verifier)...), "invalid_grant")
		})
		x.module(name("attempt-reuse-authorization-code-after-one-second"), func(t *testing.T) {
			q, verifier := f.asks()
			bought := code(f.granted(t, q), verifier)
			var got tokens
			f.trade(t, f.key, nil, nil, bought...).Want(t, http.StatusOK).Into(t, &got)
			x.pass(30e9)
			bad(t, f.trade(t, f.key, nil, nil, bought...), "invalid_grant")
			f.who(t, f.key, "DPoP", got.Access, nil).Want(t, http.StatusUnauthorized)
		})
		x.module(name("ensure-token-endpoint-fails-with-expired-auth-code"), func(t *testing.T) {
			q, verifier := f.asks()
			old := code(f.granted(t, q), verifier)
			x.pass(90e9)
			bad(t, f.trade(t, f.key, nil, nil, old...), "invalid_grant")
		})
		x.module("oidcc-ensure-client-assertion-with-iss-aud-succeeds", func(t *testing.T) {
			x.fapiApp(t, map[string]any{"doorward_security_profile": nil}).flow(t)
		})
		x.module("an assertion twice (OAU-14)", func(t *testing.T) {
			q, _ := f.asks()
			once := map[string]any{"jti": random()}
			f.push(t, q, once).Want(t, http.StatusCreated)
			bad(t, f.push(t, q, once), "invalid_client")
		})
	})
}

// Tokens are bound to the key of who asked for them.
func TestFAPIDPoP(t *testing.T) {
	each(t, func(x *suite) {
		x.needs("pushed_authorization_request_endpoint", "dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported")
		f := x.fapiApp(x.t, nil)
		thief := newPair(x.t, jose.ES256)
		name := func(s string) string { return "fapi2-security-profile-final-" + s }
		proofOf := func(t *testing.T, key pair) []string {
			t.Helper()
			return []string{"DPoP", x.proof(t, key, http.MethodPost, x.at("pushed_authorization_request_endpoint"), "", nil)}
		}
		for module, changes := range map[string]map[string]any{
			"check-dpop-proof-nbf-exp":                            {"nbf": x.now().Unix() - 60, "exp": x.now().Unix() + 60},
			"ensure-dpopproof-with-iat-10seconds-before-succeeds": {"iat": x.now().Unix() - 10},
			"ensure-dpopproof-with-iat-10seconds-after-succeeds":  {"iat": x.now().Unix() + 9},
		} {
			x.module(name(module), func(t *testing.T) {
				q, verifier := f.asks()
				f.trade(t, f.key, nil, changes, code(f.granted(t, q), verifier)...).Want(t, http.StatusOK)
			})
		}
		x.module(name("ensure-holder-of-key-required"), func(t *testing.T) {
			q, verifier := f.asks()
			bad(t, f.trade(t, f.key, nil, map[string]any{"none": true}, code(f.granted(t, q), verifier)...), "invalid_dpop_proof", "invalid_request", "invalid_grant")
		})
		x.module(name("ensure-mismatched-dpop-jkt-fails"), func(t *testing.T) {
			q, _ := f.asks("dpop_jkt", thief.thumbprint(t))
			bad(t, withNonce(func(nonce any) rig.Answer {
				return f.push(t, q, nil, "DPoP", x.proof(t, f.key, http.MethodPost, x.at("pushed_authorization_request_endpoint"), "", map[string]any{"nonce": nonce}))
			}), "invalid_dpop_proof", "invalid_request")
		})
		x.module(name("ensure-token-endpoint-fails-with-mismatched-dpop-jkt"), func(t *testing.T) {
			q, verifier := f.asks("dpop_jkt", f.key.thumbprint(t))
			bad(t, f.trade(t, thief, nil, nil, code(f.granted(t, q), verifier)...), "invalid_grant", "invalid_dpop_proof")
		})
		x.module(name("ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt"), func(t *testing.T) {
			q, verifier := f.asks()
			bad(t, f.trade(t, thief, nil, nil, code(f.granted(t, q, proofOf(t, f.key)...), verifier)...), "invalid_grant", "invalid_dpop_proof")
		})
		x.module(name("ensure-dpopproof-at-par-endpoint-binding-success"), func(t *testing.T) {
			q, verifier := f.asks()
			f.trade(t, f.key, nil, nil, code(f.granted(t, q, proofOf(t, f.key)...), verifier)...).Want(t, http.StatusOK)
		})
		x.module(name("ensure-dpop-auth-code-binding-success"), func(t *testing.T) {
			q, verifier := f.asks("dpop_jkt", f.key.thumbprint(t))
			f.trade(t, f.key, nil, nil, code(f.granted(t, q), verifier)...).Want(t, http.StatusOK)
		})
		x.module(name("dpop-negative-tests"), func(t *testing.T) {
			got := f.flow(t)
			for what, changes := range map[string]map[string]any{
				"another method": {"htm": "POST"}, "another address": {"htu": x.s.URL + "/oauth/token"}, "no address": {"htu": nil}, "no method": {"htm": nil}, "no id": {"jti": nil}, "no time": {"iat": nil},
				"an old time": {"iat": x.now().Unix() - 600}, "a time to come": {"iat": x.now().Unix() + 600}, "another token's hash": {"ath": random()}, "no hash": {"ath": nil}, "a nonce of nobody": {"nonce": random()},
			} {
				if answer := f.who(t, f.key, "DPoP", got.Access, changes); answer.Status != http.StatusUnauthorized && answer.Status != http.StatusBadRequest {
					t.Errorf("a proof with %s was answered %d", what, answer.Status)
				}
			}
			if answer := f.who(t, thief, "DPoP", got.Access, nil); answer.Status != http.StatusUnauthorized {
				t.Errorf("another key was answered %d", answer.Status)
			}
			if answer := f.who(t, f.key, "Bearer", got.Access, map[string]any{"none": true}); answer.Status != http.StatusUnauthorized {
				t.Errorf("as a bearer token it was answered %d", answer.Status)
			}
			once := map[string]any{"jti": random()}
			f.who(t, f.key, "DPoP", got.Access, once).Want(t, http.StatusOK)
			if answer := f.who(t, f.key, "DPoP", got.Access, once); answer.Status != http.StatusUnauthorized && answer.Status != http.StatusBadRequest {
				t.Errorf("a proof twice was answered %d", answer.Status)
			}
		})
	})
}

// Requests that are signed as well (FAPI 2.0 message signing, JAR).
func TestFAPISignedRequests(t *testing.T) {
	each(t, func(x *suite) {
		x.needs("pushed_authorization_request_endpoint", "dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported", "request_object_signing_alg_values_supported")
		f := x.fapiApp(x.t, map[string]any{"require_signed_request_object": true, "request_object_signing_alg": "ES256"})
		other := x.fapiApp(x.t, map[string]any{"require_signed_request_object": true})
		name := func(s string) string { return "fapi2-security-profile-final-" + s }
		push := func(t *testing.T, signed string) rig.Answer {
			t.Helper()
			return f.push(t, url.Values{"client_id": {f.ID}, "request": {signed}}, nil)
		}
		good := func(t *testing.T, changes map[string]any) {
			t.Helper()
			q, _ := f.asks()
			push(t, f.object(t, f.auth, q, changes)).Want(t, http.StatusCreated)
		}
		now := func() int64 { return x.now().Unix() }
		x.module(name("ensure-request-object-with-multiple-aud-succeeds"), func(t *testing.T) { good(t, map[string]any{"aud": []string{"https://other.example", x.s.URL}}) })
		x.module(name("ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted"), func(t *testing.T) { good(t, map[string]any{"nbf": now() + 8}) })
		for module, changes := range map[string]map[string]any{
			"ensure-request-object-without-exp-fails": {"exp": nil}, "ensure-request-object-without-nbf-fails": {"nbf": nil}, "ensure-expired-request-object-fails": {"exp": now() - 300},
			"ensure-request-object-with-bad-aud-fails": {"aud": "https://other.example"}, "ensure-request-object-with-exp-over-60-fails": {"exp": now() + 70*60},
			"ensure-request-object-with-nbf-over-60-fails":     {"nbf": now() - 70*60},
			"par-authorization-request-containing-request_uri": {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
		} {
			x.module(name(module), func(t *testing.T) {
				q, _ := f.asks()
				bad(t, push(t, f.object(t, f.auth, q, changes)), "invalid_request_object", "invalid_request")
			})
		}
		for module, by := range map[string]func(t *testing.T) pair{"ensure-signed-request-object-with-RS256-fails": func(t *testing.T) pair { return newPair(t, jose.RS256) }, "ensure-matching-key-in-authorization-request": func(*testing.T) pair { return other.auth }} {
			x.module(name(module), func(t *testing.T) {
				q, _ := f.asks()
				bad(t, push(t, f.object(t, by(t), q, nil)), "invalid_request_object", "invalid_request")
			})
		}
		x.module(name("ensure-request-object-with-invalid-signature-fails"), func(t *testing.T) {
			q, _ := f.asks()
			signed := f.object(t, f.auth, q, nil)
			bad(t, push(t, signed[:len(signed)-4]+"AAAA"), "invalid_request_object", "invalid_request")
		})
		x.module(name("ensure-request-object-signature-algorithm-is-not-none"), func(t *testing.T) {
			q, _ := f.asks()
			parts := strings.Split(f.object(t, f.auth, q, nil), ".")
			bad(t, push(t, "eyJhbGciOiJub25lIiwidHlwIjoib2F1dGgtYXV0aHotcmVxK2p3dCJ9."+parts[1]+"."), "invalid_request_object", "invalid_request")
		})
		x.module(name("ensure-unsigned-request-at-par-endpoint-fails"), func(t *testing.T) {
			q, _ := f.asks()
			bad(t, f.push(t, q, nil), "invalid_request", "invalid_request_object")
		})
	})
}
