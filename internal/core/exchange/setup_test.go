package exchange_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/token"
)

func (n *node) setupCode(t *testing.T) string {
	t.Helper()
	o, err := n.OfferSetup(t.Context(), operator)
	if err != nil || o.Link != "/setup#"+o.Code {
		t.Fatalf("the setup code is %+v, %v", o, err)
	}
	return o.Code
}

func setupAs(email, code string) exchange.SetupInput {
	in := exchange.SetupInput{Email: email, Name: "Root"}
	in.Link, in.Password = code, password
	return in
}

// Attack TEN-15: of fifty who set up at once, on two nodes, one becomes the
// administrator; and nobody ever again, whatever becomes of that one.
func TestOneFirstAdministrator(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		nodes := [2]*node{r.node, r.open(open)}
		nodes[0].warm(t)
		nodes[1].warm(t)
		code := r.setupCode(t)
		var made atomic.Int32
		var first atomic.Value
		together(50, func(i int) {
			out, err := nodes[i%2].Setup(t.Context(), elsewhere(i), setupAs(fmt.Sprintf("admin%d@example.com", i), code))
			switch got := named(err); got {
			case "passed":
				made.Add(1)
				first.Store(out)
			case "setup.open", "once.unspent", "password.capacity", "unavailable":
			default:
				t.Errorf("refused by %s", got)
			}
		})
		if n := r.count(`select count(*) from users where admin = 1`); made.Load() != 1 || n != 1 || r.count(`select count(*) from users`) != 1 {
			t.Fatalf("%d made, %d administrators", made.Load(), n)
		}
		out := first.Load().(exchange.Tokens)
		if u := r.live(t, out.Cookie).User; !u.Admin || !u.Verified || u.Name != "Root" {
			t.Errorf("the administrator is %+v", u)
		}
		r.inspected(t, out.Access)

		r.exec(`update users set admin = 0, state = 2`)
		again := r.on(r.store, open)
		_, err := again.OfferSetup(t.Context(), operator)
		refused(t, err, "setup.open")
		_, err = again.Setup(t.Context(), home, setupAs("mallory@example.com", code))
		refused(t, err, "setup.open")
		if open, err := again.SetupOpen(t.Context()); open || err != nil {
			t.Errorf("setup is open: %v, %v", open, err)
		}
	}, open, func(s *setup) { s.policy.Scale = 1000 })
}

func TestSetupNeedsItsCode(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		if open, err := r.SetupOpen(t.Context()); !open || err != nil {
			t.Errorf("setup is open: %v, %v", open, err)
		}
		old := r.setupCode(t)
		r.clock.add(time.Millisecond)
		code := r.setupCode(t)
		r.signUp(t, "ana@example.com", hand())
		for name, bad := range map[string]string{"none": "", "an older one": old, "a guess": token.NewLink([32]byte{1}), "of another use": linkOf(t, r.lastMail("ana@example.com"))} {
			_, err := r.Setup(t.Context(), home, setupAs("root@example.com", bad))
			if got := named(err); got != "once.known" {
				t.Errorf("%s: %s", name, got)
			}
		}
		in := setupAs("root@example.com", code)
		in.Password = "short"
		_, err := r.Setup(t.Context(), home, in)
		refused(t, err, "password.good")
		_, err = r.Setup(t.Context(), home, setupAs("not one", code))
		refused(t, err, "address.form")
		p := r.person()
		_, err = r.Setup(t.Context(), home, setupAs(p.email, code))
		refused(t, err, "address.free")
		r.clock.add(30 * time.Minute)
		_, err = r.Setup(t.Context(), home, setupAs("root@example.com", code))
		refused(t, err, "once.in_time")
		if n := r.count(`select count(*) from users where admin = 1`); n != 0 {
			t.Fatalf("%d administrators", n)
		}
		if d := read(t, r.store, func(v core.View) bool { return v.Deployment().AdminEver }); d {
			t.Error("refusals closed setup")
		}
		if _, err := r.Setup(t.Context(), home, setupAs("root@example.com", r.setupCode(t))); err != nil {
			t.Error(err)
		}
	}, open)
}

// Attack TEN-15: an administrator made on the host ends setup as well, codes
// that were handed out included.
func TestAnAppointedAdministratorEndsSetup(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		code := r.setupCode(t)
		for range 2 {
			if err := r.manage.Appoint(t.Context(), operator, r.person().id); err != nil {
				t.Fatal(err)
			}
		}
		_, err := r.Setup(t.Context(), home, setupAs("root@example.com", code))
		refused(t, err, "setup.open")
		_, err = r.OfferSetup(t.Context(), operator)
		refused(t, err, "setup.open")
		if n := r.count(`select count(*) from users where admin = 1`); n != 2 {
			t.Errorf("%d administrators", n)
		}
	}, open)
}

// Guesses of links are few from one network, whatever they are for.
func TestLinksAreTriedSlowly(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for range 20 {
			_, err := r.Setup(t.Context(), home, setupAs("root@example.com", "x"))
			refused(t, err, "once.known")
		}
		_, err := r.AcceptInvitation(t.Context(), home, exchange.ConfirmInput{OnceRef: exchange.OnceRef{Link: "x"}}, "")
		if e := refused(t, err, "limit.network"); e.RetryAfter <= 0 {
			t.Errorf("the wait is %v", e.RetryAfter)
		}
	}, open)
}
