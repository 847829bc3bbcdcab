package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/session"
)

func (w world) ask(id job.ID) job.Ask {
	return job.Ask{ID: id, Kind: job.SessionsEnd, Query: "method:password", Actor: "host:0", Asked: at, Matched: 7, State: job.Running, Node: w.id(99), Lease: at.Add(time.Minute)}
}

// asked is the job that an Ask leaves.
func asked(a job.Ask) job.Job {
	return job.Job{ID: a.ID, Kind: a.Kind, Query: a.Query, Actor: a.Actor, Asked: a.Asked, Matched: a.Matched, Cursor: a.Cursor, Did: a.Did,
		State: a.State, Changed: a.Asked, Node: a.Node, Lease: a.Lease}
}

func jobAt(id job.ID) func(core.View) any { return func(v core.View) any { return v.Job(id) } }

var jobLines = []line{
	{job.Ask{}, func(w world) steps {
		return steps{
			unit: core.Unit{w.ask(w.id(1))},
			read: jobAt(w.id(1)),
			want: asked(w.ask(w.id(1))),
			lost: []core.Unit{{with(w.ask(w.id(1)), func(a *job.Ask) { a.Query = "state:live" })}}}
	}},
	{job.Step{}, func(w world) steps {
		step := job.Step{ID: w.id(1), From: [16]byte{}, To: w.id(50), Seen: 1000, Did: 7, State: job.Running, Node: w.id(98), Lease: at.Add(2 * time.Minute), At: at.Add(time.Second)}
		stopped := with(w.ask(w.id(2)), func(a *job.Ask) { a.State = job.Stopped })
		return steps{
			given: core.Unit{w.ask(w.id(1)), stopped},
			unit:  core.Unit{step},
			read:  jobAt(w.id(1)),
			want: with(asked(w.ask(w.id(1))), func(j *job.Job) {
				j.Cursor, j.Seen, j.Did, j.Node, j.Lease, j.Changed = w.id(50), 1000, 7, w.id(98), at.Add(2*time.Minute), at.Add(time.Second)
			}),
			lost: []core.Unit{
				{step}, // another node was there
				{with(step, func(s *job.Step) { s.ID = w.id(2) })}, // nobody works on a stopped job
				{with(step, func(s *job.Step) { s.ID = w.id(9) })},
			}}
	}},
	{job.Turn{}, func(w world) steps {
		stop := job.Turn{ID: w.id(1), From: job.Running, To: job.Stopped, At: at.Add(time.Second)}
		return steps{
			given: core.Unit{w.ask(w.id(1))},
			unit:  core.Unit{stop},
			read:  jobAt(w.id(1)),
			want: with(asked(w.ask(w.id(1))), func(j *job.Job) {
				j.State, j.Changed, j.Lease = job.Stopped, at.Add(time.Second), time.Time{}
			}),
			lost: []core.Unit{{stop}, {with(stop, func(t *job.Turn) { t.ID = w.id(9) })}}}
	}},
	{job.Forget{}, func(w world) steps {
		old := at.Add(-job.KeptFor)
		made := func(k byte, state job.State, when time.Time) job.Ask {
			return with(w.ask(w.id(k)), func(a *job.Ask) { a.State, a.Asked = state, when })
		}
		return steps{
			given: core.Unit{made(1, job.Done, old.Add(-time.Microsecond)), made(2, job.Done, old), made(3, job.Stopped, old.Add(-time.Hour)), made(4, job.Running, old.Add(-time.Hour))},
			unit:  core.Unit{job.Forget{Before: old}},
			read: func(v core.View) any {
				return []bool{v.Job(w.id(1)).Exists(), v.Job(w.id(2)).Exists(), v.Job(w.id(3)).Exists(), v.Job(w.id(4)).Exists()}
			},
			want:  []bool{false, true, true, true},
			still: []core.Unit{{job.Forget{Before: old}}}}
	}},
	{session.FinishAll{}, func(w world) steps {
		ends := func(ids ...session.ID) session.FinishAll {
			return session.FinishAll{IDs: ids, At: at.Add(time.Minute), Why: session.ByOperator}
		}
		other := w.start(w.id(6), 6)
		return steps{
			given: append(w.signedIn(), other, w.start(w.id(7), 7)),
			unit:  revoking(ends(w.laptop, other.ID)),
			read: func(v core.View) any {
				return []session.Session{v.Session(w.laptop), v.Session(other.ID), v.Session(w.phone)}
			},
			want: []session.Session{
				with(begun(w.start(w.laptop, 1)), func(s *session.Session) {
					s.Cut, s.Ended, s.Why = w.base+1, at.Add(time.Minute), session.ByOperator
				}),
				with(begun(other), func(s *session.Session) {
					s.Cut, s.Ended, s.Why = w.base+1, at.Add(time.Minute), session.ByOperator
				}),
				begun(w.start(w.phone, 2)),
			},
			lost: []core.Unit{
				revoking(ends(w.phone, w.laptop)), // one of them has ended
				revoking(ends(w.phone, w.id(9))),
			},
			still: []core.Unit{{ends()}}}
	}},
	{client.Cut{}, func(w world) steps {
		return steps{
			given: core.Unit{w.application(w.app)},
			unit:  revoking(client.Cut{ID: w.app}),
			read:  func(v core.View) any { return v.Client(w.app).Cut },
			want:  w.base + 1,
			lost:  []core.Unit{revoking(client.Cut{ID: "nobody"})}}
	}},
}
