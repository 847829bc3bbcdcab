package exchange_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// mailing is a deployment that can send mail.
func mailing(s *setup) {
	s.policy.Mail = true
	s.policy.Where = func(a netip.Addr) risk.Place {
		if a == elsewhere(2).Addr {
			return risk.Place{City: "Hanoi", Country: "VN", Land: "Vietnam"}
		}
		return risk.Place{}
	}
}

// with is a caller whose browser keeps these marks.
func with(by settle.Caller, marks string) settle.Caller {
	by.Device = marks
	return by
}

// in signs a person in from somewhere, which must succeed, and takes its time.
func (r *rig) in(by settle.Caller, p person) exchange.Tokens {
	r.t.Helper()
	r.clock.add(time.Second)
	out, err := r.Password(r.t.Context(), by, exchange.PasswordInput{Email: p.email, Password: password})
	if err != nil {
		r.t.Fatalf("sign-in: %v", err)
	}
	return out
}

// kinds are the mails that wait, by kind.
func (r *rig) kinds(k outbox.Kind) (out []outbox.Message) {
	for _, m := range r.mailed() {
		if m.Kind == k {
			out = append(out, m)
		}
	}
	return out
}

// A person is told of a sign-in from a browser that they did not use before,
// once for each, and not of the first of all. A browser that somebody else
// used, or prepared, is a new one (attack SES-02).
func TestANewBrowserIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, q := r.person(), r.person()
		first := r.in(home, p)
		if first.Device == "" || len(r.mailed()) != 0 {
			t.Fatalf("the first sign-in: mark %q, %d mails", first.Device, len(r.mailed()))
		}
		again := r.in(with(elsewhere(1), first.Device), p)
		if again.Device != "" || len(r.mailed()) != 0 {
			t.Fatalf("the same browser elsewhere: mark %q, %d mails", again.Device, len(r.mailed()))
		}
		second := r.in(elsewhere(2), p)
		told := r.kinds(outbox.NewDevice)
		if len(told) != 1 {
			t.Fatalf("%d mails of a new browser", len(told))
		}
		f := told[0].Facts
		if told[0].To != p.email || f.Device != "Firefox on Linux" || f.IP != elsewhere(2).Addr.String() || f.How != "password" || f.Place != "Vietnam" || !f.When.Equal(r.clock.now()) || !strings.HasPrefix(f.Link, "/not-me/") {
			t.Errorf("the mail says %+v to %s", f, told[0].To)
		}
		// The other person in the first browser: new to him, though his first.
		his := r.in(with(home, first.Device), q)
		if len(r.kinds(outbox.NewDevice)) != 1 || !strings.HasSuffix(his.Device, "."+first.Device) {
			t.Errorf("his first sign-in: mark %q", his.Device)
		}
		r.in(with(home, his.Device), p)
		r.in(with(home, his.Device), q)
		// Marks that he could plant in hers open nothing: they are his.
		mark, _, _ := strings.Cut(his.Device, ".")
		r.in(with(home, mark), p)
		for _, odd := range []string{"x", strings.Repeat("A", 43), first.Device + "=", " " + first.Device, strings.Repeat(".", 50)} {
			if got := r.in(with(home, odd), p); got.Device == "" {
				t.Errorf("%q is taken for a mark of hers", odd)
			}
		}
		if n := len(r.kinds(outbox.NewDevice)); n != 7 {
			t.Errorf("%d mails of new browsers, want 7", n)
		}
		if text := r.count(`select count(*) from devices where user_id = (select user_id from sessions where id = $1)`, second.Session.ID[:]); text != 8 {
			t.Errorf("%d browsers are kept of her", text)
		}
		for range session.DevicesAtMost + 2 {
			r.in(elsewhere(3), p)
		}
		if n := r.count(`select count(*) from devices where user_id = (select user_id from sessions where id = $1)`, second.Session.ID[:]); n != session.DevicesAtMost {
			t.Errorf("%d browsers are kept, want %d", n, session.DevicesAtMost)
		}
	}, mailing)
}

// strange is a person, somebody who got in with their password, and the token
// of the link in the mail about it.
func (r *rig) strange() (p person, own, thief exchange.Tokens, link string) {
	r.t.Helper()
	p = r.person()
	own, thief = r.in(home, p), r.in(elsewhere(9), p)
	told := r.kinds(outbox.NewDevice)
	return p, own, thief, strings.TrimPrefix(told[len(told)-1].Facts.Link, "/not-me/")
}

