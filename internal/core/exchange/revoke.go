package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var tokenOurs = check.New(check.Check{Number: 535, ID: "token.ours", Fault: fault.Unacceptable, Shown: "token.ours",
	Says: "The token in hand is one of ours: whole, in its one spelling, and made with a key of this server.", Source: "RFC 7009 section 2.1",
	Title: "This is no token of ours that could be ended.", Stops: []string{"OAU-35"}})

// revoke is what an operator may do with a token that was found where it
// should not be. It is enough that it is ours: one that expired is ended as
// well, for clocks that are behind.
var revoke = check.Declare(123, "token.revoke", tokenOurs)

// A Revoked token: what kind it was, and what ended with it.
type Revoked struct {
	Kind    string
	JTI     string // of an access token
	Session session.ID
	Already bool // it had ended before
}

// Revoke ends a token that whoever operates this server holds in hand: an
// access token by its own id, for good; a refresh token with its family and
// the session's access tokens; a browser session's secret with the session.
func (x *Exchanges) Revoke(ctx context.Context, by settle.Caller, text string) (Revoked, error) {
	out := Revoked{Kind: KindOf(text)}
	judge := x.revokesAccess
	switch out.Kind {
	case KindRefresh:
		judge = x.revokesRefresh
	case KindSession:
		judge = x.revokesSession
	}
	if err := x.pipe.Run(ctx, revoke, by, judge(text, &out), nil); err != nil {
		return Revoked{}, err
	}
	return out, nil
}

func (x *Exchanges) revokesAccess(text string, out *Revoked) settle.Judge {
	c, _, ours := token.Read(text, x.keys.Ring())
	return func(j *settle.Judgement) core.Unit {
		if !j.Hold(tokenOurs, ours) {
			return nil
		}
		j.Client = c.Client
		j.User = owner(j.View, c)
		j.Session, _ = session.ParseID(c.Session)
		out.JTI, out.Session = c.JTI, j.Session
		event := x.event(revocation.Name{Unit: revocation.JTI, ID: c.JTI}, j.Now)
		event.Audience = c.Audience
		return core.Unit{revocation.Next{}, event}
	}
}

func (x *Exchanges) revokesRefresh(text string, out *Revoked) settle.Judge {
	wire, formed := token.ParseRefresh(text)
	return func(j *settle.Judgement) core.Unit {
		var f token.Family
		if formed {
			f = j.View.Family(wire.Family)
		}
		v := token.Judge(token.Weigh(wire, f, x.keys.Ring().Refresh), f, true, j.Now, x.policy.Token.Grace)
		if !j.Hold(tokenOurs, formed && v != token.Foreign) {
			return nil
		}
		j.User, j.Session, j.Client = f.User, f.Session, f.Client
		out.Session = f.Session
		if out.Already = !f.Ended.IsZero(); out.Already {
			return nil
		}
		// As for a late one: the event names the session though it goes on, so
		// that its access tokens die, whichever application they were given to.
		unit := core.Unit{revocation.Next{}, token.Burn{ID: f.ID, At: j.Now}, x.event(revocation.Name{Unit: revocation.Session, ID: f.Session.String()}, j.Now)}
		if !f.Consent.IsZero() { // those that outlived their session
			unit = append(unit, x.event(revocation.Name{Unit: revocation.Grant, ID: f.Consent.String()}, j.Now))
		}
		return unit
	}
}

func (x *Exchanges) revokesSession(text string, out *Revoked) settle.Judge {
	secret, formed := token.ParseSession(text)
	return func(j *settle.Judgement) core.Unit {
		var s session.Session
		if formed {
			s = j.SessionByHash(session.HashOf(secret))
		}
		if !j.Hold(tokenOurs, s.Exists()) {
			return nil
		}
		j.User, j.Session, out.Session = s.User, s.ID, s.ID
		if out.Already = !s.Ended.IsZero(); out.Already {
			return nil
		}
		finish, event := x.ends(s.ID, j.Now, session.ByOperator)
		return core.Unit{revocation.Next{}, finish, event}
	}
}
