package settle_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

// revoke takes a position and names n sessions at it.
func (r *rig) revoke(t *testing.T, at, n int) {
	t.Helper()
	u := core.Unit{revocation.Next{}}
	for i := range n {
		u = append(u, revocation.Of(name(at, i), r.now(), 5*time.Minute, 0))
	}
	r.commit(t, u)
}

func name(at, i int) revocation.Name {
	return revocation.Name{Unit: revocation.Session, ID: fmt.Sprintf("ses_%d_%d", at, i)}
}

// However many events there are, a read ends at the head and has all of them.
func TestAReadTakesEverything(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		const positions, each = 9, 1000
		for at := range positions {
			r.revoke(t, at, each)
		}
		r.commit(t, core.Unit{revocation.Next{}}) // a position whose events were forgotten
		if err := r.Follow.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at := r.Feed.Position(); at != positions+1 {
			t.Errorf("the node is at %d", at)
		}
		for at := range positions {
			for i := range each {
				if !r.Feed.Dead(uint64(at), name(at, i)) || r.Feed.Dead(uint64(at+1), name(at, i)) {
					t.Fatalf("%v is not known as of position %d", name(at, i), at+1)
				}
			}
		}
	})
}

// Reads that overlap each other and the commits of others never take the
// database for one that went back in time.
func TestReadsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := r.Follow.Read(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for at := range 200 {
			r.revoke(t, at, 1)
		}
		close(stop)
		readers.Wait()
		if err := r.Follow.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		for at := range 200 {
			if !r.Feed.Dead(uint64(at), name(at, 0)) {
				t.Errorf("position %d was missed", at+1)
			}
		}
	})
}

// A database that was restored from a backup is older than its nodes: they
// must not go on as if nothing were.
func TestADatabaseThatWentBack(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.Feed.Apply(nil, 5, r.now())
		err := r.Follow.Read(t.Context())
		if !errors.Is(err, core.ErrUnavailable) || r.Feed.Position() != 5 {
			t.Errorf("%v at %d", err, r.Feed.Position())
		}
	})
}

func TestAFollowerWithoutItsStore(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.revoke(t, 0, 1)
		if err := r.Follow.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.revoke(t, 1, 1)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		before, _ := r.Feed.Age(r.now())
		r.add(3 * time.Second)
		if err := r.Follow.Read(gone); !errors.Is(err, context.Canceled) || !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("Read: %v", err)
		}
		if age, _ := r.Feed.Age(r.now()); age != before+3*time.Second || r.Feed.Position() != 1 {
			t.Errorf("a read that failed made the view %v old, at %d", age, r.Feed.Position())
		}
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := r.Follow.Fresh(short); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("Fresh: %v", err)
		}
	})
}

// Whoever asks for a fresh view waits for a read that began after they asked.
func TestFresh(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		never := settle.NewFollower(r.store, revocation.NewLog(), r.now)
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := never.Fresh(short); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("a view that never was is fresh: %v", err)
		}
		if err := r.Follow.Fresh(t.Context()); err != nil {
			t.Errorf("a view of now: %v", err)
		}
		r.add(time.Second)
		if err := r.Follow.Fresh(t.Context()); err != nil {
			t.Errorf("a view of a second ago: %v", err)
		}
		r.add(time.Microsecond)
		r.revoke(t, 0, 1)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.Follow.Run(ctx, func(err error) { t.Error(err) }) })
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() {
				if err := r.Follow.Fresh(t.Context()); err != nil {
					t.Errorf("Fresh: %v", err)
				}
				if !r.Feed.Dead(0, name(0, 0)) {
					t.Error("the view is called fresh and does not hold what was revoked before")
				}
			})
		}
		asking.Wait()
		// A kick alone brings what another node did.
		moved := r.Feed.Moved()
		r.revoke(t, 1, 1)
		r.Follow.Kick()
		<-moved
		if !r.Feed.Dead(1, name(1, 0)) {
			t.Error("the feed moved without its event")
		}
		stop()
		running.Wait()
	})
}
