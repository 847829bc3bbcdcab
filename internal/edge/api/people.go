package api

import (
	"context"
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
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

// deleteUser deletes a person's account at once and shows what is left of it,
// which only the id finds.
func (m *Manage) deleteUser(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	u, err := m.Manage.FindUser(r.Context(), r.PathValue("user"))
	if err != nil {
		return err
	}
	if err := m.Accounts.DeleteUser(r.Context(), by, u.ID); err != nil {
		return err
	}
	if u, err = m.Manage.FindUser(r.Context(), u.ID.String()); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, userJSON(u))
	return nil
}

// Accounts are the exchanges that an operator may start for a person.
type Accounts interface {
	DeleteUser(ctx context.Context, by settle.Caller, id identity.UserID) error
	RecoverUser(ctx context.Context, by settle.Caller, id identity.UserID, print bool) (link string, until time.Time, err error)
	Invite(ctx context.Context, by settle.Caller, email, name string) (exchange.Invitation, error)
	OfferSetup(ctx context.Context, by settle.Caller) (exchange.SetupOffer, error)
	// Policy has the issuer that links lead to.
	Policy() exchange.Policy
}

type recovery struct {
	PrintLink bool `json:"print_link"`
}

type recoveryOut struct {
	ID    string    `json:"id"`
	Email string    `json:"email"`
	Until time.Time `json:"until"`
	Link  string    `json:"link,omitzero"`
}

// recover starts a person's recovery. The link is told only when it is asked for: whoever reads it can choose the
// person's next password.
func (m *Manage) recover(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in recovery
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	u, err := m.Manage.FindUser(r.Context(), r.PathValue("user"))
	if err != nil {
		return err
	}
	link, until, err := m.Accounts.RecoverUser(r.Context(), by, u.ID, in.PrintLink)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, recoveryOut{u.ID.String(), u.Email, until, link})
	return nil
}
