// Package storetest is the contract of storage as tests: whatever keeps state
// for Doorward passes them, or it does not keep it. A difference between two
// engines, of case or order or precision, is a way in; so every engine runs
// the same list.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
)

// Run holds a store against the contract. open gives an empty store, which it
// closes when the test ends.
func Run(t *testing.T, open func(t *testing.T) core.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, core.Store)
	}{
		{"EveryWrite", everyWrite},
		{"RoundTrip", roundTrip},
		{"Spelling", spelling},
		{"Reads", reads},
		{"Past", past},
		{"Whole", whole},
		{"Neighbours", func(t *testing.T, s core.Store) { Neighbours(t, s, Crowd{}) }},
		{"Positions", func(t *testing.T, s core.Store) { Positions(t, s, s) }},
		{"OneAdvance", oneAdvance},
		{"OneWinner", oneWinner},
		{"SignInRaces", func(t *testing.T, s core.Store) { SignInRaces(t, s, s) }},
		{"OppositeOrders", oppositeOrders},
		{"LastAdministrator", lastAdministrator},
		{"LastToGo", lastToGo},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// at is the instant around which everything here happens, to the microsecond.
var at = time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC)

// patience bounds a test that would otherwise hang; nothing waits for it.
const patience = 30 * time.Second

func waiting(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// commit commits a unit that must not fail.
func commit(t *testing.T, s core.Store, u core.Unit) core.Receipt {
	t.Helper()
	r, err := s.Commit(waiting(t), u)
	if err != nil {
		t.Fatalf("Commit(%+v): %v", u, err)
	}
	return r
}

// read looks at a fresh view, which must answer every read.
func read[T any](t *testing.T, s core.Store, f func(core.View) T) T {
	t.Helper()
	v := s.View(waiting(t))
	got := f(v)
	if err := v.Err(); err != nil {
		t.Fatalf("a read failed: %v", err)
	}
	return got
}

// loses commits a unit that must lose at the write w, and leave nothing.
func loses(t *testing.T, s core.Store, u core.Unit, w core.Write, see func(core.View) any) {
	t.Helper()
	before := read(t, s, see)
	r, err := s.Commit(waiting(t), u)
	var lost *core.Lost
	if !errors.As(err, &lost) {
		t.Errorf("%s: want it lost, got %v", show(u), err)
	} else if !reflect.DeepEqual(lost.Write, w) {
		t.Errorf("%s: lost at %s, want %s", show(u), show(lost.Write), show(w))
	}
	if r != (core.Receipt{}) {
		t.Errorf("%s: a lost unit has the receipt %+v", show(u), r)
	}
	same(t, "after a lost unit", read(t, s, see), before)
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, show(got), show(want))
	}
}

func show(x any) string { return fmt.Sprintf("%T%+v", x, x) }

// together runs n callers at the same moment and waits for all of them.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// warm opens as many connections as the store will use: a race whose callers
// still have to connect is over before the second one arrives.
func warm(t *testing.T, s core.Store) {
	t.Helper()
	together(64, func(int) { read(t, s, core.View.Head) })
}

// contest commits n units at the same moment and counts how they ended. Any
// end but a commit and a loss fails the test.
func contest(t *testing.T, s core.Store, n int, unit func(i int) core.Unit) (won, lost int) {
	t.Helper()
	ends := make([]error, n)
	ctx := waiting(t)
	together(n, func(i int) { _, ends[i] = s.Commit(ctx, unit(i)) })
	for _, err := range ends {
		var l *core.Lost
		switch {
		case err == nil:
			won++
		case errors.As(err, &l):
			lost++
		default:
			t.Errorf("neither committed nor lost: %v", err)
		}
	}
	return won, lost
}