// "Not me" ends every session and makes the password worth nothing, and works
// whatever the thief did in the meantime.
func TestNotMe(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, own, thief, link := r.strange()
		bystander := r.in(home, r.person())
		// The thief signs everybody else out; that must not save them.
		if _, err := r.EndOthers(t.Context(), elsewhere(9), exchange.Credential{Cookie: thief.Cookie}, false); err != nil {
			t.Fatal(err)
		}
		for range 50 { // a scanner of mail follows links
			d, err := r.Disowned(t.Context(), link)
			if err != nil || d.Session.ID != thief.Session.ID || !d.Done.IsZero() {
				t.Fatalf("the link says %+v, %v", d, err)
			}
		}
		r.live(t, thief.Cookie)
		r.clock.add(6 * day)
		thief = r.in(with(elsewhere(9), thief.Device), p)
		if err := r.NotMe(t.Context(), elsewhere(1), link); err != nil {
			t.Fatal(err)
		}
		r.dead(t, thief)
		r.cookieRefused(t, own.Cookie, "session.alive")
		r.live(t, bystander.Cookie)
		if d, err := r.Disowned(t.Context(), link); err != nil || !d.Done.Equal(r.clock.now()) {
			t.Errorf("afterwards the link says %+v, %v", d, err)
		}
		refused(t, r.NotMe(t.Context(), elsewhere(1), link), "once.unspent")

		// Told only to who knows the password; others read what they always read.
		if f := r.tries(t, elsewhere(2), p.email, "wrong"); id(f) != "password.fits" {
			t.Errorf("a wrong password: %s", id(f))
		}
		r.clock.add(time.Minute)
		f := r.tries(t, with(elsewhere(9), thief.Device), p.email, password)
		if id(f) != "password.trusted" || f.Check().Shown != "password.trusted" {
			t.Errorf("the password that the thief knows: %s", id(f))
		}
		r.clock.add(time.Minute)
		other := r.seat(p) // by another way in
		_, err := r.StepUp(t.Context(), home, other.Cookie, password)
		refused(t, err, "password.trusted")

		pw := read(t, r.store, func(v core.View) factor.Password { return v.Password(p.id) })
		if _, err := r.store.Commit(t.Context(), core.Unit{factor.Replace{User: p.id, Version: pw.Version, PHC: phc(), Changed: r.clock.now()}}); err != nil {
			t.Fatal(err)
		}
		mails := len(r.kinds(outbox.NewDevice))
		r.in(with(elsewhere(9), thief.Device), p)
		if len(r.kinds(outbox.NewDevice)) != mails+1 {
			t.Error("the thief's browser is still known")
		}
	}, mailing)
}

// A link is of one use, of seven days, and of one person who still exists.
func TestNotMeIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		_, _, thief, link := r.strange()
		for _, bad := range []string{"", "x", link + "A", link[:len(link)-1], token.NewLink(secret.Random()), "../" + link} {
			refused(t, r.NotMe(t.Context(), home, bad), "once.known")
			_, err := r.Disowned(t.Context(), bad)
			refused(t, err, "once.known")
		}
		// A link of another use (attack OAU-16).
		other := secret.Random()
		offer := token.Offer{ID: token.NewOnceID(r.clock.now(), secret.Random16()), Use: token.ForRecovery, User: thief.User.ID, Link: token.LinkHash(token.ForRecovery, other[:]),
			Created: r.clock.now(), Expires: r.clock.now().Add(day)}
		if _, err := r.store.Commit(t.Context(), core.Unit{offer}); err != nil {
			t.Fatal(err)
		}
		refused(t, r.NotMe(t.Context(), home, token.NewLink(other)), "once.known")
		r.clock.add(7*day - time.Millisecond)
		if _, err := r.Disowned(t.Context(), link); err != nil {
			t.Errorf("in its last moment: %v", err)
		}
		r.clock.add(time.Millisecond)
		_, err := r.Disowned(t.Context(), link)
		refused(t, err, "once.in_time")
		refused(t, r.NotMe(t.Context(), home, link), "once.in_time")
		for range 20 {
			err = r.NotMe(t.Context(), elsewhere(4), "x")
		}
		refused(t, err, "once.known")
		if f := refused(t, r.NotMe(t.Context(), elsewhere(4), link), "limit.network"); f.RetryAfter <= 0 {
			t.Error("it does not say when to try again")
		}
	}, mailing)
}

