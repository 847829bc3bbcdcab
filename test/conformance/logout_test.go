package conformance

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/doorward/doorward/test/rig"
)

const afterwards = "https://app.example/bye"

// Signing out at the wish of an application.
func TestLogoutByTheApplication(t *testing.T) {
	each(t, func(x *suite) {
		x.needs("end_session_endpoint")
		a := x.app(map[string]any{"post_logout_redirect_uris": []string{afterwards}})
		// logout signs in anew and asks for the end; more are parameters, and
		// HINT stands for the ID token.
		logout := func(t *testing.T, more ...string) (rig.Landing, *rig.Visitor) {
			t.Helper()
			v := x.s.Visitor(x.ana)
			got, _ := a.tokens(t, v)
			q := url.Values{}
			for i := 0; i+1 < len(more); i += 2 {
				q.Set(more[i], strings.ReplaceAll(more[i+1], "HINT", got.ID))
			}
			return v.Visit(x.s.URL + x.at("end_session_endpoint") + "?" + q.Encode()), v
		}
		out := func(t *testing.T, v *rig.Visitor, want bool) {
			t.Helper()
			q := a.request("prompt", "none")
			if is := a.back(t, a.authorize(v, q), q).Get("error") == "login_required"; is != want {
				t.Errorf("signed out: %v, want %v", is, want)
			}
		}
		x.module("oidcc-rp-initiated-logout-discovery-endpoint-verification", func(*testing.T) { x.at("end_session_endpoint") })
		x.module("oidcc-rp-initiated-logout", func(t *testing.T) {
			l, v := logout(t, "id_token_hint", "HINT", "post_logout_redirect_uri", afterwards, "state", "x y")
			if l.URL == nil || !strings.HasPrefix(l.URL.String(), afterwards+"?") || l.Values().Get("state") != "x y" || len(v.Pages) > 0 {
				t.Fatalf("the visit ended at %v, %s after %v", l.URL, l.Path, v.Pages)
			}
			out(t, v, true)
		})
		x.module("oidcc-rp-initiated-logout-no-state", func(t *testing.T) {
			l, v := logout(t, "id_token_hint", "HINT", "post_logout_redirect_uri", afterwards)
			if l.URL == nil || l.URL.String() != afterwards {
				t.Fatalf("the visit ended at %v, %s", l.URL, l.Path)
			}
			out(t, v, true)
		})
		for module, to := range map[string]string{"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": "https://app.example/elsewhere",
			"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": afterwards + "?foo=bar"} {
			x.module(module, func(t *testing.T) {
				if l, _ := logout(t, "id_token_hint", "HINT", "post_logout_redirect_uri", to, "state", "x"); l.URL != nil {
					t.Errorf("the browser was sent to %s", l.URL)
				}
			})
		}
		for module, hint := range map[string]string{"oidcc-rp-initiated-logout-modified-id-token-hint": "HINTA", "oidcc-rp-initiated-logout-bad-id-token-hint": "eyJhbGciOiJub25lIn0.e30.",
			"oidcc-rp-initiated-logout-no-id-token-hint": ""} {
			x.module(module, func(t *testing.T) {
				more := []string{"post_logout_redirect_uri", afterwards, "state", "x"}
				if hint != "" {
					more = append(more, "id_token_hint", hint)
				}
				l, v := logout(t, more...)
				if l.URL != nil && len(v.Pages) == 0 {
					t.Errorf("without a question the browser was sent to %s", l.URL)
				}
			})
		}
		for module, more := range map[string][]string{"oidcc-rp-initiated-logout-no-params": nil, "oidcc-rp-initiated-logout-only-state": {"state", "x"},
			"oidcc-rp-initiated-logout-no-post-logout-redirect-uri": {"id_token_hint", "HINT", "state", "x"}} {
			x.module(module, func(t *testing.T) {
				l, v := logout(t, more...)
				if l.URL != nil || l.Page.Status >= 400 {
					t.Fatalf("the visit ended at %v, %s (%d)", l.URL, l.Path, l.Page.Status)
				}
				out(t, v, true)
			})
		}
		x.module("a person who does not want to", func(t *testing.T) {
			v := x.s.Visitor(x.ana)
			a.tokens(t, v)
			v.Do(http.MethodGet, x.at("end_session_endpoint"), nil)
			out(t, v, false)
		})
	})
}

// Applications hear of a logout without the browser.
func TestLogoutBehindTheBrowser(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, r.URL.Path+" "+r.FormValue("logout_token"))
	}))
	t.Cleanup(func() { // when the engines, side by side, have ended
		listener.Close()
		if slices.ContainsFunc(heard, func(s string) bool { return strings.HasSuffix(s, " ") }) {
			t.Error("somebody called without a logout token")
		}
	})
	each(t, func(x *suite) {
		x.needs("end_session_endpoint", "backchannel_logout_supported")
		x.module("oidcc-backchannel-logout-discovery-endpoint-verification", func(t *testing.T) {
			if x.meta["backchannel_logout_supported"] != true || x.meta["backchannel_logout_session_supported"] != true {
				t.Errorf("the metadata say %v and %v", x.meta["backchannel_logout_supported"], x.meta["backchannel_logout_session_supported"])
			}
		})
		x.module("oidcc-backchannel-rp-initiated-logout", func(t *testing.T) {
			path := "/" + random()
			a := x.app(map[string]any{"post_logout_redirect_uris": []string{afterwards}, "backchannel_logout_uri": listener.URL + path, "backchannel_logout_session_required": true})
			v := x.s.Visitor(x.ana)
			got, _ := a.tokens(t, v)
			_, identity := a.identity(t, got.ID)
			v.Visit(x.s.URL + x.at("end_session_endpoint") + "?" + url.Values{"id_token_hint": {got.ID}, "post_logout_redirect_uri": {afterwards}}.Encode())
			var raw string
			for deadline := time.Now().Add(20 * time.Second); raw == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
				mu.Lock()
				for _, one := range heard {
					if rest, mine := strings.CutPrefix(one, path+" "); mine {
						raw = rest
					}
				}
				mu.Unlock()
			}
			signed, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
			if err != nil || signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType] != "logout+jwt" {
				t.Fatalf("the logout token is %.80q (%v)", raw, err)
			}
			token, err := x.op.Verifier(&oidc.Config{ClientID: a.ID, SupportedSigningAlgs: []string{"ES256", "RS256"}}).Verify(x.context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			var claims map[string]any
			if err := token.Claims(&claims); err != nil {
				t.Fatal(err)
			}
			events, _ := claims["events"].(map[string]any)
			if _, is := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); !is || claims["nonce"] != nil || claims["jti"] == nil ||
				claims["sid"] != identity["sid"] || claims["sub"] != nil && claims["sub"] != identity["sub"] || token.Expiry.Sub(token.IssuedAt) > 2*time.Minute {
				t.Errorf("the logout token says %v, the ID token %v", claims, identity)
			}
		})
	}, rig.Env("DOORWARD_OUTBOUND_ALLOW=127.0.0.0/8"))
}
