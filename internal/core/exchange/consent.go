package exchange

import (
	"context"
	"slices"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var (
	allowApp = check.Declare(303, "app.allow", client.RequestClient, session.Presented, session.Alive, session.InTime, client.ScopeWithin)
	denyApp  = check.Declare(304, "app.deny", client.RequestClient, session.Presented, session.Alive, session.InTime)
)

// AllowExchange is the declaration, for pages that say what happens.
func AllowExchange() *check.Exchange { return allowApp }

// Allow writes down that a person allows an application these of the scopes it
// asks for, beside what it was allowed before.
func (x *Exchanges) Allow(ctx context.Context, by settle.Caller, cookie string, r client.Request, scopes []string) error {
	id := secret.Random16()
	return x.decides(ctx, allowApp, by, cookie, r, func(j *settle.Judgement, c client.Client) core.Unit {
		asked := c.Asks(r)
		if !j.Hold(client.ScopeWithin, len(scopes) > 0 && !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(asked, s) })) {
			return nil
		}
		old := j.Consent(j.User, c.ID)
		if !old.Exists() {
			return core.Unit{client.Allow{ID: client.NewGrantID(j.Now, id), User: j.User, Client: c.ID, Scopes: scopes, Rev: j.Rev, Created: j.Now}}
		}
		return core.Unit{client.Widen{ID: old.ID, From: old.Changed, Scopes: union(old.Scopes, scopes), Changed: j.Now}}
	})
}

// Deny writes down that a person did not allow an application what it asked
// for.
func (x *Exchanges) Deny(ctx context.Context, by settle.Caller, cookie string, r client.Request) error {
	return x.decides(ctx, denyApp, by, cookie, r, func(*settle.Judgement, client.Client) core.Unit { return nil })
}

// decides settles what the person of a session decides about an application.
func (x *Exchanges) decides(ctx context.Context, of *check.Exchange, by settle.Caller, cookie string, r client.Request, decide func(*settle.Judgement, client.Client) core.Unit) error {
	text, wellFormed := token.ParseSession(cookie)
	return x.pipe.Run(ctx, of, by, func(j *settle.Judgement) core.Unit {
		c := client.Client{}
		if client.ValidID(r.Client) {
			c = j.View.Client(r.Client)
		}
		if !j.Hold(client.RequestClient, c.Exists() && !c.Paused && c.Redirects(c.Back(r))) {
			return nil
		}
		if _, _, ok := x.standing(j, text, wellFormed); !ok {
			return nil
		}
		j.Client = c.ID
		return decide(j, c)
	}, nil)
}
