package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/token"
)

func (n *node) accept(t *testing.T, link, pw, name string) (exchange.Tokens, error) {
	return n.AcceptInvitation(t.Context(), home, exchange.ConfirmInput{OnceRef: exchange.OnceRef{Link: link}, Password: pw}, name)
}

func TestInvitation(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		first, err := r.Invite(t.Context(), operator, "Ana@example.com", "Ana")
		if err != nil || !first.Sent || !first.Until.Equal(r.clock.now().Truncate(time.Microsecond).Add(72*time.Hour)) {
			t.Fatalf("the invitation is %+v, %v", first, err)
		}
		old := linkOf(t, r.lastMail("Ana@example.com"))
		if _, err = r.Invite(t.Context(), operator, "ana@Example.com", "Ana Ruiz"); err != nil {
			t.Fatal(err)
		}
		m := r.lastMail("ana@Example.com")
		if m.Kind != outbox.Invitation || m.Facts.Name != "Ana Ruiz" {
			t.Errorf("the mail is %+v", m)
		}
		link := linkOf(t, m)
		_, err = r.accept(t, old, password, "Ana")
		refused(t, err, "once.known")
		_, err = r.confirmLink(t, link, nil, password)
		refused(t, err, "signup.open") // an invitation is no sign-up
		_, err = r.accept(t, link, "ana@example.com", "Ana")
		refused(t, err, "password.good")
		out, err := r.accept(t, link, password, "Ana R.")
		if err != nil {
			t.Fatal(err)
		}
		if u := r.live(t, out.Cookie).User; u.Email != "ana@Example.com" || u.Address != "ana@example.com" || u.Name != "Ana R." || !u.Verified || u.Admin {
			t.Errorf("the person is %+v", u)
		}
		_, err = r.accept(t, link, password, "Ana")
		refused(t, err, "once.unspent")
		_, err = r.Invite(t.Context(), operator, "ANA@example.com", "")
		refused(t, err, "address.free")
		_, err = r.Invite(t.Context(), operator, "a@x.example,b@y.example", "")
		refused(t, err, "address.form")
	}, open, func(s *setup) { s.policy.SignUp = identity.Admission{} })
}

func TestAnInvitationEnds(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		i, err := r.Invite(t.Context(), operator, "ana@example.com", "")
		if err != nil || i.Sent || len(r.mailed()) != 0 {
			t.Fatalf("without mail: %+v, %v", i, err)
		}
		link := i.Link[len("/invite?t="):]
		r.clock.add(72*time.Hour - time.Second)
		if w, err := r.Waiting(t.Context(), token.ForInvitation, exchange.OnceRef{Link: link}); err != nil || w.Email != "ana@example.com" {
			t.Errorf("the page shows %+v, %v", w, err)
		}
		r.clock.add(time.Second)
		_, err = r.accept(t, link, password, "")
		refused(t, err, "once.in_time")

		// Who joined meanwhile has their account; the invitation gives no second one.
		i, err = r.Invite(t.Context(), operator, "person1@example.com", "")
		if err != nil {
			t.Fatal(err)
		}
		r.person()
		_, err = r.accept(t, i.Link[len("/invite?t="):], password, "")
		refused(t, err, "address.free")
	}, open, func(s *setup) { s.policy.Mail = false })
}
