package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/ledger"
)

// nodes are two servers of one deployment. SQLite has one server; it is
// started twice on one store there.
func (r *rig) nodes(with ...option) (one, two *node) {
	r.t.Helper()
	if r.engine == "sqlite" {
		return r.node, r.on(r.store, with...)
	}
	return r.node, r.open(with...)
}

// I-05, OAU-10: however many present a refresh token at the same moment, it
// is rotated once and all of them hold the one successor.
func TestSimultaneousRefreshes(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes()
		one.warm(t)
		two.warm(t)
		in := r.seat(r.person())
		out := in
		for round := range 30 {
			before := r.family(out.Refresh)
			one.spy.take()
			two.spy.take()
			answers := make([]exchange.Tokens, 40)
			together(len(answers), func(i int) {
				n := []*node{one, two}[i%2]
				var err error
				if answers[i], err = n.Refresh(t.Context(), home, exchange.RefreshInput{Token: out.Refresh}); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
			for i, a := range answers {
				if a.Refresh == "" || a.Refresh == out.Refresh || a.Refresh != answers[0].Refresh || a.Access == "" {
					t.Fatalf("round %d: answer %d holds another successor", round, i)
				}
			}
			two.inspected(t, answers[0].Access)
			if after := r.family(out.Refresh); after.Generation != before.Generation+1 {
				t.Fatalf("round %d: from generation %d to %d", round, before.Generation, after.Generation)
			}
			rotations, entries := 0, 0
			for _, u := range append(one.spy.take(), two.spy.take()...) {
				if e, err := entry(u); err == nil && !e.Refused && e.Exchange.Name == "refresh" && e.Chain == ledger.Rest {
					entries++
				}
				for _, k := range kinds(u) {
					if k == "token.Advance" {
						rotations++
					}
				}
			}
			if rotations != 1 || entries != 40 {
				t.Fatalf("round %d: %d rotations, %d entries", round, rotations, entries)
			}
			out = answers[0]
			r.clock.add(time.Minute)
		}
		one.live(t, in.Cookie)
		if events := r.events(); len(events) != 0 {
			t.Errorf("refreshing revoked: %v", events)
		}
	})
}

// I-06: an answer that was lost can be asked for again within the grace, here
// or at another node, and nothing forks.
func TestALostAnswerCanBeAskedForAgain(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes()
		first := r.seat(r.person())
		next := one.refresh(t, first.Refresh)
		for _, after := range []time.Duration{0, time.Second, 9 * time.Second} { // and so 10 s in all
			r.clock.add(after)
			for i, n := range []*node{one, two} {
				if again := n.refresh(t, first.Refresh); again.Refresh != next.Refresh {
					t.Fatalf("node %d gave another successor %v later", i, after)
				}
			}
		}
		if f := r.family(first.Refresh); f.Generation != 1 {
			t.Errorf("generation %d", f.Generation)
		}
		last := two.refresh(t, next.Refresh)
		one.refresh(t, last.Refresh)
	})
}

// After the grace an old token ends its family and nothing else: a lost answer
// is likelier than a theft, so the session must only be proved again.
func TestALateAnswer(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes()
		p := r.person()
		first := one.signIn(t, p)
		next := one.refresh(t, first.Refresh)
		two.live(t, first.Cookie)
		two.inspected(t, next.Access)
		one.inspected(t, next.Access)
		r.clock.add(10*time.Second + time.Microsecond)
		one.spy.take()
		f := one.refreshRefused(t, first.Refresh, "refresh.timely")
		if f.Check().Shown != "refresh.timely" || f.Ref == "" {
			t.Errorf("refusal %+v", f)
		}
		events := r.events()
		if len(events) != 1 || events[0].Name.Unit != "session" || events[0].Name.ID != first.Session.ID.String() {
			t.Errorf("events %v, want the session's tokens", events)
		}
		units := one.spy.take()
		if e, err := entry(units[0]); err != nil || !e.Refused || e.Chain != ledger.Audit || failing(e) != "refresh.timely" || e.Session != first.Session.ID {
			t.Errorf("entry %+v: %v", e, err)
		}
		two.catchUp(t)
		for _, n := range []*node{one, two} {
			n.accessRefused(t, next.Access, "token.alive")
			n.refreshRefused(t, next.Refresh, "refresh.alive")
			n.refreshRefused(t, first.Refresh, "refresh.alive")
			if who := n.live(t, first.Cookie); !who.Session.AuthTime.IsZero() {
				t.Errorf("the session still counts as proved at %v", who.Session.AuthTime)
			}
			_, err := n.Resume(t.Context(), home, first.Cookie, "")
			refused(t, err, "session.trusted")
			refused(t, n.End(t.Context(), home, exchange.Credential{Cookie: first.Cookie}, first.Session.ID), "session.fresh")
		}
		cookie, err := one.StepUp(t.Context(), home, first.Cookie, password)
		if err != nil {
			t.Fatal(err)
		}
		one.catchUp(t)
		again, err := one.Resume(t.Context(), home, cookie, "")
		if err != nil {
			t.Fatal(err)
		}
		one.inspected(t, again.Access)
		one.refresh(t, again.Refresh)
	})
}

