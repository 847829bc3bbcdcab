package exchange

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

// secretMarks are uses of clients' secrets that are not written yet: an
// operator wants to see when a former secret is used no more, and no request
// waits for that.
type secretMarks struct {
	mu sync.Mutex
	at map[client.Used]time.Time // by what is written, without its instant
}

// usedEvery is how exact the last use of a secret is.
const usedEvery = time.Minute

// note puts a use on the list to be written, when it is worth a write.
func (m *secretMarks) note(id string, s client.Secret, now time.Time) {
	if now.Sub(s.Used) < usedEvery {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at[client.Used{ID: id, Hash: s.Hash}] = now
}

// FlushUsed writes what note collected, in one order, at most 256 a unit. What
// cannot be written is noted again by the next use.
func (x *Exchanges) FlushUsed(ctx context.Context) error {
	x.secrets.mu.Lock()
	at := x.secrets.at
	x.secrets.at = map[client.Used]time.Time{}
	x.secrets.mu.Unlock()
	used := make([]client.Used, 0, len(at))
	for u, when := range at {
		u.At = when
		used = append(used, u)
	}
	slices.SortFunc(used, func(a, b client.Used) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	for chunk := range slices.Chunk(used, 256) {
		var u core.Unit
		for _, w := range chunk {
			u = append(u, w)
		}
		if _, err := x.pipe.Store.Commit(ctx, u); err != nil {
			return err
		}
	}
	return nil
}
