package exchange

import (
	"context"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var tokenYours = check.New(check.Check{Number: 1081, ID: "token.yours", Fault: fault.Grant, Shown: "token.yours",
	Says: "The token to end was given to the application that asks.", Source: "RFC 7009 section 2.1",
	Title: "This token is another application's.", Stops: []string{"OAU-08"}})

var revokeGrant = check.Declare(381, "app.revoke", clientCalm, client.Authentic, client.Standing, clientPace, tokenYours)

// RevokeGrant ends a token that an application was given (RFC 7009): a refresh
// token with its family and every access token of the grant; an access token
// by itself. What is no token of ours, or has ended, is as ended as it can be.
// It returns once that is durable.
func (x *Exchanges) RevokeGrant(ctx context.Context, by settle.Caller, proof ClientProof, text string) error {
	p := x.proving(ctx, by, proof, true)
	claims, _, access := token.Read(text, x.keys.Ring())
	wire, refresh := token.ParseRefresh(text)
	return x.pipe.Run(ctx, revokeGrant, by, func(j *settle.Judgement) core.Unit {
		c, ok := p.hold(j, "revoke", tokenPace)
		if !ok {
			return nil
		}
		switch {
		case access:
			if !j.Hold(tokenYours, claims.Client == c.ID) {
				return nil
			}
			j.User = owner(j.View, claims)
			j.Session, _ = session.ParseID(claims.Session)
			if !j.Now.Before(claims.ExpiresAt.Add(x.policy.Token.Leeway)) || x.pipe.Feed.Dead(claims.Rev, claims.Names()...) {
				return nil // it has ended, for every clock: readers are told once
			}
			event := x.event(revocation.Name{Unit: revocation.JTI, ID: claims.JTI}, j.Now)
			event.Audience = claims.Audience
			return core.Unit{revocation.Next{}, event}
		case refresh:
			f := j.Family(wire.Family)
			w := token.Weigh(wire, f, x.keys.Ring().Refresh)
			if !w.Authentic {
				break // nobody's
			}
			if !j.Hold(tokenYours, f.Client == c.ID && !f.Consent.IsZero()) {
				return nil
			}
			j.User, j.Session = f.User, f.Session
			if !f.Ended.IsZero() {
				return nil
			}
			return core.Unit{revocation.Next{}, token.Burn{ID: f.ID, At: j.Now}, x.event(revocation.Name{Unit: revocation.Grant, ID: f.Consent.String()}, j.Now)}
		}
		j.Hold(tokenYours, true)
		return nil
	}, nil)
}

// standingRefresh says what an application may learn of its own refresh token
// (RFC 7662 section 2.2): the current one of a family that stands.
func (x *Exchanges) standingRefresh(ctx context.Context, c client.Client, text string) (token.Claims, bool, error) {
	wire, ok := token.ParseRefresh(text)
	if !ok {
		return token.Claims{}, false, nil
	}
	v := x.pipe.Store.View(ctx)
	l := v.Lineage(wire.Family)
	if err := v.Err(); err != nil {
		return token.Claims{}, false, err
	}
	f, now := l.Family, x.pipe.Now()
	standing := session.Judge(l.Session, l.User, now)
	alive := l.Alive(standing) && (standing == session.Live || f.Terms.Offline)
	if f.Client != c.ID || f.Consent.IsZero() || token.Judge(token.Weigh(wire, f, x.keys.Ring().Refresh), f, alive, now, x.policy.Token.Grace) != token.Rotate {
		return token.Claims{}, false, nil
	}
	return token.Claims{Issuer: x.policy.Issuer, Subject: x.subject(c, l.User), Client: c.ID, Scope: strings.Join(f.Scopes, " "), Grant: f.Consent.String(),
		IssuedAt: f.Created.Truncate(time.Second), ExpiresAt: f.IdleUntil.Truncate(time.Second)}, true, nil
}
