package settle

import (
	"context"
	"sync"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
)

// talliesAtMost bounds what strangers can make this node remember. Beyond it
// networks are counted together.
const talliesAtMost = 4096

// Tallies counts refusals of nobody known between two flushes.
type Tallies struct {
	mu sync.Mutex
	of map[ledger.Tally]int // keyed with a Count of zero
}

// NewTallies counts nothing yet.
func NewTallies() *Tallies { return &Tallies{of: map[ledger.Tally]int{}} }

// Add counts. It never blocks on the store.
func (t *Tallies) Add(x ledger.Tally) {
	n := x.Count
	x.Count = 0
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.of[x]; !known && len(t.of) >= talliesAtMost {
		x.Network = ""
	}
	t.of[x] += n
}

// Flush writes the counts.
func (t *Tallies) Flush(ctx context.Context, s core.Store) error {
	t.mu.Lock()
	of := t.of
	t.of = map[ledger.Tally]int{}
	t.mu.Unlock()
	u := make(core.Unit, 0, len(of))
	for x, n := range of {
		x.Count = n
		u = append(u, x)
	}
	if len(u) == 0 {
		return nil
	}
	if _, err := s.Commit(ctx, u); err != nil {
		// Counted again with the next flush.
		for _, w := range u {
			t.Add(w.(ledger.Tally))
		}
		return err
	}
	return nil
}
