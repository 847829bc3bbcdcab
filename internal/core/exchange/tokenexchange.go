package exchange

import (
	"context"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// Kinds of tokens by their names in an exchange (RFC 8693 section 3).
const (
	TypeAccess = "urn:ietf:params:oauth:token-type:access_token"
	TypeJWT    = "urn:ietf:params:oauth:token-type:jwt"
)

// Checks of token exchange. What is wrong with a token that is shown is
// invalid_request (RFC 8693 section 2.2.2).
var (
	tradeTypes = check.New(check.Check{Number: 1031, ID: "exchange.types", Fault: fault.Malformed, Shown: "exchange.types", Code: "invalid_request",
		Says: "The tokens shown and the token asked for are access tokens.", Source: "RFC 8693 sections 2.1 and 3",
		Title: "Only access tokens are traded for access tokens.", Stops: []string{"OAU-16", "OAU-21"}})
	tradeSubject = check.New(check.Check{Number: 1032, ID: "exchange.subject", Fault: fault.Malformed, Shown: "exchange.subject", Code: "invalid_request",
		Says: "The subject token is ours, alive with all that it hangs on, and one that this application may trade.", Source: "RFC 8693 sections 2.2.2 and 5",
		Title: "The subject token is not one that this application may trade.", Stops: []string{"OAU-21", "JWT-12"}})
	tradeActor = check.New(check.Check{Number: 1033, ID: "exchange.actor", Fault: fault.Malformed, Shown: "exchange.actor", Code: "invalid_request",
		Says: "The actor token, if one is shown, is ours, alive, and this application's own or for it.", Source: "RFC 8693 section 2.1",
		Title: "The actor token does not say who acts here.", Stops: []string{"OAU-21"}})
	tradeDepth = check.New(check.Check{Number: 1034, ID: "exchange.depth", Fault: fault.Malformed, Shown: "exchange.depth", Code: "invalid_request",
		Says: "At most three act one for another.", Source: "RFC 8693 section 4.1; check DV-07",
		Title: "Too many act one for another.", Stops: []string{"OAU-21"}})
)

var exchangeToken = check.Declare(358, "app.exchange", clientCalm, client.Authentic, client.Standing, clientPace, client.Granted, token.ProofDemanded, token.ProofUnspent,
	tradeTypes, tradeSubject, tradeActor, tradeDepth, client.ScopeWithin, client.ResourceWithin).Often()

// An ExchangeInput is a token that is to be traded, and for what.
type ExchangeInput struct {
	Subject, SubjectType string
	Actor, ActorType     string
	Wants                string // requested_token_type; an access token when empty
	Asked                       // Resources are resource and audience together
}

// A shown token is one that was looked at before the judgement, which holds it
// against the rows that it hangs on.
type shown struct {
	claims token.Claims
	good   bool
}

// ExchangeToken trades an access token for another of narrower use, for the
// same subject: a service calls the next one with less than it was called with
// (RFC 8693). The new one says who acts for the subject, unless the application
// may impersonate and shows no actor. It hangs on what the old one hangs on.
func (x *Exchanges) ExchangeToken(ctx context.Context, by settle.Caller, proof ClientProof, in ExchangeInput) (Granted, error) {
	if in.SubjectType == TypeJWT && in.Actor == "" && client.ForeignIssuer(in.Subject) != x.policy.Issuer && client.ForeignIssuer(in.Subject) != "" {
		out, err := x.Assertion(ctx, by, proof, in.Subject, in.Asked)
		out.Issued = TypeAccess
		return out, err
	}
	subject, err := x.shown(ctx, in.Subject)
	if err != nil {
		return Granted{}, err
	}
	actor, err := x.shown(ctx, in.Actor)
	if err != nil {
		return Granted{}, err
	}
	var out Granted
	var c client.Client
	claims := subject.claims
	p := x.proving(ctx, by, proof, false)
	err = x.pipe.Run(ctx, exchangeToken, by, func(j *settle.Judgement) core.Unit {
		var ok bool
		if c, ok = p.hold(j, "token", tokenPace); !ok || !j.Hold(client.Granted, c.MayGrant(client.GrantExchange)) {
			return nil
		}
		if out.Confirm, ok = p.bind(j, c); !ok {
			return nil
		}
		if !j.Hold(tradeTypes, tradable(in, c)) {
			return nil
		}
		if !j.Hold(tradeSubject, x.shownStands(j, subject) && c.Trades(subject.claims.Client, subject.claims.Audience)) {
			return nil
		}
		u := x.subjectOf(j, subject.claims)
		if j.User = u.ID; u.Exists() {
			j.Session, _ = session.ParseID(subject.claims.Session)
			claims.Subject = x.subject(c, u)
		}
		if !j.Hold(tradeActor, in.Actor == "" || x.shownStands(j, actor) && (actor.claims.Client == c.ID || slices.ContainsFunc(actor.claims.Audience, c.Owns))) {
			return nil
		}
		claims.Act = subject.claims.Act
		switch {
		case in.Actor != "":
			claims.Act = slices.Concat([]string{actor.claims.Subject}, claims.Act)
		case !c.Trade.Impersonate && claims.Subject != c.ID:
			claims.Act = slices.Concat([]string{c.ID}, claims.Act)
		}
		if !j.Hold(tradeDepth, len(claims.Act) <= token.ActorsAtMost, check.Count(len(claims.Act))) {
			return nil
		}
		if out.Scopes, ok = within(strings.Fields(in.Scope), tradedScopes(c, subject.claims)); !j.Hold(client.ScopeWithin, ok && len(out.Scopes) > 0) {
			return nil
		}
		claims.Audience, ok = within(in.Resources, c.TradesFor())
		j.Hold(client.ResourceWithin, ok && len(claims.Audience) > 0)
		return nil
	}, func(p check.Passed, j *settle.Judgement) (err error) {
		claims.Scope, claims.Confirm, claims.Strict = token.JoinScope(out.Scopes), out.Confirm, ""
		out.Issued = in.Wants
		if out.Issued == "" {
			out.Issued = TypeAccess
		}
		out.Access, out.ExpiresAt, err = x.issue(p, j, c, claims)
		return err
	})
	if err != nil {
		return Granted{}, err
	}
	return out, nil
}

// tradable says whether the kinds of tokens that are named are traded here.
func tradable(in ExchangeInput, c client.Client) bool {
	access := func(kind string) bool { return kind == TypeAccess || kind == TypeJWT }
	wants := in.Wants == "" || in.Wants == TypeAccess || in.Wants == TypeJWT && c.TokenFormat == client.JWT
	return in.Subject != "" && access(in.SubjectType) && wants && (in.Actor != "" && access(in.ActorType) || in.Actor == "" && in.ActorType == "")
}

// shown reads an access token of ours that is shown to be traded, whoever it is
// for; what is refused of it is for the judgement to say.
func (x *Exchanges) shown(ctx context.Context, text string) (out shown, err error) {
	if text == "" {
		return out, nil
	}
	read, _, ours := token.Read(text, x.keys.Ring())
	if !ours || len(read.Audience) == 0 {
		return out, nil
	}
	out.claims, err = x.Inspect(ctx, text, read.Audience...)
	out.good = err == nil
	return out, only(err)
}

// shownStands says whether a token that was good still is, and all that it
// hangs on (attack OAU-21).
func (x *Exchanges) shownStands(j *settle.Judgement, s shown) bool {
	return s.good && j.Now.Before(s.claims.ExpiresAt) && !x.pipe.Feed.Dead(s.claims.Rev, s.claims.Names()...) && x.standsNow(j, s.claims)
}

// subjectOf is the person that a token speaks for; nobody, when it is a
// machine's.
func (x *Exchanges) subjectOf(j *settle.Judgement, c token.Claims) identity.User {
	if sid, err := session.ParseID(c.Session); err == nil {
		return j.View.User(j.View.Session(sid).User)
	}
	if grant, err := client.ParseGrantID(c.Grant); err == nil {
		if g := j.Granted(grant); g.Exists() {
			return j.View.User(g.User)
		}
	}
	return identity.User{}
}

// tradedScopes are what a token can be traded down to: what it has and the
// application may have. Nothing that keeps a grant alive is among them.
func tradedScopes(c client.Client, subject token.Claims) []string {
	return slices.DeleteFunc(strings.Fields(subject.Scope), func(s string) bool {
		return !c.May(s) || s == "openid" || s == "offline_access"
	})
}
