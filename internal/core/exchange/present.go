package exchange

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var (
	presentSession = check.Declare(101, "session.present", session.Presented, session.Alive, session.InTime)
	presentBearer  = check.Declare(308, "token.present_session", tokenFirstParty, session.Presented, session.Alive, session.InTime)
	presentToken   = check.Declare(102, "token.present",
		token.AccessForm, token.AccessSigned, token.AccessOurs, token.AccessInTime, token.AccessAlive)
)

var tokenFirstParty = check.New(check.Check{Number: 925, ID: "token.first_party", Fault: fault.Scope, Shown: "token.first_party",
	Says: "The access token was given to a first-party application: others act for the person, and are not them.", Source: "ASVS 10.3.2; RFC 6750 section 3.1",
	Title: "Only first-party applications may use the session.", Stops: []string{"OAU-34", "JWT-12"}})

// Who is a caller that has proved which session they act in.
type Who struct {
	Session session.Session
	User    identity.User
	Claims  token.Claims // when an access token was shown
}

// Exists says whether somebody was found.
func (w Who) Exists() bool { return w.User.Exists() && w.Session.Exists() }

// Cookie says whose session a browser's cookie is. A check that passes is no
// exchange: it writes nothing, and most of the time reads nothing.
func (x *Exchanges) Cookie(ctx context.Context, cookie string) (Who, error) {
	text, ok := token.ParseSession(cookie)
	if !ok {
		return Who{}, check.Refuse(session.Presented)
	}
	if err := x.pipe.Follow.Fresh(ctx); err != nil {
		return Who{}, err
	}
	hash, now := session.HashOf(text), x.pipe.Now()
	if e, ok := x.cache.get(hash, now, x.pipe.Feed); ok {
		if x.note(&e.session, now) {
			x.cache.put(hash, e)
		}
		return Who{Session: e.session, User: e.user}, nil
	}
	rev := x.pipe.Feed.Position()
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: presentSession.Begin(), Now: now, Rev: rev}
	s, u, _ := x.standing(j, text, true)
	if err := j.Err(); err != nil {
		return Who{}, err
	}
	if _, err := j.Close(); err != nil {
		return Who{}, err
	}
	x.note(&s, now)
	x.cache.put(hash, cached{s, u, rev, now})
	return Who{Session: s, User: u}, nil
}

// Bearer says whose session an access token is cut from, when it is ours, for
// us, in time, and nothing it hangs on was revoked.
func (x *Exchanges) Bearer(ctx context.Context, s token.Shown) (Who, error) {
	c, err := x.Access(ctx, s)
	if err != nil {
		return Who{}, err
	}
	id, err := session.ParseID(c.Session)
	if err != nil {
		return Who{}, check.Refuse(token.AccessAlive)
	}
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: presentBearer.Begin(), Now: x.pipe.Now()}
	at := j.View.Session(id)
	u := j.View.User(at.User)
	if j.Hold(tokenFirstParty, j.View.Client(c.Client).FirstParty && len(c.Act) == 0) {
		x.stands(j, at, u)
	}
	if err := j.Err(); err != nil {
		return Who{}, err
	}
	if _, err := j.Close(); err != nil {
		return Who{}, err
	}
	return Who{Session: at, User: u, Claims: c}, nil
}

// roundedUp is how far ahead of this clock a token of ours may begin: after a
// loss of trust the next one is issued at that instant, in whole seconds.
const roundedUp = time.Second

// Inspect reads an access token of ours for an audience: claims only when
// every check held (attack JWT-11). An empty audience is nobody's.
func (x *Exchanges) Inspect(ctx context.Context, text string, audiences ...string) (token.Claims, error) {
	return x.inspect(ctx, x.reading(text), audiences...)
}

// A reading of an access token is its claims, whether it has the form of one,
// and whether what it is read with signed or sealed it.
type reading func() (c token.Claims, formed, ours bool)

// reading reads by the keys of the ring: nothing else is ours.
func (x *Exchanges) reading(text string) reading {
	return func() (c token.Claims, formed, ours bool) { return token.Read(text, x.keys.Ring()) }
}

func (x *Exchanges) inspect(ctx context.Context, read reading, audiences ...string) (token.Claims, error) {
	if err := x.pipe.Follow.Fresh(ctx); err != nil {
		return token.Claims{}, err
	}
	t := presentToken.Begin()
	v := x.pipe.Store.View(ctx)
	c, holds, known := x.weighAccess(v, read, audiences...)
	if err := v.Err(); err != nil {
		return token.Claims{}, err
	}
	for i, of := range presentToken.Checks[:known] {
		if !t.Hold(of, holds[i]) {
			break
		}
	}
	if _, err := t.Close(); err != nil {
		return token.Claims{}, err
	}
	if c.Strict != "" {
		if err := x.strictly(ctx, c); err != nil {
			return token.Claims{}, err
		}
	}
	return c, nil
}

