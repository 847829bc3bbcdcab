package exchange

import (
	"context"
	"slices"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var presentStrict = check.Declare(380, "token.present_strict", token.AccessStands)

// strictly judges a token on the rows that it hangs on, as they are now: the
// application, the person, the session, the grant, the refresh family. It is
// what a use costs of a token that no feed is trusted with.
func (x *Exchanges) strictly(ctx context.Context, c token.Claims) error {
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: presentStrict.Begin(), Now: x.pipe.Now()}
	j.Hold(token.AccessStands, x.standsNow(j, c))
	if err := j.Err(); err != nil {
		return err
	}
	_, err := j.Close()
	return err
}

func (x *Exchanges) standsNow(j *settle.Judgement, c token.Claims) bool {
	app := j.View.Client(c.Client)
	if !app.Exists() || app.Paused || app.Cut > c.Rev {
		return false
	}
	person := identity.User{State: identity.Active}
	sid, err := session.ParseID(c.Session)
	if err == nil {
		s := j.View.Session(sid)
		person = j.View.User(s.User)
		if session.Judge(s, person, j.Now) != session.Live || s.Cut > c.Rev {
			return false
		}
	}
	grant, err := client.ParseGrantID(c.Grant)
	switch {
	case err != nil: // a machine's own
	case client.ValidID(c.Subject) && slices.ContainsFunc(j.View.Federations(c.Subject), func(f client.Federation) bool { return f.ID == grant }): // got by its federation
	case !sid.IsZero() && grant == token.GrantOf(sid, app.ID): // a first-party application in its session
	default:
		g := j.Granted(grant)
		if !sid.IsZero() && !g.Exists() {
			break // traded for a first-party application's: consents never go, and the session was looked at
		}
		person = j.View.User(g.User)
		if !g.Stands() || g.Cut > c.Rev {
			return false
		}
	}
	if client.ValidID(c.Subject) && c.Subject != app.ID { // a machine that another acts for
		if of := j.View.Client(c.Subject); !of.Exists() || of.Paused || of.Cut > c.Rev {
			return false
		}
	}
	if person.State != identity.Active || person.Cut > c.Rev {
		return false
	}
	if c.Strict == "" {
		return true
	}
	pair, ours := token.OpenPair(x.keys.Ring().State, c.Strict)
	return ours && (pair.Family.IsZero() || pair.Stands(j.Family(pair.Family), j.Now, x.policy.Token.Grace))
}