// Whoever is known by their browser is slowed by their own mistakes alone,
// wherever they are (attack MFA-23).
func TestAKnownBrowserHasABudgetOfItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		marks := r.in(home, p).Device
		for i := range 4 {
			if f := r.tries(t, elsewhere(10+i), p.email, "wrong"); id(f) != "password.fits" {
				t.Fatalf("guess %d: %s", i, id(f))
			}
			r.clock.add(3 * time.Second)
		}
		if f := r.tries(t, elsewhere(20), p.email, "wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		if f := r.tries(t, elsewhere(21), p.email, password); id(f) != "limit.address" {
			t.Errorf("from a strange browser: %s", id(f))
		}
		if f := r.tries(t, with(elsewhere(22), marks), p.email, password); f != nil {
			t.Errorf("from her own: %s", id(f))
		}
		if f := r.tries(t, with(elsewhere(22), marks), p.email, "wrong"); id(f) != "password.fits" {
			t.Error(id(f))
		}
		if f := r.tries(t, with(elsewhere(22), marks), p.email, password); id(f) != "limit.address" {
			t.Errorf("after a mistake of her own: %s", id(f))
		}
	})
}

// Nobody has more than 48 sessions: the longest unused goes, and its person is
// told in the unit of the sign-in. Sign-ins at once cannot pass it.
func TestSessionsAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		standing := func() int {
			return len(read(t, r.store, func(v core.View) []session.Session {
				return v.Sessions(session.Query{User: p.id, Standing: r.clock.now(), Limit: 1000})
			}))
		}
		var all []exchange.Tokens
		for range session.AtMost {
			all = append(all, r.seat(p))
			r.clock.add(time.Second)
		}
		// The first is the oldest, but the second is unused for longer.
		if _, err := r.store.Commit(t.Context(), core.Unit{session.Seen{ID: all[0].Session.ID, At: r.clock.now()}}); err != nil {
			t.Fatal(err)
		}
		replaced, err := r.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: password, Replaces: all[5].Cookie})
		if err != nil {
			t.Fatal(err)
		}
		if n := standing(); n != session.AtMost || len(r.kinds(outbox.SignedOutForYou)) != 0 {
			t.Fatalf("%d stand after one took another's place, %d were told", n, len(r.kinds(outbox.SignedOutForYou)))
		}
		r.in(home, p)
		if n := standing(); n != session.AtMost {
			t.Fatalf("%d sessions stand", n)
		}
		r.live(t, all[0].Cookie)
		r.live(t, replaced.Cookie)
		r.cookieRefused(t, all[1].Cookie, "session.alive")
		if s := r.session(all[1].Session.ID); s.Why != session.Crowded {
			t.Errorf("it ended because of %v", s.Why)
		}
		told := r.kinds(outbox.SignedOutForYou)
		if len(told) != 1 || told[0].To != p.email {
			t.Errorf("told: %+v", told)
		}
	}, mailing)
}

// Two sign-ins at once, each judged before the other has committed: where one
// more fits, one of them makes room.
func TestSignInsAtOnceCannotPassTheBound(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		x := r.race(t)
		for round := range 4 {
			p := r.person()
			for range session.AtMost - 1 {
				r.seat(p)
			}
			in := func(i int) func(n *node) {
				return func(n *node) {
					if _, err := n.Password(t.Context(), elsewhere(10*round+i), exchange.PasswordInput{Email: p.email, Password: password}); err != nil {
						t.Errorf("sign-in: %v", err)
					}
				}
			}
			x.run(true, [2]func(*node){in(0), in(1)})
			standing := read(t, r.store, func(v core.View) []session.Session {
				return v.Sessions(session.Query{User: p.id, Standing: r.clock.now(), Limit: 1000})
			})
			if len(standing) != session.AtMost {
				t.Errorf("%d sessions stand", len(standing))
			}
		}
		x.told(t)
	})
}
