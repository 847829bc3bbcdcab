package api

import (
	"context"
	"net/http"

	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

func (m *Manage) user(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	u, err := m.Manage.FindUser(r.Context(), r.PathValue("user"))
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, userJSON(u))
	return nil
}

// turned makes a handler of a change to one person, who is then shown as they
// stand afterwards: read back, not assumed.
func (m *Manage) turned(change func(context.Context, settle.Caller, identity.UserID) error) func(http.ResponseWriter, *http.Request, settle.Caller) error {
	return func(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
		u, err := m.Manage.FindUser(r.Context(), r.PathValue("user"))
		if err != nil {
			return err
		}
		if err := change(r.Context(), by, u.ID); err != nil {
			return err
		}
		return m.user(w, r, by)
	}
}
