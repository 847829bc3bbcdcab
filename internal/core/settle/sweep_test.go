package settle_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var keep = settle.Retention{Ledger: 90 * 24 * time.Hour, Audit: 400 * 24 * time.Hour}

func onward(context.Context) error { return nil }

// signIn is a session and its family, both with the same absolute end.
func signIn(n uint16, end time.Time) core.Unit {
	id := [16]byte{byte(n >> 8), byte(n), 1}
	hash := [32]byte{byte(n >> 8), byte(n), 1}
	return core.Unit{
		session.Start{ID: id, User: ana, Hash: hash, Created: end.Add(-time.Hour), IdleUntil: end, MaxUntil: end, IP: "192.0.2.1"},
		token.Open{ID: id, Client: client.BuiltIn, Session: id, User: ana, Created: end.Add(-time.Hour), IdleUntil: end, MaxUntil: end},
	}
}

// A sweep takes what ended more than a day ago, to the microsecond, and
// nothing that is younger: not even what is dead.
func TestASweepTakesNothingThatLives(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		now := r.now().Truncate(time.Microsecond)
		day, us := 24*time.Hour, time.Microsecond
		u := core.Unit{
			risk.Fail{Key: [32]byte{1}, At: now.Add(-day - us)}, risk.Fail{Key: [32]byte{2}, At: now.Add(-day)},
			risk.Know{Key: [32]byte{1}, Until: now}, risk.Know{Key: [32]byte{2}, Until: now.Add(us)},
			ledger.Keep{ID: ledger.NewID(now.Add(-keep.Ledger-us), [16]byte{15: 1}), At: now.Add(-keep.Ledger - us), Body: []byte("{}")},
			ledger.Keep{ID: ledger.NewID(now.Add(-keep.Ledger), [16]byte{15: 2}), At: now.Add(-keep.Ledger), Body: []byte("{}")},
			ledger.Tally{Minute: now.Add(-keep.Ledger - us), Count: 1}, ledger.Tally{Minute: now.Add(-keep.Ledger), Count: 1},
		}
		for n, end := range []time.Time{now.Add(-day - us), now.Add(-day), now.Add(us)} {
			u = append(u, signIn(uint16(n), end)...)
		}
		r.commit(t, append(u, token.Burn{ID: [16]byte{0, 1, 1}, At: now.Add(-20 * day)}))
		if err := r.Sweep(t.Context(), keep, onward); err != nil {
			t.Fatal(err)
		}
		v := r.store.View(t.Context())
		got := []any{
			v.Session([16]byte{0, 0, 1}).Exists(), v.Session([16]byte{0, 1, 1}).Exists(), v.Session([16]byte{0, 2, 1}).Exists(),
			v.Family([16]byte{0, 0, 1}).Exists(), v.Family([16]byte{0, 1, 1}).Exists(), v.Family([16]byte{0, 2, 1}).Exists(),
			v.Failures([32]byte{1}).Count, v.Failures([32]byte{2}).Count, v.Knows([32]byte{1}, now.Add(-us)), v.Knows([32]byte{2}, now),
			len(v.PastPrivate(now, 10)), len(v.PastTallies(now, 10)),
		}
		if want := []any{false, true, true, false, true, true, 0, 1, false, true, 1, 1}; v.Err() != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("after the sweep there are %v, want %v (%v)", got, want, v.Err())
		}
	})
}

// However much there is, one unit takes a bounded part of it, and whoever
// waits behind the writer gets in between.
func TestASweepGoesInSmallUnits(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		const many = 2*settle.SweepAtMost + 1
		for n := range uint16(many) {
			r.commit(t, signIn(n, r.now().Add(-48*time.Hour)))
		}
		most, pauses := 0, 0
		r.spy.before = func(u core.Unit) error {
			for _, w := range u {
				for _, f := range []string{"IDs", "Keys"} {
					if list := reflect.ValueOf(w).FieldByName(f); list.IsValid() {
						most = max(most, list.Len())
					}
				}
			}
			most = max(most, len(u))
			return nil
		}
		stop := errors.New("stop")
		if err := r.Sweep(t.Context(), keep, func(context.Context) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("a pause that ends the sweep: %v", err)
		}
		if err := r.Sweep(t.Context(), keep, func(context.Context) error { pauses++; return nil }); err != nil {
			t.Fatal(err)
		}
		v := r.store.View(t.Context())
		if left := len(v.Sessions(session.Query{Limit: many})); left != 0 || most != settle.SweepAtMost || pauses < 4 {
			t.Errorf("%d sessions left, %d rows in a unit, %d pauses", left, most, pauses)
		}
	})
}

// Old segments go from the front, whole, with what they are found by; the rest
// still verifies from the first that was kept, and the next is chained to it.
func TestASweepLeavesTheChainWhole(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		seal := func() {
			t.Helper()
			if err := r.Run(t.Context(), trade, by, judged(true, true, nil), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Seal(t.Context(), ledger.Audit, sealing); err != nil {
				t.Fatal(err)
			}
		}
		seal()
		seal()
		r.add(keep.Audit)
		seal()
		if err := r.Sweep(t.Context(), keep, onward); err != nil || len(r.entries(t)) != 3 {
			t.Fatalf("%d entries of the last 400 days are left, %v", len(r.entries(t)), err)
		}
		r.add(time.Millisecond)
		if err := r.Sweep(t.Context(), keep, onward); err != nil || len(r.entries(t)) != 1 {
			t.Fatalf("%d entries are left, %v", len(r.entries(t)), err)
		}
		r.add(2 * keep.Audit)
		if err := r.Sweep(t.Context(), keep, onward); err != nil || len(r.entries(t)) != 1 {
			t.Fatalf("the newest segment is gone: %v", err)
		}
		seal()
		v := r.store.View(t.Context())
		kept := v.Segments(ledger.Audit, 0, 10)
		if len(kept) != 2 || kept[0].Number != 3 {
			t.Fatalf("%d segments are kept", len(kept))
		}
		before := ledger.Segment{Number: 2, Hash: kept[0].Prev}
		for _, s := range kept {
			if err := s.Verify(before, sealing.Public().(ed25519.PublicKey)); err != nil {
				t.Error(err)
			}
			before = s
		}
	})
}
