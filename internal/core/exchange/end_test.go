package exchange_test

import (
	"errors"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// withAccess gives a seat an access token.
func (n *node) withAccess(t *testing.T, seat exchange.Tokens) exchange.Tokens {
	t.Helper()
	out := n.refresh(t, seat.Refresh)
	out.Cookie = seat.Cookie
	return out
}

// Signing out by any of the three proofs ends everything of the session,
// here at once and elsewhere with the next read of the feed.
// Attack OAU-35.
func TestSignOut(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(behind)
		p := r.person()
		parent := ""
		for name, by := range map[string]func(exchange.Tokens) exchange.Credential{
			"cookie":                func(x exchange.Tokens) exchange.Credential { return exchange.Credential{Cookie: x.Cookie} },
			"refresh token":         func(x exchange.Tokens) exchange.Credential { return exchange.Credential{Refresh: x.Refresh} },
			"the refresh before it": func(exchange.Tokens) exchange.Credential { return exchange.Credential{Refresh: parent} },
			"access token": func(x exchange.Tokens) exchange.Credential {
				return exchange.Credential{Bearer: token.Alone(x.Access)}
			},
			"cookie and refresh": func(x exchange.Tokens) exchange.Credential {
				return exchange.Credential{Cookie: x.Cookie, Refresh: x.Refresh}
			},
			"a foreign cookie, and a refresh token": func(x exchange.Tokens) exchange.Credential {
				return exchange.Credential{Cookie: "dw_st_junk", Refresh: x.Refresh}
			},
		} {
			seat, other := r.seat(p), one.withAccess(t, r.seat(p))
			parent = seat.Refresh
			out := one.withAccess(t, seat)
			two.live(t, out.Cookie)
			two.inspected(t, out.Access)
			before := len(r.events())
			s, err := one.SignOut(t.Context(), home, by(out))
			if err != nil || s.ID != out.Session.ID {
				t.Fatalf("%s: signed out %v: %v", name, s.ID, err)
			}
			one.dead(t, out)
			two.catchUp(t)
			two.dead(t, out)
			if got := r.session(out.Session.ID); got.Why != session.SignedOut {
				t.Errorf("%s: it ended because %v", name, got.Why)
			}
			// Again, wherever the proof is still one: it is signed out.
			for _, n := range []*node{one, two} {
				if _, err := n.SignOut(t.Context(), home, exchange.Credential{Cookie: out.Cookie}); err != nil {
					t.Errorf("%s, twice: %v", name, err)
				}
			}
			if n := len(r.events()) - before; n != 1 {
				t.Errorf("%s: %d events", name, n)
			}
			one.live(t, other.Cookie)
			one.inspected(t, other.Access)
			one.refresh(t, other.Refresh)
		}
		spent := r.seat(p)
		last := one.refresh(t, one.refresh(t, spent.Refresh).Refresh)
		for name, c := range map[string]exchange.Credential{
			"nothing":             {},
			"an unknown cookie":   {Cookie: "dw_st_" + spent.Cookie[6:20]},
			"a spent refresh":     {Refresh: spent.Refresh},
			"a forged bearer":     {Bearer: token.Alone(last.Access + "A"), Cookie: spent.Cookie},
			"a refresh as bearer": {Bearer: token.Alone(last.Refresh)},
		} {
			_, err := one.SignOut(t.Context(), home, c)
			var f *check.Refusal
			if !errors.As(err, &f) || f.Check().ID != "session.presented" {
				t.Errorf("%s: %v", name, err)
			}
		}
		one.live(t, spent.Cookie)
	})
}

