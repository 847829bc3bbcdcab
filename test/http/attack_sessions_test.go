package http_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/test/rig"
)

// Attacks SES-02 and SES-04: no session is made of an id that somebody chose,
// and what was in a browser before a sign-in is worth nothing after it.
func TestChosenSessionsAreNone(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		random := secret.Random()
		own := secret.Encode(random[:])
		like := c.here.Cookies["doorward_session"]
		for name, chosen := range map[string]string{
			"random": own, "empty": "", "one byte": "a", "4 kB": strings.Repeat("a", 4096), "the right prefix": "dw_st_" + own, "ours, in other letters": strings.ToLower(like),
			"an id": c.here.Session, "a path": "../../etc/passwd", "quoted": `"` + like + `"`,
		} {
			cookie := "doorward_session=" + chosen
			wantClear(t, name+" as a session", c.Browser().Do("GET", "/session", nil, "Cookie", cookie), 401)
			if a := c.Browser().Do("GET", "/account", nil, "Cookie", cookie); a.Status != 303 || a.Header.Get("Location") != "/sign-in" {
				t.Errorf("%s: the account answers %d %v", name, a.Status, a.Header)
			}
		}
		c.intact(t)

		// Planted: a live session of the attacker's, a chosen one, and a form key.
		eve := c.User("eve")
		for name, sign := range map[string]func(b *rig.Browser){
			"POST /session": func(b *rig.Browser) { b.Do("POST", "/session", rig.Credentials(c.ana)).Want(t, 201) },
			"POST /sign-in": func(b *rig.Browser) {
				page := b.Do("GET", "/sign-in?another=1", nil).Want(t, 200)
				post(b, "/sign-in", fill(t, page, "username", c.ana.Email, "password", c.ana.Password)).Want(t, 303)
			},
		} {
			mallory := c.SignIn(eve)
			b := c.Browser()
			maps.Copy(b.Cookies, mallory.Cookies)
			b.Cookies["doorward_flow"] = own
			planted := maps.Clone(b.Cookies)
			sign(b)
			for _, cookie := range []string{"doorward_session", "doorward_refresh"} {
				if b.Cookies[cookie] == planted[cookie] || b.Cookies[cookie] == "" {
					t.Errorf("%s: %s is as it was planted", name, cookie)
				}
			}
			if name == "POST /sign-in" && b.Cookies["doorward_flow"] == own {
				t.Errorf("%s: the form key is as it was planted", name)
			}
			mallory.Do("GET", "/session", nil).Want(t, 401)
			mallory.Refresh().Want(t, 401)
			var me tokens
			b.Do("GET", "/session", nil).Want(t, 200).Into(t, &me)
			if me.User.ID != c.ana.ID {
				t.Errorf("%s: signed in as %s", name, me.User.ID)
			}
		}
	})
}

