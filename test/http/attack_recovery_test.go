package http_test

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// wayBack is in the mails of a recovery.
const wayBack = "/recover/link?t="

// askRecovery begins a recovery for what somebody typed.
func askRecovery(t *testing.T, b *rig.Browser, email string, headers ...string) rig.Answer {
	t.Helper()
	return post(b, "/recover", fill(t, b.Do("GET", "/recover", nil).Want(t, 200), "username", email), headers...)
}

// recoverBy chooses a password by a recovery mail's link and gives the last
// answer.
func recoverBy(t *testing.T, s *rig.Server, l letter, password string) rig.Answer {
	t.Helper()
	b := s.Browser()
	page := b.Do("GET", l.path(t, s), nil)
	if page.Status != 200 {
		return page
	}
	a := post(b, "/recover/link", fill(t, page))
	if a.Status != 303 {
		return a
	}
	next := b.Do("GET", a.Header.Get("Location"), nil).Want(t, 200)
	return post(b, "/recover/new", fill(t, next, "username", "whoever@example.com", "password", password))
}

// Attacks REC-01, REC-03, REC-06 and REC-07: the mail goes to the address of
// the account and to no other, its link leads here, and a request that names
// two people, another host or a letter that looks alike sends none.
func TestRecoveryMailsTheAccountAlone(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, m := withMail(t, engine)
		mike := s.User("mike")
		b := s.Browser()
		page := b.Do("GET", "/recover", nil).Want(t, 200)
		good := fill(t, page, "username", mike.Email)
		for name, form := range map[string]string{
			"the parameter twice": good + "&username=eve%40evil.example", "a list": strings.Replace(good, "username=", "username%5B%5D=", 1), "an index": strings.Replace(good, "username=", "username%5B0%5D=", 1),
			"another name beside it": good + "&email=eve%40evil.example", "the other way": "username=eve%40evil.example&" + good,
		} {
			wantClear(t, name, post(b, "/recover", form), 400)
		}
		wantClear(t, "JSON", b.Do("POST", "/recover", map[string]any{"username": []string{mike.Email, "eve@evil.example"}}), 415)
		wantClear(t, "in the address", b.Do("GET", "/recover?username="+url.QueryEscape(mike.Email), nil), 400)
		for _, two := range []string{mike.Email + ",eve@evil.example", mike.Email + ";eve@evil.example", mike.Email + " eve@evil.example", mike.Email + "%2ceve@evil.example", mike.Email + "\r\nBcc: eve@evil.example", mike.Email + "\nCc: eve@evil.example", "<" + mike.Email + ">", `"` + mike.Email + `" eve@evil.example`} {
			a := askRecovery(t, s.Browser(), two)
			if a.Status != 422 && a.Status != 400 {
				t.Errorf("%q: answered %d %v", two, a.Status, a.Header)
			}
		}
		for _, alike := range []string{"mıke@example.com", "mi\u212ae@example.com", "ｍike@example.com", "мike@example.com", "mike@example\u3002com", "miKe\u200b@example.com"} {
			if a := askRecovery(t, s.Browser(), alike); a.Status != 303 && a.Status != 422 {
				t.Errorf("%q: answered %d", alike, a.Status)
			}
		}
		for _, host := range []string{"evil.example", "localhost"} {
			wantClear(t, "for "+host, post(b, "/recover", good, "Host", host), 421)
		}
		// Nothing went out yet. Then a request that lies of its host gets its mail,
		// with a link to here.
		for _, headers := range [][]string{{"X-Forwarded-Host", "evil.example"}, {"Forwarded", "host=evil.example;proto=http"}, {"X-Forwarded-Proto", "http", "X-Forwarded-Server", "evil.example"}, {"X-Original-Url", "//evil.example"}, {"Referer", "https://evil.example/"}} {
			if a := askRecovery(t, s.Browser(), "MIKE@Example.com", headers...); a.Status != 303 {
				t.Fatalf("%q: answered %d", headers, a.Status)
			}
		}
		for i := range 5 {
			l := m.next(t, i+1, "")
			if l.to != mike.Email || strings.Contains(l.text, "evil") {
				t.Errorf("a mail to %q says\n%s", l.to, l.text)
			}
			l.path(t, s)
		}
		if all := m.letters(t, ""); len(all) != 5 {
			t.Errorf("there are %d mails, not five", len(all))
		}
	})
}

