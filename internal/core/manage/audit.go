package manage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
)

var auditForm = check.New(check.Check{Number: 716, ID: "audit.form", Fault: fault.Unacceptable, Shown: "audit.form",
	Says:   "The query has only words of the ledger: user:, client:, session:, exchange:, check:, outcome:, with - before them for all others, since: and before:.",
	Source: "ASVS 2.2.1", Title: "The query cannot be read. Its words are user:, client:, session:, exchange:, check:, outcome:, since: and before:, each once."})

// An auditQuery selects entries of the ledger. Every word must hold; without
// words all of them are meant.
type auditQuery struct {
	words         []word
	subject       [16]byte // of the person or session whose entries are meant; zero for everybody's
	since, before time.Time
}

// parseAudit reads the words of a query, each strictly, and nothing else.
func parseAudit(text string) (auditQuery, bool) {
	var q auditQuery
	if len(text) > queryAtMost {
		return auditQuery{}, false
	}
	for _, w := range strings.Fields(text) {
		rest, not := strings.CutPrefix(w, "-")
		name, value, _ := strings.Cut(rest, ":")
		if len(q.words) == wordsAtMost || !q.takes(word{name, value, not}) {
			return auditQuery{}, false
		}
		q.words = append(q.words, word{name, value, not})
	}
	return q, true
}

func (q *auditQuery) takes(w word) bool {
	for _, o := range q.words {
		if o == w || o.name == w.name && !o.not && !w.not {
			return false
		}
	}
	switch w.name {
	case "user":
		return w.value != "" && len(w.value) <= 320
	case "client":
		return client.ValidID(w.value)
	case "session":
		id, err := session.ParseID(w.value)
		if !w.not {
			q.subject = id
		}
		return err == nil
	case "exchange":
		return slices.ContainsFunc(check.Exchanges(), func(e *check.Exchange) bool { return e.Name == w.value })
	case "check":
		return check.Named(w.value) != nil
	case "outcome":
		return w.value == "passed" || w.value == "refused"
	case "since", "before":
		t, ok := day(w.value)
		if w.name == "since" {
			q.since = t
		} else {
			q.before = t
		}
		return ok && !w.not
	}
	return false
}

// named looks up the people that the query names.
func (q auditQuery) named(v core.View) (auditQuery, *check.Check) {
	q.words = slices.Clone(q.words)
	for i, w := range q.words {
		if w.name != "user" {
			continue
		}
		u := find(v, w.value)
		if u.State == identity.Nobody { // the ledger tells of deleted people too
			return q, identity.Found
		}
		q.words[i].value = u.ID.String()
		if !w.not && q.subject == ([16]byte{}) {
			q.subject = u.ID
		}
	}
	return q, nil
}

func (q auditQuery) selects(e ledger.Entry) bool {
	for _, w := range q.words {
		if q.holds(w, e) == w.not {
			return false
		}
	}
	return true
}

func (q auditQuery) holds(w word, e ledger.Entry) bool {
	switch w.name {
	case "user":
		return e.User.String() == w.value
	case "client":
		return e.Client == w.value
	case "session":
		return e.Session.String() == w.value
	case "exchange":
		return e.Exchange != nil && e.Exchange.Name == w.value
	case "check":
		// The check that refused: every entry of an exchange names all that held.
		return slices.ContainsFunc(e.Steps, func(s check.Step) bool { return !s.Held && s.Check.ID == w.value })
	case "outcome":
		return e.Refused == (w.value == "refused")
	case "since":
		return !e.At.Before(q.since)
	case "before":
		return e.At.Before(q.before)
	}
	return false
}

// An Audited entry with the address of the person it concerns.
type Audited struct {
	ledger.Entry
	Email string
}

// auditAtATime is how many segments are read at once.
const auditAtATime = 16

// straying is how far the order of segments may stray from that of entries: a
// judgement is repeated for seconds before it gives up.
const straying = 10 * time.Second

