package http_test

import (
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

const longPhrase = "a boat under the wide bridge"

// whoIs is the address of who is signed in in a browser.
func whoIs(t *testing.T, b *rig.Browser) string {
	t.Helper()
	var in struct {
		User struct {
			Email    string `json:"email"`
			Verified bool   `json:"verified"`
		} `json:"user"`
	}
	b.Do("GET", "/session", nil).Want(t, 200).Into(t, &in)
	if !in.User.Verified {
		t.Errorf("%s is not verified", in.User.Email)
	}
	return in.User.Email
}

// From an empty database to its first administrator: by the code that only the
// host can ask for, once and never again (attack TEN-15).
func TestTheFirstAdministrator(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.Browser()
		page := b.Do("GET", "/setup", nil).Want(t, 200)
		post(b, "/setup", fill(t, page, "code", "guessed", "username", "root@example.com", "name", "", "password", longPhrase)).Want(t, 422)
		r := s.CLI("", "setup-link", "--json")
		made, err := r.Document()
		if err != nil || r.Code != 0 {
			t.Fatalf("setup-link: %d %s %s", r.Code, r.Stdout, r.Stderr)
		}
		link, code := made["link"].(string), made["code"].(string)
		if link != s.URL+"/setup#"+code || strings.Contains(s.Log(), code) {
			t.Errorf("the link is %q", link)
		}
		a := post(b, "/setup", fill(t, page, "code", code, "username", "root@example.com", "name", "Root", "password", longPhrase)).Want(t, 303)
		wantEntered(t, a)
		if got := whoIs(t, b); got != "root@example.com" {
			t.Errorf("signed in as %s", got)
		}
		for range 2 {
			if r := s.CLI("", "setup-link"); r.Code != 5 || !strings.Contains(r.Stderr, "setup.open") {
				t.Errorf("setup-link again: %d %s %s", r.Code, r.Stdout, r.Stderr)
			}
			s.Browser().Do("GET", "/setup", nil).Want(t, 404)
			s.Restart()
		}
		s.SignIn(rig.User{Email: "root@example.com", Password: longPhrase})
	})
}

// Somebody is invited, and makes their account; without mail the link is
// printed for whoever invites.
func TestInvitationsByMailAndByHand(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, box := withMail(t, engine)
		if r := s.CLI("", "users", "invite", "--email", "ana@example.com", "--name", "Ana"); r.Code != 0 || strings.Contains(r.Stdout, "?t=") {
			t.Fatalf("users invite: %d %s %s", r.Code, r.Stdout, r.Stderr)
		}
		l := box.next(t, 1, "You are invited")
		if l.to != "ana@example.com" || !strings.Contains(l.text, "Ana,") {
			t.Errorf("the mail is %+v", l)
		}
		b := s.Browser()
		var page rig.Answer
		for range 50 {
			page = b.Do("GET", l.path(t, s), nil).Want(t, 200)
		}
		wantEntered(t, post(b, "/invite", fill(t, page, "name", "Ana Ruiz", "username", "mallory@example.com", "password", longPhrase)).Want(t, 303))
		if got := whoIs(t, b); got != "ana@example.com" {
			t.Errorf("signed in as %s", got)
		}
		if r := s.CLI("", "users", "invite", "--email", "Ana@example.com"); r.Code != 5 {
			t.Errorf("inviting somebody who is here: %d %s", r.Code, r.Stderr)
		}
		if r := s.CLI("", "users", "invite", "--email", "ben@example.com", "--print-link"); r.Code != 0 || !strings.HasPrefix(r.Stdout, s.URL+"/invite?t=") {
			t.Errorf("with --print-link: %d %s %s", r.Code, r.Stdout, r.Stderr)
		}
		s.SignIn(rig.User{Email: "ana@example.com", Password: longPhrase})
	})
}

