package storetest

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/revocation"
)

// Positions commits revoking units from 50 callers over all the given stores
// of one database while a reader follows the feed of each by position, and
// holds that no reader misses an event, sees one twice, sees half a unit or
// goes back. A reader of a database sequence fails this: numbers are taken
// before they are committed.
func Positions(t *testing.T, stores ...core.Store) {
	const callers, each = 50, 6
	for _, s := range stores {
		warm(t, s)
	}
	base := read(t, stores[0], core.View.Head)
	var mu sync.Mutex
	written := map[uint64][]string{} // the names of each position
	var busy, overlapped atomic.Int64
	ctx := waiting(t)

	done := make(chan struct{})
	var readers sync.WaitGroup
	read := make([]map[uint64][]string, len(stores))
	for i, s := range stores {
		readers.Go(func() { read[i] = follow(t, s, base, done) })
	}
	together(callers, func(i int) {
		for n := range each {
			var names []string
			u := revoking()
			for k := range 1 + (i+n)%4 {
				names = append(names, fmt.Sprintf("%d-%d-%d", i, n, k))
				u = append(u, revoke(revocation.JTI, names[k]))
			}
			if busy.Add(1) > 1 {
				overlapped.Add(1)
			}
			r, err := stores[i%len(stores)].Commit(ctx, u)
			busy.Add(-1)
			if err != nil {
				t.Errorf("Commit: %v", err)
				return
			}
			mu.Lock()
			if written[r.Seq] != nil {
				t.Errorf("two units were told position %d", r.Seq)
			}
			written[r.Seq] = names
			mu.Unlock()
		}
	})
	close(done)
	readers.Wait()

	for seq := base + 1; seq <= base+callers*each; seq++ {
		if written[seq] == nil {
			t.Errorf("nobody was told position %d: they are not consecutive", seq)
		}
	}
	for _, got := range read {
		if !maps.EqualFunc(got, written, slices.Equal) {
			t.Errorf("a reader's events are not the ones that were committed: %d positions of %d", len(got), len(written))
		}
	}
	t.Logf("%d of %d commits overlapped with another", overlapped.Load(), callers*each)
}

// follow reads the feed page by page until done and nothing is left.
func follow(t *testing.T, s core.Store, after uint64, done <-chan struct{}) map[uint64][]string {
	seen := map[uint64][]string{}
	for {
		over := false
		select {
		case <-done:
			over = true // what is read from here on is all there is
		default:
		}
		v := s.View(t.Context())
		head := v.Head()
		page := v.Events(after, 3)
		if err := v.Err(); err != nil {
			t.Errorf("the reader: %v", err)
			return seen
		}
		was := after
		for _, e := range page {
			switch {
			case e.Seq <= was:
				t.Errorf("position %d came again, or in two pieces, after %d", e.Seq, was)
			case e.Seq < after:
				t.Errorf("position %d came after %d", e.Seq, after)
			}
			after = e.Seq
			seen[e.Seq] = append(seen[e.Seq], e.Name.ID)
		}
		// A node believes that it has applied all events up to the head it
		// read before them.
		if after < head && len(page) == 0 {
			t.Errorf("the head was %d and its events are not there", head)
			return seen
		}
		if over && len(page) == 0 {
			return seen
		}
	}
}
