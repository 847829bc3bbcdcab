package settle

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/revocation"
)

const (
	pollEvery  = 250 * time.Millisecond
	freshFor   = time.Second     // a view older than this is read again before it is used
	freshLimit = 5 * time.Second // after which whoever waits is told "later"
	page       = 4096
)

// A Follower keeps a node's view of the feed true: it reads the head from the
// primary each 250 ms and whenever somebody asks.
type Follower struct {
	store core.Store
	feed  *revocation.Log
	now   func() time.Time
	kick  chan struct{}

	mu   sync.Mutex
	next chan struct{} // closed when the next read that begins from here on has ended
}

// NewFollower follows the feed of a store into a log.
func NewFollower(store core.Store, feed *revocation.Log, now func() time.Time) *Follower {
	return &Follower{store: store, feed: feed, now: now, kick: make(chan struct{}, 1), next: make(chan struct{})}
}

// Kick asks for a read at once. It never blocks; several kicks are one read.
func (f *Follower) Kick() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// Read reads the feed once.
func (f *Follower) Read(ctx context.Context) error {
	f.mu.Lock()
	done := f.next
	f.next = make(chan struct{})
	f.mu.Unlock()
	defer close(done)
	for {
		began := f.now()
		// Taken first: a read at the same time may move it past this head.
		at := f.feed.Position()
		v := f.store.View(ctx)
		head := v.Head()
		if err := v.Err(); err != nil {
			return err
		}
		var events []revocation.Event
		if head != at {
			if head < at {
				return fmt.Errorf("%w: the database's feed stands at %d, behind this node's %d: it went back in time", core.ErrUnavailable, head, at)
			}
			events = v.Events(at, page)
		}
		if err := v.Err(); err != nil {
			return err
		}
		// A full page ends at a whole position; the rest comes with the next.
		upto := head
		if len(events) >= page {
			upto = events[len(events)-1].Seq
		} else if n := len(events); n > 0 {
			upto = max(upto, events[n-1].Seq)
		}
		f.feed.Apply(events, upto, began)
		if len(events) < page {
			return nil
		}
	}
}

// Run reads until ctx ends. Errors go to report; the next read may succeed.
func (f *Follower) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	swept := f.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.kick:
		case <-tick.C:
		}
		within, cancel := context.WithTimeout(ctx, freshLimit)
		if err := f.Read(within); err != nil && ctx.Err() == nil {
			report(err)
		}
		cancel()
		if now := f.now(); now.Sub(swept).Abs() > time.Minute {
			swept = now
			f.feed.Sweep(now)
		}
	}
}

// Fresh returns nil when the view is at most a second old, reading it again
// if need be: all who wait share one read. After five seconds the answer is
// "later", never a guess.
func (f *Follower) Fresh(ctx context.Context) error {
	if age, ever := f.feed.Age(f.now()); ever && age.Abs() <= freshFor {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, freshLimit)
	defer cancel()
	for {
		f.mu.Lock()
		done := f.next
		f.mu.Unlock()
		f.Kick()
		select {
		case <-done:
		case <-ctx.Done():
			return fmt.Errorf("%w: the feed's head was not read in time", core.ErrUnavailable)
		}
		if age, ever := f.feed.Age(f.now()); ever && age.Abs() <= freshFor {
			return nil
		}
	}
}
