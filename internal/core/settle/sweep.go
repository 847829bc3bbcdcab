package settle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// SweepAtMost is how many rows one unit of a sweep removes.
const SweepAtMost = 500

// sweepMargin is how long a row stays after its own end: longer than any
// access token that was cut from it may live, and than clocks may differ.
const sweepMargin = 24 * time.Hour

// A Retention says how long the ledger is kept.
type Retention struct{ Ledger, Audit time.Duration }

// A sweep removes one kind of row that has passed: it lists at most so many
// and gives the writes that remove them.
type sweep struct {
	name string
	past func(v core.View, limit int) core.Unit
}

// sweeps are what may go at an instant. A list may be out of date when its
// unit commits; each write asks again whether the row may go, so a live one
// never does. Families go before the sessions that they hang on.
func sweeps(now time.Time, keep Retention) []sweep {
	ended := now.Add(-sweepMargin)
	return []sweep{
		{"refresh families", func(v core.View, limit int) core.Unit {
			return some(v.PastFamilies(ended, limit), func(ids []token.FamilyID) core.Write { return token.Forget{IDs: ids, Before: ended} })
		}},
		{"sessions", func(v core.View, limit int) core.Unit {
			return some(v.PastSessions(ended, limit), func(ids []session.ID) core.Write { return session.Forget{IDs: ids, Before: ended} })
		}},
		{"what was used up", func(v core.View, _ int) core.Unit {
			if !v.Outlived(now) {
				return nil
			}
			return core.Unit{token.Outlive{Before: now}}
		}},
		{"failures", func(v core.View, limit int) core.Unit {
			before := risk.Forgotten(now)
			return some(v.PastFailures(before, limit), func(keys [][32]byte) core.Write { return risk.Forget{Keys: keys, Before: before} })
		}},
		{"known networks", func(v core.View, limit int) core.Unit {
			return some(v.PastNetworks(now, limit), func(keys [][32]byte) core.Write { return risk.Unknow{Keys: keys, Now: now} })
		}},
		{"personal fields of the ledger", func(v core.View, limit int) core.Unit {
			before := now.Add(-keep.Ledger)
			return some(v.PastPrivate(before, limit), func(ids []ledger.ID) core.Write { return ledger.Erase{IDs: ids, Before: before} })
		}},
		{"counts of refusals", func(v core.View, limit int) (u core.Unit) {
			for _, t := range v.PastTallies(now.Add(-keep.Ledger), limit) {
				u = append(u, ledger.Uncount{Minute: t.Minute, Exchange: t.Exchange, Check: t.Check, Network: t.Network})
			}
			return u
		}},
		{"audit segments", segments(ledger.Audit, now.Add(-keep.Audit))},
		{"ledger segments", segments(ledger.Rest, now.Add(-keep.Ledger))},
	}
}

// some is one write for a list, none for an empty one.
func some[T any](list []T, write func([]T) core.Write) core.Unit {
	if len(list) == 0 {
		return nil
	}
	return core.Unit{write(list)}
}

// segments drops the oldest segment of a chain once everything in it is old
// enough: what it is found by first, itself last, so that a sweep that was cut
// short finds it again.
func segments(c ledger.Chain, before time.Time) func(core.View, int) core.Unit {
	return func(v core.View, limit int) core.Unit {
		oldest := v.Segments(c, 0, 2)
		if len(oldest) < 2 || !oldest[0].Last.Before(before) {
			return nil
		}
		s := oldest[0]
		// One that cannot be read any more has nothing to be found by.
		entries, _ := s.Entries()
		var u core.Unit
		seen := map[[16]byte]bool{}
		for _, e := range entries {
			for _, subject := range e.Subjects() {
				if !seen[subject] {
					seen[subject] = true
					u = append(u, ledger.Unindex{Subject: subject, Chain: c, Number: s.Number})
				}
			}
		}
		return append(u, ledger.Discard{Chain: c, Number: s.Number, Before: before})
	}
}

// Sweep removes what has passed, in units of at most SweepAtMost writes or
// rows, and calls pause between two of them, whose error ends it. What keeps
// one kind of row from going does not keep the others.
func (p *Pipeline) Sweep(ctx context.Context, keep Retention, pause func(context.Context) error) error {
	var failed error
	for _, s := range sweeps(p.Now().Truncate(time.Microsecond), keep) {
		if err := p.sweep(ctx, s, pause); err != nil {
			failed = errors.Join(failed, fmt.Errorf("settle: sweeping %s: %w", s.name, err))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return failed
}

func (p *Pipeline) sweep(ctx context.Context, s sweep, pause func(context.Context) error) error {
	for {
		v := p.Store.View(ctx)
		u := s.past(v, SweepAtMost)
		if err := v.Err(); err != nil || len(u) == 0 {
			return err
		}
		for part := range slices.Chunk(u, SweepAtMost) {
			if _, err := p.Store.Commit(ctx, part); err != nil {
				return err
			}
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
}
