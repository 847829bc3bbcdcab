package settle

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/revocation"
)

// KeysChanged is what a unit that changes keys tells the nodes.
var KeysChanged = revocation.Name{Unit: revocation.Changed, ID: "keys"}

const (
	keysEvery = time.Minute // how old a ring may become when nobody told of a change
	keysLook  = time.Second // how often a node asks itself whether its ring is due
)

// A KeyFollower keeps a node's keyring true: it reads the keys again when the
// feed says that they changed, when one takes its turn, and each minute in
// any case.
type KeyFollower struct {
	Store core.Store
	Feed  *revocation.Log
	Now   func() time.Time
	Open  func(ctx context.Context, keys []key.Key, now time.Time) (*key.Ring, error)
	Keys  *key.Keyring

	reading sync.Mutex // around one read, so that a later one is never overtaken
	mu      sync.Mutex
	rev     uint64    // the position before the latest good read
	read    time.Time // when that began
	err     error     // why the latest read was no good
}

// Read reads the keys and swaps the ring. When that fails the node goes on
// with the ring that it has: its keys are still keys.
func (f *KeyFollower) Read(ctx context.Context) error {
	f.reading.Lock()
	defer f.reading.Unlock()
	rev, began := f.Feed.Position(), f.Now()
	ring, err := f.open(ctx, began)
	if errors.Is(err, key.ErrWrongKEK) {
		// The key-encryption key may have been rotated between the rows and it.
		ring, err = f.open(ctx, began)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err = err; err != nil {
		return err
	}
	f.Keys.Swap(ring)
	f.rev, f.read = rev, began
	return nil
}

func (f *KeyFollower) open(ctx context.Context, now time.Time) (*key.Ring, error) {
	v := f.Store.View(ctx)
	keys := v.Keys()
	if err := v.Err(); err != nil {
		return nil, err
	}
	return f.Open(ctx, keys, now)
}

// Err is why the keyring may not be the database's, or nil.
func (f *KeyFollower) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *KeyFollower) due() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, ring := f.Now(), f.Keys.Ring()
	turn := ring != nil && !ring.Due.IsZero() && !now.Before(ring.Due)
	return f.err != nil || turn || now.Sub(f.read).Abs() >= keysEvery || f.Feed.Dead(f.rev, KeysChanged)
}

// Run reads until ctx ends. Errors go to report, once for each; the next read
// may succeed.
func (f *KeyFollower) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(keysLook)
	defer tick.Stop()
	said := ""
	for {
		moved := f.Feed.Moved()
		if f.due() {
			within, cancel := context.WithTimeout(ctx, freshLimit)
			err := f.Read(within)
			cancel()
			switch {
			case err == nil:
				said = ""
			case ctx.Err() == nil && err.Error() != said:
				said = err.Error()
				report(err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-moved:
		case <-tick.C:
		}
	}
}
