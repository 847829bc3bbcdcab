package sql

import (
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core/ledger"
)

func (v *view) OpenEntries(c ledger.Chain, limit int) (out []ledger.Record) {
	v.records(&out, `select id, at, chain, user_id, session_id, body from ledger_open where chain = $1 order by id limit $2`, int64(c), limit)
	return out
}

func (v *view) Unsealed() (n int) {
	v.one(`select count(*) from ledger_open`, nil, &n)
	return n
}

func (v *view) records(out *[]ledger.Record, text string, args ...any) {
	v.many(text, args, func(scan func(...any) error) error {
		var r ledger.Record
		err := scan(raw(r.ID[:]), at{&r.At}, &r.Chain, raw(r.User[:]), raw(r.Session[:]), &r.Body)
		*out = append(*out, r)
		return err
	})
}

const segmentColumns = `chain, number, count, first_at, last_at, prev, body, hash, signature`

func (v *view) segments(text string, args ...any) (out []ledger.Segment) {
	v.many(text, args, func(scan func(...any) error) error {
		var s ledger.Segment
		err := scan(&s.Chain, &s.Number, &s.Count, at{&s.First}, at{&s.Last}, raw(s.Prev[:]), &s.Body, raw(s.Hash[:]), &s.Signature)
		out = append(out, s)
		return err
	})
	return out
}

func (v *view) LastSegment(c ledger.Chain) ledger.Segment {
	return first(v.segments(`select `+segmentColumns+` from ledger_segments where chain = $1 order by number desc limit 1`, int64(c)))
}

func (v *view) Segments(c ledger.Chain, from uint64, limit int) []ledger.Segment {
	return v.segments(`select `+segmentColumns+` from ledger_segments where chain = $1 and number >= $2 order by number limit $3`, int64(c), int64(from), limit)
}

// unpackedAtMost bounds how far back EntriesOf goes.
const unpackedAtMost = 64 * ledger.SealAtMost

const sealedOf = `select s.chain, s.number, s.count, s.first_at, s.last_at, s.prev, s.body, s.hash, s.signature
	from ledger_index i join ledger_segments s on s.chain = i.chain and s.number = i.number
	where i.subject = $1 order by s.last_at desc limit $2`

// EntriesOf unpacks so many entries at the most, whosever they are: on a quiet
// server that is many small segments, on a busy one few large ones.
func (v *view) EntriesOf(subject [16]byte, limit int) []ledger.Entry {
	var open []ledger.Record
	v.records(&open, `select id, at, chain, user_id, session_id, body from ledger_open where user_id = $1 or session_id = $1 order by id`, subject[:])
	var sealed []ledger.Segment
	for unpacked := 0; unpacked < unpackedAtMost && len(sealed) < limit; {
		page := v.segments(sealedOf+` offset $3`, subject[:], segmentsAtATime, len(sealed))
		sealed = append(sealed, page...)
		for _, s := range page {
			unpacked += s.Count
		}
		if len(page) < segmentsAtATime {
			break
		}
	}
	out := v.entries(open, sealed, subject)
	return out[max(0, len(out)-limit):]
}

func (v *view) EntryByRef(ref string) (ledger.Entry, bool) {
	subject := ledger.RefSubject(ref)
	var open []ledger.Record
	v.records(&open, `select id, at, chain, user_id, session_id, body from ledger_open order by id desc limit $1`, 2*ledger.SealAtMost)
	for _, e := range v.entries(open, v.segments(sealedOf, subject[:], 1), subject) {
		return e, true
	}
	return ledger.Entry{}, false
}

