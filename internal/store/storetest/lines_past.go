package storetest

import (
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// Rows that end at this instant are the oldest that stay.
var limit = at.Add(24 * time.Hour)

// pastLines are the writes that clean up. Each is given a row one microsecond
// on either side of the instant, and both are listed: the live one stays.
var pastLines = []line{
	{session.Forget{}, func(w world) steps {
		ending := func(id session.ID, hash byte, end time.Time) session.Start {
			return with(w.start(id, hash), func(s *session.Start) { s.MaxUntil = end })
		}
		held := w.id(20)
		family := with(w.open(w.id(6)), func(o *token.Open) { o.Session = held })
		before, last, after := ending(w.laptop, 1, limit.Add(-time.Microsecond)), ending(w.phone, 2, limit), ending(w.id(21), 3, limit.Add(time.Microsecond))
		all := []session.ID{w.laptop, w.phone, held, w.id(21)}
		return steps{
			given: append(w.people(), before, last, after, ending(held, 4, limit.Add(-time.Hour)), family),
			unit:  core.Unit{session.Forget{IDs: all, Before: limit}},
			read: func(v core.View) any {
				return fmt.Sprint(v.Session(w.laptop).Exists(), v.Session(w.phone).Exists(), v.Session(w.id(21)).Exists(), v.Session(held).Exists(),
					v.PastSessions(limit, plenty))
			},
			want:  fmt.Sprint(false, true, true, true, []session.ID(nil)), // the last has a family that hangs on it
			still: []core.Unit{{session.Forget{IDs: all, Before: limit}}, {session.Forget{Before: limit.Add(plenty * time.Hour)}}}}
	}},
	{token.Forget{}, func(w world) steps {
		ending := func(id token.FamilyID, end time.Time) token.Open {
			return with(w.open(id), func(o *token.Open) { o.MaxUntil = end })
		}
		all := []token.FamilyID{w.id(6), w.id(7), w.id(8)}
		return steps{
			// One that was burnt long ago is evidence until its end has passed.
			given: append(w.signedIn(), ending(w.id(6), limit.Add(-time.Microsecond)), ending(w.id(7), limit), ending(w.id(8), limit.Add(time.Microsecond)),
				token.Burn{ID: w.id(8), At: at}),
			unit: core.Unit{token.Forget{IDs: all, Before: limit}},
			read: func(v core.View) any {
				return fmt.Sprint(v.Family(w.id(6)).Exists(), v.Family(w.id(7)).Exists(), v.Family(w.id(8)).Exists(), v.PastFamilies(limit, plenty))
			},
			want:  fmt.Sprint(false, true, true, []token.FamilyID(nil)),
			still: []core.Unit{{token.Forget{IDs: all, Before: limit}}, {token.Forget{Before: limit.Add(plenty * time.Hour)}}}}
	}},
	{risk.Forget{}, func(w world) steps {
		// Older than any failure of another line.
		limit := at.Add(-24 * time.Hour)
		keys := [][32]byte{w.hash(1), w.hash(2), w.hash(3)}
		return steps{
			given: core.Unit{risk.Fail{Key: keys[0], At: limit.Add(-time.Microsecond)}, risk.Fail{Key: keys[1], At: limit}, risk.Fail{Key: keys[2], At: limit.Add(time.Microsecond)}},
			unit:  core.Unit{risk.Forget{Keys: keys, Before: limit}},
			read: func(v core.View) any {
				return fmt.Sprint(v.Failures(keys[0]).Count, v.Failures(keys[1]).Count, v.Failures(keys[2]).Count, v.PastFailures(limit, plenty))
			},
			want:  fmt.Sprint(0, 1, 1, [][32]byte(nil)),
			still: []core.Unit{{risk.Forget{Keys: keys, Before: limit}}}}
	}},
	{risk.Unknow{}, func(w world) steps {
		limit := at.Add(-24 * time.Hour)
		keys := [][32]byte{w.hash(1), w.hash(2)}
		return steps{
			// Known until the very instant is known no more at it.
			given: core.Unit{risk.Know{Key: keys[0], Until: limit}, risk.Know{Key: keys[1], Until: limit.Add(time.Microsecond)}},
			unit:  core.Unit{risk.Unknow{Keys: keys, Now: limit}},
			read: func(v core.View) any {
				return fmt.Sprint(v.Knows(keys[0], limit.Add(-time.Hour)), v.Knows(keys[1], limit), v.PastNetworks(limit, plenty))
			},
			want:  fmt.Sprint(false, true, [][32]byte(nil)),
			still: []core.Unit{{risk.Unknow{Keys: keys, Now: limit}}}}
	}},
	{ledger.Erase{}, func(w world) steps {
		limit := at.Add(-48 * time.Hour)
		keep := func(k byte, at time.Time) ledger.Keep { return ledger.Keep{ID: w.id(k), At: at, Body: []byte("{}")} }
		ids := []ledger.ID{w.id(1), w.id(2), w.id(3)}
		return steps{
			given: core.Unit{keep(1, limit.Add(-time.Microsecond)), keep(2, limit), keep(3, limit.Add(time.Microsecond))},
			unit:  core.Unit{ledger.Erase{IDs: ids, Before: limit}},
			read:  func(v core.View) any { return v.PastPrivate(limit.Add(time.Hour), plenty) },
			want:  ids[1:],
			still: []core.Unit{{ledger.Erase{IDs: ids, Before: limit}}}}
	}},
	{ledger.Uncount{}, func(w world) steps {
		tally := ledger.Tally{Minute: at.Add(-48 * time.Hour).Truncate(time.Minute), Exchange: w.n, Check: 1, Network: "192.0.2.0/24", Count: 2}
		next := with(tally, func(t *ledger.Tally) { t.Minute = t.Minute.Add(time.Minute) })
		of := ledger.Uncount{Minute: tally.Minute, Exchange: w.n, Check: 1, Network: tally.Network}
		return steps{
			given: core.Unit{tally, next},
			unit:  core.Unit{of},
			read:  func(v core.View) any { return v.PastTallies(next.Minute.Add(time.Microsecond), plenty) },
			want:  []ledger.Tally{next},
			still: []core.Unit{{of}, {with(of, func(u *ledger.Uncount) { u.Network = "" })}}}
	}},
	{ledger.Unindex{}, func(w world) steps {
		of := ledger.Unindex{Subject: w.ana, Chain: w.chain, Number: 1}
		return steps{
			given: core.Unit{w.sealed(1), w.sealed(2), ledger.Index{Subject: w.ana, Chain: w.chain, Number: 1}, ledger.Index{Subject: w.ben, Chain: w.chain, Number: 1}},
			unit:  core.Unit{of},
			read:  func(v core.View) any { return len(v.EntriesOf(w.ana, plenty)) },
			want:  0,
			still: []core.Unit{{of}, {with(of, func(u *ledger.Unindex) { u.Number = 3 })}}}
	}},
	{ledger.Discard{}, func(w world) steps {
		alone := with(w, func(w *world) { w.chain += 100 })
		old := at.Add(time.Microsecond) // every segment's last entry is of at
		of := func(n uint64, before time.Time) ledger.Discard {
			return ledger.Discard{Chain: w.chain, Number: n, Before: before}
		}
		return steps{
			given: core.Unit{w.sealed(4), w.sealed(5), w.sealed(6), alone.sealed(4)},
			// The newest of a chain stays, however old: the next is chained to it.
			unit: core.Unit{of(4, old), ledger.Discard{Chain: alone.chain, Number: 4, Before: old}},
			read: func(v core.View) any {
				return append(v.Segments(w.chain, 0, plenty), v.Segments(alone.chain, 0, plenty)...)
			},
			want: []ledger.Segment{ledger.Segment(w.sealed(5)), ledger.Segment(w.sealed(6)), ledger.Segment(alone.sealed(4))},
			still: []core.Unit{
				{of(6, old)}, // not the oldest
				{of(5, at)},  // not old enough
				{of(4, old)}, // gone
				{ledger.Discard{Chain: w.chain + 50, Number: 5, Before: old}},
			}}
	}},
}