// Attacks OAU-35 and SES-11: whatever ends a session ends its cookie, its
// refresh token and its access token at once, on every surface.
func TestEveryEndEndsEverything(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		s.App("notes", appOrigin, "notes-api")
		reader := s.API("reader", "notes-api")
		for i, end := range []struct {
			name string
			do   func(u rig.User, b *rig.Browser)
		}{
			{"signing out", func(_ rig.User, b *rig.Browser) { b.Do("DELETE", "/session", nil).Want(t, 204) }},
			{"signing out by the access token", func(_ rig.User, b *rig.Browser) { s.Bearer("DELETE", "/session", b.Access).Want(t, 204) }},
			{"signing out on the page", func(_ rig.User, b *rig.Browser) {
				own := s.Browser()
				maps.Copy(own.Cookies, b.Cookies)
				post(own, "/sign-out", fill(t, own.Do("GET", "/sign-out", nil).Want(t, 200))).Want(t, 303)
			}},
			{"ended elsewhere", func(u rig.User, b *rig.Browser) { s.SignIn(u).Do("DELETE", "/sessions/"+b.Session, nil).Want(t, 204) }},
			{"others ended", func(u rig.User, _ *rig.Browser) { s.SignIn(u).Do("POST", "/sessions/end-others", nil).Want(t, 200) }},
			{"ended by an operator", func(_ rig.User, b *rig.Browser) {
				s.Socket("POST", "/api/v1/sessions/end", map[string]any{"id": b.Session}).Want(t, 200)
			}},
			{"all ended by an operator", func(u rig.User, _ *rig.Browser) {
				s.Socket("POST", "/api/v1/sessions/end", map[string]any{"query": "user:" + u.Email}).Want(t, 200)
			}},
			{"paused", func(u rig.User, _ *rig.Browser) { s.Socket("POST", "/api/v1/users/"+u.ID+"/pause", nil).Want(t, 200) }},
			{"reuse of its refresh token", func(_ rig.User, b *rig.Browser) {
				thief := s.Browser()
				thief.Origin, thief.Cookies["doorward_refresh"] = b.Origin, b.Cookies["doorward_refresh"]
				old := maps.Clone(b.Cookies)
				b.Refresh().Want(t, 200)
				b.Refresh().Want(t, 200)
				wantRefusal(t, thief.Refresh(), 401, "refresh.unspent")
				b.Cookies["doorward_session"] = old["doorward_session"]
			}},
		} {
			u := s.User(fmt.Sprintf("u%d", i))
			b := s.SignInAt(u, appOrigin)
			first := b.Access
			before := map[string]any{}
			if introspect(s, reader, "token="+first).Want(t, 200).Into(t, &before); before["active"] != true {
				t.Fatalf("before %s the token is %v", end.name, before)
			}
			kept := maps.Clone(b.Cookies)
			end.do(u, b)
			for _, token := range []string{first, b.Access} {
				after := map[string]any{}
				if introspect(s, reader, "token="+token).Want(t, 200).Into(t, &after); after["active"] != false || len(after) != 1 {
					t.Errorf("after %s the token is %v", end.name, after)
				}
				for _, path := range []string{"/session", "/sessions", "/session/exchanges"} {
					wantClear(t, "after "+end.name+", the token at "+path, s.Bearer("GET", path, token), 401)
				}
			}
			gone := s.Browser()
			gone.Origin = appOrigin
			gone.Cookies["doorward_session"] = kept["doorward_session"]
			for _, path := range []string{"/session", "/sessions", "/session/exchanges"} {
				wantClear(t, "after "+end.name+", the cookie at "+path, gone.Do("GET", path, nil), 401)
			}
			if a := gone.Do("GET", "/account/sessions", nil, "Origin", ""); a.Status != 303 {
				t.Errorf("after %s the account answers %d", end.name, a.Status)
			}
			for _, cookies := range []map[string]string{kept, b.Cookies} {
				gone.Cookies = map[string]string{"doorward_refresh": cookies["doorward_refresh"]}
				if cookies["doorward_refresh"] != "" {
					wantClear(t, "after "+end.name+", a refresh", gone.Refresh(), 401)
				}
			}
		}
	})
}

// Attack OAU-10: one refresh token sent fifty times at once has one successor,
// and nobody is signed out.
func TestSimultaneousRefreshesForkNothing(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.SignIn(s.User("ana"))
		for range 3 {
			var mu sync.Mutex
			next := map[string]int{}
			var tabs sync.WaitGroup
			for range 50 {
				tabs.Go(func() {
					tab := s.Browser()
					tab.Cookies["doorward_refresh"] = b.Cookies["doorward_refresh"]
					a := tab.Try("POST", "/session/refresh", nil)
					mu.Lock()
					defer mu.Unlock()
					next[fmt.Sprintf("%d %s", a.Status, tab.Cookies["doorward_refresh"])]++
				})
			}
			tabs.Wait()
			b.Refresh().Want(t, 200)
			if len(next) != 1 || next["200 "+b.Cookies["doorward_refresh"]] != 50 {
				t.Fatalf("fifty refreshes gave %d different answers", len(next))
			}
			b.Refresh().Want(t, 200)
		}
		b.Do("GET", "/session", nil).Want(t, 200)
	})
}

