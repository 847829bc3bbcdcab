package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/session"
)

// REC-15, SES-02: after a change of the password only the session it was
// changed in goes on, under another secret; everything else is dead at every
// node, and a mail says so.
func TestChangingThePassword(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		p := r.person()
		here, phone, tablet := one.signIn(t, p), two.signIn(t, p), one.signIn(t, p)
		two.live(t, here.Cookie)
		r.clock.add(time.Minute)
		cookie, err := one.ChangePassword(t.Context(), home, here.Cookie, password, newPassword)
		if err != nil || cookie == here.Cookie {
			t.Fatalf("change: %v", err)
		}
		two.catchUp(t)
		for _, n := range []*node{one, two} {
			n.dead(t, phone)
			n.dead(t, tablet)
			n.cookieRefused(t, here.Cookie, "session.presented")
			n.accessRefused(t, here.Access, "token.alive")
			if who := n.live(t, cookie); who.Session.ID != here.Session.ID || !who.Session.AuthTime.Equal(r.clock.now()) {
				t.Errorf("session %v, proved at %v", who.Session.ID, who.Session.AuthTime)
			}
		}
		one.inspected(t, one.refresh(t, here.Refresh).Access)
		if m := r.letter(p.email, outbox.PasswordChanged); m.Facts.IP != "192.0.2.10" {
			t.Errorf("the mail says %+v", m.Facts)
		}
		_, err = one.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: password})
		refused(t, err, "password.fits")
		r.clock.add(2 * time.Second)
		if _, err := one.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: newPassword}); err != nil {
			t.Error(err)
		}
	}, lifetimes(mails))
}

func TestAPasswordIsNotChangedWithoutIt(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.signIn(t, p)
		_, err := r.ChangePassword(t.Context(), from("203.0.113.9"), in.Cookie, "wrong", newPassword)
		refused(t, err, "password.fits")
		// It is counted where a sign-in is.
		_, err = r.ChangePassword(t.Context(), from("203.0.113.9"), in.Cookie, password, newPassword)
		refused(t, err, "limit.address")
		_, err = r.ChangePassword(t.Context(), home, in.Cookie, password, "short")
		refused(t, err, "password.good")
		_, err = r.ChangePassword(t.Context(), home, in.Cookie, password, p.email)
		refused(t, err, "password.good")
		_, err = r.ChangePassword(t.Context(), home, "dw_st_junk", password, newPassword)
		refused(t, err, "session.presented")
		r.live(t, in.Cookie)
		r.signIn(t, p)
	}, lifetimes(mails))
}

// Of two changes at once one counts, and a recovery link from before is dead
// (REC-08).
func TestChangesOfThePasswordAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		p := r.person()
		seats := []exchange.Tokens{r.seat(p), r.seat(p)}
		one.asks(t, home, p.email)
		link := tokenOf(r.letter(p.email, outbox.Recover))
		errs, cookies := make([]error, 2), make([]string, 2)
		choices := []string{newPassword, "another long enough password"}
		together(2, func(i int) {
			cookies[i], errs[i] = []*node{one, two}[i].ChangePassword(t.Context(), elsewhere(i), seats[i].Cookie, password, choices[i])
		})
		one.catchUp(t)
		won := 0
		for i, err := range errs {
			if err == nil {
				won++
				one.live(t, cookies[i])
				r.clock.add(time.Minute)
				if _, err := one.Password(t.Context(), elsewhere(9), exchange.PasswordInput{Email: p.email, Password: choices[i]}); err != nil {
					t.Errorf("the password that was taken: %v", err)
				}
			} else if got := named(err); got != "session.alive" && got != "password.fits" {
				t.Errorf("the other: %s", got)
			}
		}
		if won != 1 {
			t.Errorf("%d won: %v", won, errs)
		}
		_, err := one.LookAtRecovery(t.Context(), link)
		refused(t, err, "once.stands")
	}, lifetimes(mails))
}

// MFA-09, MFA-10: a proof of another kind is not fresh for what asks for the
// password, however young it is.
func TestAProofOfAnotherKindIsNotFresh(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.seat(p)
		r.exec(`update sessions set method = 'link' where id = $1`, in.Session.ID[:])
		err := r.End(t.Context(), home, exchange.Credential{Cookie: in.Cookie}, in.Session.ID)
		if e := refused(t, err, "session.fresh"); e.MaxAge != 10*time.Minute {
			t.Errorf("asks for %v", e.MaxAge)
		}
		cookie, err := r.StepUp(t.Context(), home, in.Cookie, password)
		if err != nil {
			t.Fatal(err)
		}
		if s := r.session(in.Session.ID); s.Method != "password" {
			t.Errorf("proved by %q", s.Method)
		}
		if err := r.End(t.Context(), home, exchange.Credential{Cookie: cookie}, in.Session.ID); err != nil {
			t.Error(err)
		}
		for _, a := range session.Acts() {
			old := session.Session{ID: in.Session.ID, Method: "password", AuthTime: r.clock.now().Add(-a.Within - 1)}
			young := session.Session{ID: in.Session.ID, Method: "code", AuthTime: r.clock.now()}
			if old.Proves(a, r.clock.now()) || young.Proves(a, r.clock.now()) || (session.Session{Method: "password", AuthTime: r.clock.now()}).Proves(a, r.clock.now()) {
				t.Errorf("%s is let through", a.Name)
			}
		}
		if u := read(t, r.store, func(v core.View) identity.User { return v.User(p.id) }); u.State != identity.Active {
			t.Error("the person was touched")
		}
	})
}
