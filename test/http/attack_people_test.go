package http_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)

// fill reads the hidden fields of a page and puts others beside them: names
// and values in turn.
func fill(t *testing.T, page rig.Answer, fields ...string) string {
	t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(string(page.Body), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	if form.Get("csrf") == "" {
		t.Fatalf("the page has no form: %d %.300s", page.Status, page.Body)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form.Encode()
}

// post sends a form as the page's browser does.
func post(b *rig.Browser, path, form string, headers ...string) rig.Answer {
	return b.Do("POST", path, form, append([]string{"Content-Type", formMedia}, headers...)...)
}

// plainAnswer is an answer without what differs each time.
func plainAnswer(a rig.Answer, typed ...string) string {
	body := string(a.Body)
	for _, t := range typed {
		body = strings.ReplaceAll(body, html.EscapeString(t), "TYPED")
	}
	for _, changing := range []string{`[0-9A-Z]{4}-[0-9A-Z]{2}`, `name="csrf" value="[^"]*"`} {
		body = regexp.MustCompile(changing).ReplaceAllString(body, "ONCE")
	}
	var names []string
	for name, values := range a.Header {
		if name != "Date" && name != "Content-Length" && name != "Set-Cookie" {
			names = append(names, name+": "+strings.Join(values, "|"))
		}
	}
	for _, c := range a.Cookies() {
		names = append(names, fmt.Sprintf("cookie %s %d %v", c.Name, c.MaxAge, c.Value == ""))
	}
	slices.Sort(names)
	return fmt.Sprintf("%d\n%s\n\n%s", a.Status, strings.Join(names, "\n"), body)
}

// Attack ENM-01: whoever guesses learns nothing of who has an account, in what
// state it is, and whether it has a password: not by words, headers or cookies,
// on no surface.
func TestWhoHasAnAccountIsNotTold(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		known, paused := s.User("ana"), s.User("eve")
		s.Socket("POST", "/api/v1/users/"+paused.ID+"/pause", nil).Want(t, 200)
		s.Socket("POST", "/api/v1/users", map[string]any{"email": "ian@example.com"}).Want(t, 201)
		classes := []struct{ name, email, password string }{
			{"unknown", "zoe@example.com", "a wrong guess of many"},
			{"known", known.Email, "a wrong guess of many"},
			{"known, in capitals", strings.ToUpper(known.Email), "a wrong guess of many"},
			{"known, too long a password", known.Email, strings.Repeat("x", 1025)},
			{"paused", paused.Email, "a wrong guess of many"},
			{"without a password", "ian@example.com", "a wrong guess of many"},
			{"no address", "ana at example", "a wrong guess of many"},
			{"two addresses", known.Email + "," + paused.Email, "a wrong guess of many"},
		}
		surfaces := map[string]func(email, password string) rig.Answer{
			"POST /session": func(email, password string) rig.Answer {
				return s.Browser().Do("POST", "/session", map[string]string{"email": email, "password": password})
			},
			"POST /session of a program": func(email, password string) rig.Answer {
				b := s.Browser()
				b.Origin = ""
				return b.Do("POST", "/session", map[string]string{"email": email, "password": password})
			},
			"POST /sign-in": func(email, password string) rig.Answer {
				b := s.Browser()
				return post(b, "/sign-in", fill(t, b.Do("GET", "/sign-in", nil), "username", email, "password", password))
			},
		}
		for name, ask := range surfaces {
			first := ""
			for _, c := range classes {
				a := ask(c.email, c.password)
				if a.Status >= 500 || a.Status < 400 {
					t.Fatalf("%s, %s: %d", name, c.name, a.Status)
				}
				got := plainAnswer(a, c.email)
				if first == "" {
					first = got
				}
				if got != first {
					t.Errorf("%s, %s: answered\n%s\nand to an unknown address\n%s", name, c.name, got, first)
				}
			}
		}
	})
}

