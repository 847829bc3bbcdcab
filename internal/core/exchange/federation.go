package exchange

import (
	"context"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var assertionGrant = check.Declare(350, "client.assertion", clientCalm, client.Authentic, client.Standing, clientPace, client.Granted,
	token.ProofDemanded, token.ProofUnspent,
	client.Trusted, client.Meant, client.Timely, client.Fitting, client.ScopeWithin, client.ResourceWithin).Count()

// A trusted is a foreign token and the federations of an application one of
// whose keys signed it.
type trusted struct {
	token client.Foreign
	by    map[client.GrantID]bool
}

// trusted verifies the signature of a foreign token by the keys of its issuer,
// as the federations of an application name them. Whom the application trusts
// now is for the judgement to hold.
func (x *Exchanges) trusted(ctx context.Context, id, text string) trusted {
	out := trusted{by: map[client.GrantID]bool{}}
	iss := client.ForeignIssuer(text)
	if iss == "" || !client.ValidID(id) {
		return out
	}
	v := x.pipe.Store.View(ctx)
	for _, f := range v.Federations(id) {
		if f.Issuer != iss {
			continue
		}
		keys, err := x.keysOf(ctx, f.Rule.JWKS, f.Rule.JWKSURI, text)
		if err != nil {
			continue
		}
		if t, ok := client.ReadForeign(text, keys); ok && t.Issuer == iss {
			out.token, out.by[f.ID] = t, true
		}
	}
	return out
}

// holds holds what is asked of a foreign token, in order, and gives the
// federation that it fits. Of several federations with one issuer the one that
// gets furthest is told of.
func (t trusted) holds(j *settle.Judgement, id string, leeway time.Duration) (client.Federation, bool) {
	var meant, fits bool
	var found client.Federation
	signed := false
	for _, f := range j.View.Federations(id) {
		if !t.by[f.ID] {
			continue
		}
		signed = true
		meant = meant || t.token.For(f.Rule)
		if t.token.For(f.Rule) && t.token.Fits(f.Rule) && !fits {
			found, fits = f, true
		}
	}
	ok := j.Hold(client.Trusted, signed) && j.Hold(client.Meant, meant) && j.Hold(client.Timely, t.token.InTime(j.Now, leeway)) && j.Hold(client.Fitting, fits)
	return found, ok
}

// Assertion gives a machine a token for itself for a token of another issuer
// that it has a federation with (RFC 7523 section 2.1): no secret of ours is
// kept where it runs.
func (x *Exchanges) Assertion(ctx context.Context, by settle.Caller, proof ClientProof, text string, in Asked) (Granted, error) {
	var out Granted
	var c client.Client
	var f client.Federation
	var audience []string
	p := x.proving(ctx, by, proof, true)
	foreign := x.trusted(ctx, p.proof.ID, text)
	err := x.pipe.Run(ctx, assertionGrant, by, func(j *settle.Judgement) core.Unit {
		var ok bool
		if c, ok = p.hold(j, "token", tokenPace); !ok || !j.Hold(client.Granted, c.Type == "machine" && c.MayGrant(client.GrantAssert)) {
			return nil
		}
		if out.Confirm, ok = p.bind(j, c); !ok {
			return nil
		}
		if f, ok = foreign.holds(j, c.ID, x.policy.Token.Leeway); !ok {
			return nil
		}
		if out.Scopes, ok = within(strings.Fields(in.Scope), f.Rule.Grants(machineScopes(c))); !j.Hold(client.ScopeWithin, ok) {
			return nil
		}
		audience, ok = x.audience(c, in.Resources)
		j.Hold(client.ResourceWithin, ok)
		return nil
	}, func(p check.Passed, j *settle.Judgement) (err error) {
		until := foreign.token.ExpiresAt
		if f.Rule.Lifetime > 0 {
			until = earlier(until, j.Now.Truncate(time.Second).Add(time.Duration(f.Rule.Lifetime)*time.Second))
		}
		out.Access, out.ExpiresAt, err = x.issue(p, j, c, token.Claims{Subject: c.ID, Audience: audience, Scope: token.JoinScope(out.Scopes), Grant: f.ID.String(), Confirm: out.Confirm, ExpiresAt: until})
		return err
	})
	if err != nil {
		return Granted{}, err
	}
	return out, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