// Attacks REC-02, REC-08 and REC-15: no step without the one before it, only
// the newest mail works, once, and with the new password everything older is
// over.
func TestRecoveryHasItsSteps(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, m := withMail(t, engine)
		ana := s.User("ana")
		sessions := []*rig.Browser{s.SignIn(ana), s.SignIn(ana), s.SignIn(ana)}
		b := s.Browser()
		started := askRecovery(t, b, ana.Email).Want(t, 303)
		at, err := url.Parse(started.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		// REC-02: with the flow's id and the browser's key, but without the mail.
		const stolen = "a password of the attacker's"
		id := at.Query().Get("id")
		wantClear(t, "the last page", b.Do("GET", "/recover/new?id="+id, nil), 403)
		form := fill(t, b.Do("GET", "/recover", nil), "id", id, "username", ana.Email, "password", stolen)
		wantClear(t, "the last step", post(b, "/recover/new", form), 403)
		for _, more := range []string{"&step=new", "&proved=true", "&t=x"} {
			wantClear(t, "the last step"+more, post(b, "/recover/new", form+more), 400)
		}
		for _, other := range []string{"", "x", strings.Replace(id, "once_", "ses_", 1), strings.Repeat("0", 30)} {
			a := post(b, "/recover/new", fill(t, b.Do("GET", "/recover", nil), "id", other, "username", ana.Email, "password", stolen))
			if a.Status < 400 || a.Status >= 500 {
				t.Errorf("the id %q: answered %d", other, a.Status)
			}
		}
		s.SignIn(ana).Do("DELETE", "/session", nil).Want(t, 204)

		// REC-08: three mails, the newest works, once.
		for range 2 {
			askRecovery(t, b, ana.Email).Want(t, 303)
		}
		letters := []letter{m.next(t, 1, wayBack), m.next(t, 2, wayBack), m.next(t, 3, wayBack)}
		for i, old := range letters[:2] {
			if a := recoverBy(t, s, old, stolen); a.Status < 400 || a.Status >= 500 {
				t.Errorf("mail %d of three still works: %d", i+1, a.Status)
			}
		}
		const chosen = "a new password of ana's own"
		done := recoverBy(t, s, letters[2], chosen).Want(t, 303)
		if len(done.Cookies()) > 0 && strings.Contains(fmt.Sprint(done.Header["Set-Cookie"]), "doorward_session") {
			t.Error("recovery signs in")
		}
		for i, l := range letters {
			if a := recoverBy(t, s, l, stolen); a.Status < 400 || a.Status >= 500 {
				t.Errorf("mail %d works after the password was chosen: %d", i+1, a.Status)
			}
		}

		// REC-15: everything from before is over.
		for i, old := range sessions {
			old.Do("GET", "/session", nil).Want(t, 401)
			s.Bearer("GET", "/session", old.Access).Want(t, 401)
			if a := old.Refresh(); a.Status != 401 {
				t.Errorf("session %d refreshes with %d", i, a.Status)
			}
		}
		for _, password := range []string{ana.Password, stolen} {
			wantRefusal(t, s.Browser().Do("POST", "/session", map[string]string{"email": ana.Email, "password": password}), 401, "signin.failed")
		}
		ana.Password = chosen
		s.SignIn(ana)

		// A mail from before a sign-in or its time is over.
		askRecovery(t, b, ana.Email).Want(t, 303)
		late := m.next(t, 4, wayBack)
		s.Clock("+21m")
		if a := recoverBy(t, s, late, stolen); a.Status < 400 || a.Status >= 500 {
			t.Errorf("a mail of 21 minutes ago works: %d", a.Status)
		}
	})
}