// Attacks IDN-15, REC-06, REC-07 and MFA-13: one address is one person with
// one counter, in whatever letters it is typed; what only looks like it is
// nobody, and cannot be made into an account.
func TestAnAddressHasOnePerson(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		mike := s.User("mike")
		for _, same := range []string{"MIKE@example.com", "Mike@Example.COM", "mike@EXAMPLE.com"} {
			s.Browser().Do("POST", "/session", map[string]string{"email": same, "password": mike.Password}).Want(t, 201)
			if a := s.Socket("POST", "/api/v1/users", map[string]any{"email": same}); a.Status != 409 || a.Refusal(t).Check != "address.free" {
				t.Errorf("%q was made a second time: %d %s", same, a.Status, a.Body)
			}
		}
		for _, other := range []string{
			"mıke@example.com", "mi\u212ae@example.com", "miKe\u200b@example.com", "ｍike@example.com", "мike@example.com", "mike @example.com", " mike@example.com",
			"mike@example.com ", "mike@example.com\t", "mike@example.com.", "mike@example。com", "\"mike\"@example.com", "mike@example.com,eve@evil.example",
			"mike@example.com;eve@evil.example", "mike@example.com eve@evil.example", "mike@example.com%2ceve@evil.example", "<mike@example.com>", "mike@example.com\r\nBcc: eve@evil.example",
		} {
			a := s.Browser().Do("POST", "/session", map[string]string{"email": other, "password": mike.Password})
			wantRefusal(t, a, 401, "signin.failed")
			if a := s.Socket("POST", "/api/v1/users", map[string]any{"email": other}); a.Status != 422 || a.Refusal(t).Check != "address.form" {
				t.Errorf("%q was made an account: %d %s", other, a.Status, a.Body)
			}
		}
	})
	t.Run("counter", func(t *testing.T) {
		t.Parallel()
		s := rig.Start(t, rig.SQLite, rig.Env("DOORWARD_LIMITS_SCALE=1"))
		mike := s.User("mike")
		wantRefusal(t, s.Browser().Do("POST", "/session", map[string]string{"email": "MIKE@example.com", "password": "a wrong guess of many"}), 401, "signin.failed")
		for _, same := range []string{"mike@example.com", "Mike@example.com", "mike@EXAMPLE.com"} {
			wantRefusal(t, s.Browser().Do("POST", "/session", map[string]string{"email": same, "password": mike.Password}), 429, "limit.address")
		}
	})
}

// Attacks IDN-13 and TEN-13: nobody says of themselves who they are, what they
// may, or that their address is verified: not in the body, the query or a
// header.
func TestNobodyVerifiesThemselves(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		ben := c.User("ben")
		c.people = c.kept()
		for _, members := range []string{`"verified":true`, `"emailVerified":true`, `"email_verified":true`, `"user_id":"` + ben.ID + `"`, `"userId":"` + ben.ID + `"`, `"role":"owner"`, `"org_id":"x"`, `"user":{"verified":true}`, `"acr":"urn:doorward:acr:2"`, `"scope":"admin"`} {
			a := c.Browser().Do("POST", "/session", `{"email":"`+c.ana.Email+`","password":"`+c.ana.Password+`",`+members+`}`, "Content-Type", jsonMedia)
			wantRefusal(t, a, 400, "request.body")
		}
		b := c.Browser()
		page := b.Do("GET", "/sign-in", nil)
		for _, field := range []string{"verified", "user_id", "scope", "acr", "username[]"} {
			wantClear(t, "the field "+field, post(b, "/sign-in", fill(t, page, "username", c.ana.Email, "password", c.ana.Password, field, "true")), 400)
		}
		for _, name := range []string{"X-Doorward-User", "X-User-Id", "X-Forwarded-User", "Remote-User", "X-Remote-User", "X-Original-User", "X_Doorward_User"} {
			wantClear(t, name, c.Browser().Do("GET", "/session", nil, name, ben.ID), 401)
			var me tokens
			c.here.Do("GET", "/session", nil, name, ben.ID).Want(t, 200).Into(t, &me)
			if me.User.ID != c.ana.ID {
				t.Errorf("%s makes one person another", name)
			}
		}
		for _, method := range []string{"PUT", "PATCH"} {
			wantClear(t, method, c.here.Do(method, "/session", map[string]any{"user": map[string]any{"verified": true}}), 405)
		}
		for _, path := range []string{"/session?user_id=" + ben.ID, "/sessions?user_id=" + ben.ID, "/session/exchanges?user=" + ben.ID} {
			wantClear(t, path, c.here.Do("GET", path, nil), 400)
		}
		c.intact(t)
	})
}

