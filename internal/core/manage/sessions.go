package manage

import (
	"context"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
)

var sessionFound = check.New(check.Check{Number: 312, ID: "session.found", Fault: fault.Missing, Shown: "session.found",
	Says: "There is such a session.", Source: "RFC 9110 section 15.5.5", Title: "There is no such session."})

var endSession = check.Declare(221, "session.end_by_operator", sessionFound)

// A Listed session with the person it belongs to and how it stands.
type Listed struct {
	Session session.Session
	User    identity.User
	Live    bool
}

const (
	listAtMost = 1000
)

// Sessions lists the sessions of a query, the newest first, at most a
// thousand; an empty query is everybody's.
func (m *Manage) Sessions(ctx context.Context, text string) ([]Listed, error) {
	v := m.pipe.Store.View(ctx)
	q, err := m.asked(v, text)
	if err != nil {
		return nil, err
	}
	now := m.pipe.Now()
	span := q.span(now.Add(time.Minute)) // of a node whose clock is ahead
	span.Newest, span.Limit = true, listAtMost
	span.Standing = q.positive("state") == "live"
	var out []Listed
	for {
		rows := v.Span(span)
		for _, r := range rows {
			live := session.Judge(r.Session, r.Person, now) == session.Live
			if len(q.words) == 0 || q.selects(r, live) {
				out = append(out, Listed{r.Session, r.Person, live})
			}
		}
		if len(rows) < span.Limit || len(out) >= listAtMost {
			return out[:min(len(out), listAtMost)], v.Err()
		}
		// The bound is inclusive: the id before the last one that was seen.
		span.Upto = before(rows[len(rows)-1].ID)
	}
}

// before is the largest id below one.
func before(i session.ID) session.ID {
	for k := len(i) - 1; k >= 0; k-- {
		i[k]--
		if i[k] != 0xff {
			break
		}
	}
	return i
}

// asked reads a query and looks up whom it names.
func (m *Manage) asked(v core.View, text string) (query, error) {
	q, ok := parseQuery(text)
	if !ok {
		return query{}, check.Refuse(queryForm)
	}
	q = q.named(v)
	if err := v.Err(); err != nil {
		return query{}, err
	}
	if q.missing != nil {
		return query{}, check.Refuse(q.missing)
	}
	return q, nil
}

// Session shows one session and what the ledger holds of it.
func (m *Manage) Session(ctx context.Context, id session.ID) (Listed, []ledger.Entry, error) {
	v := m.pipe.Store.View(ctx)
	s := v.Session(id)
	u := v.User(s.User)
	entries := v.EntriesOf(id, listAtMost)
	if err := v.Err(); err != nil {
		return Listed{}, nil, err
	}
	if !s.Exists() {
		return Listed{}, nil, check.Refuse(sessionFound)
	}
	return Listed{s, u, session.Judge(s, u, m.pipe.Now()) == session.Live}, entries, nil
}

// EndSession ends one session.
func (m *Manage) EndSession(ctx context.Context, by settle.Caller, id session.ID) (ended bool, err error) {
	err = m.pipe.Run(ctx, endSession, by, func(j *settle.Judgement) core.Unit {
		s := j.View.Session(id)
		if !j.Hold(sessionFound, s.Exists()) {
			return nil
		}
		j.User, j.Session = s.User, s.ID
		if ended = s.Ended.IsZero(); !ended {
			return nil
		}
		return m.finish(s.ID, j.Now)
	}, nil)
	return ended, err
}

func (m *Manage) finish(id session.ID, now time.Time) core.Unit {
	return core.Unit{revocation.Next{}, session.Finish{ID: id, At: now, Why: session.ByOperator},
		m.event(revocation.Name{Unit: revocation.Session, ID: id.String()}, now)}
}
