package exchange_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/token"
)

// full is a gate whose one place is taken until the test lets go, and whose
// callers give up when the test says so.
type full struct {
	gate    *factor.Gate
	waits   chan struct{} // one for each caller who begins to wait
	givesUp chan time.Time
	letGo   func()
}

func newFull() *full {
	f := &full{givesUp: make(chan time.Time), waits: make(chan struct{}, 1000)}
	f.gate = factor.NewGate(1, func(time.Duration) <-chan time.Time {
		f.waits <- struct{}{}
		return f.givesUp
	})
	return f
}

func (f *full) take(t *testing.T) {
	in, out, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		if err := f.gate.Do(t.Context(), factor.Strangers, func() { close(in); <-out }); err != nil {
			t.Error(err)
		}
	}()
	<-in
	f.letGo = sync.OnceFunc(func() { close(out); <-left })
	t.Cleanup(f.letGo)
}

// Attack DOS-02: when no comparison can be made the answer is "later", and
// nothing was issued or counted. Those signed in notice nothing.
func TestAFloodOfSignIns(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		var cookies, access []string
		refresh := make([]string, 20)
		for i := range refresh {
			out := r.seat(p)
			cookies, refresh[i] = append(cookies, out.Cookie), out.Refresh
		}
		f := newFull()
		n := r.on(r.store, func(s *setup) { s.gate = f.gate })
		for i := range refresh {
			out := n.refresh(t, refresh[i])
			refresh[i], access = out.Refresh, append(access, out.Access)
		}
		f.take(t)
		var flood sync.WaitGroup
		answers := make([]error, 500)
		for i := range answers {
			flood.Go(func() {
				email := p.email
				if i > 0 {
					email = fmt.Sprintf("flood%d@example.com", i)
				}
				_, answers[i] = n.Password(t.Context(), elsewhere(i), exchange.PasswordInput{Email: email, Password: password})
			})
		}
		for range 48 {
			<-f.waits
		}
		together(20, func(i int) {
			if _, err := n.Cookie(t.Context(), cookies[i]); err != nil {
				t.Errorf("cookie in the flood: %v", err)
			}
			if _, err := n.Bearer(t.Context(), token.Alone(access[i])); err != nil {
				t.Errorf("access token in the flood: %v", err)
			}
			if _, err := n.Refresh(t.Context(), home, exchange.RefreshInput{Token: refresh[i]}); err != nil {
				t.Errorf("refresh in the flood: %v", err)
			}
			if _, err := n.SignOut(t.Context(), home, exchange.Credential{Cookie: cookies[i]}); err != nil {
				t.Errorf("sign-out in the flood: %v", err)
			}
		})
		close(f.givesUp)
		flood.Wait()
		busy := 0
		for i, err := range answers {
			var f *check.Refusal
			switch {
			case errors.As(err, &f) && id(f) == "password.capacity" && f.RetryAfter > 0 && f.Check().Shown == "password.capacity":
				busy++
			case !errors.Is(err, core.ErrUnavailable): // a slow machine: "later" too
				t.Fatalf("sign-in %d of the flood: %v", i, err)
			}
		}
		if busy < 48 {
			t.Errorf("%d of the flood were told that there is no room", busy)
		}
		if s, f := r.count(`select count(*) from sessions where ended = 0`), r.count(`select count(*) from failures`); s != 0 || f != 0 {
			t.Errorf("the flood left %d sessions and %d failures", s, f)
		}
		f.letGo()
		if f := n.tries(t, home, p.email, password); f != nil {
			t.Errorf("after the flood: %s", id(f))
		}
	})
}
