package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var (
	signOut = check.Declare(4, "signout", session.Presented)
	endOne  = check.Declare(5, "session.end", session.Presented, session.Alive, session.InTime, session.FreshEnough, session.Own)
	endMany = check.Declare(6, "session.end_others", session.Presented, session.Alive, session.InTime, session.FreshEnough)
)

// SignOutExchange is the declaration, for pages that say what happens.
func SignOutExchange() *check.Exchange { return signOut }

// EndExchange is the declaration, for pages that say what happens.
func EndExchange() *check.Exchange { return endOne }

// A Credential is what a browser or app shows to say which session it means.
// An access token counts alone; else the first that is ours: session cookie,
// refresh token.
type Credential struct {
	Bearer  token.Shown
	Cookie  string
	Refresh string
}

// bearer reads the session of a credential's access token, before any
// judgement on rows: it is judged on the feed. One that has expired or was
// revoked stands for nothing; a feed that cannot be read is an error. Another
// application's is refused: it was given to read of the person, not to sign them
// out.
func (x *Exchanges) bearer(ctx context.Context, c Credential) (session.ID, error) {
	if c.Bearer.Access == "" {
		return session.ID{}, nil
	}
	claims, err := x.Inspect(ctx, c.Bearer.Access, x.policy.Issuer)
	if err != nil {
		return session.ID{}, only(err)
	}
	if err := x.sender(c.Bearer, claims.Confirm); err != nil {
		return session.ID{}, err
	}
	v := x.pipe.Store.View(ctx)
	switch c := v.Client(claims.Client); {
	case v.Err() != nil:
		return session.ID{}, v.Err()
	case !c.FirstParty:
		return session.ID{}, check.Refuse(tokenFirstParty)
	}
	if id, err := session.ParseID(claims.Session); err == nil {
		return id, nil
	}
	return session.ID{}, nil
}

// find reads the session that a credential stands for; bearer is what its
// access token said. A refresh token stands for its session when this server
// made it and its secret fits.
func (x *Exchanges) find(j *settle.Judgement, c Credential, bearer session.ID) (s session.Session) {
	if c.Bearer.Access != "" {
		return j.View.Session(bearer)
	}
	if text, ok := token.ParseSession(c.Cookie); ok {
		if s = j.SessionByHash(session.HashOf(text)); s.Exists() {
			return s
		}
	}
	if w, ok := token.ParseRefresh(c.Refresh); ok {
		f := j.Family(w.Family)
		if m := token.Weigh(w, f, x.keys.Ring().Refresh); m.Authentic && (m.Current || m.Parent) {
			return j.View.Session(f.Session)
		}
	}
	return session.Session{}
}

// SignOut ends the session that a credential stands for: session, families
// and access tokens, everywhere. Signing out twice is signing out.
func (x *Exchanges) SignOut(ctx context.Context, by settle.Caller, c Credential) (session.Session, error) {
	var s session.Session
	bearer, err := x.bearer(ctx, c)
	if err != nil {
		return s, err
	}
	err = x.pipe.Run(ctx, signOut, by, func(j *settle.Judgement) core.Unit {
		s = x.find(j, c, bearer)
		if !j.Hold(session.Presented, s.Exists()) {
			return nil
		}
		j.User, j.Session = s.User, s.ID
		if !s.Ended.IsZero() {
			return nil
		}
		finish, event := x.ends(s.ID, j.Now, session.SignedOut)
		return core.Unit{revocation.Next{}, finish, event}
	}, nil)
	return s, err
}

// End ends one session of the caller's own. A foreign session and an unknown
// one are refused alike.
func (x *Exchanges) End(ctx context.Context, by settle.Caller, c Credential, target session.ID) error {
	bearer, err := x.bearer(ctx, c)
	if err != nil {
		return err
	}
	return x.pipe.Run(ctx, endOne, by, func(j *settle.Judgement) core.Unit {
		s := x.find(j, c, bearer)
		u := j.View.User(s.User)
		if !x.stands(j, s, u) || !fresh(j, s, session.EndingSessions) {
			return nil
		}
		t := j.View.Session(target)
		if !j.Hold(session.Own, t.Exists() && t.User == s.User) || session.Judge(t, u, j.Now) == session.Over {
			return nil
		}
		why := session.EndedAfar
		if t.ID == s.ID {
			why = session.SignedOut
		}
		finish, event := x.ends(t.ID, j.Now, why)
		return core.Unit{revocation.Next{}, finish, event}
	}, nil)
}

// EndOthers ends every session of the caller but the one they act in; with
// all, that one too. However many there are, it is one write and one event.
func (x *Exchanges) EndOthers(ctx context.Context, by settle.Caller, c Credential, all bool) (others int, err error) {
	bearer, err := x.bearer(ctx, c)
	if err != nil {
		return 0, err
	}
	err = x.pipe.Run(ctx, endMany, by, func(j *settle.Judgement) core.Unit {
		s := x.find(j, c, bearer)
		u := j.View.User(s.User)
		if !x.stands(j, s, u) || !fresh(j, s, session.EndingSessions) {
			return nil
		}
		others = 0
		for _, o := range j.View.Sessions(session.Query{User: u.ID, Limit: listAtMost}) {
			if o.ID != s.ID && session.Judge(o, u, j.Now) == session.Live {
				others++
			}
		}
		unit := core.Unit{revocation.Next{}, identity.Cut{ID: u.ID, Guard: u.Guard},
			x.event(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, j.Now)}
		if !all {
			unit = append(unit, session.Spare{ID: s.ID}, token.Spare{Session: s.ID})
		}
		return unit
	}, nil)
	return others, err
}

// fresh holds that a session's last proof is one that an act asks for.
func fresh(j *settle.Judgement, s session.Session, a session.Act) bool {
	return j.Hold(session.FreshEnough, s.Proves(a, j.Now), check.Age(a.Within))
}

// listAtMost bounds how many sessions one person's list shows.
const listAtMost = 200

// Sessions lists the caller's live sessions, the newest first.
func (x *Exchanges) Sessions(ctx context.Context, who Who) ([]session.Session, error) {
	v := x.pipe.Store.View(ctx)
	u := v.User(who.User.ID)
	all := v.Sessions(session.Query{User: u.ID, Limit: listAtMost})
	if err := v.Err(); err != nil {
		return nil, err
	}
	now := x.pipe.Now()
	live := all[:0]
	for _, s := range all {
		if session.Judge(s, u, now) == session.Live {
			live = append(live, s)
		}
	}
	return live, nil
}