// weighAccess says of each check of an access token whether it holds, in the
// order in which they are declared: of the first known ones, for what nobody
// of ours signed or sealed has no claims to judge.
func (x *Exchanges) weighAccess(v core.View, read reading, audiences ...string) (c token.Claims, holds [5]bool, known int) {
	now := x.pipe.Now()
	c, formed, ours := read()
	if holds[0], holds[1] = formed, ours; !formed || !ours {
		return token.Claims{}, holds, 2
	}
	holds[2] = c.Issuer == x.policy.Issuer && slices.ContainsFunc(audiences, func(a string) bool { return a != "" && slices.Contains(c.Audience, a) })
	holds[3] = now.Before(c.ExpiresAt) && !now.Before(c.IssuedAt.Add(-roundedUp))
	holds[4] = !x.pipe.Feed.Dead(c.Rev, c.Names()...)
	if holds[4] && token.IsPairwise(c.Subject) {
		holds[4] = x.owned(v, c)
	}
	return c, holds, len(holds)
}

// marks are uses of sessions that are not written yet: last seen is for show,
// and the idle end moves in tenths, so no request waits for either.
type marks struct {
	mu sync.Mutex
	at map[session.ID]mark
}

type mark struct {
	seen  time.Time
	until time.Time // zero when the idle end need not move
}

// seenEvery is how exact "last seen" is.
const seenEvery = 5 * time.Minute

// note puts a use of a session on the list to be written, when it is worth a
// write, and shows it on s already.
func (x *Exchanges) note(s *session.Session, now time.Time) bool {
	due := x.policy.Session.Due(*s, now)
	if !due && now.Sub(s.LastSeen) < seenEvery {
		return false
	}
	m := mark{seen: now}
	s.LastSeen = now
	if due {
		m.until = x.policy.Session.Until(now, s.MaxUntil)
		s.IdleUntil = m.until
	}
	x.marks.mu.Lock()
	defer x.marks.mu.Unlock()
	if old := x.marks.at[s.ID]; m.until.IsZero() {
		m.until = old.until
	}
	x.marks.at[s.ID] = m
	return true
}

// FlushSeen writes what note collected, in id order, at most 256 sessions a unit.
func (x *Exchanges) FlushSeen(ctx context.Context) error {
	x.marks.mu.Lock()
	at := x.marks.at
	x.marks.at = map[session.ID]mark{}
	x.marks.mu.Unlock()
	ids := make([]session.ID, 0, len(at))
	for id := range at {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b session.ID) int { return slices.Compare(a[:], b[:]) })
	now := x.pipe.Now()
	for chunk := range slices.Chunk(ids, 256) {
		var u core.Unit
		for _, id := range chunk {
			u = append(u, session.Seen{ID: id, At: at[id].seen})
			if !at[id].until.IsZero() {
				u = append(u, session.Extend{ID: id, IdleUntil: at[id].until, Now: now})
			}
		}
		if _, err := x.pipe.Store.Commit(ctx, u); err != nil {
			x.marks.putBack(at)
			return err
		}
	}
	return nil
}

// putBack keeps uses that could not be written for the next time, unless they
// were overtaken. What was written already is written again to no effect.
func (m *marks) putBack(at map[session.ID]mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, old := range at {
		if _, newer := m.at[id]; !newer {
			m.at[id] = old
		}
	}
}

// changed tells every node to read a session's row again.
func (x *Exchanges) changed(s session.ID, now time.Time) revocation.Revoke {
	return x.event(revocation.Name{Unit: revocation.Changed, ID: s.String()}, now)
}

// Admits is nil when pages of an origin may use the session API: our own, and
// those of first-party applications. A store that cannot say is an error of its
// own, never a refusal: nobody is turned away because a database was.
func (x *Exchanges) Admits(ctx context.Context, origin string) error {
	if origin == x.policy.Issuer {
		return nil
	}
	v := x.pipe.Store.View(ctx)
	c := v.ClientOf(origin)
	if err := v.Err(); err != nil {
		return err
	}
	if !mayAsk(c) {
		return check.Refuse(client.FirstParty)
	}
	return nil
}

// Allows is Admits for headers, where there is no later: when the store cannot
// say, no.
func (x *Exchanges) Allows(ctx context.Context, origin string) bool {
	return x.Admits(ctx, origin) == nil
}

// HasPages says whether pages of an origin are those of an application that is
// not paused: they may read what applications are answered. It is for headers,
// where there is no later: when the store cannot say, no.
func (x *Exchanges) HasPages(ctx context.Context, origin string) bool {
	if _, one := client.Origin(origin); !one || origin == x.policy.Issuer {
		return false // the server's own pages ask nobody
	}
	v := x.pipe.Store.View(ctx)
	has := v.HasPages(origin)
	return has && v.Err() == nil
}
