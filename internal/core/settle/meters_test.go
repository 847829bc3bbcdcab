package settle_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
)

// Nodes share what strangers may try (mission R3; attack DOS-01): who goes
// from node to node has one budget, and a restart does not give it back.
func TestNodesShareABudget(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		a, b := risk.NewMeters(1), risk.NewMeters(1)
		now := r.now()
		share := func(m *risk.Meters) {
			t.Helper()
			if err := settle.Share(t.Context(), r.store, m, now); err != nil {
				t.Fatal(err)
			}
		}
		tries := func(m *risk.Meters, n int) (allowed int) {
			for range n {
				if m.Take("password", "198.51.100.7/32", now, risk.PasswordTries) == 0 {
					allowed++
				}
			}
			return allowed
		}
		if got := tries(a, 15); got != 15 {
			t.Fatalf("one node allows %d of 15", got)
		}
		share(a)
		if got := tries(b, 1); got != 1 {
			t.Fatal("the other node does not begin")
		}
		share(b) // pays one and learns fifteen
		if got := tries(b, 10); got != 4 {
			t.Errorf("the other node allows %d more, want the 4 that are left", got)
		}
		share(b)
		restarted := risk.NewMeters(1)
		tries(restarted, 1)
		share(restarted)
		if got := tries(restarted, 5); got != 0 {
			t.Errorf("a restart gave %d tries back", got)
		}
		if got := a.Take("password", "198.51.100.8/32", now, risk.PasswordTries); got != 0 {
			t.Errorf("another network waits %v", got)
		}
		// A success is given back everywhere.
		good := risk.NewMeters(1)
		good.Take("password", "203.0.113.9/32", now, risk.PasswordTries)
		share(good)
		good.Refund("password", "203.0.113.9/32", risk.PasswordTries)
		share(good)
		for i := range 20 {
			if good.Take("password", "203.0.113.9/32", now, risk.PasswordTries) != 0 {
				t.Fatalf("after a success only %d of 20 are left", i)
			}
		}
		// Overspent by several, it is spent and comes back in its own time.
		if w := b.Take("password", "198.51.100.7/32", now.Add(61*time.Second), risk.PasswordTries); w != 0 {
			t.Errorf("a minute later: wait %v", w)
		}
	})
}
