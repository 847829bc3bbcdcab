package exchange_test

import (
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/token"
)

func (r *rig) user(p person) identity.User {
	r.t.Helper()
	return read(r.t, r.store, func(v core.View) identity.User { return v.User(p.id) })
}

// moves asks for another address, which must be answered.
func (n *node) moves(t *testing.T, cookie, email string) token.OnceID {
	t.Helper()
	id, err := n.AskAddress(t.Context(), home, cookie, email, hers)
	if err != nil {
		t.Fatalf("ask for %s: %v", email, err)
	}
	return id
}

// A change of address: the new mailbox proves it, everybody else is signed
// out, older links die (REC-08), and the old mailbox takes it back, whatever
// was changed since.
func TestChangingTheAddress(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		p := r.person()
		here, phone := one.signIn(t, p), two.signIn(t, p)
		one.asks(t, home, p.email)
		recovery := tokenOf(r.letter(p.email, outbox.Recover))
		id := one.moves(t, here.Cookie, "New@Example.com")
		m := r.letter("New@Example.com", outbox.ConfirmNewAddress)
		if u := r.user(p); u.Address != p.email || u.Verified {
			t.Errorf("IDN-13: before the proof %+v", u)
		}
		_, err := two.RecoverByLink(t.Context(), home, tokenOf(m), after)
		refused(t, err, "once.known") // OAU-16: one use is not another
		if err := two.AddressByCode(t.Context(), home, phone.Cookie, id, m.Facts.Code, theirs); named(err) != "once.browser" {
			t.Errorf("in another browser: %v", err)
		}
		if err := one.AddressByCode(t.Context(), home, here.Cookie, id, m.Facts.Code, hers); err != nil {
			t.Fatal(err)
		}
		if u := r.user(p); u.Email != "New@Example.com" || u.Address != "new@example.com" || !u.Verified {
			t.Errorf("after the proof %+v", u)
		}
		two.catchUp(t)
		two.live(t, here.Cookie)
		one.dead(t, phone)
		_, err = one.LookAtRecovery(t.Context(), recovery)
		refused(t, err, "once.stands")
		refused(t, one.AddressByLink(t.Context(), home, tokenOf(m)), "once.stands")

		// Who is in changes the password too, and the address once more.
		notice := r.letter(p.email, outbox.AddressChanging)
		if notice.Facts.Mail != "New@Example.com" || !notice.Facts.Until.Equal(notice.Created.Add(7*day)) {
			t.Errorf("the notice says %+v", notice.Facts)
		}
		cookie, err := one.ChangePassword(t.Context(), home, here.Cookie, password, newPassword)
		if err != nil {
			t.Fatal(err)
		}
		id = one.moves(t, cookie, "third@example.com")
		if err := one.AddressByCode(t.Context(), home, cookie, id, r.letter("third@example.com", outbox.ConfirmNewAddress).Facts.Code, hers); err != nil {
			t.Fatal(err)
		}
		second := r.letter("New@Example.com", outbox.AddressChanging)

		r.clock.add(6 * day)
		for range 50 {
			if email, err := two.LookAtUndo(t.Context(), tokenOf(notice)); err != nil || email != p.email {
				t.Fatalf("looking at %q: %v", email, err)
			}
		}
		one.live(t, cookie)
		if err := two.UndoAddress(t.Context(), elsewhere(1), tokenOf(notice)); err != nil {
			t.Fatal(err)
		}
		if u := r.user(p); u.Address != p.email {
			t.Errorf("taken back to %s", u.Address)
		}
		one.catchUp(t)
		one.cookieRefused(t, cookie, "session.alive")
		r.letter(p.email, outbox.AddressRestored)
		// The later change's own way back leads nowhere, and neither does the password that was set in between.
		refused(t, one.UndoAddress(t.Context(), home, tokenOf(second)), "once.unspent")
		refused(t, one.UndoAddress(t.Context(), home, tokenOf(notice)), "once.unspent")
		if _, err := one.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: newPassword}); err == nil {
			t.Error("the password of whoever was in still opens")
		}
		id = one.asks(t, home, p.email)
		right, err := one.RecoverByCode(t.Context(), home, id, r.letter(p.email, outbox.Recover).Facts.Code, hers, after)
		if err == nil {
			err = one.ChoosePassword(t.Context(), home, right, after, "the third long password of hers")
		}
		if err != nil {
			t.Fatal(err)
		}
		r.clock.add(time.Minute)
		if _, err := one.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: "the third long password of hers"}); err != nil {
			t.Errorf("the owner is not in again: %v", err)
		}
	}, lifetimes(mails))
}

