package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// auditOut is an entry of the ledger as operators read it.
type auditOut struct {
	exchangeOut
	Chain   string `json:"chain" says:"audit, or rest."`
	User    string `json:"user,omitzero"`
	Email   string `json:"email,omitzero"`
	Session string `json:"session,omitzero"`
	Client  string `json:"client_id,omitzero"`
	Actor   string `json:"actor,omitzero" says:"Who acted, when it was not the person."`
	IP      string `json:"ip,omitzero" says:"Left out once it has been erased."`
	Device  string `json:"device,omitzero"`
}

type auditPage struct {
	Entries []auditOut `json:"entries"`
	Next    string     `json:"next,omitzero" says:"Ask for what is older than it."`
}

func auditJSON(e manage.Audited) auditOut {
	out := auditOut{exchangeOut: told([]ledger.Entry{e.Entry}, nil)[0], Chain: "audit", User: e.User.String(), Email: e.Email, Session: e.Session.String(), Client: e.Client,
		Actor: e.Actor, IP: e.Personal.IP}
	if e.Chain == ledger.Rest {
		out.Chain = "rest"
	}
	if e.Personal.UserAgent != "" {
		out.Device = session.Named(e.Personal.UserAgent)
	}
	return out
}

// auditWithin bounds how long a look through the ledger may take.
const auditWithin = time.Minute

func (m *Manage) audit(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(r.Context(), auditWithin)
	defer cancel()
	q := r.URL.Query()
	limit := 100
	var before ledger.ID
	var err error
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > pageAtMost {
			return check.Refuse(door.Query)
		}
	}
	if s := q.Get("after"); s != "" {
		if before, err = ledger.ParseID(s); err != nil {
			return check.Refuse(door.Query)
		}
	}
	entries, err := m.Manage.Audit(ctx, q.Get("q"), before, limit)
	if err != nil {
		return err
	}
	out := auditPage{Entries: make([]auditOut, len(entries))}
	for i, e := range entries {
		out.Entries[i] = auditJSON(e)
	}
	if len(entries) == limit {
		out.Next = entries[limit-1].ID.String()
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

// A stream writes JSON lines, each page within its time.
type stream struct {
	w     http.ResponseWriter
	c     *http.ResponseController
	begun bool
}

func (s *stream) lines(entries []manage.Audited) error {
	if !s.begun {
		s.begun = true
		s.c = outlive(s.w)
		s.w.Header().Set("Content-Type", linesMedia)
		s.w.Header().Set("Cache-Control", "no-store")
	}
	late := time.AfterFunc(pageWithin, func() { _ = s.c.SetWriteDeadline(time.Unix(1, 0)) })
	defer late.Stop()
	for _, e := range entries {
		b, err := json.Marshal(auditJSON(e), json.Deterministic(true))
		if err != nil {
			return err
		}
		if _, err := s.w.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	return s.c.Flush()
}

func (m *Manage) exportAudit(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	s := &stream{w: w}
	err := m.Manage.ExportAudit(r.Context(), r.URL.Query().Get("q"), s.lines)
	if err != nil && s.begun {
		// What was cut short must not pass for all there is.
		panic(http.ErrAbortHandler)
	}
	return err
}

const (
	tailEvery = 500 * time.Millisecond
	// tailBack is how far a look goes back: entries may commit late.
	tailBack  = 15 * time.Second
	heartbeat = 15 * time.Second
)

// tail streams what the ledger takes in, from now on. An empty line says now
// and then that the stream lives.
func (m *Manage) tail(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	q := r.URL.Query().Get("q")
	began := m.Manage.Now()
	s := &stream{w: w}
	if _, err := m.Manage.Tail(r.Context(), q, began); err != nil {
		return err
	}
	if s.lines(nil) != nil {
		return nil
	}
	seen := map[ledger.ID]time.Time{}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	look := time.NewTicker(tailEvery)
	defer look.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-m.Manage.Closing():
			return nil
		case <-beat.C:
			if _, err := w.Write([]byte("\n")); err != nil || s.c.Flush() != nil {
				return nil
			}
			continue
		case <-look.C:
		}
		since := m.Manage.Now().Add(-tailBack)
		if since.Before(began) {
			since = began
		}
		entries, err := m.Manage.Tail(r.Context(), q, since)
		var refusal *check.Refusal
		if errors.As(err, &refusal) {
			return nil
		} else if err != nil {
			continue // the database does not answer for a moment
		}
		fresh := entries[:0:0]
		for _, e := range entries {
			if _, known := seen[e.ID]; !known {
				seen[e.ID] = e.At
				fresh = append(fresh, e)
			}
		}
		for id, at := range seen {
			if at.Before(since.Add(-tailBack)) {
				delete(seen, id)
			}
		}
		if len(fresh) > 0 && s.lines(fresh) != nil {
			return nil
		}
	}
}
