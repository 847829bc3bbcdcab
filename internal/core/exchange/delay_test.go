package exchange_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
)

// tries a password and gives the refusal; nil when it signed in.
func (n *node) tries(t *testing.T, by settle.Caller, email, pw string) *check.Refusal {
	t.Helper()
	_, err := n.Password(t.Context(), by, exchange.PasswordInput{Email: email, Password: pw})
	var r *check.Refusal
	if err != nil && !errors.As(err, &r) {
		t.Fatal(err)
	}
	return r
}

// again is when to try again; 0 when a try was not refused.
func again(r *check.Refusal) time.Duration {
	if r == nil {
		return 0
	}
	return r.RetryAfter
}

func id(r *check.Refusal) string {
	if r == nil {
		return "signed in"
	}
	return r.Check().ID
}

// After wrong tries the next is not compared before the ladder's wait is over,
// whether it is right or wrong; after it, it is. Nobody is ever locked out.
func TestTheLadderOfDelays(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		steps := []struct {
			failures int
			wait     time.Duration
		}{{1, time.Second}, {2, time.Second}, {3, 3 * time.Second}, {8, 3 * time.Second}, {9, 5 * time.Second}, {24, 5 * time.Second}, {25, 10 * time.Second}, {400, 10 * time.Second}}
		place := 0
		try := func(pw string) *check.Refusal {
			place++
			return r.tries(t, elsewhere(place), p.email, pw)
		}
		for _, s := range steps {
			// All but the last of these failures are written as the exchange
			// writes them, for a comparison costs time.
			r.exec(`delete from failures`)
			for range s.failures - 1 {
				now := r.clock.now()
				if _, err := r.store.Commit(t.Context(), core.Unit{risk.Fail{Key: risk.AddressKey(p.email), At: now.Add(-time.Minute), Forgotten: risk.Forgotten(now)}}); err != nil {
					t.Fatal(err)
				}
			}
			if f := try("wrong"); id(f) != "password.fits" {
				t.Fatalf("try %d: %s", s.failures, id(f))
			}
			for _, pw := range []string{password, "wrong"} {
				f := try(pw)
				if id(f) != "limit.address" || again(f) != s.wait {
					t.Errorf("after %d failures %q is answered %s, again in %v; want %v", s.failures, pw, id(f), again(f), s.wait)
				}
			}
			r.clock.add(s.wait - time.Microsecond)
			if f := try(password); id(f) != "limit.address" {
				t.Errorf("a microsecond early: %s", id(f))
			}
			r.clock.add(time.Microsecond)
		}
		if f := try(password); f != nil {
			t.Errorf("the right password after the wait: %s", id(f))
		}
		if f := try("wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		if f := try("wrong"); again(f) != time.Second {
			t.Errorf("failures were not forgotten with the right password: again in %v", again(f))
		}
		r.clock.add(time.Second)
		r.exec(`update failures set count = 400`)
		r.clock.add(day)
		if f := try("wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		if f := try("wrong"); again(f) != time.Second {
			t.Errorf("a day later the first failure costs %v", again(f))
		}
	})
}

// Attack MFA-04: parallel checks must not beat the delays.
func TestSimultaneousGuesses(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		r.warm(t)
		for wave := range 3 {
			var mu sync.Mutex
			seen := map[string]int{}
			together(200, func(i int) {
				f := r.tries(t, elsewhere(wave*200+i), p.email, "wrong")
				mu.Lock()
				defer mu.Unlock()
				seen[id(f)]++
			})
			if n := seen["password.fits"]; n < 1 || n > 2 || n+seen["limit.address"]+seen["limit.network"] != 200 {
				t.Errorf("wave %d: %v, want at most two compared", wave, seen)
			}
			r.clock.add(3 * time.Second)
		}
		if n := r.count(`select count from failures`); n < 3 || n > 6 {
			t.Errorf("%d failures counted", n)
		}
	})
}