// entries unpacks what open rows and segments hold of a subject, oldest
// first. The open rows are read before the segments, so an entry that is
// sealed in between is in both and never in neither.
func (v *view) entries(open []ledger.Record, sealed []ledger.Segment, subject [16]byte) (out []ledger.Entry) {
	seen := map[ledger.ID]bool{}
	add := func(e ledger.Entry) {
		if !seen[e.ID] && slices.Contains(e.Subjects(), subject) {
			seen[e.ID] = true
			out = append(out, e)
		}
	}
	for _, s := range sealed {
		entries, err := s.Entries()
		v.fail(err)
		for _, e := range entries {
			add(e)
		}
	}
	for _, r := range open {
		e, err := ledger.Unpack(r.Body)
		v.fail(err)
		add(e)
	}
	slices.SortFunc(out, func(a, b ledger.Entry) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out
}

const (
	openOfPast   = `select id, at, chain, user_id, session_id, body from ledger_open where chain = $1 and (user_id = $2 or session_id = $2) order by id`
	sealedOfPast = `select s.chain, s.number, s.count, s.first_at, s.last_at, s.prev, s.body, s.hash, s.signature
	from ledger_index i join ledger_segments s on s.chain = i.chain and s.number = i.number
	where i.subject = $1 and i.chain = $2 and i.number < $3 and s.first_at <= $4 order by i.number desc limit $5`
	privateOf = `select id, salt, body from ledger_private where id in {{ids $1}}`
)

const (
	// segmentsAtATime is how many segments a page of the past takes at once.
	segmentsAtATime = 16
	// settling is how far the order of commits may stray from that of entries:
	// a judgement is repeated for five seconds before it gives up.
	settling = 10 * time.Second
)

// EntriesPast walks the segments that name the subject from the newest back:
// the primary key of the index is the order, on both engines, and newer
// segments than the cursor are passed by without unpacking them. An entry that
// committed late may be sealed behind a newer one, so a page ends only where
// what is unread is older than all of it.
func (v *view) EntriesPast(q ledger.Past) []ledger.Entry {
	newest, at := "", int64(math.MaxInt64)
	if q.Before != (ledger.ID{}) {
		newest, at = string(q.Before[:]), micros(q.Before.Time().Add(settling))
	}
	var open []ledger.Record
	v.records(&open, openOfPast, int64(q.Chain), q.Subject[:])
	var found []ledger.Entry
	add := func(all []ledger.Entry) {
		for _, e := range all {
			if (newest == "" || string(e.ID[:]) < newest) && !e.At.Before(q.Since) {
				found = append(found, e)
			}
		}
	}
	add(v.entries(open, nil, q.Subject))
	for number := int64(math.MaxInt64); v.err == nil; {
		sealed := v.segments(sealedOfPast, q.Subject[:], int64(q.Chain), number, at, segmentsAtATime)
		add(v.entries(nil, sealed, q.Subject))
		if len(sealed) < segmentsAtATime {
			break
		}
		last := sealed[len(sealed)-1]
		number = int64(last.Number)
		sure := 0
		for _, e := range found {
			if e.At.After(last.Last.Add(settling)) {
				sure++
			}
		}
		if sure >= q.Limit || last.Last.Before(q.Since) {
			break
		}
	}
	slices.SortFunc(found, func(a, b ledger.Entry) int { return slices.Compare(b.ID[:], a.ID[:]) })
	found = slices.CompactFunc(found, func(a, b ledger.Entry) bool { return a.ID == b.ID })
	if found = found[:min(len(found), max(q.Limit, 0))]; len(found) == 0 {
		return nil
	}
	return v.Private(found)
}

func (v *view) Issues(client string, minute time.Time) (out []ledger.Issue) {
	v.many(`select client_id, minute, exchange, network, checks, count from ledger_issues where client_id = $1 and minute = $2 order by exchange, network`,
		[]any{client, micros(minute.Truncate(time.Minute))}, func(scan func(...any) error) error {
			var i ledger.Issue
			err := scan(&i.Client, at{&i.Minute}, &i.Exchange, &i.Network, list{&i.Checks}, &i.Count)
			out = append(out, i)
			return err
		})
	return out
}

func (v *view) Private(entries []ledger.Entry) []ledger.Entry {
	at := make(map[ledger.ID]int, len(entries))
	ids := make([]ledger.ID, len(entries))
	for i, e := range entries {
		at[e.ID], ids[i] = i, e.ID
	}
	v.many(v.s.dialect.words.Replace(privateOf), []any{hexList(reflect.ValueOf(ids))}, func(scan func(...any) error) error {
		var id ledger.ID
		var salt [16]byte
		var body []byte
		err := scan(raw(id[:]), raw(salt[:]), &body)
		if i, ok := at[id]; ok && err == nil {
			entries[i] = entries[i].WithPersonal(salt, body)
		}
		return err
	})
	return entries
}
