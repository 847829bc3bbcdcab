package exchange

import (
	"context"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var tokenOpenID = check.New(check.Check{Number: 929, ID: "token.openid", Fault: fault.Scope, Shown: "token.openid",
	Says: "The access token was given with the scope openid, by a person.", Source: "OpenID Connect Core section 5.3.1",
	Title: "The access token says nothing about a person."})

var presentUser = check.Declare(307, "token.present_user", tokenOpenID, token.AccessAlive)

// A Person is whom an access token speaks of, and which of their facts.
type Person struct {
	Subject string
	User    identity.User
	Scopes  []string
	Client  client.Client
	Claims  token.Claims
}

// UserInfo says whom an access token with openid speaks of (OpenID Connect Core
// section 5.3). The person, the grant and, while the token names it, the
// session are read: this is no check at the edge.
func (x *Exchanges) UserInfo(ctx context.Context, shown token.Shown) (Person, error) {
	c, err := x.Access(ctx, shown)
	if err != nil {
		return Person{}, err
	}
	out := Person{Subject: c.Subject, Scopes: strings.Fields(c.Scope), Claims: c}
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: presentUser.Begin(), Now: x.pipe.Now()}
	grant, err := client.ParseGrantID(c.Grant)
	consent := j.Granted(grant)
	out.Client = j.View.Client(c.Client)
	out.User = j.View.User(consent.User)
	if j.Hold(tokenOpenID, err == nil && consent.Exists() && slices.Contains(out.Scopes, "openid")) {
		stands := out.User.State == identity.Active && out.User.Cut <= c.Rev && consent.Stands() && consent.Cut <= c.Rev && out.Client.Exists() && !out.Client.Paused
		if sid, err := session.ParseID(c.Session); err == nil {
			stands = stands && session.Judge(j.View.Session(sid), out.User, j.Now) == session.Live
		}
		j.Hold(token.AccessAlive, stands)
	}
	if err := j.Err(); err != nil {
		return Person{}, err
	}
	if _, err := j.Close(); err != nil {
		return Person{}, err
	}
	return out, nil
}
