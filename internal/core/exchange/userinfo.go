package exchange

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

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

	passed check.Passed
}

// told is what scopes let an application know of a person (OpenID Connect Core
// section 5.4): what is kept here, and the address as verified only when it is
// (check OI-19).
func told(u identity.User, scopes []string) map[string]any {
	facts := map[string]any{}
	for _, s := range scopes {
		switch s {
		case "profile":
			if u.Name != "" {
				facts["name"] = u.Name
			}
		case "email":
			facts["email"], facts["email_verified"] = u.Email, u.Verified
		}
	}
	return facts
}

// named are those of some facts that were asked for by name.
func named(facts map[string]any, names []string) map[string]any {
	maps.DeleteFunc(facts, func(name string, _ any) bool { return !slices.Contains(names, name) })
	return facts
}

// Told is what the application is told of the person.
func (p Person) Told() map[string]any {
	claims := told(p.User, p.Scopes)
	claims["sub"] = p.Subject
	return claims
}

// Signs says whether the application registered to be told in a JWT.
func (p Person) Signs() bool { return p.Client.UserinfoAlg != "" }

// TellSigned is what is said of the person as a JWT for the application alone,
// encrypted where it asked for that (section 5.3.2). It has no end, so that nobody
// takes it for an ID token.
func (x *Exchanges) TellSigned(p Person) (string, error) {
	claims := p.Told()
	claims["iss"], claims["aud"] = x.policy.Issuer, p.Client.ID
	return x.answer(p.passed, p.Client, p.Client.Userinfo(), token.UserinfoType, claims)
}

// answer signs something for one application as it asked.
func (x *Exchanges) answer(p check.Passed, to client.Client, how client.Sealing, typ string, claims any) (string, error) {
	by, err := x.signer(how.Alg)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return token.Answer(p, by, to, how, typ, b)
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
	if out.passed, err = j.Close(); err != nil {
		return Person{}, err
	}
	return out, nil
}