// Attack SES-16, and what else every answer carries where the issuer is https:
// the cookies' prefix, HSTS, the policies (ASVS 3.3, 3.4).
func TestHeadersBehindTLS(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine, rig.Issuer("https://auth.example.com"))
		ana := s.User("ana")
		b := s.SignIn(ana)
		a := b.Do("POST", "/session", rig.Credentials(ana)).Want(t, 201)
		for _, line := range a.Header["Set-Cookie"] {
			for _, part := range []string{"Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age="} {
				if !strings.Contains(line, "; "+part) {
					t.Errorf("the cookie %.30q has no %s", line, part)
				}
			}
			if !strings.HasPrefix(line, "__Host-doorward_") || strings.Contains(strings.ToLower(line), "domain=") || len(line) > 4096 {
				t.Errorf("the cookie is %.60q", line)
			}
		}
		for _, old := range []string{"doorward_session", "__Secure-doorward_session", "__host-doorward_session"} {
			wantClear(t, old, s.Browser().Do("GET", "/session", nil, "Cookie", old+"="+b.Cookies["__Host-doorward_session"]), 401)
		}
		for _, path := range []string{"/sign-in", "/account", "/account/sessions", "/sign-out", "/signed-out", "/step-up", "/return", "/error", "/nothing", "/sign-in?x=1", "/session", "/sessions",
			"/oauth/jwks", "/.well-known/openid-configuration", "/session/refresh"} {
			for name, who := range map[string]*rig.Browser{"signed in": b, "nobody": s.Browser()} {
				a := who.Do("GET", path, nil)
				h := a.Header
				want := map[string]string{"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
					"Cross-Origin-Resource-Policy": "same-origin"}
				if strings.HasPrefix(path, "/oauth/jwks") || strings.HasPrefix(path, "/.well-known/") {
					want["Cross-Origin-Resource-Policy"] = "cross-origin"
				}
				page := strings.HasPrefix(h.Get("Content-Type"), "text/html")
				if page || a.Status == http.StatusSeeOther {
					maps.Copy(want, map[string]string{"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store"})
				}
				for header, value := range want {
					if got := h.Get(header); got != value {
						t.Errorf("%s, %s: %s is %q, want %q", path, name, header, got, value)
					}
				}
				if page {
					for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
						if !strings.Contains(h.Get("Content-Security-Policy"), part) {
							t.Errorf("%s, %s: the policy has no %s", path, name, part)
						}
					}
					for _, part := range []string{"publickey-credentials-get=(self)", "publickey-credentials-create=(self)", "camera=()", "microphone=()", "geolocation=()", "usb=()", "payment=()"} {
						if !strings.Contains(h.Get("Permissions-Policy"), part) {
							t.Errorf("%s, %s: Permissions-Policy has no %s", path, name, part)
						}
					}
				}
				for _, tells := range []string{"Server", "X-Powered-By", "Via"} {
					if h.Get(tells) != "" {
						t.Errorf("%s: %s tells %q", path, tells, h.Get(tells))
					}
				}
			}
		}
		out := b.Do("DELETE", "/session", nil).Want(t, 204)
		if out.Header.Get("Clear-Site-Data") != `"cache", "storage"` || out.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("signing out answers %v", out.Header)
		}
	})
}

