package exchange

import (
	"context"
	"sync"

	"github.com/doorward/doorward/internal/core/factor"
)

// turns lets two comparisons of one typed address run at once, on this node.
// Failures are counted when a comparison ends, so without it two hundred
// guesses sent together would all be compared (attack MFA-04).
type turns struct {
	mu sync.Mutex
	at map[[32]byte]*turn
}

type turn struct {
	places chan struct{}
	users  int
}

const (
	comparisons = 2
	queueing    = 64
)

func newTurns() *turns { return &turns{at: map[[32]byte]*turn{}} }

// take waits for a place; the returned function gives it back.
func (t *turns) take(ctx context.Context, key [32]byte) (release func(), err error) {
	t.mu.Lock()
	e := t.at[key]
	if e == nil {
		e = &turn{places: make(chan struct{}, comparisons)}
		t.at[key] = e
	}
	if e.users >= queueing {
		t.mu.Unlock()
		return nil, &factor.Busy{RetryAfter: busyFor}
	}
	e.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if e.users--; e.users == 0 {
			delete(t.at, key)
		}
	}
	select {
	case e.places <- struct{}{}:
		return func() { <-e.places; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
