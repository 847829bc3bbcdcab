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
	AccessLife   int64 // that of the settings in microseconds, for who looks for the longest
}

// Claim gives an origin to one first-party application. Unique by origin.
type Claim struct{ Origin, Client string }

// Prefer gives an origin to a first-party application if nobody has it: that
// of an address it goes back to, which others may share.
type Prefer struct{ Origin, Client string }

// Cut ends every family and token of an application, at the unit's feed
// position. What it is given afterwards lives.
type Cut struct{ ID string }

// Edit changes what an application is registered with, when it is still what
// was judged.
type Edit struct {
	ID           string
	Guard        uint64
	Name         string
	FirstParty   bool
	Auth         string
	RedirectURIs []string
	PostLogout   []string
	Origins      []string
	Resources    []string
	Scopes       []string
	Grants       []string
	TokenFormat  string
	Settings     Settings
	AccessLife   int64
}

// Trim ends the access tokens of an application, at the unit's feed position:
// what it refreshes afterwards lives.
type Trim struct{ ID string }

// Pause stops an application from everything, at the unit's feed position:
// what it was given stays ended when it is resumed.
type Pause struct {
	ID    string
	Guard uint64
}

// Resume lets a paused application ask again.
type Resume struct {
	ID    string
	Guard uint64
}

// Delete takes an application away, at the unit's feed position. Its name stays
// for who reads what happened, and its id, which must never come back to
// tokens and consents of the one before.
type Delete struct {
	ID    string
	Guard uint64
	At    time.Time
	None  [32]byte // the hash of no secret
}

// Unclaim gives back every origin that an application claimed or was preferred
// for.
type Unclaim struct{ Client string }

// Page says that pages of an origin are an application's: they may read
// answers of the endpoints that applications ask. Others may share it.
type Page struct{ Origin, Client string }

// Unpage takes that back for every origin of an application.
type Unpage struct{ Client string }

func (Edit) Changes() string    { return "clients" }
func (Trim) Changes() string    { return "clients" }
func (Pause) Changes() string   { return "clients" }
func (Resume) Changes() string  { return "clients" }
func (Delete) Changes() string  { return "clients" }
func (Unclaim) Changes() string { return "client_origins" }
func (Page) Changes() string    { return "client_pages" }
func (Unpage) Changes() string  { return "client_pages" }
func (Cut) Changes() string     { return "clients" }
func (Prefer) Changes() string  { return "client_origins" }
func (Create) Changes() string  { return "clients" }
func (Claim) Changes() string   { return "client_origins" }

// Reader is what judgements read of applications.
type Reader interface {
	Client(id string) Client
	// ClientOf finds the first-party application that claimed an origin.
	ClientOf(origin string) Client
	Clients() []Client
	// HasPages says whether pages of an origin are some application's that is
	// there and not paused.
	HasPages(origin string) bool
	// Secrets lists what an application shares with its service, the newest last;
	// SecretOf finds one by the id that a token names.
	Secrets(client string) []SharedSecret
	SecretOf(kid string) SharedSecret
	// Consent finds what a person allowed an application; Granted the consent
	// of a grant.
	Consent(user identity.UserID, client string) Consent
	Granted(GrantID) Consent
	// Federations lists whose tokens an application may trade, or all of them.
	Federations(client string) []Federation
	// Consents lists what a person allows, the newest first.
	Consents(user identity.UserID) []Consent
	// Scopes are the permissions that operators described, by name.
	Scopes() []Scope
	RegistrationReader
	// DetailTypes lists the declared types of authorization details, by name.
	DetailTypes() []DetailType
}
