package manage

import (
	"context"
	"slices"
	"strings"
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

// Checks of an operator's queries.
var (
	queryForm = check.New(check.Check{Number: 311, ID: "query.form", Fault: fault.Unacceptable, Shown: "query.form",
		Says: "The query has only words that it knows: user:, state:.", Source: "ASVS 2.2.1", Title: "The query cannot be read."})
	sessionFound = check.New(check.Check{Number: 312, ID: "session.found", Fault: fault.Missing, Shown: "session.found",
		Says: "There is such a session.", Source: "RFC 9110 section 15.5.5", Title: "There is no such session."})
)

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

// query is what the words of a list ask for.
type query struct {
	user  string
	state string
}

func parse(text string) (query, bool) {
	var q query
	for _, w := range strings.Fields(text) {
		name, value, ok := strings.Cut(w, ":")
		switch {
		case ok && name == "user" && value != "" && q.user == "":
			q.user = value
		case ok && name == "state" && (value == "live" || value == "ended") && q.state == "":
			q.state = value
		default:
			return query{}, false
		}
	}
	return q, true
}

// Sessions lists sessions, the newest first.
func (m *Manage) Sessions(ctx context.Context, text string) ([]Listed, error) {
	q, ok := parse(text)
	if !ok {
		return nil, check.Refuse(queryForm)
	}
	v := m.pipe.Store.View(ctx)
	var found identity.User
	if q.user != "" {
		if found = find(v, q.user); !found.Exists() && v.Err() == nil {
			return nil, check.Refuse(identity.Found)
		}
	}
	now := m.pipe.Now()
	users := map[identity.UserID]identity.User{}
	var out []Listed
	for _, s := range v.Sessions(session.Query{User: found.ID, Limit: listAtMost}) {
		u, read := users[s.User]
		if !read {
			u = v.User(s.User)
			users[s.User] = u
		}
		live := session.Judge(s, u, now) == session.Live
		if q.state == "" || (q.state == "live") == live {
			out = append(out, Listed{s, u, live})
		}
	}
	return out, v.Err()
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

// EndSessions ends every live session that a query selects. The query is
// judged before anything ends; dry says how many it would be.
func (m *Manage) EndSessions(ctx context.Context, by settle.Caller, text string, dry bool) (matched, ended int, err error) {
	all, err := m.Sessions(ctx, text)
	if err != nil {
		return 0, 0, err
	}
	live := slices.DeleteFunc(all, func(l Listed) bool { return !l.Live })
	if dry {
		return len(live), 0, nil
	}
	for _, l := range live {
		done, err := m.EndSession(ctx, by, l.Session.ID)
		if err != nil {
			return len(live), ended, err
		}
		if done {
			ended++
		}
	}
	return len(live), ended, nil
}
