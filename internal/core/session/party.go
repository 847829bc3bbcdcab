package session

import (
	"time"

	"github.com/doorward/doorward/internal/core/identity"
)

// A Party is an application that was given tokens in a session, and is told
// when it ends.
type Party struct {
	Session ID
	Client  string
	User    identity.UserID
	At      time.Time
}

// Join adds a party; one that is there already stays as it is.
type Join struct {
	Session ID
	Client  string
	User    identity.UserID
	At      time.Time
}

// Part takes one party away: of many nodes one does, and tells it.
type Part struct {
	Session ID
	Client  string
}

// Outstay removes parties of sessions that nothing can be left of, some at a
// time.
type Outstay struct{ Before time.Time }

func (Join) Changes() string    { return "parties" }
func (Part) Changes() string    { return "parties" }
func (Outstay) Changes() string { return "parties" }

// PartyReader is what is read of parties.
type PartyReader interface {
	// Parties lists those of a session.
	Parties(ID) []Party
	// PartiesOf lists those of a person whose sessions are over.
	PartiesOf(user identity.UserID, limit int) []Party
	// PartiesOver lists those of any session that is over, the oldest first.
	PartiesOver(limit int) []Party
}