func TestEndOneSession(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, q := r.person(), r.person()
		own, phone := r.withAccess(t, r.seat(p)), r.withAccess(t, r.seat(p))
		foreign := r.withAccess(t, r.seat(q))
		by := exchange.Credential{Cookie: own.Cookie}

		// SES-10: a foreign session and an unknown one are the same answer.
		unknown := session.NewID(r.clock.now(), secret.Random16())
		a := refused(t, r.End(t.Context(), home, by, foreign.Session.ID), "session.own")
		b := refused(t, r.End(t.Context(), home, by, unknown), "session.own")
		if a.Check() != b.Check() || a.RetryAfter != b.RetryAfter || a.MaxAge != b.MaxAge {
			t.Errorf("%+v and %+v differ", a, b)
		}
		r.live(t, foreign.Cookie)

		for range 2 {
			if err := r.End(t.Context(), home, exchange.Credential{Bearer: token.Alone(own.Access)}, phone.Session.ID); err != nil {
				t.Fatal(err)
			}
			r.dead(t, phone)
		}
		if s := r.session(phone.Session.ID); s.Why != session.EndedAfar {
			t.Errorf("it ended because %v", s.Why)
		}
		if n := len(r.events()); n != 1 {
			t.Errorf("%d events", n)
		}
		r.live(t, own.Cookie)

		// The dead one can end nothing.
		refused(t, r.End(t.Context(), home, exchange.Credential{Cookie: phone.Cookie}, own.Session.ID), "session.alive")
		refused(t, r.End(t.Context(), home, exchange.Credential{}, own.Session.ID), "session.presented")

		// A proof that is ten minutes old is asked for again.
		r.clock.add(10 * time.Minute)
		third := r.withAccess(t, r.seat(p))
		if err := r.End(t.Context(), home, by, third.Session.ID); err != nil {
			t.Fatal(err)
		}
		r.clock.add(time.Microsecond)
		f := refused(t, r.End(t.Context(), home, by, third.Session.ID), "session.fresh")
		if f.MaxAge != 10*time.Minute {
			t.Errorf("max age %v", f.MaxAge)
		}
		_, err := r.EndOthers(t.Context(), home, by, true)
		refused(t, err, "session.fresh")
		r.live(t, own.Cookie)
		if err := r.End(t.Context(), home, exchange.Credential{Cookie: r.seat(p).Cookie}, own.Session.ID); err != nil {
			t.Fatal(err)
		}
		r.cookieRefused(t, own.Cookie, "session.alive")
		self := r.seat(p)
		if err := r.End(t.Context(), home, exchange.Credential{Cookie: self.Cookie}, self.Session.ID); err != nil || r.session(self.Session.ID).Why != session.SignedOut {
			t.Errorf("ending one's own: %v, it ended because %v", err, r.session(self.Session.ID).Why)
		}
		r.clock.add(14 * day)
		last := r.seat(p)
		r.clock.add(14 * day)
		refused(t, r.End(t.Context(), home, exchange.Credential{Cookie: last.Cookie}, last.Session.ID), "session.in_time")
	})
}

// Ending the others is one event, however many there are, and leaves the
// caller where they are.
func TestEndOthers(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(behind)
		p := r.person()
		stranger := one.withAccess(t, r.seat(r.person()))
		own := one.withAccess(t, r.seat(p))
		others := make([]exchange.Tokens, 12)
		for i := range others {
			others[i] = one.withAccess(t, r.seat(p))
			two.live(t, others[i].Cookie)
		}
		lapsed := r.seat(p)
		r.exec(`update sessions set idle_until = 1 where id = $1`, lapsed.Session.ID[:])
		two.live(t, own.Cookie)
		n, err := one.EndOthers(t.Context(), home, exchange.Credential{Cookie: own.Cookie}, false)
		if err != nil || n != len(others) {
			t.Fatalf("%d others: %v", n, err)
		}
		two.catchUp(t)
		for _, o := range others {
			one.dead(t, o)
			two.dead(t, o)
		}
		events := r.events()
		if len(events) != 1 || events[0].Name.Unit != "user" || events[0].Name.ID != p.id.String() {
			t.Errorf("events %v", events)
		}
		old := own.Access
		for _, n := range []*node{one, two} {
			n.live(t, own.Cookie)
			n.live(t, stranger.Cookie)
			n.inspected(t, stranger.Access)
			// The access token fell with the others', and the next one is good
			// at once.
			n.accessRefused(t, old, "token.alive")
			own = n.withAccess(t, own)
			// Readers that know no positions go by the instant of issue.
			if c := n.inspected(t, own.Access); c.IssuedAt.Before(events[0].NotBefore) {
				t.Errorf("issued at %v, and what is from before %v is dead", c.IssuedAt, events[0].NotBefore)
			}
		}
		if list, err := one.Sessions(t.Context(), one.live(t, own.Cookie)); err != nil || len(list) != 1 || list[0].ID != own.Session.ID {
			t.Errorf("the list is %v: %v", list, err)
		}
		if n, err := one.EndOthers(t.Context(), home, exchange.Credential{Refresh: own.Refresh}, false); err != nil || n != 0 {
			t.Errorf("again: %d, %v", n, err)
		}
		one.live(t, own.Cookie)

		// A new sign-in after that is a new life.
		in := one.signIn(t, p)
		one.inspected(t, in.Access)
		if n, err := one.EndOthers(t.Context(), home, exchange.Credential{Cookie: in.Cookie}, true); err != nil || n != 1 {
			t.Errorf("all: %d others, %v", n, err)
		}
		one.dead(t, in)
		one.cookieRefused(t, own.Cookie, "session.alive")
		one.live(t, stranger.Cookie)
		in = one.signIn(t, p)
		one.live(t, in.Cookie)
		one.inspected(t, in.Access)
	})
}
