package client

import (
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/core/identity"
)

type grantKind struct{}

func (grantKind) Prefix() string { return "grant" }

// GrantID names what tokens hang on beside their session: a consent, or one
// first-party application in one session. It is in access tokens and the
// feed, and says nothing about a refresh family.
type GrantID = id.ID[grantKind]

// NewGrantID makes the id of a consent.
func NewGrantID(now time.Time, random [16]byte) GrantID { return id.New[grantKind](now, random) }

// ParseGrantID reads the outside form.
func ParseGrantID(s string) (GrantID, error) { return id.Parse[grantKind](s) }

// GrantFrom is the id that a digest stands for.
func GrantFrom(digest [32]byte) GrantID { return id.Named[grantKind](digest) }

// A Consent is what a person allowed an application, or what policy allowed it
// for them. Removed is a state of it: its row and id stay, so that what hung
// on it stays dead.
type Consent struct {
	ID      GrantID
	User    identity.UserID
	Client  string
	Scopes  []string // none once it was removed
	Terms   Terms
	Rev     uint64
	Cut     uint64 // feed position below which no token of it counts
	Created time.Time
	Changed time.Time
}

// Terms are what was agreed beside scopes.
type Terms struct {
	// Policy says that the deployment decided, not the person: first-party
	// applications ask nobody.
	Policy bool `json:"policy,omitzero"`
	// Declined are optional scopes that the person left out when they were asked:
	// they are not asked for them again until the application asks by name
	// (prompt=consent).
	Declined []string `json:"declined,omitempty"`
	// Details are authorization details (RFC 9396), the newest last.
	Details []string `json:"details,omitempty"`
}

// Exists says whether the row was found.
func (c Consent) Exists() bool { return !c.ID.IsZero() }

// Stands says whether the person allows the application anything now.
func (c Consent) Stands() bool { return c.Exists() && len(c.Scopes) > 0 }

// Covers says whether everything that is asked for was allowed already.
func (c Consent) Covers(scopes []string) bool {
	return c.Stands() && !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(c.Scopes, s) })
}

// Settles says whether the person decided on everything that is asked for, and
// allowed some of it.
func (c Consent) Settles(scopes []string) bool {
	return len(c.Within(scopes)) > 0 && !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(c.Scopes, s) && !slices.Contains(c.Terms.Declined, s) })
}

// Agrees says whether each of these authorization details was allowed.
func (c Consent) Agrees(details []Detail) bool {
	return !slices.ContainsFunc(details, func(d Detail) bool { return !slices.Contains(c.Terms.Details, d.Text) })
}

// With are terms with more authorization details; of very many the oldest are
// asked for again.
func (t Terms) With(before []string, details []Detail) Terms {
	t.Details = slices.Clone(before)
	for _, d := range details {
		if !slices.Contains(t.Details, d.Text) {
			t.Details = append(t.Details, d.Text)
		}
	}
	t.Details = t.Details[max(0, len(t.Details)-4*detailsAtMost):]
	return t
}

// Within are the scopes of a list that are allowed.
func (c Consent) Within(scopes []string) []string {
	var out []string
	for _, s := range scopes {
		if slices.Contains(c.Scopes, s) {
			out = append(out, s)
		}
	}
	return out
}

// Decide is what is allowed, and what was declined, after a person was asked
// for some scopes and chose of them.
func (c Consent) Decide(asked, chosen []string) (scopes []string, terms Terms) {
	for _, s := range c.Scopes {
		if !slices.Contains(asked, s) {
			scopes = append(scopes, s)
		}
	}
	for _, s := range c.Terms.Declined {
		if !slices.Contains(asked, s) {
			terms.Declined = append(terms.Declined, s)
		}
	}
	for _, s := range asked {
		if slices.Contains(chosen, s) {
			scopes = append(scopes, s)
		} else {
			terms.Declined = append(terms.Declined, s)
		}
	}
	return scopes, terms
}

// Allow writes down what a person allows an application from now on. Unique by
// person and application.
type Allow struct {
	ID      GrantID
	User    identity.UserID
	Client  string
	Scopes  []string
	Terms   Terms
	Rev     uint64
	Created time.Time
}

// Widen changes what is allowed, when it is still what was judged.
type Widen struct {
	ID      GrantID
	From    time.Time // when it last changed
	Scopes  []string
	Terms   Terms
	Changed time.Time
}

// Disallow takes everything back, at the unit's feed position.
type Disallow struct {
	ID      GrantID
	Changed time.Time
}

// Sever ends what hangs on a consent, at the unit's feed position, and leaves
// it standing.
type Sever struct{ ID GrantID }

// Unallow removes what a deleted person allowed, some at a time.
type Unallow struct{ User identity.UserID }

func (Allow) Changes() string    { return "consents" }
func (Widen) Changes() string    { return "consents" }
func (Disallow) Changes() string { return "consents" }
func (Sever) Changes() string    { return "consents" }
func (Unallow) Changes() string  { return "consents" }
