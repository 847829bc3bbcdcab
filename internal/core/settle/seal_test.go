package settle_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/settle"
)

var sealing = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// Of sealers at once one wins each segment: no entry twice, none lost.
func TestSealersAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for range 20 {
			if err := r.Run(t.Context(), trade, by, judged(true, true, nil), nil); err != nil {
				t.Fatal(err)
			}
			r.add(time.Millisecond)
		}
		var mu sync.Mutex
		sealed := 0
		var all sync.WaitGroup
		plain := &settle.Pipeline{Store: r.store}
		for range 8 {
			all.Go(func() {
				n, err := plain.Seal(t.Context(), ledger.Audit, sealing)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				sealed += n
			})
		}
		all.Wait()
		v := r.store.View(t.Context())
		var before ledger.Segment
		in := 0
		for _, s := range v.Segments(ledger.Audit, 1, 100) {
			if err := s.Verify(before, sealing.Public().(ed25519.PublicKey)); err != nil {
				t.Error(err)
			}
			before, in = s, in+s.Count
		}
		if left := v.OpenEntries(ledger.Audit, 100); sealed != 20 || in != 20 || len(left) != 0 || len(r.entries(t)) != 20 {
			t.Errorf("%d said to be sealed, %d in segments, %d left, %d found", sealed, in, len(left), len(r.entries(t)))
		}
	})
}

// More than one segment's worth goes into as many as it takes.
func TestALongLedgerIsSealedInParts(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		var u core.Unit
		for i := range ledger.SealAtMost + 5 {
			e := ledger.Entry{ID: ledger.NewID(r.now().Add(time.Duration(i)*time.Millisecond), [16]byte{}), At: r.now(), Chain: ledger.Rest, Exchange: trade, Number: trade.Number, User: ana}
			record, _ := e.Writes([16]byte{})
			u = append(u, record)
		}
		r.commit(t, u)
		for _, want := range []int{ledger.SealAtMost, 5, 0} {
			if n, err := r.Seal(t.Context(), ledger.Rest, sealing); n != want || err != nil {
				t.Fatalf("sealed %d, %v; want %d", n, err, want)
			}
		}
		if n := len(r.entries(t)); n != ledger.SealAtMost+5 {
			t.Errorf("%d entries are found", n)
		}
	})
}

func TestNothingIsSealedWithoutItsStore(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		if err := r.Run(t.Context(), trade, by, judged(true, true, nil), nil); err != nil {
			t.Fatal(err)
		}
		r.spy.before = func(core.Unit) error { return core.ErrUnavailable }
		if _, err := r.Seal(t.Context(), ledger.Audit, sealing); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("Seal: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Seal(gone, ledger.Audit, sealing); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("Seal of one who left: %v", err)
		}
		if open := r.store.View(t.Context()).OpenEntries(ledger.Audit, 10); len(open) != 1 {
			t.Errorf("%d entries are left", len(open))
		}
	})
}

// Tallies count what strangers did, are bounded however many there are, and
// are not lost when a flush is.
func TestTallies(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		kept := map[string]int{}
		r.spy.before = func(u core.Unit) error {
			if r.spy.commits == 1 {
				return core.ErrUnavailable
			}
			for _, w := range u {
				x := w.(ledger.Tally)
				kept[x.Network] += x.Count
			}
			return nil
		}
		tallies := settle.NewTallies()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for i := range 5000 {
					tallies.Add(ledger.Tally{Minute: r.now(), Exchange: 1, Check: 2, Network: fmt.Sprint("net ", i), Count: 1})
				}
			})
		}
		all.Wait()
		if err := tallies.Flush(t.Context(), r.spy); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("a flush that failed: %v", err)
		}
		for range 2 {
			if err := tallies.Flush(t.Context(), r.spy); err != nil {
				t.Fatal(err)
			}
		}
		sum := 0
		for _, n := range kept {
			sum += n
		}
		if sum != 20000 || len(kept) > 4097 || kept[""] == 0 || r.spy.commits != 2 {
			t.Errorf("%d counted in %d rows, %d together, %d commits", sum, len(kept), kept[""], r.spy.commits)
		}
	})
}
