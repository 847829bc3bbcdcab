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

// Positions commits revoking units from 50 callers over all writers while a
// reader follows the feed by position, and holds that the reader misses no
// event, sees none twice, sees no half of a unit and never goes back. All
// stores are of one database. A feed numbered by a database sequence fails
// this: its numbers are taken before they are committed.
func Positions(t *testing.T, reader core.Store, writers ...core.Store) {
	const callers, each = 50, 6
	for _, s := range append(writers, reader) {
		warm(t, s)
	}
	base := read(t, reader, core.View.Head)
	var mu sync.Mutex
	written := map[uint64][]string{} // the names of each position
	var busy, overlapped atomic.Int64
	ctx := waiting(t)

	done, ended := make(chan struct{}), make(chan struct{})
	var got map[uint64][]string
	var pages int
	go func() {
		defer close(ended)
		got, pages = follow(t, reader, base, done)
	}()
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
			r, err := writers[i%len(writers)].Commit(ctx, u)
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
	<-ended

	for seq := base + 1; seq <= base+callers*each; seq++ {
		if written[seq] == nil {
			t.Errorf("nobody was told position %d: they are not consecutive", seq)
		}
	}
	if !maps.EqualFunc(got, written, slices.Equal) {
		t.Errorf("the reader's events are not the ones that were committed: %d positions of %d", len(got), len(written))
	}
	t.Logf("%d of %d commits overlapped with another, while the reader read %d pages", overlapped.Load(), callers*each, pages)
}

// follow reads the feed page by page until done and nothing is left.
func follow(t *testing.T, s core.Store, after uint64, done <-chan struct{}) (seen map[uint64][]string, pages int) {
	seen = map[uint64][]string{}
	for {
		pages++
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
			return seen, pages
		}
		was := after
		for _, e := range page {
			if e.Seq <= was || e.Seq < after {
				t.Errorf("position %d came after %d: again, in two pieces or out of order", e.Seq, after)
			}
			after = e.Seq
			seen[e.Seq] = append(seen[e.Seq], e.Name.ID)
		}
		// A node believes that it has applied all events up to the head it
		// read before them.
		if after < head && len(page) == 0 {
			t.Errorf("the head was %d and its events are not there", head)
			return seen, pages
		}
		if over && len(page) == 0 {
			return seen, pages
		}
	}
}
