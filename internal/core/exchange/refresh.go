package exchange

import (
	"context"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var refresh = check.Declare(2, "refresh",
	client.FirstParty, risk.NetworkCalm,
	token.RefreshForm, token.RefreshAuthentic, token.RefreshPresent, token.RefreshAlive,
	token.RefreshInTime, session.InTime, token.RefreshUnspent, token.RefreshTimely).Often()

// RefreshInput is a refresh token and the page that sends it.
type RefreshInput struct {
	Token  string
	Origin string
}

// Refresh trades a refresh token for its successor and a new access token.
func (x *Exchanges) Refresh(ctx context.Context, by settle.Caller, in RefreshInput) (Tokens, error) {
	wait := x.meters.Take("refresh", risk.Network(by.Addr).String(), x.pipe.Now(), risk.RefreshTries)
	wire, wellFormed := token.ParseRefresh(in.Token)
	var out Tokens
	var c client.Client
	var f token.Family
	err := x.pipe.Run(ctx, refresh, by, func(j *settle.Judgement) core.Unit {
		c = x.firstParty(j, in.Origin)
		if !j.Hold(client.FirstParty, mayAsk(c)) ||
			!j.Hold(risk.NetworkCalm, wait == 0, check.Wait(wait)) ||
			!j.Hold(token.RefreshForm, wellFormed) {
			return nil
		}
		l := j.Lineage(wire.Family)
		f = l.Family
		s, u := l.Session, l.User
		standing := session.Judge(s, u, j.Now)
		w := token.Weigh(wire, f, x.keys.Ring().Refresh)
		v := token.Judge(w, f, l.Alive(standing), j.Now, x.policy.Token.Grace)
		if !f.Consent.IsZero() {
			v = token.Foreign // an application's, which is no page of ours (attack OAU-16)
		}
		if v != token.Foreign {
			j.User, j.Session, j.Client = f.User, f.Session, c.ID
		}
		j.Hold(token.RefreshAuthentic, v != token.Foreign)
		j.Hold(token.RefreshPresent, v != token.Future)
		j.Hold(token.RefreshAlive, v != token.Dead)
		j.Hold(token.RefreshInTime, v != token.Expired)
		j.Hold(session.InTime, v <= token.Dead || standing == session.Live)
		j.Hold(token.RefreshUnspent, v != token.Reused, check.Count(int(f.Generation)-int(w.Generation)))
		j.Hold(token.RefreshTimely, v != token.Late)
		out = Tokens{Session: s, User: u, Client: c.ID}
		return x.spend(j, v, w, c, f, s, &out)
	}, func(p check.Passed, j *settle.Judgement) (err error) {
		out.Access, out.ExpiresAt, err = x.access(p, j, out.Session, c, token.FirstPartyScope(f, c))
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	x.note(&out.Session, x.pipe.Now())
	return out, nil
}

// spend is what each verdict asks for.
func (x *Exchanges) spend(j *settle.Judgement, v token.Verdict, w token.Weighed, c client.Client, f token.Family, s session.Session, out *Tokens) core.Unit {
	var next [32]byte
	out.Refresh, next = w.Successor()
	switch {
	case v == token.Reused:
		// Two holders: whoever has the session is not known any more.
		finish, event := x.ends(s.ID, j.Now, session.TokenReuse)
		return core.Unit{revocation.Next{}, token.Burn{ID: f.ID, At: j.Now}, finish, event}
	case v == token.Late:
		// The family dies; the session must be proved again before it is
		// trusted with anything, and nobody is accused of a theft.
		// The event names the session though it goes on: all its access tokens
		// die, whichever first-party application they were given to.
		return core.Unit{revocation.Next{}, token.Burn{ID: f.ID, At: j.Now}, session.Doubt{ID: s.ID},
			x.event(revocation.Name{Unit: revocation.Session, ID: s.ID.String()}, j.Now)}
	case j.Failed():
		return nil
	case v == token.Rotate:
		unit := core.Unit{token.Advance{ID: f.ID, From: f.Generation, Next: next, At: j.Now, IdleUntil: x.policy.Token.For(c).Until(j.Now, f.MaxUntil)}}
		return append(unit, x.used(s, j.Now)...)
	}
	return nil
}

// used notes that a session was used: its idle end moves when a tenth of the
// idle lifetime has gone by.
func (x *Exchanges) used(s session.Session, now time.Time) core.Unit {
	if !x.policy.Session.Due(s, now) {
		return nil
	}
	return core.Unit{session.Extend{ID: s.ID, IdleUntil: x.policy.Session.Until(now, s.MaxUntil), Now: now}, session.Seen{ID: s.ID, At: now}}
}

var resume = check.Declare(3, "signin.continue",
	client.FirstParty, risk.NetworkCalm, session.Presented, session.Alive, session.InTime, session.Trusted)

// Resume gives a browser that holds a live session a refresh family again:
// the page says "you are signed in", and going on needs no password.
func (x *Exchanges) Resume(ctx context.Context, by settle.Caller, cookie, origin string) (Tokens, error) {
	wait := x.meters.Take("refresh", risk.Network(by.Addr).String(), x.pipe.Now(), risk.RefreshTries)
	text, wellFormed := token.ParseSession(cookie)
	var out Tokens
	var c client.Client
	err := x.pipe.Run(ctx, resume, by, func(j *settle.Judgement) core.Unit {
		c = x.firstParty(j, origin)
		if !j.Hold(client.FirstParty, mayAsk(c)) || !j.Hold(risk.NetworkCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		s, u, ok := x.standing(j, text, wellFormed)
		if !ok || !j.Hold(session.Trusted, !s.AuthTime.IsZero()) {
			return nil
		}
		open, wire := x.opening(s, c, j.Now, j.Rev)
		j.Client = c.ID
		out = Tokens{Refresh: wire, Session: s, User: u, Client: c.ID}
		return append(core.Unit{open}, x.used(s, j.Now)...)
	}, func(p check.Passed, j *settle.Judgement) (err error) {
		out.Access, out.ExpiresAt, err = x.access(p, j, out.Session, c, c.Scopes)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	return out, nil
}

// standing holds the three checks of a session cookie on a judgement.
func (x *Exchanges) standing(j *settle.Judgement, text []byte, wellFormed bool) (s session.Session, u identity.User, ok bool) {
	if wellFormed {
		s = j.SessionByHash(session.HashOf(text))
		u = j.View.User(s.User)
	}
	return s, u, x.stands(j, s, u)
}

func (x *Exchanges) stands(j *settle.Judgement, s session.Session, u identity.User) bool {
	v := session.Judge(s, u, j.Now)
	if v != session.Unknown {
		j.User, j.Session = s.User, s.ID
	}
	return j.Hold(session.Presented, v != session.Unknown) &&
		j.Hold(session.Alive, v != session.Over) &&
		j.Hold(session.InTime, v == session.Live)
}
