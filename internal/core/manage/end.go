package manage

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	endQuery   = check.Declare(121, "sessions.end", queryForm, identity.Found, clientFound)
	endPart    = check.Declare(122, "sessions.end_part", job.Going)
	endUser    = check.Declare(127, "user.end_tokens", identity.Found)
	endClient  = check.Declare(126, "client.end_tokens", clientFound)
	partAtMost = 1000 // sessions in one unit
)

// barrenAtMost is how many parts without a session to end one unit passes over.
const barrenAtMost = 16

// An Effect is what ending the sessions of a query would end.
type Effect struct {
	AsOf           time.Time // sessions that begin later are not in it
	Sessions       int
	People         int
	Administrators int     // of the people
	Clients        []Share // the most first; a session with tokens at two applications counts for both
	Networks       []Share
}

// A Share is a part of an effect.
type Share struct {
	Name  string
	Count int
}

// Effect counts what ending the sessions of a query would end, without
// holding them in memory.
func (m *Manage) Effect(ctx context.Context, text string) (Effect, error) {
	v := m.pipe.Store.View(ctx)
	q, err := m.asked(v, text)
	if err != nil {
		return Effect{}, err
	}
	now := m.pipe.Now()
	e := Effect{AsOf: now}
	people, clients, networks := map[identity.UserID]bool{}, map[string]int{}, map[string]int{}
	span := q.span(now)
	span.Standing, span.Limit = true, partAtMost
	for {
		rows := v.Span(span)
		for _, r := range rows {
			if !q.ends(r, now, now) {
				continue
			}
			e.Sessions++
			if !people[r.User] && r.Person.Admin {
				e.Administrators++
			}
			people[r.User] = true
			networks[networkClass(r.IP)]++
			for _, c := range r.Clients {
				clients[c]++
			}
		}
		if len(rows) < span.Limit {
			e.People, e.Clients, e.Networks = len(people), shares(clients), shares(networks)
			return e, v.Err()
		}
		span.After = rows[len(rows)-1].ID
	}
}

func shares(of map[string]int) []Share {
	out := make([]Share, 0, len(of))
	for name, n := range of {
		out = append(out, Share{name, n})
	}
	slices.SortFunc(out, func(a, b Share) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	return out
}

// networkClass says what kind of network an address is in: where there is no
// map of places, that is all an address tells.
func networkClass(ip string) string {
	a, err := netip.ParseAddr(ip)
	switch {
	case err != nil:
		return "unknown"
	case a.IsLoopback(), a.IsPrivate(), a.IsLinkLocalUnicast():
		return "private"
	case a.Unmap().Is4():
		return "ipv4"
	}
	return "ipv6"
}

// ends says whether a session is to end: the query means it, it had begun when
// that was asked, and it lives.
func (q query) ends(r session.Row, asOf, now time.Time) bool {
	return !r.Created.After(asOf) && session.Judge(r.Session, r.Person, now) == session.Live && q.selects(r, true)
}

// EndSessions ends the live sessions of a query that had begun at an instant:
// one person's by one cut and one event, any others by a job, of which a first
// part is done before it returns. matched is what the effect was, for whoever
// watches.
func (m *Manage) EndSessions(ctx context.Context, by settle.Caller, text string, asOf time.Time, matched int) (job.Job, error) {
	q, formed := parseQuery(text)
	id := job.NewID(m.pipe.Now(), secret.Random16())
	err := m.pipe.Run(ctx, endQuery, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(queryForm, formed && len(q.words) > 0) {
			return nil
		}
		q = q.named(j.View)
		if !j.Hold(identity.Found, q.missing != identity.Found) || !j.Hold(clientFound, q.missing != clientFound) {
			return nil
		}
		if asOf.IsZero() || asOf.After(j.Now) {
			asOf = j.Now
		}
		ask := job.Ask{ID: id, Kind: job.SessionsEnd, Query: q.String(), Actor: by.Actor, Asked: asOf, Matched: matched, State: job.Running,
			Node: m.node, Lease: j.Now.Add(job.LeaseFor)}
		if _, one := q.only("user"); one {
			unit, ended := m.severed(j, by, q.user)
			ask.State, ask.Did, ask.Matched = job.Done, ended, ended
			return append(unit, ask)
		}
		if c, one := q.only("client"); one {
			// One event ends every token at once; the sessions follow.
			j.Client = c
			return core.Unit{revocation.Next{}, client.Cut{ID: c}, m.event(revocation.Name{Unit: revocation.Client, ID: c}, j.Now), ask}
		}
		return core.Unit{ask}
	}, nil)
	if err != nil {
		return job.Job{}, err
	}
	for range atOnce {
		if going, err := m.part(ctx, id); err != nil || !going {
			break // whoever works on jobs goes on with it
		}
	}
	return m.Job(ctx, id)
}

// atOnce is how many parts of a job are done for whoever asked, before its
// answer.
const atOnce = 4

