package sql

import (
	"math"

	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/session"
)

// spans are the reads of runs of sessions, each by an index: whose (one
// person's or everybody's) and from which end.
var spans = func() (out [2][2]string) {
	for i, whose := range []string{"", " and user_id = $5"} {
		for k, order := range []string{"", " desc"} {
			out[i][k] = `select ` + sessionColumns + `, ` + userColumns + `, coalesce(f.client_id, '') as app
				from (select * from sessions where id > $1 and id <= $2 and ended <= $4` + whose + ` order by id` + order + ` limit $3) s
				join users u on u.id = s.user_id left join families f on f.session_id = s.id
				order by s.id` + order + `, app`
		}
	}
	return out
}()

// Span reads a run of sessions; see session.Reader. A session with more than
// one refresh family is on more than one line.
func (v *view) Span(q session.Span) (out []session.Row) {
	ended := int64(math.MaxInt64)
	if q.Standing {
		ended = 0
	}
	args := []any{q.After[:], q.Upto[:], q.Limit, ended}
	whose, end := 0, 0
	if !q.User.IsZero() {
		whose, args = 1, append(args, q.User[:])
	}
	if q.Newest {
		end = 1
	}
	v.many(spans[whose][end], args, func(scan func(...any) error) error {
		var r session.Row
		var app string
		if err := scan(append(append(sessionFields(&r.Session), userFields(&r.Person)...), &app)...); err != nil {
			return err
		}
		if n := len(out); n == 0 || out[n-1].ID != r.ID {
			v.sees(r.Person.Cut)
			out = append(out, r)
		}
		last := &out[len(out)-1]
		if n := len(last.Clients); app != "" && (n == 0 || last.Clients[n-1] != app) {
			last.Clients = append(last.Clients, app)
		}
		return nil
	})
	return out
}

const jobColumns = `id, kind, query, actor, asked, matched, cursor, seen, did, state, changed, node, lease`

func (v *view) jobs(text string, args ...any) (out []job.Job) {
	v.many(text, args, func(scan func(...any) error) error {
		var j job.Job
		err := scan(raw(j.ID[:]), &j.Kind, &j.Query, &j.Actor, at{&j.Asked}, &j.Matched, raw(j.Cursor[:]), &j.Seen, &j.Did, &j.State, at{&j.Changed}, raw(j.Node[:]), at{&j.Lease})
		out = append(out, j)
		return err
	})
	return out
}

func (v *view) Job(id job.ID) job.Job {
	return first(v.jobs(`select `+jobColumns+` from jobs where id = $1`, id[:]))
}

func (v *view) Jobs(limit int) []job.Job {
	return v.jobs(`select `+jobColumns+` from jobs order by id desc limit $1`, limit)
}

func (v *view) JobsIn(s job.State, limit int) []job.Job {
	return v.jobs(`select `+jobColumns+` from jobs where state = $1 order by id limit $2`, int64(s), limit)
}