// The journey of a stranger: sign-up, mail, code; and the same by the link in
// another browser, where the password is chosen anew (attack IDN-01).
func TestAStrangerBecomesAPerson(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, box := withMail(t, engine, "DOORWARD_SIGN_UP_OPEN=domains", "DOORWARD_SIGN_UP_DOMAINS=example.com")
		ask := func(b *rig.Browser, email string) rig.Answer {
			return post(b, "/sign-up", fill(t, b.Do("GET", "/sign-up", nil).Want(t, 200), "username", email, "name", "Mallory", "password", longPhrase))
		}
		b := s.Browser()
		ask(b, "ana@example.org").Want(t, 403)
		for _, bad := range []string{"ana@example.com,mallory@evil.example", "ana@example.com mallory@evil.example", "аna@example.com"} {
			ask(b, bad).Want(t, 422) // attacks REC-06, IDN-15
		}
		a := ask(b, "ana@example.com").Want(t, 303)
		l := box.next(t, 1, "is your code")
		if l.to != "ana@example.com" || strings.Contains(l.text, "Mallory") || l.code == "" {
			t.Errorf("the mail is %+v", l)
		}
		page := b.Do("GET", a.Header.Get("Location"), nil).Want(t, 200)
		post(s.Browser(), "/verify", fill(t, page, "code", l.code)).Want(t, 422) // SES-01: another browser
		wantEntered(t, post(b, "/verify", fill(t, page, "code", l.code)).Want(t, 303))
		if got := whoIs(t, b); got != "ana@example.com" {
			t.Errorf("signed in as %s", got)
		}
		b.Refresh().Want(t, 200)

		mallory := s.Browser()
		ask(mallory, "ben@example.com").Want(t, 303)
		l = box.next(t, 2, "is your code")
		ben := s.Browser()
		for range 50 {
			page = ben.Do("GET", l.path(t, s), nil).Want(t, 200)
		}
		wantEntered(t, post(ben, "/verify", fill(t, page, "password", "nine geese over the harbour")).Want(t, 303))
		if got := whoIs(t, ben); got != "ben@example.com" {
			t.Errorf("signed in as %s", got)
		}
		s.Browser().Do("POST", "/session", map[string]string{"email": "ben@example.com", "password": longPhrase}).Want(t, 401)

		ask(mallory, "ana@example.com").Want(t, 303)
		if l := box.next(t, 1, "You already have an account"); l.to != "ana@example.com" || l.code != "" || l.link != "" {
			t.Errorf("the mail is %+v", l)
		}
		if all := box.letters(t, ""); len(all) != 3 {
			t.Errorf("%d mails, want 3", len(all))
		}
	})
}

// The same for an application of ours, by JSON: whether there is an account is
// not told, and a flow is of use to nobody who was not given it.
func TestSigningUpByJSON(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, box := withMail(t, engine, "DOORWARD_SIGN_UP_OPEN=open")
		known := s.User("known")
		type step struct {
			Next    string   `json:"next"`
			Flow    string   `json:"flow"`
			Methods []string `json:"methods"`
		}
		b := s.Browser()
		ask := func(email, password string) rig.Answer {
			return b.Do("POST", "/session/sign-up", map[string]string{"email": email, "name": "Ana", "password": password})
		}
		var first, other step
		a := ask("ana@example.com", longPhrase).Want(t, 202)
		a.Into(t, &first)
		c := ask(known.Email, longPhrase).Want(t, 202)
		c.Into(t, &other)
		if len(first.Flow) != len(other.Flow) || first.Next != "confirm_address" || other.Next != first.Next || len(a.Cookies())+len(c.Cookies()) != 0 {
			t.Errorf("ENM-01: an account is told: %+v and %+v", first, other)
		}
		wantRefusal(t, ask("a@example.com,b@example.com", longPhrase), 422, "address.form")
		short := ask("ben@example.com", "short")
		wantRefusal(t, short, 422, "password.good")
		if !strings.Contains(string(short.Body), "it is too short") {
			t.Errorf("the refusal does not say which reason it has: %s", short.Body)
		}
		ask("", longPhrase).Want(t, 400)

		next := func(flow, method, code string) rig.Answer {
			return b.Do("POST", "/session/continue", map[string]string{"flow": flow, "method": method, "code": code})
		}
		code := box.next(t, 1, "is your code").code
		wantRefusal(t, next(other.Flow, "email_code", code), 422, "once.fits")
		wantRefusal(t, next(first.Flow[:len(first.Flow)-43]+other.Flow[len(other.Flow)-43:], "email_code", code), 404, "once.browser") // SES-01
		next(first.Flow, "totp", code).Want(t, 400)
		next(first.Flow[:20], "email_code", code).Want(t, 400)
		a = next(first.Flow, "email_code", code).Want(t, 201)
		wantEntered(t, a)
		if got := whoIs(t, b); got != "ana@example.com" || a.Header.Get("X-New-Access-Token") == "" {
			t.Errorf("signed in as %s", got)
		}
		wantRefusal(t, next(first.Flow, "email_code", code), 409, "once.unspent")

		closed := rig.Start(t, engine)
		wantRefusal(t, closed.Browser().Do("POST", "/session/sign-up", map[string]string{"email": "ana@example.com", "password": longPhrase}), 403, "signup.open") // MFA-18
	})
}

// wantEntered expects an answer to set both cookies of a session.
func wantEntered(t *testing.T, a rig.Answer) {
	t.Helper()
	got := map[string]bool{}
	for _, c := range a.Cookies() {
		got[c.Name] = c.HttpOnly && c.MaxAge > int((29*24*time.Hour).Seconds())
	}
	if !got["doorward_session"] || !got["doorward_refresh"] {
		t.Errorf("the answer sets %q", a.Header["Set-Cookie"])
	}
}