// severed ends everything of one person: one cut, one event. The sessions that
// live are marked with why they ended, as many as one unit takes.
func (m *Manage) severed(j *settle.Judgement, by settle.Caller, id identity.UserID) (core.Unit, int) {
	u := j.View.User(id)
	j.User = id
	span := session.Span{User: id, Standing: true, Newest: true, Limit: partAtMost}
	_, span.Upto = session.IDsOf(time.Time{}, j.Now.Add(time.Minute))
	var rows []session.Row
	for _, r := range j.Span(span) {
		if session.Judge(r.Session, r.Person, j.Now) == session.Live {
			rows = append(rows, r)
		}
	}
	unit := core.Unit{revocation.Next{}, identity.Cut{ID: id, Guard: u.Guard}, m.event(revocation.Name{Unit: revocation.User, ID: id.String()}, j.Now)}
	if len(rows) > 0 {
		unit = append(unit, finishAll(rows, j.Now))
		unit = append(unit, m.stories(j, by, rows)...)
	}
	return unit, len(rows)
}

func finishAll(rows []session.Row, now time.Time) session.FinishAll {
	f := session.FinishAll{IDs: make([]session.ID, len(rows)), At: now, Why: session.ByOperator}
	for i, r := range rows {
		f.IDs[i] = r.ID
	}
	return f
}

// stories writes the exchange into the story of each session that it ends.
func (m *Manage) stories(j *settle.Judgement, by settle.Caller, rows []session.Row) core.Unit {
	out := make(core.Unit, len(rows))
	for i, r := range rows {
		e := ledger.Entry{ID: ledger.NewID(j.Now, secret.Random16()), At: j.Now, Chain: ledger.Audit, Exchange: j.Of(), Number: j.Of().Number,
			User: r.User, Session: r.ID, Actor: by.Actor, Steps: j.Steps()}
		out[i], _ = e.Writes(secret.Random16())
	}
	return out
}

// part does the next part of a job that ends sessions, in one unit with one
// position, and says whether there is more.
func (m *Manage) part(ctx context.Context, id job.ID) (going bool, err error) {
	v := m.pipe.Store.View(ctx)
	jb := v.Job(id)
	if err := v.Err(); err != nil || !jb.Free(m.node, m.pipe.Now()) {
		return false, err
	}
	// Work of a later version waits for a node that knows it.
	if _, readable := parseQuery(jb.Query); jb.Kind != job.SessionsEnd || !readable {
		return false, nil
	}
	by := settle.Caller{Actor: jb.Actor}
	err = m.pipe.Run(ctx, endPart, by, func(j *settle.Judgement) core.Unit {
		jb := j.View.Job(id)
		q, readable := parseQuery(jb.Query)
		if !j.Hold(job.Going, jb.State == job.Running && jb.Kind == job.SessionsEnd && readable) {
			return nil
		}
		// Who it named when it was asked may be gone; their sessions are not.
		if u, err := identity.ParseUserID(q.positive("user")); err == nil {
			q.user = u
		}
		step := job.Step{ID: id, From: jb.Cursor, To: jb.Cursor, State: job.Running, Node: m.node, Lease: j.Now.Add(job.LeaseFor), At: j.Now}
		rows := m.next(j, q, jb, &step)
		going = step.State == job.Running
		if len(rows) == 0 {
			return core.Unit{step}
		}
		unit := core.Unit{revocation.Next{}, finishAll(rows, j.Now), step}
		for _, r := range rows {
			unit = append(unit, m.event(revocation.Name{Unit: revocation.Session, ID: r.ID.String()}, j.Now))
		}
		return append(unit, m.stories(j, by, rows)...)
	}, nil)
	return going && err == nil, err
}

// next finds the next sessions to end, all of one run of partAtMost, and notes
// how far that came.
func (m *Manage) next(j *settle.Judgement, q query, jb job.Job, step *job.Step) (out []session.Row) {
	span := q.span(jb.Asked)
	span.Standing, span.Limit = true, partAtMost
	if span.After = session.ID(jb.Cursor); jb.Cursor == [16]byte{} {
		span.After = q.span(jb.Asked).After
	}
	for range barrenAtMost {
		rows := j.Span(span)
		for _, r := range rows {
			if q.ends(r, jb.Asked, j.Now) {
				out = append(out, r)
			}
		}
		step.Seen += len(rows)
		if len(rows) > 0 {
			span.After = rows[len(rows)-1].ID
			step.To = span.After
		}
		if len(rows) < span.Limit {
			step.State = job.Done
		}
		if len(out) > 0 || step.State == job.Done {
			break
		}
	}
	step.Did = len(out)
	return out
}

// EndUser ends every session and token of one person, who may sign in again.
func (m *Manage) EndUser(ctx context.Context, by settle.Caller, id identity.UserID) (ended int, err error) {
	err = m.pipe.Run(ctx, endUser, by, func(j *settle.Judgement) (unit core.Unit) {
		if !j.Hold(identity.Found, j.View.User(id).Exists()) {
			return nil
		}
		unit, ended = m.severed(j, by, id)
		return unit
	}, nil)
	return ended, err
}

// EndClient ends every token and refresh family of one application, by one
// event. The people who use it stay signed in here.
func (m *Manage) EndClient(ctx context.Context, by settle.Caller, id string) error {
	return m.pipe.Run(ctx, endClient, by, func(j *settle.Judgement) core.Unit {
		c := client.Client{}
		if client.ValidID(id) {
			c = j.View.Client(id)
		}
		if !j.Hold(clientFound, c.Exists()) {
			return nil
		}
		j.Client = c.ID
		return core.Unit{revocation.Next{}, client.Cut{ID: c.ID}, m.event(revocation.Name{Unit: revocation.Client, ID: c.ID}, j.Now)}
	}, nil)
}
