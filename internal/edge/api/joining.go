package api

import (
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

type newInvitation struct {
	Email string `json:"email"`
	Name  string `json:"name,omitzero"`
	Print bool   `json:"print_link,omitzero"`
}

type managedInvitation struct {
	Email string    `json:"email"`
	Sent  bool      `json:"sent"`
	Until time.Time `json:"expires_at"`
	Link  string    `json:"link,omitzero"`
}

// invite makes an invitation. Its link is in the answer when no mail carries
// it, or when the operator asks to hand it over themselves.
func (m *Manage) invite(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in newInvitation
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	if len(in.Name) > 256 {
		return check.Refuse(door.Body)
	}
	i, err := m.Accounts.Invite(r.Context(), by, in.Email, in.Name)
	if err != nil {
		return err
	}
	out := managedInvitation{Email: i.Email, Sent: i.Sent, Until: i.Until}
	if in.Print || !i.Sent {
		out.Link = m.Accounts.Policy().Issuer + i.Link
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, out)
	return nil
}

type setupOffer struct {
	Link  string    `json:"link"`
	Code  string    `json:"code"`
	Until time.Time `json:"expires_at"`
}

// setupLink makes the code of the first administrator.
func (m *Manage) setupLink(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	o, err := m.Accounts.OfferSetup(r.Context(), by)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, setupOffer{m.Accounts.Policy().Issuer + o.Link, o.Code, o.Until})
	return nil
}
