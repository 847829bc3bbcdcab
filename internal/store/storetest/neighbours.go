package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/risk"
)

// A Crowd is how a test makes the units of Neighbours meet at their worst.
// The zero value lets them meet as they may.
type Crowd struct {
	// Broken is committed among the others. It must fail and change nothing,
	// with an error that is a loss only if Lost says so.
	Broken core.Unit
	Lost   bool
	// Stop makes the writer stand still. queued then waits until n units wait
	// for it, and release lets it go on.
	Stop func() (queued func(n int), release func())
}

// Places in the crowd of those that are not like the others.
const (
	crowd     = 64
	loser     = 11
	doubles   = 23
	cancelled = 36
	broken    = 48
)

// Neighbours commits 64 units at once, some of which fail each in its own
// way, and holds that all others commit exactly once and are answered only
// when others can see them.
func Neighbours(t *testing.T, s core.Store, c Crowd) {
	worlds := make([]world, crowd)
	for i := range worlds {
		worlds[i] = newWorld(i+100, 0)
	}
	taken := newWorld(99, 0)
	commit(t, s, taken.people())
	unit := func(i int) core.Unit {
		w := worlds[i]
		// The count would show a unit that was applied twice.
		u := core.Unit{risk.Fail{Key: w.hash(1), At: at}}
		if i%2 == 0 {
			u = append(u, w.person(w.ana, "ana"))
		}
		switch i {
		case loser:
			return append(u, identity.Cut{ID: taken.ana, Guard: 7})
		case doubles:
			return append(u, with(w.person(w.ben, "ben"), func(x *identity.Create) { x.Address = taken.address("ana") }))
		case broken:
			return append(u, c.Broken...)
		}
		return u
	}
	var queued func(int)
	var release func()
	if c.Stop != nil {
		queued, release = c.Stop()
	}
	ctx := waiting(t)
	impatient, leave := context.WithCancel(ctx)
	left := make(chan struct{})
	ends, seen := make([]error, crowd), make([]bool, crowd)
	attended := make(chan struct{})
	go func() {
		defer close(attended)
		together(crowd, func(i int) {
			ctx := ctx
			if i == cancelled {
				ctx = impatient
				defer close(left)
			}
			_, ends[i] = s.Commit(ctx, unit(i))
			seen[i] = s.View(t.Context()).Failures(worlds[i].hash(1)).Count == 1
		})
	}()
	if c.Stop == nil {
		leave()
	} else {
		queued(crowd)
		leave()
		<-left // though the unit still waits for the writer
		release()
	}
	<-attended

	for i, w := range worlds {
		is := read(t, s, func(v core.View) string {
			return fmt.Sprint(v.User(w.ana).Exists(), v.User(w.ben).Exists(), v.Failures(w.hash(1)).Count)
		})
		var lost *core.Lost
		switch present, absent := fmt.Sprint(i%2 == 0, false, 1), "false false 0"; {
		case i == cancelled:
			if is != present && is != absent {
				t.Errorf("the unit whose caller left is neither whole nor absent: %s", is)
			}
			if ends[i] != nil && !errors.Is(ends[i], core.ErrUnavailable) {
				t.Errorf("the caller who left was told %v", ends[i])
			}
		case i == loser || i == doubles:
			if !errors.As(ends[i], &lost) || is != absent {
				t.Errorf("unit %d, which must lose: %v, %s", i, ends[i], is)
			}
		case i == broken && c.Broken != nil:
			if errors.As(ends[i], &lost) != c.Lost || errors.Is(ends[i], core.ErrUnavailable) == c.Lost || is != absent {
				t.Errorf("the broken unit: %v, %s", ends[i], is)
			}
		case ends[i] != nil || is != present:
			t.Errorf("unit %d paid for its neighbours: %v, %s", i, ends[i], is)
		case !seen[i]:
			t.Errorf("unit %d was answered before it could be seen", i)
		}
	}
}
