package client

import (
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
)

// Who may have an application registered without an operator (RFC 7591
// section 3).
const (
	RegisterOff   = "off"
	RegisterToken = "token" // who has an initial access token from an operator
	RegisterOpen  = "open"  // everybody, within a budget
)

type initialKind struct{}

func (initialKind) Prefix() string { return "iat" }

// InitialID names an initial access token. It gives no power.
type InitialID = id.ID[initialKind]

// NewInitialID makes one.
func NewInitialID(now time.Time, random [16]byte) InitialID { return id.New[initialKind](now, random) }

// ParseInitialID reads the outside form.
func ParseInitialID(s string) (InitialID, error) { return id.Parse[initialKind](s) }

// An Initial is an initial access token: so many applications may be
// registered with it, until then.
type Initial struct {
	ID      InitialID
	Hash    [32]byte
	Uses    int // that are left
	Created time.Time
	Expires time.Time
}

// Good says whether an application may be registered with it.
func (i Initial) Good(now time.Time) bool {
	return !i.ID.IsZero() && i.Uses > 0 && now.Before(i.Expires)
}

// Prefixes of the two tokens, by which secret scanners find leaked ones.
const (
	InitialPrefix      = "dw_it_"
	RegistrationPrefix = "dw_ra_"
)

// RegistrationHash is what is kept of either token.
func RegistrationHash(text string) [32]byte { return secret.Hash("registration", []byte(text)) }

// Permit makes an initial access token.
type Permit struct {
	ID      InitialID
	Hash    [32]byte
	Uses    int
	Created time.Time
	Expires time.Time
}

// Use takes one use from an initial access token, when there is one left.
type Use struct {
	ID  InitialID
	Now time.Time
}

// Withdraw removes an initial access token.
type Withdraw struct{ ID InitialID }

// Entrust keeps what an application that registered itself proves itself with.
type Entrust struct {
	Client  string
	Hash    [32]byte
	Created time.Time
}

// Distrust forgets it.
type Distrust struct{ Client string }

func (Permit) Changes() string   { return "initial_tokens" }
func (Use) Changes() string      { return "initial_tokens" }
func (Withdraw) Changes() string { return "initial_tokens" }
func (Entrust) Changes() string  { return "registrations" }
func (Distrust) Changes() string { return "registrations" }

// RegistrationReader is what is read of registrations.
type RegistrationReader interface {
	// Initial finds an initial access token.
	Initial(hash [32]byte) Initial
	// Initials lists them, the newest first.
	Initials() []Initial
	// Registration is the hash of an application's registration access token;
	// zero when it has none.
	Registration(clientID string) [32]byte
}

// strangersGrants are those that an application which nobody here knows may
// register for: what a person allows it, nothing of its own.
var strangersGrants = []string{GrantCode, GrantRefresh}

// Modest says whether an application that registers itself asks for no more
// than a stranger may have (ASVS 10.4.7): nothing that needs no person, no API
// of ours, no scope but those of OpenID Connect and those offered, no part in
// the session.
func (c Client) Modest(offered []string) (check.Word, bool) {
	switch {
	case c.FirstParty, len(c.Origins) > 0:
		return WordOrigin, false
	case c.Type == "machine":
		return WordType, false
	case len(c.Resources) > 0:
		return WordResource, false
	case slices.ContainsFunc(c.Grants, func(g string) bool { return !slices.Contains(strangersGrants, g) }):
		return WordGrant, false
	case c.PKCE == PKCEOptional:
		return WordPKCE, false
	case len(c.RedirectURIs) == 0:
		return WordRedirect, false
	case slices.ContainsFunc(c.Scopes, func(s string) bool { return !Personal(s) && !slices.Contains(offered, s) }):
		return WordScope, false
	}
	return 0, true
}

// Kind is the type of application that its metadata speak of, where they do not
// say: one that proves itself has a server; one that does not is native when
// it goes back to no page of the web.
func (c Client) Kind(applicationType string) string {
	switch {
	case c.Auth != AuthNone:
		return "web"
	case applicationType == "native", slices.ContainsFunc(c.RedirectURIs, func(s string) bool { return !strings.HasPrefix(s, "https://") }):
		return "native"
	}
	return "spa"
}

// Checks of registrations, with the error codes of RFC 7591 section 3.2.2.
var (
	RegistrationOpen = check.New(check.Check{Number: 1105, ID: "registration.open", Fault: fault.Denied, Shown: "registration.open", Code: "access_denied",
		Says: "Applications may register themselves here.", Source: "RFC 7591 section 3; ASVS 10.4.7",
		Title: "Applications are registered by the people who run this server.", Stops: []string{"OAU-25"}})
	RegistrationPermitted = check.New(check.Check{Number: 1106, ID: "registration.permitted", Fault: fault.Unauthenticated, Shown: "registration.permitted",
		Says: "An initial access token with a use left came with the registration, or everybody may register.", Source: "RFC 7591 section 3",
		Title: "An application is registered with an initial access token, which the people who run this server give.", Stops: []string{"OAU-25"}})
	RegistrationCalm = check.New(check.Check{Number: 1107, ID: "limit.registrations", Fault: fault.Slow, Shown: "limit.registrations",
		Says: "Few enough applications were registered from this network.", Source: "ASVS 2.4.1",
		Title: "Too many applications were registered from your network.", Stops: []string{"DOS-01"}})
	RegistrationRedirect = check.New(check.Check{Number: 1108, ID: "registration.redirect", Fault: fault.Unacceptable, Shown: "registration.redirect", Code: "invalid_redirect_uri",
		Says: "Every address to go back to is one that may be registered, and there is one.", Source: "RFC 7591 section 3.2.2; RFC 9700 section 2.1",
		Title: "An address to go back to cannot be registered.", Stops: []string{"OAU-03"}})
	RegistrationMetadata = check.New(check.Check{Number: 1109, ID: "registration.metadata", Fault: fault.Unacceptable, Shown: "registration.metadata", Code: "invalid_client_metadata",
		Says: "Everything the application is registered with is allowed, and no more than a stranger may have.", Source: "RFC 7591 section 3.2.2; ASVS 10.4.7",
		Title: "The application cannot be registered like this.", Stops: []string{"OAU-25"}})
	RegistrationOwn = check.New(check.Check{Number: 1110, ID: "registration.own", Fault: fault.Unauthenticated, Shown: "registration.own",
		Says: "The registration access token of this application came with the request.", Source: "RFC 7592 section 3",
		Title: "The registration access token is not this application's."})
)