// Attack MFA-23: who fails elsewhere does not slow down the person at home,
// nor the other way round.
func TestAKnownNetworkHasItsOwnDelays(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, other := r.person(), r.person()
		r.signIn(t, p)
		for i := range 4 {
			if f := r.tries(t, elsewhere(i), p.email, "wrong"); id(f) != "password.fits" {
				t.Fatal(id(f))
			}
			r.clock.add(10 * time.Second)
		}
		if f := r.tries(t, elsewhere(9), p.email, "wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		if f := r.tries(t, elsewhere(10), p.email, password); id(f) != "limit.address" || again(f) != 3*time.Second {
			t.Errorf("elsewhere: %s", id(f))
		}
		if f := r.tries(t, home, p.email, password); f != nil {
			t.Errorf("at home: %s", id(f))
		}
		// The same household is not known for somebody else's address.
		if f := r.tries(t, home, other.email, "wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		if f := r.tries(t, elsewhere(11), other.email, "wrong"); id(f) != "limit.address" {
			t.Errorf("the other address: %s", id(f))
		}
		r.clock.add(10 * time.Second)
		if f := r.tries(t, home, p.email, "wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		if f := r.tries(t, home, p.email, password); id(f) != "limit.address" || again(f) != time.Second {
			t.Errorf("a wrong try at home counts for home: %s", id(f))
		}
		if f := r.tries(t, elsewhere(12), p.email, password); f != nil {
			t.Errorf("a wrong try at home does not count elsewhere: %s", id(f))
		}
		// A network is known for thirty days.
		r.clock.add(31 * day)
		if f := r.tries(t, elsewhere(13), p.email, "wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		if f := r.tries(t, home, p.email, password); id(f) != "limit.address" {
			t.Errorf("a month later home is nothing special: %s", id(f))
		}
	})
}

// Attack MFA-13, and a restart: one counter, kept in the store.
func TestOneCounterForOneAddress(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		restarted := r.on(r.store)
		other := r.open() // another server
		if f := r.tries(t, elsewhere(1), strings.ToUpper(p.email), "wrong"); id(f) != "password.fits" {
			t.Fatal(id(f))
		}
		for i, email := range []string{p.email, strings.ToUpper(p.email), strings.ToUpper(p.email[:4]) + p.email[4:]} {
			for j, n := range []*node{r.node, restarted, other} {
				if f := n.tries(t, elsewhere(10+3*i+j), email, password); id(f) != "limit.address" {
					t.Errorf("%s at server %d: %s", email, j, id(f))
				}
			}
		}
		// What names nobody is counted in the same way.
		for i, email := range []string{"nobody@example.com", "no address"} {
			if f := r.tries(t, elsewhere(30+i), email, "wrong"); id(f) != "user.known" {
				t.Fatal(id(f))
			}
			if f := restarted.tries(t, elsewhere(40+i), strings.ToUpper(email), "wrong"); id(f) != "limit.address" || again(f) != time.Second {
				t.Errorf("%q: %s", email, id(f))
			}
		}
	})
}

// One network has twenty wrong tries a minute; right ones cost nothing.
func TestTheBudgetOfANetwork(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		household := func(i int) settle.Caller { return from(fmt.Sprintf("2001:db8:1:2::%x", i+1)) }
		for i := range 3 {
			if f := r.tries(t, household(i), p.email, password); f != nil {
				t.Fatal(id(f))
			}
		}
		for i := range 20 {
			if f := r.tries(t, household(i), fmt.Sprintf("guess%d@example.com", i), "wrong"); id(f) != "user.known" {
				t.Fatalf("try %d: %s", i, id(f))
			}
		}
		r.spy.take()
		for _, email := range []string{p.email, "guess20@example.com"} {
			f := r.tries(t, household(40), email, password)
			if id(f) != "limit.network" || again(f) != 3*time.Second {
				t.Errorf("%s after twenty tries: %s, again in %v", email, id(f), again(f))
			}
		}
		if units := r.spy.take(); len(units) != 0 && len(units[0]) != 0 {
			t.Errorf("what was refused before it was compared wrote %v", units)
		}
		if f := r.tries(t, from("2001:db8:1:3::1"), p.email, password); f != nil {
			t.Errorf("the neighbour: %s", id(f))
		}
		r.clock.add(3 * time.Second)
		if f := r.tries(t, household(0), p.email, password); f != nil {
			t.Errorf("after the wait: %s", id(f))
		}
	})
}
