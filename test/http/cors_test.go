package http_test

import (
	"net/http"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// Pages of registered applications read what applications are answered, by the
// name of their origin and without cookies; nobody else does, and nobody reads
// the pages where people sign in. Attack OAU-34, check AS-36.
func TestPagesOfApplicationsMayReadTheirAnswers(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		const spa, third, app = "https://spa.example.net", "https://pages.example.net", "https://server.example.net"
		s.Register(map[string]any{"client_id": "spa", "client_name": "Spa", "doorward_type": "spa", "redirect_uris": []string{spa + "/cb"}})
		s.Register(map[string]any{"client_id": "third", "client_name": "Third", "doorward_type": "web", "doorward_origins": []string{third}, "redirect_uris": []string{app + "/cb"}})
		ask := func(method, path, origin string, headers ...string) rig.Answer {
			b := s.Browser()
			b.Origin = ""
			headers = append(headers, "Origin", origin, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors")
			if method == "POST" {
				return b.Try(method, path, "grant_type=authorization_code&code=x&client_id=spa&code_verifier=y&token=x", append(headers, "Content-Type", formMedia)...)
			}
			return b.Try(method, path, nil, headers...)
		}
		reads := func(what string, a rig.Answer, origin string, want bool) {
			t.Helper()
			h := a.Header
			if allowed := h.Get("Access-Control-Allow-Origin"); want && (allowed != origin || h.Get("Vary") == "") || !want && allowed != "" {
				t.Errorf("%s from %s: %v", what, origin, h)
			}
			if h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %s with cookies: %v", what, origin, h)
			}
		}
		endpoints := map[string]string{"/oauth/token": "POST", "/oauth/revoke": "POST", "/oauth/userinfo": "GET"}
		for path, method := range endpoints {
			for _, origin := range []string{spa, third} {
				pre := ask("OPTIONS", path, origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "dpop,content-type")
				if pre.Want(t, http.StatusNoContent); pre.Header.Get("Access-Control-Allow-Methods") == "" || pre.Header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, DPoP" {
					t.Errorf("preflight of %s: %v", path, pre.Header)
				}
				reads("preflight of "+path, pre, origin, true)
				a := ask(method, path, origin)
				if a.Status >= 500 {
					t.Errorf("%s: %d", path, a.Status)
				}
				reads(path, a, origin, true)
			}
			// A web application's server is no page; and those who only look like one.
			for _, origin := range append(strangers(s), app, spa+".evil.example", "http://spa.example.net", spa+":8443", spa+"/", "HTTPS://SPA.EXAMPLE.NET") {
				reads("preflight of "+path, ask("OPTIONS", path, origin, "Access-Control-Request-Method", method), origin, false)
				reads(path, ask(method, path, origin), origin, false)
			}
		}
		for _, path := range []string{"/oauth/authorize?client_id=spa", "/sign-in", "/oauth/introspect", "/api/v1/clients"} {
			for _, method := range []string{"GET", "OPTIONS"} {
				reads(method+" "+path, ask(method, path, spa, "Access-Control-Request-Method", "GET"), spa, false)
			}
		}
		for _, path := range []string{"/.well-known/openid-configuration", "/oauth/jwks"} {
			if a := ask("GET", path, "https://evil.example"); a.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s is for everybody: %v", path, a.Header)
			}
		}
		s.Socket("PATCH", "/api/v1/clients/spa", map[string]any{"redirect_uris": []string{"https://moved.example.net/cb"}}).Want(t, http.StatusOK)
		reads("a page that moved away", ask("POST", "/oauth/token", spa), spa, false)
		reads("where it moved", ask("POST", "/oauth/token", "https://moved.example.net"), "https://moved.example.net", true)
		s.Socket("POST", "/api/v1/clients/third/pause", nil).Want(t, http.StatusOK)
		reads("a paused application's page", ask("POST", "/oauth/token", third), third, false)
	})
}
