package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// Granted are the tokens of a grant (RFC 6749 section 5.1).
type Granted struct {
	Access    string
	ExpiresAt time.Time
	Scopes    []string
	Refresh   string        // empty where the grant gives none
	Details   []string      // authorization details (RFC 9396)
	IDToken   string        // empty where openid was not granted
	Confirm   token.Confirm // what the access token is bound to
	Issued    string        // the kind of token that was asked for in an exchange (RFC 8693 section 3)
}

// Lifetime is how long the access token is good, from an instant.
func (g Granted) Lifetime(now time.Time) time.Duration { return g.ExpiresAt.Sub(now) }

// atToken names the budget of the token endpoint, and that something is asked
// for there.
const atToken = "token"

// tokenPace is what one client may ask of the token endpoint: 20 a second
// (security defaults 3.4).
var tokenPace = []risk.Budget{{Count: 200, Per: 10 * time.Second}}

var clientCredentials = check.Declare(301, "client.credentials",
	clientCalm, client.Authentic, client.Standing, clientPace, client.Granted, token.ProofDemanded, token.ProofUnspent, client.ScopeWithin, client.ResourceWithin, client.RequestDetails).Count()

// An Asked is what a token request may narrow: nothing asked for is everything
// there is.
type Asked struct {
	Scope     string
	Resources []string // RFC 8707
	Details   string   // authorization_details (RFC 9396)
}

// within says which of what may be had was asked for, each once, and whether no
// more was.
func within(asked, may []string) ([]string, bool) {
	if len(asked) == 0 {
		return may, true
	}
	if slices.ContainsFunc(asked, func(s string) bool { return !slices.Contains(may, s) }) {
		return nil, false
	}
	return union(nil, asked), true
}

// ClientCredentials gives an application a token for itself (RFC 6749 section
// 4.4): no person, no refresh token (check DV-06).
func (x *Exchanges) ClientCredentials(ctx context.Context, by settle.Caller, proof ClientProof, in Asked) (Granted, error) {
	var out Granted
	var c client.Client
	var audience []string
	p := x.proving(ctx, by, proof, false)
	err := x.pipe.Run(ctx, clientCredentials, by, func(j *settle.Judgement) core.Unit {
		var ok bool
		if c, ok = p.hold(j, atToken, tokenPace); !ok || !j.Hold(client.Granted, c.MayGrant(client.GrantClient)) {
			return nil
		}
		if out.Confirm, ok = p.bind(j, c); !ok {
			return nil
		}
		if out.Scopes, ok = within(strings.Fields(in.Scope), machineScopes(c)); !j.Hold(client.ScopeWithin, ok) {
			return nil
		}
		audience, ok = x.audience(c, in.Resources)
		if j.Hold(client.ResourceWithin, ok) && j.Hold(client.RequestDetails, x.details(j, c, in.Details)) {
			details, _ := client.ReadDetails(in.Details)
			out.Details = client.TextsOf(details)
		}
		return nil
	}, func(p check.Passed, j *settle.Judgement) (err error) {
		out.Access, out.ExpiresAt, err = x.issue(p, j, c, token.Claims{Subject: c.ID, Audience: audience, Scope: token.JoinScope(out.Scopes), Confirm: out.Confirm, Details: out.Details})
		return err
	})
	if err != nil {
		return Granted{}, err
	}
	return out, nil
}

// machineScopes are a client's scopes that mean something without a person.
func machineScopes(c client.Client) []string {
	return slices.DeleteFunc(slices.Clone(c.Scopes), client.Personal)
}

// audience is whom a token is for: the resources asked for, or else this
// server and all that the client has (RFC 8707 section 2; RFC 9068 section 3).
func (x *Exchanges) audience(c client.Client, resources []string) ([]string, bool) {
	if len(resources) == 0 {
		return token.AudienceFor(x.policy.Issuer, c), true
	}
	return within(resources, c.Resources)
}
