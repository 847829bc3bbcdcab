package app

import (
	"context"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// keysEvery is how often a node looks whether a key's turn or end has come.
// partiesKept is longer than any session lasts.
const partiesKept = 400 * 24 * time.Hour

const keysEvery = 5 * time.Second

// jobs runs what goes on beside requests until ctx ends, and returns a
// function that waits for the end and does each thing a last time.
func (s *server) jobs(ctx context.Context) (finish func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		s.pipe.Follow.Run(ctx, func(err error) { s.log.Warn("the feed could not be read", "cause", err) })
	})
	wg.Go(func() {
		s.keys.Run(ctx, func(err error) {
			s.log.Error("the keys could not be read; this node goes on with those it has", "cause", err)
		})
	})
	wg.Go(func() { s.store.Watch(ctx, s.pipe.Follow.Kick) })
	every := func(d time.Duration, name string, do func(context.Context) error) {
		wg.Go(func() {
			tick := time.NewTicker(d)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if err := do(ctx); err != nil && ctx.Err() == nil {
					s.log.Warn("a job failed and will be tried again", "job", name, "cause", err)
				}
			}
		})
	}
	every(time.Second, "seal", s.seal)
	every(time.Second, "tally", func(ctx context.Context) error { return s.tallies.Flush(ctx, s.store) })
	every(time.Second, "notices", func(ctx context.Context) error {
		_, err := s.exchange.Notices(ctx)
		return err
	})
	every(time.Second, "issues", s.pipe.FlushIssues)
	every(time.Second, "seen", s.exchange.FlushSeen)
	every(time.Second, "used", s.exchange.FlushUsed)
	every(time.Second, "budgets", func(ctx context.Context) error { return settle.Share(ctx, s.store, s.meters, s.now()) })
	every(sweepEvery, "sweep", func(ctx context.Context) error {
		return s.pipe.Sweep(ctx, settle.Retention(s.config.Retain), rest)
	})
	every(deletionEvery, "deletion", func(ctx context.Context) error { return s.exchange.Delete(ctx, rest) })
	every(time.Second, "long work", s.manage.Work)
	every(keysEvery, "keys", s.manage.TurnKeys)
	every(time.Minute, "forget", func(ctx context.Context) error {
		_, err := s.store.Commit(ctx, core.Unit{revocation.Forget{Now: s.now()}, session.Unvisited{Before: s.now().Add(-session.DeviceKept)}, token.Lapse{Before: s.now().Add(-token.OnceKept)}, session.Outstay{Before: s.now().Add(-partiesKept)}, ledger.Unissue{Before: s.now().Add(-s.config.Retain.Ledger)},
			token.Unpush{Before: s.now()},
			risk.Earn{Before: s.now().Add(-time.Hour)}, outbox.Drop{Now: s.now()}, job.Forget{Before: s.now().Add(-job.KeptFor)}})
		return err
	})
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			case <-s.posted:
			}
			if err := s.deliver(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("a job failed and will be tried again", "job", "mail", "cause", err)
			}
		}
	})
	return func() {
		wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		for _, do := range []func(context.Context) error{s.exchange.FlushSeen, s.exchange.FlushUsed, s.pipe.FlushIssues, func(ctx context.Context) error { return s.tallies.Flush(ctx, s.store) }, s.seal} {
			if err := do(ctx); err != nil {
				s.log.Warn("something was left for the next start", "cause", err)
			}
		}
	}
}

// deletionEvery is how often accounts are looked for whose week is over, or of
// which something is left: two reads of an index that is nearly empty.
const deletionEvery = 5 * time.Second

// sweepEvery is how often what has passed is looked for.
const sweepEvery = 10 * time.Minute

// rest is the pause between two units of a sweep: requests go first.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Millisecond):
		return nil
	}
}

// seal seals both chains, until neither is behind by a whole segment.
func (s *server) seal(ctx context.Context) error {
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		for {
			n, err := s.pipe.Seal(ctx, chain, s.keys.Keys.Ring().Ledger)
			if err != nil {
				return err
			}
			if n < ledger.SealAtMost {
				break
			}
		}
	}
	return nil
}
