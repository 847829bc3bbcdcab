package api

import (
	"context"
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// effectFor is how long finding what a query means may take: among a million
// sessions that is longer than requests may.
const effectFor = 2 * time.Minute

// patient is the context of a held request that looks for what a query means.
func patient(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	return context.WithTimeout(r.Context(), effectFor)
}

type shareOut struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func sharesJSON(of []manage.Share) []shareOut {
	out := make([]shareOut, len(of))
	for i, s := range of {
		out[i] = shareOut(s)
	}
	return out
}

// endOut is what ending sessions did, or would do. The parts of an effect are
// there when it was asked for.
type endOut struct {
	Matched  int        `json:"matched"`
	Ended    int        `json:"ended"`
	AsOf     time.Time  `json:"as_of,omitzero"`
	People   int        `json:"people,omitzero"`
	Admins   int        `json:"administrators,omitzero"`
	Clients  []shareOut `json:"clients,omitempty"`
	Networks []shareOut `json:"networks,omitempty"`
	Job      *jobOut    `json:"job,omitzero"`
}

// An ending says what to end: one session, or what a query selects.
type ending struct {
	Query   string    `json:"query,omitzero"`
	ID      string    `json:"id,omitzero"`
	Dry     bool      `json:"dry_run,omitzero" says:"Show the effect and end nothing."`
	AsOf    time.Time `json:"as_of,omitzero" says:"Of the effect that was agreed to."`
	Matched *int      `json:"matched,omitzero" says:"Of the effect that was agreed to."`
}

type clientEnded struct {
	Client string `json:"client_id"`
}

type jobPage struct {
	Jobs []jobOut `json:"jobs"`
}

// endSessions ends one session, or those of a query. A query is shown its
// effect first (dry_run); as_of and matched of that answer then say what was
// agreed to.
func (m *Manage) endSessions(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	ctx, cancel := patient(w, r)
	defer cancel()
	var in ending
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	if (in.Query == "") == (in.ID == "") || in.Matched != nil && *in.Matched < 0 {
		return check.Refuse(door.Body)
	}
	if in.ID != "" {
		return m.endOne(ctx, w, by, in.ID, in.Dry)
	}
	if in.Dry || in.Matched == nil {
		e, err := m.Manage.Effect(ctx, in.Query)
		if err != nil {
			return err
		}
		if in.Dry {
			door.WriteJSON(w, "application/json", http.StatusOK, endOut{Matched: e.Sessions, AsOf: e.AsOf, People: e.People, Admins: e.Administrators, Clients: sharesJSON(e.Clients), Networks: sharesJSON(e.Networks)})
			return nil
		}
		in.Matched, in.AsOf = &e.Sessions, e.AsOf
	}
	j, err := m.Manage.EndSessions(ctx, by, in.Query, in.AsOf, *in.Matched)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if j.State == job.Running {
		status = http.StatusAccepted
	}
	out := jobJSON(j)
	door.WriteJSON(w, "application/json", status, endOut{Matched: j.Matched, Ended: j.Did, Job: &out})
	return nil
}

func (m *Manage) endOne(ctx context.Context, w http.ResponseWriter, by settle.Caller, text string, dry bool) error {
	var out endOut
	id, _ := session.ParseID(text)
	l, _, err := m.Manage.Session(ctx, id)
	if err != nil {
		return err
	}
	if l.Live {
		out.Matched = 1
	}
	if !dry && l.Live {
		ended, err := m.Manage.EndSession(ctx, by, id)
		if err != nil {
			return err
		}
		if ended {
			out.Ended = 1
		}
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (m *Manage) endUser(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	u, err := m.Manage.FindUser(r.Context(), r.PathValue("user"))
	if err != nil {
		return err
	}
	n, err := m.Manage.EndUser(r.Context(), by, u.ID)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, endOut{Matched: n, Ended: n})
	return nil
}

func (m *Manage) deleteClient(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	id := r.PathValue("client")
	if err := m.Manage.DeleteClient(r.Context(), by, id); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, clientEnded{id})
	return nil
}

func (m *Manage) endClient(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	id := r.PathValue("client")
	if err := m.Manage.EndClient(r.Context(), by, id); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, clientEnded{id})
	return nil
}

// jobOut is a job as operators see it.
type jobOut struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Query   string    `json:"query"`
	State   string    `json:"state"`
	Matched int       `json:"matched"`
	Seen    int       `json:"seen"`
	Did     int       `json:"did"`
	By      string    `json:"by"`
	Asked   time.Time `json:"asked"`
	Changed time.Time `json:"changed"`
}

func jobJSON(j job.Job) jobOut {
	return jobOut{j.ID.String(), j.Kind, j.Query, j.State.String(), j.Matched, j.Seen, j.Did, j.Actor, j.Asked, j.Changed}
}

func (m *Manage) jobs(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	all, err := m.Manage.Jobs(r.Context())
	if err != nil {
		return err
	}
	out := make([]jobOut, len(all))
	for i, j := range all {
		out[i] = jobJSON(j)
	}
	door.WriteJSON(w, "application/json", http.StatusOK, jobPage{out})
	return nil
}

func (m *Manage) job(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	id, _ := job.ParseID(r.PathValue("id"))
	j, err := m.Manage.Job(r.Context(), id)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, jobJSON(j))
	return nil
}

// jobTurned stops or resumes a job and shows it.
func (m *Manage) jobTurned(do func(context.Context, settle.Caller, job.ID) error) func(http.ResponseWriter, *http.Request, settle.Caller) error {
	return func(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
		id, _ := job.ParseID(r.PathValue("id"))
		if err := do(r.Context(), by, id); err != nil {
			return err
		}
		return m.job(w, r, by)
	}
}
