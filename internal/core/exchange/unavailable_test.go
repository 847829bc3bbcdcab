package exchange_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/token"
)

// An attempt is one exchange and what it gave, as one value.
type attempt struct {
	name string
	do   func(n *node) (given any, err error)
}

// attempts are every exchange there is, on sign-ins made for them.
func (r *rig) attempts(t *testing.T) []attempt {
	p := r.person()
	in := func() exchange.Tokens { return r.withAccess(t, r.seat(p)) }
	reused, late, own, other := in(), r.seat(p), in(), in()
	r.refresh(t, r.refresh(t, reused.Refresh).Refresh)
	spent := r.refresh(t, late.Refresh)
	_ = spent
	r.exec(`update families set rotated_at = 1 where session_id = $1`, late.Session.ID[:])
	by := exchange.Credential{Cookie: own.Cookie}
	type tokens = exchange.Tokens
	return []attempt{
		{"sign-in", func(n *node) (any, error) {
			return n.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: password, Replaces: other.Cookie})
		}},
		{"wrong sign-in", func(n *node) (any, error) {
			return n.Password(t.Context(), elsewhere(1), exchange.PasswordInput{Email: p.email, Password: "wrong"})
		}},
		{"a stranger's sign-in", func(n *node) (any, error) {
			return n.Password(t.Context(), elsewhere(2), exchange.PasswordInput{Email: "nobody@example.com", Password: "wrong"})
		}},
		{"refresh", func(n *node) (any, error) {
			return n.Refresh(t.Context(), home, exchange.RefreshInput{Token: own.Refresh})
		}},
		{"reuse", func(n *node) (any, error) {
			return n.Refresh(t.Context(), home, exchange.RefreshInput{Token: reused.Refresh})
		}},
		{"late", func(n *node) (any, error) {
			return n.Refresh(t.Context(), home, exchange.RefreshInput{Token: late.Refresh})
		}},
		{"going on", func(n *node) (any, error) { return n.Resume(t.Context(), home, own.Cookie, "") }},
		{"step-up", func(n *node) (any, error) { return n.StepUp(t.Context(), home, own.Cookie, password) }},
		{"ending another", func(n *node) (any, error) {
			return nil, n.End(t.Context(), home, by, other.Session.ID)
		}},
		{"ending others", func(n *node) (any, error) { return n.EndOthers(t.Context(), home, by, false) }},
		{"sign-out by cookie", func(n *node) (any, error) { return n.SignOut(t.Context(), home, by) }},
		{"sign-out by refresh token", func(n *node) (any, error) {
			return n.SignOut(t.Context(), home, exchange.Credential{Refresh: own.Refresh})
		}},
		{"sign-out by access token", func(n *node) (any, error) {
			return n.SignOut(t.Context(), home, exchange.Credential{Bearer: token.Alone(own.Access)})
		}},
	}
}

func unavailable(t *testing.T, what string, given any, err error) {
	t.Helper()
	var f *check.Refusal
	if !errors.Is(err, core.ErrUnavailable) || errors.As(err, &f) {
		t.Errorf("%s: %v, want that the store is unavailable", what, err)
	}
	if out, ok := given.(exchange.Tokens); ok && out != (exchange.Tokens{}) {
		t.Errorf("%s: gave %+v", what, out)
	}
	if out, ok := given.(string); ok && out != "" {
		t.Errorf("%s: gave %q", what, out)
	}
}

// dump is every table's bytes but the ledger's.
func (r *rig) facts() map[string]string {
	return r.tables("sessions", "families", "users", "feed_events", "failures", "known_networks", "passwords", "ledger_open")
}

// OAU-15: a verdict that could not be committed is no verdict: nothing is
// released, nothing refused, nothing changed.
func TestAStoreThatDoesNotCommit(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		all := r.attempts(t)
		before := r.facts()
		r.spy.on(func(core.Unit) error { return errDisk }, nil)
		for _, a := range all {
			given, err := a.do(r.node)
			unavailable(t, a.name, given, err)
		}
		r.spy.on(nil, nil)
		for table, rows := range r.facts() {
			if rows != before[table] {
				t.Errorf("%s has changed", table)
			}
		}
		// All of it can be done as if nothing had been.
		for _, a := range all {
			if _, err := a.do(r.node); errors.Is(err, core.ErrUnavailable) {
				t.Errorf("%s, again: %v", a.name, err)
			}
		}
	})
}

