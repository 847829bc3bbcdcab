package exchange

import (
	"context"
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

// AllowedHere is a consent of the person who asks: anything else does not exist.
var AllowedHere = check.New(check.Check{Number: 978, ID: "consent.own", Fault: fault.Missing, Shown: "consent.own",
	Says: "The person allowed this application.", Source: "ASVS 10.7.3",
	Title: "You did not allow this application.", Stops: []string{"SES-10"}})

var (
	removeApp  = check.Declare(327, "app.remove", session.Presented, session.Alive, session.InTime, AllowedHere)
	signOutApp = check.Declare(328, "app.signout", session.Presented, session.Alive, session.InTime, AllowedHere)
)

// RemoveAppExchange is the declaration, for pages that say what happens.
func RemoveAppExchange() *check.Exchange { return removeApp }

// SignOutAppExchange is the declaration, for pages that say what happens.
func SignOutAppExchange() *check.Exchange { return signOutApp }

// A Connected is an application that a person allowed.
type Connected struct {
	Client  client.Client
	Consent client.Consent
	Used    time.Time // when it last got a token by itself; zero when that is not known
}

// Connected lists the applications that the caller allows, the newest first.
func (x *Exchanges) Connected(ctx context.Context, who Who) ([]Connected, error) {
	v := x.pipe.Store.View(ctx)
	used := v.GrantUses(who.User.ID)
	var out []Connected
	for _, c := range v.Consents(who.User.ID) {
		out = append(out, Connected{Client: v.Client(c.Client), Consent: c, Used: used[c.ID]})
	}
	return out, v.Err()
}

// App finds an application by id, for pages that name it.
func (x *Exchanges) App(ctx context.Context, id string) (client.Client, error) {
	v := x.pipe.Store.View(ctx)
	c := v.Client(id)
	return c, v.Err()
}

// Permissions are the operator's words for scopes, by scope.
func (x *Exchanges) Permissions(ctx context.Context) (map[string]client.Scope, error) {
	v := x.pipe.Store.View(ctx)
	out := map[string]client.Scope{}
	for _, s := range v.Scopes() {
		out[s.Name] = s
	}
	return out, v.Err()
}

// RemoveApp takes back what the person of a session allowed an application:
// its refresh families and tokens die with it, on every device (AS-22).
func (x *Exchanges) RemoveApp(ctx context.Context, by settle.Caller, cookie, app string) error {
	return x.parts(ctx, removeApp, by, cookie, app, func(j *settle.Judgement, c client.Consent) core.Write {
		return client.Disallow{ID: c.ID, Changed: j.Now}
	})
}

// SignOutApp ends what an application was given, and leaves it allowed: it has
// to send the person here again.
func (x *Exchanges) SignOutApp(ctx context.Context, by settle.Caller, cookie, app string) error {
	return x.parts(ctx, signOutApp, by, cookie, app, func(_ *settle.Judgement, c client.Consent) core.Write {
		return client.Sever{ID: c.ID}
	})
}

func (x *Exchanges) parts(ctx context.Context, of *check.Exchange, by settle.Caller, cookie, app string, write func(*settle.Judgement, client.Consent) core.Write) error {
	text, wellFormed := token.ParseSession(cookie)
	return x.pipe.Run(ctx, of, by, func(j *settle.Judgement) core.Unit {
		_, u, ok := x.standing(j, text, wellFormed)
		if !ok {
			return nil
		}
		c := client.Consent{}
		if client.ValidID(app) {
			c = j.Consent(u.ID, app)
		}
		if !j.Hold(AllowedHere, c.Stands()) {
			return nil
		}
		j.Client = c.Client
		return core.Unit{revocation.Next{}, write(j, c), x.event(revocation.Name{Unit: revocation.Grant, ID: c.ID.String()}, j.Now)}
	}, nil)
}