// The way back of a later change must not take the owner's: whoever is in
// holds the mailbox in between.
func TestALaterWayBackTakesNothingFromAnEarlierOne(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.signIn(t, p)
		for _, email := range []string{"evil@example.org", "worse@example.org"} {
			id := r.moves(t, in.Cookie, email)
			if err := r.AddressByCode(t.Context(), home, in.Cookie, id, r.letter(email, outbox.ConfirmNewAddress).Facts.Code, hers); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.UndoAddress(t.Context(), home, tokenOf(r.letter("evil@example.org", outbox.AddressChanging))); err != nil {
			t.Fatal(err)
		}
		if err := r.UndoAddress(t.Context(), home, tokenOf(r.letter(p.email, outbox.AddressChanging))); err != nil {
			t.Errorf("the owner's way back: %v", err)
		}
		if u := r.user(p); u.Address != p.email {
			t.Errorf("the address is %s", u.Address)
		}
		r.clock.add(8 * day)
		_, err := r.LookAtUndo(t.Context(), "")
		refused(t, err, "once.known")
	}, lifetimes(mails))
}

func TestAnAddressIsNotChangedWithout(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, q := r.person(), r.person()
		in := r.signIn(t, p)
		// ENM-01: an address that somebody has is answered alike; the mail says it.
		id := r.moves(t, in.Cookie, strings.ToUpper(q.email))
		if all := r.letters(q.email); len(all) != 1 || all[0].Kind != outbox.AccountExists {
			t.Errorf("mails to who has it: %+v", all)
		}
		refused(t, r.AddressByCode(t.Context(), home, in.Cookie, id, "00000000", hers), "once.fits")
		for _, list := range []string{"a@x.example,b@y.example", "", "mıke@example.com", "a@b@c.example"} {
			_, err := r.AskAddress(t.Context(), home, in.Cookie, list, hers)
			refused(t, err, "address.form")
		}
		_, err := r.AskAddress(t.Context(), home, "dw_st_junk", "new@example.com", hers)
		refused(t, err, "session.presented")
		id = r.moves(t, in.Cookie, "new@example.com")
		code := r.letter("new@example.com", outbox.ConfirmNewAddress).Facts.Code
		// Another person's session spends nothing of hers.
		other := r.signIn(t, q)
		refused(t, r.AddressByCode(t.Context(), home, other.Cookie, id, code, hers), "once.known")
		// SE-06: not with a proof of long ago.
		r.clock.add(11 * time.Minute)
		_, err = r.AskAddress(t.Context(), home, in.Cookie, "new@example.com", hers)
		refused(t, err, "session.fresh")
		refused(t, r.AddressByCode(t.Context(), home, in.Cookie, id, code, hers), "once.in_time")
		if u := r.user(p); u.Address != p.email {
			t.Errorf("the address is %s", u.Address)
		}
	}, lifetimes(mails))
}

// Two people want one address at the same moment: one has it.
func TestOneAddressWantedByTwo(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		nodes := []*node{one, two}
		for round := range 10 {
			people := []person{r.person(), r.person()}
			want := strings.Replace(people[0].email, "person", "wanted", 1)
			links := make([]string, 2)
			for i, p := range people {
				nodes[i].moves(t, r.seat(p).Cookie, want)
				links[i] = tokenOf(r.letter(want, outbox.ConfirmNewAddress))
				r.clock.add(time.Second)
			}
			errs := make([]error, 2)
			together(2, func(i int) { errs[i] = nodes[i].AddressByLink(t.Context(), elsewhere(round), links[i]) })
			won := 0
			for i, err := range errs {
				if err == nil {
					won++
					if u := r.user(people[i]); u.Address != want {
						t.Errorf("the one who has it has %s", u.Address)
					}
				} else {
					refused(t, err, "address.free")
				}
			}
			if won != 1 {
				t.Errorf("%d have it: %v", won, errs)
			}
			r.clock.add(time.Hour)
		}
	}, lifetimes(mails))
}