func TestAStoreThatDoesNotRead(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		all := r.attempts(t)
		r.apps()
		n := r.on(r.store) // whose cache is empty
		n.spy.blind.Store(true)
		for _, a := range all {
			given, err := a.do(n)
			unavailable(t, a.name, given, err)
		}
		seat := r.seat(r.person())
		_, err := n.Cookie(t.Context(), seat.Cookie)
		unavailable(t, "a cookie", nil, err)
		_, err = n.Bearer(t.Context(), token.Alone(r.withAccess(t, seat).Access))
		unavailable(t, "an access token", nil, err)
		for range 20 { // and no guess of a secret was counted
			_, err = n.Introspect(t.Context(), home, proof("shop"), "x")
			unavailable(t, "introspection", nil, err)
		}
		if n.Allows(t.Context(), notesOrigin) {
			t.Error("a page is allowed that nobody could look up")
		}
		n.spy.blind.Store(false)
		if _, err := n.Introspect(t.Context(), home, proof("shop"), "x"); err != nil {
			t.Errorf("introspection afterwards: %v", err)
		}
	})
}

func TestAClosedStore(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		all := r.attempts(t)
		if err := n.close(); err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			given, err := a.do(n)
			unavailable(t, a.name, given, err)
		}
	})
}

// A node that cannot read the feed cannot say whether an access token lives:
// "later", never "you are not signed in".
func TestANodeThatLostTheFeed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.on(r.store, behind)
		seat := r.withAccess(t, r.seat(r.person()))
		r.clock.add(2 * time.Second)
		for name, ask := range map[string]func(ctx context.Context) error{
			"cookie":       func(ctx context.Context) error { _, err := n.Cookie(ctx, seat.Cookie); return err },
			"access token": func(ctx context.Context) error { _, err := n.Bearer(ctx, token.Alone(seat.Access)); return err },
			"sign-out": func(ctx context.Context) error {
				_, err := n.SignOut(ctx, home, exchange.Credential{Bearer: token.Alone(seat.Access)})
				return err
			},
			"ending": func(ctx context.Context) error {
				return n.End(ctx, home, exchange.Credential{Bearer: token.Alone(seat.Access)}, seat.Session.ID)
			},
			"ending others": func(ctx context.Context) error {
				_, err := n.EndOthers(ctx, home, exchange.Credential{Bearer: token.Alone(seat.Access)}, true)
				return err
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			unavailable(t, name, nil, ask(ctx))
			cancel()
		}
		// Nor when the caller has all the time in the world: the node gives up
		// by itself.
		_, err := n.SignOut(t.Context(), home, exchange.Credential{Bearer: token.Alone(seat.Access)})
		unavailable(t, "a patient sign-out", nil, err)
	})
}

// The answer of a commit can be lost though the unit is kept. Whoever asked
// learns nothing, and asking again finds the same world.
func TestALostCommit(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		seat := r.seat(p)
		r.spy.on(nil, func(core.Unit) error { return errDisk })
		out, err := r.Refresh(t.Context(), home, exchange.RefreshInput{Token: seat.Refresh})
		unavailable(t, "refresh", out, err)
		r.spy.on(nil, nil)
		next := r.refresh(t, seat.Refresh)
		if f := r.family(seat.Refresh); f.Generation != 1 {
			t.Errorf("generation %d", f.Generation)
		}
		r.spy.on(nil, func(core.Unit) error { return errDisk })
		_, err = r.SignOut(t.Context(), home, exchange.Credential{Refresh: next.Refresh})
		unavailable(t, "sign-out", nil, err)
		r.spy.on(nil, nil)
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Refresh: next.Refresh}); err != nil {
			t.Errorf("sign-out again: %v", err)
		}
		r.catchUp(t)
		r.cookieRefused(t, seat.Cookie, "session.alive")
	})
}

// A caller who goes away in the middle of a commit leaves a unit that is
// there or not, never half of one, and can come back.
func TestACallerWhoLeavesInTheMiddle(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		seat := r.seat(r.person())
		text := seat.Refresh
		answered := 0
		for round := range 40 {
			ctx, leave := context.WithCancel(t.Context())
			r.spy.on(func(core.Unit) error { go leave(); return nil }, nil)
			out, err := r.Refresh(ctx, home, exchange.RefreshInput{Token: text})
			r.spy.on(nil, nil)
			if err != nil {
				unavailable(t, "refresh", out, err)
			} else {
				answered++
			}
			again := r.refresh(t, text)
			if err == nil && again.Refresh != out.Refresh {
				t.Fatal("two successors")
			}
			if f := r.family(text); int(f.Generation) != round+1 {
				t.Fatalf("round %d: generation %d", round, f.Generation)
			}
			text = again.Refresh
			r.clock.add(time.Second)
		}
		t.Logf("%d of 40 were answered all the same", answered)
		r.live(t, seat.Cookie)
	})
}