// Attack REC-11: nothing of a recovery leads elsewhere, and no token is in an
// address but in that of the mail itself (REC-12).
func TestRecoveryLeadsNowhereElse(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, m := withMail(t, engine)
		ana := s.User("ana")
		n := 0
		for _, to := range elsewhere {
			b := s.Browser()
			page := b.Do("GET", "/recover", nil).Want(t, 200)
			a := post(b, "/recover", fill(t, page, "username", "nobody@example.com", "return_to", to))
			if a.Status == 303 && !strings.HasPrefix(a.Header.Get("Location"), "/recover/check?id=once_") || strings.Contains(a.Header.Get("Location"), "evil") {
				t.Errorf("%.30q leads to %q", to, a.Header.Get("Location"))
			}
			for _, path := range []string{"/recover?return_to=", "/sign-up?return_to=", "/recover/check?return_to=", "/verify?return_to="} {
				a := b.Do("GET", path+url.QueryEscape(to), nil)
				if a.Status >= 500 || strings.Contains(a.Header.Get("Location"), "evil.example") {
					t.Errorf("%s%.30q: %d %q", path, to, a.Status, a.Header.Get("Location"))
				}
			}
			if n++; n == 8 {
				break // ten mails a day are one address's
			}
		}
		b := s.Browser()
		askRecovery(t, b, ana.Email).Want(t, 303)
		l := m.next(t, 1, wayBack)
		token := l.link[strings.Index(l.link, "?t=")+3:]
		page := b.Do("GET", l.path(t, s), nil).Want(t, 200)
		if page.Header.Get("Referrer-Policy") != "no-referrer" || page.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page of the link has the headers %v", page.Header)
		}
		a := post(b, "/recover/link", fill(t, page)).Want(t, 303)
		if strings.Contains(a.Header.Get("Location"), token) {
			t.Error("the token of the mail goes along in an address")
		}
		if strings.Contains(s.Log(), token) {
			t.Error("the token of the mail is in the log")
		}
		for _, raw := range s.Dump() {
			if strings.Contains(string(raw), token) {
				t.Error("the token of the mail is in the database")
			}
		}
	})
}

// Attack ENM-01, of the pages that send mail: whether there is an account is
// told by nothing but the mail itself.
func TestMailedPagesTellNothing(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, _ := withMail(t, engine, "DOORWARD_SIGN_UP_OPEN=open")
		known, paused := s.User("ana"), s.User("eve")
		s.Socket("POST", "/api/v1/users/"+paused.ID+"/pause", nil).Want(t, 200)
		s.Socket("POST", "/api/v1/users", map[string]any{"email": "ian@example.com"}).Want(t, 201)
		for name, ask := range map[string]func(b *rig.Browser, email string) rig.Answer{
			"/recover": func(b *rig.Browser, email string) rig.Answer { return askRecovery(t, b, email) },
			"/sign-up": func(b *rig.Browser, email string) rig.Answer {
				return post(b, "/sign-up", fill(t, b.Do("GET", "/sign-up", nil).Want(t, 200), "username", email, "name", "", "password", "a long enough password for all"))
			},
		} {
			first := ""
			for _, email := range []string{"zoe@example.com", known.Email, paused.Email, "ian@example.com"} {
				b := s.Browser()
				before := maps.Clone(b.Cookies)
				a := ask(b, email)
				if a.Status != 303 || len(before) != 0 {
					t.Fatalf("%s for %s: %d %s", name, email, a.Status, a.Body)
				}
				at, _ := url.Parse(a.Header.Get("Location"))
				if len(at.Query().Get("id")) != 31 || len(at.Query()) != 1 {
					t.Errorf("%s for %s leads to %s", name, email, at)
				}
				a.Header.Set("Location", at.Path)
				page := b.Do("GET", at.RequestURI(), nil)
				wrong := post(b, at.Path, fill(t, page, "code", "0000 0000"))
				got := plainAnswer(a, email) + "\n" + plainAnswer(page, at.Query().Get("id"), email) + "\n" + plainAnswer(wrong, at.Query().Get("id"), email)
				if first == "" {
					first = got
				}
				if got != first {
					t.Errorf("%s for %s:\n%s\nand for an unknown address\n%s", name, email, got, first)
				}
			}
		}
	})
}
