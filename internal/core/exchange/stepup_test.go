package exchange_test

import (
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
)

// ASVS 7.2.4: a fresh proof gives the session a new secret, and the old one
// is nothing from that moment on, at every node.
func TestStepUp(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(behind)
		p := r.person()
		in := one.signIn(t, p)
		two.live(t, in.Cookie)
		one.live(t, in.Cookie)
		r.clock.add(11 * time.Minute)
		two.catchUp(t)
		two.live(t, in.Cookie) // from its cache
		one.spy.take()
		cookie, err := one.StepUp(t.Context(), home, in.Cookie, password)
		if err != nil || cookie == in.Cookie || cookie == "" {
			t.Fatalf("step-up: %v", err)
		}
		one.cookieRefused(t, in.Cookie, "session.presented")
		two.catchUp(t)
		two.cookieRefused(t, in.Cookie, "session.presented")
		for _, n := range []*node{one, two} {
			who := n.live(t, cookie)
			if who.Session.ID != in.Session.ID || !who.Session.AuthTime.Equal(r.clock.now()) {
				t.Errorf("session %v proved at %v", who.Session.ID, who.Session.AuthTime)
			}
		}
		if got, want := kinds(one.spy.take()[0]), []string{"revocation.Next", "revocation.Revoke", "factor.Use", "session.Renew"}; !slices.Equal(got, want) {
			t.Errorf("wrote %v", got)
		}
		// Nothing else of the session is lost.
		next := one.refresh(t, in.Refresh)
		if c := one.inspected(t, next.Access); !c.AuthTime.Equal(r.clock.now().Truncate(time.Second)) {
			t.Errorf("the next access token says proved at %v", c.AuthTime)
		}
		if err := one.End(t.Context(), home, exchange.Credential{Cookie: cookie}, in.Session.ID); err != nil {
			t.Errorf("a fresh proof is not fresh: %v", err)
		}
		if events := r.events(); len(events) != 1 {
			t.Errorf("events %v, want the end alone", events)
		}
	})
}

func TestAWrongStepUp(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.signIn(t, p)
		stranger := from("203.0.113.9") // somebody who holds the cookie
		_, err := r.StepUp(t.Context(), stranger, in.Cookie, "wrong")
		if f := refused(t, err, "password.fits"); f.Check().Shown != "signin.failed" {
			t.Errorf("shows %s", f.Check().Shown)
		}
		units := r.spy.take()
		if e, err := entry(units[len(units)-1]); err != nil || e.User != p.id || e.Session != in.Session.ID || !e.Refused {
			t.Errorf("entry %+v: %v", e, err)
		}
		_, err = r.StepUp(t.Context(), stranger, in.Cookie, password)
		if f := refused(t, err, "limit.address"); f.RetryAfter != time.Second {
			t.Errorf("again in %v", f.RetryAfter)
		}
		// It counts where a sign-in counts.
		if f := r.tries(t, elsewhere(1), p.email, password); id(f) != "limit.address" {
			t.Errorf("a sign-in after it: %s", id(f))
		}
		if who := r.live(t, in.Cookie); !who.Session.AuthTime.Equal(in.Session.AuthTime) {
			t.Error("a wrong password moved the proof")
		}
		for cookie, want := range map[string]string{"": "session.presented", "dw_st_junk": "session.presented", in.Refresh: "session.presented"} {
			_, err := r.StepUp(t.Context(), home, cookie, password)
			refused(t, err, want)
		}
		r.pause(t, p)
		_, err = r.StepUp(t.Context(), home, in.Cookie, password)
		refused(t, err, "session.alive")
	})
}

// Of two step-ups of one session at once one gets the new secret; the other's
// answer must not be a cookie that is none.
func TestSimultaneousStepUps(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes()
		seat := r.seat(r.person())
		cookies, errs := make([]string, 2), make([]error, 2)
		together(2, func(i int) {
			cookies[i], errs[i] = []*node{one, two}[i].StepUp(t.Context(), home, seat.Cookie, password)
		})
		one.catchUp(t)
		won := 0
		for i, err := range errs {
			if err == nil {
				won++
				one.live(t, cookies[i])
			} else {
				refused(t, err, "session.presented")
			}
		}
		if won != 1 {
			t.Errorf("%d won: %v", won, errs)
		}
	})
}
