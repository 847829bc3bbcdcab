package client

import (
	"slices"

	"github.com/doorward/doorward/internal/core/check"
)

// A Trade says which tokens an application may trade for others, and for what
// (RFC 8693 section 5): its zero value is the tokens that are for the
// application itself, for others that are for itself, and nothing without the
// grant being registered.
type Trade struct {
	// Clients are those whose tokens it may trade; any that are for it, when
	// empty.
	Clients []string `json:"subject_clients,omitempty"`
	// Audiences are whom what it gets may be for; its own resources, when empty.
	Audiences []string `json:"audiences,omitempty"`
	// Impersonate lets it act as the subject, so that nobody sees who acts.
	// Without it, every token says in act that it acts for the subject.
	Impersonate bool `json:"impersonation,omitzero"`
}

// WordTrade names a trade that was refused.
var WordTrade = check.NewWord(255, "doorward_token_exchange")

func (t Trade) valid() bool {
	return len(t.Clients) <= maxClaims && len(t.Audiences) <= maxAudience &&
		!slices.ContainsFunc(t.Clients, func(s string) bool { return !ValidID(s) }) && !slices.ContainsFunc(t.Audiences, func(s string) bool { return !ValidScope(s) })
}

// Trades says whether an application may trade a token that was given to
// another: it must be for the application, or its own.
func (c Client) Trades(givenTo string, audience []string) bool {
	mine := givenTo == c.ID || slices.ContainsFunc(audience, c.Owns)
	return mine && (len(c.Trade.Clients) == 0 || slices.Contains(c.Trade.Clients, givenTo))
}

// TradesFor is whom what it gets by trading may be for.
func (c Client) TradesFor() []string {
	if len(c.Trade.Audiences) == 0 {
		return c.Resources
	}
	return c.Trade.Audiences
}
