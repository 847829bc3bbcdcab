package doorward

import (
	"context"
	"sync"
)

// A flight is a call that is shared by all who need it at the same time: at
// most one is in the air. It does not end when one of those who wait gives up.
type flight struct {
	mu  sync.Mutex
	now *call
}

type call struct {
	done chan struct{}
	err  error
}

// join starts fn, or joins the one in the air, and waits for its end or ctx's.
// fn runs under life, which outlives the request.
func (f *flight) join(ctx, life context.Context, fn func(context.Context) error) error {
	c := f.start(life, fn)
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start is join without the wait.
func (f *flight) start(life context.Context, fn func(context.Context) error) *call {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != nil {
		return f.now
	}
	c := &call{done: make(chan struct{})}
	f.now = c
	go func() {
		c.err = fn(life)
		f.mu.Lock()
		f.now = nil
		f.mu.Unlock()
		close(c.done)
	}()
	return c
}
