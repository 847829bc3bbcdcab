package http_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// strangers are origins that are neither ours nor the application's, though
// some look it (attack OAU-34).
func strangers(s *rig.Server) []string {
	return []string{
		"https://evil.example", "null", appOrigin + ".evil.example", "https://evil-notes.example.com", "https://sub.notes.example.com", "https://example.com",
		appOrigin + ":8443", "http://notes.example.com", appOrigin + ".", appOrigin + "/", "HTTPS://NOTES.EXAMPLE.COM", appOrigin + " https://evil.example",
		"https://user@notes.example.com", "https://notes_example.com", "https://notesXexample.com", s.URL + "0", s.URL + ".evil.example", "http://127.0.0.1", "https://localhost", "*",
	}
}

// Attack SES-15.
func TestStrangersCannotAsk(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		good := rig.Credentials(c.ana)
		for _, origin := range strangers(c.Server) {
			for _, site := range []string{"cross-site", "same-site", "", "none"} {
				for _, e := range endpoints {
					if e.by == "basic" || e.socket || e.method == "GET" {
						continue
					}
					body := any(nil)
					if e.path == "/session" && e.method == "POST" {
						body = good
					}
					headers := []string{"Origin", origin, "Sec-Fetch-Site", site}
					a := c.ask(e, e.path, body, headers...)
					what := fmt.Sprintf("%s from %q (%s)", e, origin, site)
					if body != nil {
						a = c.Browser().Do(e.method, e.path, body, headers...)
					}
					wantClear(t, what, a, 403)
					if len(a.Cookies()) > 0 || a.Header.Get("Access-Control-Allow-Origin") != "" {
						t.Errorf("%s: the headers are %v", what, a.Header)
					}
				}
			}
		}
		// A form of another page cannot send JSON without asking first.
		for _, media := range []string{"text/plain", formMedia, "multipart/form-data; boundary=x"} {
			a := c.Browser().Do("POST", "/session", `{"email":"`+c.ana.Email+`","password":"`+c.ana.Password+`"}`, "Content-Type", media, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
			wantClear(t, media, a, 403, 415)
		}
		c.intact(t)
	})
}

// Attack OAU-34.
func TestStrangersCannotRead(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		for _, e := range endpoints {
			if e.socket {
				continue
			}
			for _, origin := range strangers(c.Server) {
				for _, method := range []string{e.method, http.MethodOptions} {
					other := e
					if other.method = method; method != "GET" && method != http.MethodOptions {
						continue // judged above: these act
					}
					a := c.ask(other, e.path, nil, "Origin", origin, "Sec-Fetch-Site", "cross-site", "Access-Control-Request-Method", e.method)
					allowed, credentials := a.Header.Get("Access-Control-Allow-Origin"), a.Header.Get("Access-Control-Allow-Credentials")
					open := e.path == "/oauth/jwks" || e.path == "/sdk/doorward.js" || e.path[:2] == "/."
					if credentials != "" || allowed != "" && !(open && allowed == "*") {
						t.Errorf("%s %s lets %q read: %v", method, e.path, origin, a.Header)
					}
				}
			}
		}
		c.intact(t)
	})
}

// The application's own pages may ask and read, by their name alone.
func TestFirstPartyPagesMayAskAndRead(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		b := c.Browser()
		b.Origin = appOrigin
		b.Do("POST", "/session", rig.Credentials(c.ana)).Want(t, 201)
		for name, a := range map[string]rig.Answer{
			"GET /session": b.Do("GET", "/session", nil).Want(t, 200), "POST /session/refresh": b.Refresh().Want(t, 200),
			"a refusal": c.Browser().Do("GET", "/session", nil, "Origin", appOrigin, "Sec-Fetch-Site", "cross-site").Want(t, 401),
			"preflight": b.Do("OPTIONS", "/session", nil, "Access-Control-Request-Method", "DELETE").Want(t, 204),
		} {
			h := a.Header
			if h.Get("Access-Control-Allow-Origin") != appOrigin || h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Vary") != "Origin" {
				t.Errorf("%s: the headers are %v", name, h)
			}
		}
		b.Do("DELETE", "/session", nil).Want(t, 204)
	})
}
