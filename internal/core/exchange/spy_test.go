package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/ledger"
)

// A spy stands between a node and its store. It remembers what was committed
// and fails as its test asks; everything else is the store's own doing.
type spy struct {
	core.Store
	mu     sync.Mutex
	units  []core.Unit
	before func(u core.Unit) error // an error keeps the unit from the store
	after  func(u core.Unit) error // an error takes the answer away
	view   func()                  // a view is opened
	blind  atomic.Bool             // reads fail
}

func (s *spy) onView(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = f
}

// View is one that fails every read, as a real one does, when the spy is blind.
func (s *spy) View(ctx context.Context) core.View {
	s.mu.Lock()
	view := s.view
	s.mu.Unlock()
	if view != nil {
		view()
	}
	if s.blind.Load() {
		gone, cancel := context.WithCancel(ctx)
		cancel()
		return s.Store.View(gone)
	}
	return s.Store.View(ctx)
}

func (s *spy) Commit(ctx context.Context, u core.Unit) (core.Receipt, error) {
	s.mu.Lock()
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(u); err != nil {
			return core.Receipt{}, err
		}
	}
	r, err := s.Store.Commit(ctx, u)
	if err != nil {
		return r, err
	}
	s.mu.Lock()
	s.units = append(s.units, u)
	s.mu.Unlock()
	if after != nil {
		if err := after(u); err != nil {
			return core.Receipt{}, err
		}
	}
	return r, nil
}

// errDisk is a store that did not answer.
var errDisk = fmt.Errorf("%w: the disk is gone", core.ErrUnavailable)

// on sets what happens around commits.
func (s *spy) on(before, after func(u core.Unit) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

// take gives the units committed since it was last asked.
func (s *spy) take() []core.Unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.units
	s.units = nil
	return out
}

// kinds names the writes of a unit, those of the ledger left out.
func kinds(u core.Unit) (out []string) {
	for _, w := range u {
		switch w.(type) {
		case ledger.Record, ledger.Keep:
		default:
			out = append(out, reflect.TypeOf(w).String())
		}
	}
	return out
}

// has says whether a unit holds a write of a type, and gives the first.
func has[W core.Write](u core.Unit) (w W, ok bool) {
	for _, x := range u {
		if w, ok = x.(W); ok {
			return w, true
		}
	}
	return w, false
}

// entry reads the ledger's entry in a unit.
func entry(u core.Unit) (ledger.Entry, error) {
	r, ok := has[ledger.Record](u)
	if !ok {
		return ledger.Entry{}, errors.New("the unit has no entry")
	}
	return ledger.Unpack(r.Body)
}

// failing is the check that an entry was refused by.
func failing(e ledger.Entry) string {
	for _, s := range e.Steps {
		if !s.Held {
			return s.Check.ID
		}
	}
	return ""
}

func (x *tallied) add(t ledger.Tally) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for range t.Count {
		x.ids = append(x.ids, check.Numbered(t.Check).ID)
	}
}

// take gives the checks tallied since it was last asked.
func (x *tallied) take() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := x.ids
	x.ids = nil
	return out
}
