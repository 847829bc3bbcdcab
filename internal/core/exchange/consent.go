package exchange

import (
	"cmp"
	"context"
	"slices"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var allowApp = check.Declare(303, "app.allow", client.RequestClient, session.Presented, session.Alive, session.InTime, client.ScopeWithin)

// AllowExchange is the declaration, for pages that say what happens.
func AllowExchange() *check.Exchange { return allowApp }

// Allow writes down what a person allows an application of the scopes that it
// asks for. What they left out counts as decided too.
func (x *Exchanges) Allow(ctx context.Context, by settle.Caller, cookie string, r client.Request, chosen []string) error {
	text, wellFormed := token.ParseSession(cookie)
	id := secret.Random16()
	return x.pipe.Run(ctx, allowApp, by, func(j *settle.Judgement) core.Unit {
		c := client.Client{}
		if client.ValidID(r.Client) {
			c = j.View.Client(r.Client)
		}
		if !j.Hold(client.RequestClient, c.Exists() && !c.Paused && c.Redirects(c.Back(r))) {
			return nil
		}
		_, u, ok := x.standing(j, text, wellFormed)
		if !ok {
			return nil
		}
		j.Client = c.ID
		asked := c.Asks(r)
		if !j.Hold(client.ScopeWithin, !slices.ContainsFunc(chosen, func(s string) bool { return !slices.Contains(asked, s) }) && len(chosen) > 0) {
			return nil
		}
		old := j.Consent(u.ID, c.ID)
		scopes, terms := old.Decide(asked, chosen)
		details, _ := client.ReadDetails(r.Details)
		terms = terms.With(old.Terms.Details, details)
		if old.Exists() {
			return append(core.Unit{client.Widen{ID: old.ID, From: old.Changed, Scopes: scopes, Terms: terms, Changed: j.Now}}, x.connects(j, by, u, c, old, scopes)...)
		}
		allow := client.Allow{ID: client.NewGrantID(j.Now, id), User: u.ID, Client: c.ID, Scopes: scopes, Terms: terms, Rev: j.Rev, Created: j.Now}
		return append(core.Unit{allow}, x.connects(j, by, u, c, old, scopes)...)
	}, nil)
}

// connects tells a person by mail that an application may from now on do more
// than know who they are.
func (x *Exchanges) connects(j *settle.Judgement, by settle.Caller, u identity.User, c client.Client, old client.Consent, scopes []string) core.Unit {
	acts := func(s string) bool { return !client.Identifies(s) }
	if slices.ContainsFunc(old.Scopes, acts) || !slices.ContainsFunc(scopes, acts) {
		return nil
	}
	ip := ""
	if by.Addr.IsValid() {
		ip = by.Addr.String()
	}
	return x.tell(j, outbox.AppConnected, u, x.appFacts(j, c, by.UserAgent, ip))
}

// pairs tells a person by mail that they allowed a device: what it is, and from
// where it asked.
func (x *Exchanges) pairs(j *settle.Judgement, u identity.User, c client.Client, d token.Device) core.Unit {
	return x.tell(j, outbox.DeviceAllowed, u, x.appFacts(j, c, d.Agent, d.IP))
}

// appFacts are what a mail about an application says.
func (x *Exchanges) appFacts(j *settle.Judgement, c client.Client, agent, ip string) outbox.Facts {
	const nameAtMost = 80
	return outbox.Facts{When: j.Now, App: settle.Clip(cmp.Or(c.Name, c.ID), nameAtMost), Device: session.Named(agent), Place: x.policy.Place(ip).Land, IP: ip, Link: "/account/apps"}
}
