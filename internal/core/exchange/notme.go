package exchange

import (
	"context"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// notMeFor is how long the link of a mail about a new device works.
const notMeFor = 7 * 24 * time.Hour

var notMe = check.Declare(41, "notme",
	risk.NetworkCalm, token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries)

// NotMeExchange is the declaration, for pages that say what happens.
func NotMeExchange() *check.Exchange { return notMe }

// A Disowning is what the page behind the link says.
type Disowning struct {
	Session session.Session
	Done    time.Time // when it was used; zero until then
}

// Disowned looks at a link without using it. One that was used is no refusal:
// the page says what to do next.
func (x *Exchanges) Disowned(ctx context.Context, link string) (Disowning, error) {
	v := x.pipe.Store.View(ctx)
	o, s := x.disowned(v, link)
	if err := v.Err(); err != nil {
		return Disowning{}, err
	}
	switch x.judgeNotMe(o, x.pipe.Now()) {
	case token.OnceGood:
		return Disowning{Session: s}, nil
	case token.OnceSpent:
		return Disowning{Session: s, Done: o.Spent}, nil
	case token.OnceOver:
		return Disowning{}, check.Refuse(token.OnceInTime)
	}
	return Disowning{}, check.Refuse(token.OnceKnown)
}

func (x *Exchanges) disowned(v core.View, link string) (o token.Once, s session.Session) {
	if text, ok := token.ParseLink(link); ok {
		o = v.OnceByLink(token.LinkHash(token.ForNotMe, text))
	}
	if o.Exists() && len(o.Body) == len(s.ID) {
		s = v.Session(session.ID(o.Body))
	}
	return o, s
}

// judgeNotMe leaves the person's cut out: whoever got in could raise it, by
// signing everybody else out or by another password, and the link must work
// all the same.
func (x *Exchanges) judgeNotMe(o token.Once, now time.Time) token.OnceState {
	return o.Judge(token.ForNotMe, 0, now)
}

// NotMe is for who got a mail about a sign-in that was not theirs, and works
// without signing in: every session of the person ends, with its tokens; the
// password opens nothing until it was replaced by recovery; no browser is
// known any more; what was offered to the person, such as a change of address,
// dies with the cut; and an account that was to be deleted stays.
func (x *Exchanges) NotMe(ctx context.Context, by settle.Caller, link string) error {
	wait := x.meters.Take("link", risk.Network(by.Addr).String(), x.pipe.Now(), risk.LinkTries)
	return x.pipe.Run(ctx, notMe, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(risk.NetworkCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		o, s := x.disowned(j.View, link)
		u := j.View.User(o.User)
		state := x.judgeNotMe(o, j.Now)
		if !u.Exists() {
			state = token.OnceUnknown
		}
		if state != token.OnceUnknown {
			j.User, j.Session = u.ID, s.ID
		}
		if !token.HoldOnce(j.Trail, state) {
			return nil
		}
		return append(core.Unit{revocation.Next{}, identity.Cut{ID: u.ID, Guard: u.Guard}, x.event(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, j.Now),
			factor.Distrust{User: u.ID}, token.Spend{ID: o.ID, At: j.Now}, session.UnrecogniseAll{User: u.ID}}, stays(u, u.Guard+1)...)
	}, nil)
}

// An arrival is what a sign-in from some browser means to its person: made
// once for an exchange, however often that is judged.
type arrival struct {
	mark [32]byte
	link [32]byte
	once token.OnceID
}

func (x *Exchanges) newArrival() arrival {
	return arrival{secret.Random(), secret.Random(), token.NewOnceID(x.pipe.Now(), secret.Random16())}
}

// arrives keeps the browser that a person signs in from, and tells them when
// it is one they did not use before: by mail, with a way to say that it was
// somebody else. The first sign-in of an account tells nobody. marks is the
// cookie to give the browser; empty when it has the right one.
func (x *Exchanges) arrives(j *settle.Judgement, by settle.Caller, a arrival, u identity.User, s session.Session) (marks string, unit core.Unit) {
	held := session.ParseMarks(by.Device)
	if key, known := recognised(j, held, u.ID); known {
		return "", core.Unit{session.Recognise{Key: key, User: u.ID, At: j.Now}}
	}
	held = held.With(a.mark)
	unit = core.Unit{session.Recognise{Key: session.DeviceKey(u.ID, held[0]), User: u.ID, At: j.Now}}
	others := j.Devices(u.ID, session.DevicesAtMost)
	if len(others) >= session.DevicesAtMost {
		unit = append(unit, session.Unrecognise{Key: others[0].Key})
	}
	if len(others) == 0 && len(j.View.Sessions(session.Query{User: u.ID, Limit: 1})) == 0 {
		return held.String(), unit
	}
	facts := outbox.Facts{When: j.Now, Device: session.Named(s.UserAgent), Place: x.policy.Place(s.IP).Land, IP: s.IP, How: s.Method, Link: "/not-me/" + token.NewLink(a.link)}
	mail := x.tell(j, outbox.NewDevice, u, facts)
	if len(mail) == 0 {
		return held.String(), unit
	}
	offer := x.offer(j, proof{id: a.once, link: a.link}, token.ForNotMe, token.SubjectOf(s.ID.String()), u.ID, nil, notMeFor, s.ID[:])
	return held.String(), append(append(unit, offer), mail...)
}

// recognised finds the mark by which a browser is known for a person.
func recognised(j *settle.Judgement, held session.Marks, u identity.UserID) (key [32]byte, known bool) {
	for _, mark := range held {
		key := session.DeviceKey(u, mark)
		if d := j.Device(key); d.Exists() && d.User == u {
			return key, true
		}
	}
	return [32]byte{}, false
}

// makesRoom ends the longest unused sessions of a person who has as many as
// are kept, and tells them. The guard makes it true of sign-ins at once: of
// two that count the same sessions one counts again.
func (x *Exchanges) makesRoom(j *settle.Judgement, u identity.User, going session.ID) (unit core.Unit, ended int) {
	standing := j.View.Sessions(session.Query{User: u.ID, Standing: j.Now, Limit: 4 * session.AtMost})
	unit = core.Unit{identity.Hold{ID: u.ID, Guard: u.Guard}}
	for i, s := range standing {
		if s.ID == going {
			standing = append(standing[:i], standing[i+1:]...)
			break
		}
	}
	for len(standing) >= session.AtMost {
		oldest := 0
		for i, s := range standing {
			if s.LastSeen.Before(standing[oldest].LastSeen) {
				oldest = i
			}
		}
		s := standing[oldest]
		standing = append(standing[:oldest], standing[oldest+1:]...)
		finish, event := x.ends(s.ID, j.Now, session.Crowded)
		unit, ended = append(unit, finish, event), ended+1
		if ended == 1 {
			unit = append(unit, x.tell(j, outbox.SignedOutForYou, u, outbox.Facts{When: s.LastSeen, Device: session.Named(s.UserAgent), IP: s.IP, Link: "/account/sessions"})...)
		}
	}
	return unit, ended
}