// elsewhere are addresses that some reader takes for another host (OAU-07).
var elsewhere = []string{
	"//evil.example", `/\evil.example`, "/\t/evil.example", "/%09/evil.example", "/%5cevil.example", "https:evil.example", "https:///evil.example", "https://evil.example", `\\evil.example`,
	"/.//evil.example", `/./../\evil.example`, "///evil.example", "@evil.example", "/\u3002/evil.example", ";@evil.example", "/%2f%2fevil.example", "javascript:alert(1)", "data:text/html,x",
	"/a\r\nSet-Cookie: x=y", "http://localhost@evil.example/", "/..//evil.example", "/ /evil.example", "//localhost:1@evil.example",
}

// Attacks OAU-07 and REC-11: what to go on to after a sign-in is a path of
// this server or nothing, and no token goes along.
func TestReturnsStayHere(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		for _, to := range elsewhere {
			b := s.Browser()
			page := b.Do("GET", "/sign-in?return_to="+url.QueryEscape(to), nil)
			if page.Status != 200 {
				wantClear(t, fmt.Sprintf("the page for %.30q", to), page, 400, 413)
				page = b.Do("GET", "/sign-in", nil).Want(t, 200)
			}
			for _, form := range []string{fill(t, page, "username", ana.Email, "password", ana.Password), fill(t, page, "username", ana.Email, "password", ana.Password, "return_to", to)} {
				a := post(b, "/sign-in", form)
				if a.Status == 303 && a.Header.Get("Location") != "/account" || a.Status != 303 && a.Status != 400 && a.Status != 422 {
					t.Errorf("%.30q: the sign-in answers %d and leads to %q", to, a.Status, a.Header.Get("Location"))
				}
				page = b.Do("GET", "/sign-in?another=1", nil).Want(t, 200)
			}
			for _, at := range []string{"/return?to=", "/return?url=", "/step-up?return_to=", "/sign-out?return_to="} {
				a := b.Do("GET", at+url.QueryEscape(to), nil)
				if where := a.Header.Get("Location"); strings.Contains(where, "evil") || strings.Contains(string(a.Body), "http-equiv") && strings.Contains(string(a.Body), "evil") || a.Status >= 500 {
					t.Errorf("%s%.30q: %d leads to %q", at, to, a.Status, where)
				}
			}
		}
	})
}

// Attacks REC-12 and TEN-18: no address that we send anybody to, no log line,
// no refusal and no row holds a secret. (The rig looks through all of them
// when a test ends; here they are made to be many.)
func TestNoAddressHoldsASecret(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		b := c.Browser()
		page := b.Do("GET", "/sign-in?return_to=/account/sessions", nil).Want(t, 200)
		answers := []rig.Answer{post(b, "/sign-in", fill(t, page, "username", c.ana.Email, "password", c.ana.Password)).Want(t, 303)}
		secrets := []string{c.ana.Password, c.here.Access, c.reader.Secret}
		for _, cookies := range []map[string]string{b.Cookies, c.here.Cookies} {
			for _, value := range cookies {
				secrets = append(secrets, value)
			}
		}
		for _, path := range []string{"/", "/account", "/account/sessions", "/sign-in", "/sign-out", "/step-up", "/return", "/session", "/sessions", "/session/exchanges"} {
			answers = append(answers, b.Do("GET", path, nil), c.Bearer("GET", path, c.here.Access), c.Bearer("GET", path, c.here.Access+"x"))
			for _, in := range secrets {
				answers = append(answers, c.Browser().Do("GET", path+"?access_token="+url.QueryEscape(in), nil), c.Browser().Do("GET", path, nil, "Cookie", "doorward_session="+url.QueryEscape(in)))
			}
		}
		for _, a := range answers {
			for _, s := range secrets {
				for name, values := range a.Header {
					if name != "Set-Cookie" && name != "X-New-Access-Token" && strings.Contains(strings.Join(values, "\n"), s) {
						t.Errorf("%s holds a secret", name)
					}
				}
				if a.Status >= 300 && strings.Contains(string(a.Body), s) {
					t.Errorf("an answer %d holds a secret", a.Status)
				}
			}
		}
	})
}