// OAU-10, RFC 9700 section 4.14.2: a token whose successor was gone on with is
// in two hands. Everything of the session dies, durably and at once.
func TestReuseEndsTheSession(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes()
		for i, wait := range []time.Duration{0, 11 * time.Second, day} {
			first := one.signIn(t, r.person())
			next := one.refresh(t, first.Refresh)
			last := one.refresh(t, next.Refresh)
			two.live(t, first.Cookie)
			two.inspected(t, last.Access)
			r.clock.add(wait)
			last = one.refresh(t, last.Refresh)
			one.spy.take()
			before := len(r.events())
			f := one.refreshRefused(t, first.Refresh, "refresh.unspent")
			if f.Check().Shown != "refresh.unspent" {
				t.Errorf("refusal %+v", f)
			}
			events := r.events()[before:]
			if len(events) != 1 || events[0].Name.Unit != "session" || events[0].Name.ID != first.Session.ID.String() {
				t.Errorf("%d: events %v, want the session alone", i, events)
			}
			if s := r.session(first.Session.ID); s.Ended.IsZero() || s.Why.String() != "token_reuse" {
				t.Errorf("session %+v", s)
			}
			if f := r.family(first.Refresh); f.Ended.IsZero() {
				t.Error("the family stands")
			}
			if e, err := entry(one.spy.take()[0]); err != nil || !e.Refused || e.Chain != ledger.Audit || failing(e) != "refresh.unspent" || e.Steps[len(e.Steps)-2].Details[0].String() != "3" {
				t.Errorf("entry %+v: %v", e, err)
			}
			last.Cookie = first.Cookie
			one.dead(t, last)
			two.catchUp(t)
			two.dead(t, last)
			for _, text := range []string{first.Refresh, next.Refresh} {
				two.refreshRefused(t, text, "refresh.alive")
			}
			if n := len(r.events()) - before; n != 1 {
				t.Errorf("%d events after more of the same", n)
			}
		}
	})
}

// Many at once are one reuse.
func TestSimultaneousReuse(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes()
		one.warm(t)
		two.warm(t)
		for _, late := range []bool{false, true} {
			first := r.seat(r.person())
			next := one.refresh(t, first.Refresh)
			if late {
				r.clock.add(time.Minute)
			} else {
				one.refresh(t, next.Refresh)
			}
			before := len(r.events())
			want := map[bool]string{false: "refresh.unspent", true: "refresh.timely"}[late]
			seen := make([]string, 40)
			together(len(seen), func(i int) {
				_, err := []*node{one, two}[i%2].Refresh(t.Context(), home, exchange.RefreshInput{Token: first.Refresh})
				seen[i] = named(err)
			})
			n := 0
			for _, s := range seen {
				if s == want {
					n++
				} else if s != "refresh.alive" {
					t.Errorf("answered %s", s)
				}
			}
			if events := len(r.events()) - before; n != 1 || events != 1 {
				t.Errorf("%s: %d times, %d events, want one", want, n, events)
			}
		}
	})
}
