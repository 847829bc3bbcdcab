package http_test

import (
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

// leave asks for the deletion of the account that a browser is signed in to,
// and gives the mail about it, the n-th.
func leave(t *testing.T, m *mailbox, b *rig.Browser, n int) letter {
	t.Helper()
	page := b.Do("GET", "/account/delete", nil).Want(t, 200)
	if a := post(b, "/account/delete", fill(t, page)); a.Status != 303 || a.Header.Get("Location") != "/account" {
		t.Fatalf("asked for it: %d %v", a.Status, a.Header)
	}
	return m.next(t, n, "Your account will be deleted")
}

// Attacks SES-11, OAU-12, IDN-10: an account that its person wants deleted
// works for a week, is kept by the mail's button alone, and when the week is
// over everything of it is dead and its address is anybody's.
func TestAPersonDeletesTheirAccount(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s, m := withMail(t, engine, "DOORWARD_SESSION_IDLE=30d")
		ana, ben := s.User("ana"), s.User("ben")
		b, his := s.SignIn(ana), s.SignIn(ben)
		for name, from := range map[string]*rig.Browser{"a stranger": s.Browser(), "somebody else": his} {
			form := fill(t, b.Do("GET", "/account/delete", nil).Want(t, 200))
			if a := post(from, "/account/delete", form); a.Status == 303 && a.Header.Get("Location") == "/account" {
				t.Errorf("by the form of %s: %d %v", name, a.Status, a.Header)
			}
		}
		wantClear(t, "from elsewhere", post(b, "/account/delete", fill(t, b.Do("GET", "/account/delete", nil)), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 403)
		first := leave(t, m, b, 1)
		if first.to != ana.Email {
			t.Errorf("the mail went to %q", first.to)
		}
		link := first.path(t, s)
		phone := s.Browser()
		for range 20 { // scanners follow links, and press nothing
			phone.Do("GET", link, nil).Want(t, 200)
		}
		if page := b.Do("GET", "/account", nil).Want(t, 200); !strings.Contains(string(page.Body), "will be deleted on") {
			t.Errorf("the account does not say so:\n%s", page.Body)
		}
		kept := post(phone, "/deletion/cancel", fill(t, phone.Do("GET", link, nil).Want(t, 200)))
		if kept.Status != 303 || strings.Contains(kept.Header.Get("Location"), "t=") {
			t.Fatalf("kept: %d %v", kept.Status, kept.Header)
		}
		wantClear(t, "the link again", phone.Do("GET", link, nil), 409)
		if page := b.Do("GET", "/account", nil).Want(t, 200); strings.Contains(string(page.Body), "will be deleted on") {
			t.Error("the account says that it will be deleted all the same")
		}

		leave(t, m, b, 2)
		s.Clock("167h59m")
		b = s.SignIn(ana)
		if page := b.Do("GET", "/account", nil).Want(t, 200); !strings.Contains(string(page.Body), "will be deleted on") {
			t.Error("at the end of the week the account does not say so")
		}
		access := b.Access
		s.Clock("168h1m")
		var gone bool
		for range 600 {
			if gone = s.Bearer("GET", "/session", access).Status == 401; gone {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if !gone {
			t.Fatal("after the week the access token still works")
		}
		b.Do("GET", "/session", nil).Want(t, 401)
		b.Do("POST", "/session/refresh", nil).Want(t, 401)
		s.Browser().Do("POST", "/session", rig.Credentials(ana)).Want(t, 401)
		s.Bearer("GET", "/session", s.SignIn(ben).Access).Want(t, 200)
		if l := m.next(t, 1, "There is no way back"); l.to != ana.Email {
			t.Errorf("the last mail went to %q", l.to)
		}
		s.Socket("GET", "/api/v1/users/"+ana.Email, nil).Want(t, 404)
		if left := string(s.Socket("GET", "/api/v1/users/"+ana.ID, nil).Want(t, 200).Body); !strings.Contains(left, `"deleted"`) || strings.Contains(left, ana.Email) || strings.Contains(left, "delete_at") {
			t.Errorf("the id shows %s", left)
		}
		if again := s.User("ana"); again.ID == ana.ID {
			t.Error("the id was given again")
		}
	})
}