// Attack MFA-04: two hundred guesses sent together are not compared together.
func TestSimultaneousGuessesAreHeld(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine, rig.Env("DOORWARD_LIMITS_SCALE=1"))
		ana := s.User("ana")
		var mu sync.Mutex
		seen := map[int]int{}
		var guesses sync.WaitGroup
		for i := range 200 {
			guesses.Go(func() {
				a := s.Browser().Try("POST", "/session", map[string]string{"email": ana.Email, "password": fmt.Sprintf("guess number %d of many", i)})
				mu.Lock()
				defer mu.Unlock()
				seen[a.Status]++
				if (a.Status == 429 || a.Status == 503) && a.Header.Get("Retry-After") == "" {
					t.Errorf("%d without Retry-After", a.Status)
				}
			})
		}
		guesses.Wait()
		if seen[401] < 1 || seen[401] > 2 || seen[401]+seen[429]+seen[503] != 200 {
			t.Errorf("two hundred guesses were answered %v: at most two are compared", seen)
		}
	})
}

// Attacks DOS-01 and MFA-12: a caller whom nobody trusts counts by the address
// that they come from, whatever they say of another.
func TestForwardedAddressesOfStrangersCountForNothing(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine, rig.Env("DOORWARD_LIMITS_SCALE=1"))
		ana := s.User("ana")
		guess := func(i int, headers ...string) rig.Answer {
			return s.Browser().Do("POST", "/session", map[string]string{"email": fmt.Sprintf("guess%d@example.com", i), "password": "a wrong guess of many"}, headers...)
		}
		claims := []func(i int) []string{
			func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i)} },
			func(i int) []string { return []string{"X-Real-Ip", fmt.Sprintf("198.51.100.%d", i)} },
			func(i int) []string {
				return []string{"Forwarded", fmt.Sprintf(`for="[2001:db8:%x::1]"`, i), "X-Forwarded-For", fmt.Sprintf("2001:db8:%x::1", i)}
			},
			func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("::ffff:198.51.100.%d", i)} },
			func(i int) []string {
				return []string{"Cf-Connecting-Ip", fmt.Sprintf("198.51.100.%d", i), "True-Client-Ip", "198.51.100.1"}
			},
		}
		slowed := 0
		for i := range 30 {
			a := guess(i, claims[i%len(claims)](i)...)
			switch a.Status {
			case 429:
				slowed++
				wantRefusal(t, a, 429, "limit.network")
			case 401:
			default:
				t.Fatalf("guess %d: %d %s", i, a.Status, a.Body)
			}
		}
		if slowed < 8 {
			t.Errorf("of 30 guesses only %d were slowed: 20 a minute are one network's", slowed)
		}
		// What cannot be read takes no step away (MFA-12).
		for _, junk := range []string{"a", "", ",", strings.Repeat("1.2.3.4,", 1000), "fe80::1%eth0", "999.1.1.1"} {
			if a := guess(99, "X-Forwarded-For", junk); a.Status != 429 && a.Status != http.StatusBadRequest {
				t.Errorf("X-Forwarded-For %.20q: %d %s", junk, a.Status, a.Body)
			}
		}
		s.Clock("+2h")
		b := s.Browser()
		b.Do("POST", "/session", rig.Credentials(ana), "X-Forwarded-For", "198.51.100.7").Want(t, 201)
		var all listed
		b.Do("GET", "/sessions", nil).Want(t, 200).Into(t, &all)
		if len(all.Sessions) != 1 || all.Sessions[0].IP != "127.0.0.1" {
			t.Errorf("the session is told as %+v", all)
		}
	})
}

// Attack TEN-15: a fresh server has no account and no password that somebody
// could know, and nobody makes one over the network.
func TestAFreshServerKnowsNobody(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		none := func() {
			t.Helper()
			var all struct {
				Users []map[string]any `json:"users"`
			}
			s.Socket("GET", "/api/v1/users", nil).Want(t, 200).Into(t, &all)
			if len(all.Users) != 0 {
				t.Errorf("the server knows %v", all.Users)
			}
		}
		none()
		for _, name := range []string{"admin", "root", "doorward", "admin@localhost", "admin@example.com", "drill@example.com"} {
			for _, password := range []string{"admin", "password", "doorward", "changeme", "admin admin admin admin"} {
				wantRefusal(t, s.Browser().Do("POST", "/session", map[string]string{"email": name, "password": password}), 401, "signin.failed")
			}
		}
		for _, path := range []string{"/setup", "/api/v1/users", "/users", "/register", "/admin/setup", "/oauth/register"} {
			if a := s.Browser().Do("POST", path, map[string]any{"email": "eve@example.com", "password": "eve has a long password"}); a.Status < 400 || a.Status >= 500 {
				t.Errorf("%s answers %d %s", path, a.Status, a.Body)
			}
		}
		none()
		s.Restart()
		none()
	})
}
