package settle_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

// keyRing is a ring that shows how many keys it was opened from.
func keyRing(_ context.Context, keys []key.Key, _ time.Time) (*key.Ring, error) {
	return &key.Ring{Refresh: make([]key.RefreshKey, len(keys))}, nil
}

func another(number int, at time.Time) key.Add {
	return key.Add{Purpose: key.Refresh, Number: number, KID: "a", Alg: "x", Sealed: []byte{1}, Created: at}
}

// A node that changes no keys itself swaps its ring when the feed says that
// another did, and after a minute even when nothing said so.
func TestTheRingFollowsTheDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		f := &settle.KeyFollower{Store: r.store, Feed: r.Feed, Now: r.now, Open: keyRing, Keys: key.NewKeyring(nil)}
		if err := f.Read(t.Context()); err != nil || len(f.Keys.Ring().Refresh) != 0 {
			t.Fatal(f.Keys.Ring(), err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { f.Run(ctx, func(err error) { t.Error(err) }) })
		running.Go(func() { r.Follow.Run(ctx, func(err error) { t.Error(err) }) })
		defer func() { stop(); running.Wait() }()

		until := func(n int) {
			t.Helper()
			for deadline := time.Now().Add(20 * time.Second); len(f.Keys.Ring().Refresh) != n; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the ring still has %d keys, not %d", len(f.Keys.Ring().Refresh), n)
				}
			}
		}
		r.commit(t, core.Unit{revocation.Next{}, another(1, r.now()), revocation.Of(settle.KeysChanged, r.now(), time.Minute, 0)})
		until(1)
		r.commit(t, core.Unit{another(2, r.now())})
		r.add(time.Minute)
		until(2)
	})
}

// A ring that cannot be opened is no ring: the node goes on with the one that
// it has, says so, and comes back by itself.
func TestKeysThatDoNotOpenLeaveTheRing(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		shut := false
		f := &settle.KeyFollower{Store: r.store, Feed: r.Feed, Now: r.now, Keys: key.NewKeyring(nil), Open: func(ctx context.Context, keys []key.Key, now time.Time) (*key.Ring, error) {
			if shut {
				return nil, key.ErrWrongKEK
			}
			return keyRing(ctx, keys, now)
		}}
		if err := f.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		had := f.Keys.Ring()
		shut = true
		r.commit(t, core.Unit{another(1, r.now())})
		if err := f.Read(t.Context()); !errors.Is(err, key.ErrWrongKEK) || !errors.Is(f.Err(), key.ErrWrongKEK) || f.Keys.Ring() != had {
			t.Errorf("%v, %v, swapped: %v", err, f.Err(), f.Keys.Ring() != had)
		}
		shut = false
		if err := f.Read(t.Context()); err != nil || f.Err() != nil || len(f.Keys.Ring().Refresh) != 1 {
			t.Errorf("%v, %v, %d keys", err, f.Err(), len(f.Keys.Ring().Refresh))
		}
	})
}
