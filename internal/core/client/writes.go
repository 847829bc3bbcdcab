package client

import (
	"time"

	"github.com/doorward/doorward/internal/core/identity"
)

// Create registers an application. Unique by ID.
type Create struct {
	ID           string
	Name         string
	Type         string
	FirstParty   bool
	Auth         string
	SecretHash   [32]byte
	RedirectURIs []string
	PostLogout   []string
	Origins      []string
	Resources    []string
	Scopes       []string
	Grants       []string
	Created      time.Time
	TokenFormat  string
	Settings     Settings
}

// Claim gives an origin to one first-party application. Unique by origin.
type Claim struct{ Origin, Client string }

// Prefer gives an origin to a first-party application if nobody has it: that
// of an address it goes back to, which others may share.
type Prefer struct{ Origin, Client string }

// Cut ends every family and token of an application, at the unit's feed
// position. What it is given afterwards lives.
type Cut struct{ ID string }

// Remove forgets a machine's application. One that people's tokens could hang
// on stays: its id must never come back to them.
type Remove struct{ ID string }

func (Remove) Changes() string { return "clients" }
func (Cut) Changes() string    { return "clients" }
func (Prefer) Changes() string { return "client_origins" }
func (Create) Changes() string { return "clients" }
func (Claim) Changes() string  { return "client_origins" }

// Reader is what judgements read of applications.
type Reader interface {
	Client(id string) Client
	// ClientOf finds the first-party application that claimed an origin.
	ClientOf(origin string) Client
	Clients() []Client
	// Consent finds what a person allowed an application; Granted the consent
	// of a grant.
	Consent(user identity.UserID, client string) Consent
	Granted(GrantID) Consent
	// Consents lists what a person allows, the newest first.
	Consents(user identity.UserID) []Consent
	// Scopes are the permissions that operators described, by name.
	Scopes() []Scope
}
