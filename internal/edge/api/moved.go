package api

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// moved is a person as a line of an import or export.
type moved struct {
	ID       string    `json:"id,omitzero" says:"An id of this product; left out, a new one is made."`
	Email    string    `json:"email"`
	Name     string    `json:"name,omitzero"`
	Verified bool      `json:"verified,omitzero"`
	State    string    `json:"state,omitzero" says:"active, or paused."`
	Hash     string    `json:"password_hash,omitzero" says:"argon2id as a PHC string, or bcrypt."`
	Created  time.Time `json:"created,omitzero"`
}

// nameAtMost is how many bytes a person's name may have.
const nameAtMost = 256

func (in moved) person() (p manage.Moved, err error) {
	if in.ID != "" {
		if p.ID, err = identity.ParseUserID(in.ID); err != nil {
			return p, check.Refuse(door.Body)
		}
	}
	if len(in.Name) > nameAtMost || in.State != "" && in.State != "active" && in.State != "paused" {
		return p, check.Refuse(door.Body)
	}
	p.Email, p.Name, p.Verified, p.Paused, p.Hash, p.Created = in.Email, in.Name, in.Verified, in.State == "paused", in.Hash, in.Created
	return p, nil
}

// importResult says what came of a line.
type importResult struct {
	Line    int    `json:"line" says:"Counted from 1."`
	Outcome string `json:"outcome" says:"created, updated, unchanged or refused."`
	ID      string `json:"id,omitzero"`
	Check   string `json:"check,omitzero"`
	Title   string `json:"title,omitzero"`
}

type importResults struct {
	Results []importResult `json:"results"`
}

const (
	linesAtMost = 1000 // a request
	importAtOne = 16   // people at the same time: their units share the disk's syncs
)

func (m *Manage) importUsers(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	update, err := yes(r, "update")
	if err != nil {
		return err
	}
	lines, err := door.Lines(w, r, linesAtMost)
	if err != nil {
		return err
	}
	out := importResults{Results: make([]importResult, len(lines))}
	failed := make([]error, len(lines))
	var all sync.WaitGroup
	place := make(chan struct{}, importAtOne)
	for i, line := range lines {
		place <- struct{}{}
		all.Go(func() {
			defer func() { <-place }()
			out.Results[i], failed[i] = m.importLine(r, by, i+1, line, update)
		})
	}
	all.Wait()
	// When the database does not answer, nothing is said of any line: those that
	// were imported are unchanged when the batch comes again.
	if err := errors.Join(failed...); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

// importLine imports one person. A refusal is what came of it; any other error
// is the batch's.
func (m *Manage) importLine(r *http.Request, by settle.Caller, number int, line []byte, update bool) (importResult, error) {
	var in moved
	err := door.ReadJSON(line, &in)
	var p manage.Moved
	if err == nil {
		p, err = in.person()
	}
	var id identity.UserID
	var o manage.Outcome
	if err == nil {
		id, o, err = m.Manage.ImportUser(r.Context(), by, p, update)
	}
	var refusal *check.Refusal
	switch {
	case errors.As(err, &refusal):
		return importResult{Line: number, Outcome: "refused", Check: refusal.Check().Shown, Title: refusal.Check().Title}, nil
	case err != nil:
		return importResult{}, err
	}
	return importResult{Line: number, Outcome: o.String(), ID: id.String()}, nil
}

// yes reads a parameter that is true, or not there.
func yes(r *http.Request, name string) (bool, error) {
	switch r.URL.Query().Get(name) {
	case "":
		return false, nil
	case "true":
		return true, nil
	}
	return false, check.Refuse(door.Query)
}

// pageWithin is how long one page of a stream may take to be written.
const pageWithin = 30 * time.Second

// exportUsers streams everybody, page by page: however many there are, one
// page is in memory. A stream that cannot go on is cut, so that nobody takes
// half of the people for all of them.
func (m *Manage) exportUsers(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	hashes, err := yes(r, "hashes")
	if err != nil {
		return err
	}
	if err := m.Manage.ExportUsers(r.Context(), by, hashes, strings.HasPrefix(by.Actor, "host:")); err != nil {
		return err
	}
	page, err := m.Manage.Exported(r.Context(), identity.UserID{}, pageAtMost, hashes)
	if err != nil {
		return err
	}
	c := outlive(w)
	h := w.Header()
	h.Set("Content-Type", linesMedia)
	h.Set("Cache-Control", "no-store")
	for {
		late := time.AfterFunc(pageWithin, func() { _ = c.SetWriteDeadline(time.Unix(1, 0)) })
		for _, p := range page {
			line := moved{ID: p.ID.String(), Email: p.Email, Name: p.Name, Verified: p.Verified, State: "active", Hash: p.Hash, Created: p.Created}
			if p.Paused {
				line.State = "paused"
			}
			b, err := json.Marshal(line, json.Deterministic(true))
			if err == nil {
				_, err = w.Write(append(b, '\n'))
			}
			if err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		late.Stop()
		if len(page) < pageAtMost {
			return nil
		}
		if page, err = m.Manage.Exported(r.Context(), page[len(page)-1].ID, pageAtMost, hashes); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// edited is what may be changed of a person; what is left out stays.
type edited struct {
	Name     *string `json:"name,omitzero"`
	Verified *bool   `json:"verified,omitzero"`
}

func (m *Manage) editUser(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in edited
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	if in.Name == nil && in.Verified == nil || in.Name != nil && len(*in.Name) > nameAtMost {
		return check.Refuse(door.Body)
	}
	u, err := m.Manage.FindUser(r.Context(), r.PathValue("user"))
	if err != nil {
		return err
	}
	if err := m.Manage.EditUser(r.Context(), by, u.ID, in.Name, in.Verified); err != nil {
		return err
	}
	return m.user(w, r, by)
}