// Audit lists entries that a query selects, the newest first: those before an
// entry, when one is named.
func (m *Manage) Audit(ctx context.Context, text string, before ledger.ID, limit int) ([]Audited, error) {
	q, ok := parseAudit(text)
	if !ok {
		return nil, check.Refuse(auditForm)
	}
	v := m.pipe.Store.View(ctx)
	q, missing := q.named(v)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if missing != nil {
		return nil, check.Refuse(missing)
	}
	var found []ledger.Entry
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		found = append(found, past(v, chain, q, before, limit)...)
	}
	slices.SortFunc(found, func(a, b ledger.Entry) int { return slices.Compare(b.ID[:], a.ID[:]) })
	found = slices.CompactFunc(found, func(a, b ledger.Entry) bool { return a.ID == b.ID })
	return m.addressed(v, found[:min(len(found), limit)])
}

// addressed puts personal fields and addresses to entries.
func (m *Manage) addressed(v core.View, entries []ledger.Entry) ([]Audited, error) {
	emails := map[identity.UserID]string{{}: ""}
	out := make([]Audited, len(entries))
	for i, e := range v.Private(entries) {
		email, known := emails[e.User]
		if !known {
			email = v.User(e.User).Email
			emails[e.User] = email
		}
		out[i] = Audited{e, email}
	}
	return out, v.Err()
}

// past walks a chain from its newest entry back, until it has as many as are
// asked for and nothing that is unread can be newer than one of them.
func past(v core.View, chain ledger.Chain, q auditQuery, before ledger.ID, limit int) (found []ledger.Entry) {
	var until time.Time
	if !before.IsZero() {
		until = before.Time().Add(straying)
	}
	take := func(entries []ledger.Entry) {
		for _, e := range entries {
			if (before.IsZero() || string(e.ID[:]) < string(before[:])) && q.selects(e) {
				found = append(found, e)
			}
		}
	}
	take(unsealed(v, chain))
	for number := v.LastSegment(chain).Number; number > 0 && v.Err() == nil; {
		from := max(number, auditAtATime) - auditAtATime + 1
		page := v.Segments(chain, from, int(number-from)+1)
		for _, s := range slices.Backward(page) {
			if until.IsZero() || !s.First.After(until) {
				take(entriesOf(s))
			}
			if s.Last.Before(q.since.Add(-straying)) {
				return found
			}
		}
		if len(page) == 0 || page[0].Number > from {
			return found // older ones have been dropped
		}
		sure := 0
		for _, e := range found {
			if e.At.After(page[0].First.Add(straying)) {
				sure++
			}
		}
		if sure >= limit {
			return found
		}
		number = from - 1
	}
	return found
}

func unsealed(v core.View, chain ledger.Chain) (out []ledger.Entry) {
	for _, r := range v.OpenEntries(chain, 4*ledger.SealAtMost) {
		if e, err := ledger.Unpack(r.Body); err == nil {
			out = append(out, e)
		}
	}
	return out
}

// entriesOf are those of a segment. One that cannot be read is for audit
// verify to tell of, and does not hide the others.
func entriesOf(s ledger.Segment) []ledger.Entry {
	entries, _ := s.Entries()
	return entries
}

// ExportAudit calls each for every entry that a query selects, chain by chain
// from the oldest on.
func (m *Manage) ExportAudit(ctx context.Context, text string, each func([]Audited) error) error {
	q, ok := parseAudit(text)
	if !ok {
		return check.Refuse(auditForm)
	}
	q, missing := q.named(m.pipe.Store.View(ctx))
	if missing != nil {
		return check.Refuse(missing)
	}
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		for number := uint64(0); ; {
			v := m.pipe.Store.View(ctx)
			// Before the segment: what is sealed in between is in both, not in neither.
			open := unsealed(v, chain)
			page := v.Segments(chain, number, 1)
			if len(page) > 0 {
				open, number = entriesOf(page[0]), page[0].Number+1
			}
			out, err := m.addressed(v, slices.DeleteFunc(open, func(e ledger.Entry) bool { return !q.selects(e) }))
			if err != nil {
				return err
			}
			if err := each(out); err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
		}
	}
	return nil
}

// Tail lists what a query selects of the last moments since an instant, the
// oldest first.
func (m *Manage) Tail(ctx context.Context, text string, since time.Time) ([]Audited, error) {
	const most = 10_000
	out, err := m.Audit(ctx, strings.TrimSpace(text+" since:"+since.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)), ledger.ID{}, most)
	slices.Reverse(out)
	return out, err
}

// Now is the instant of this server.
func (m *Manage) Now() time.Time { return m.pipe.Now() }

// Closing is closed when the server stops: whoever waits, answers.
func (m *Manage) Closing() <-chan struct{} { return m.pipe.Closing }
