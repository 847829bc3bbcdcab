package sql

import (
	"time"

	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// What may go. A list is only where to look: the write that removes a row asks
// again whether it may.

func (v *view) PastSessions(before time.Time, limit int) (out []session.ID) {
	v.each(`select id from sessions where max_until < $1 and not exists (select 1 from families f where f.session_id = sessions.id)
		order by max_until limit $2`, before, limit, func(b []byte) { out = append(out, session.ID(b)) })
	return out
}

func (v *view) PastFamilies(before time.Time, limit int) (out []token.FamilyID) {
	v.each(`select id from families where max_until < $1 order by max_until limit $2`, before, limit, func(b []byte) { out = append(out, token.FamilyID(b)) })
	return out
}

// The two below have no order to go by: an index on an instant that moves with
// every failure would cost more than an hourly look at all of them.

func (v *view) PastFailures(before time.Time, limit int) (out [][32]byte) {
	v.each(`select key from failures where last < $1 limit $2`, before, limit, func(b []byte) { out = append(out, [32]byte(b)) })
	return out
}

func (v *view) PastNetworks(now time.Time, limit int) (out [][32]byte) {
	v.each(`select key from known_networks where until <= $1 limit $2`, now, limit, func(b []byte) { out = append(out, [32]byte(b)) })
	return out
}

// PastPrivate goes by the order of ids, which begin with the instant they were
// made at: a little before the entry's own.
func (v *view) PastPrivate(before time.Time, limit int) (out []ledger.ID) {
	bound := ledger.NewID(before.Add(time.Millisecond), [16]byte{})
	v.many(`select id from ledger_private where id < $1 and at < $2 order by id limit $3`, []any{bound[:], micros(before), limit}, func(scan func(...any) error) error {
		var i ledger.ID
		err := scan(raw(i[:]))
		out = append(out, i)
		return err
	})
	return out
}

func (v *view) PastTallies(before time.Time, limit int) (out []ledger.Tally) {
	v.many(`select minute, exchange, check_number, network, count from ledger_tally where minute < $1 order by minute, exchange, check_number, network limit $2`,
		[]any{micros(before), limit}, func(scan func(...any) error) error {
			var t ledger.Tally
			err := scan(at{&t.Minute}, &t.Exchange, &t.Check, &t.Network, &t.Count)
			out = append(out, t)
			return err
		})
	return out
}

// each reads one column of bytes.
func (v *view) each(text string, when time.Time, limit int, keep func([]byte)) {
	v.many(text, []any{micros(when), limit}, func(scan func(...any) error) error {
		var b []byte
		if err := scan(&b); err != nil {
			return err
		}
		keep(b)
		return nil
	})
}
