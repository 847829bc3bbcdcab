package exchange

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var (
	deviceBegin  = check.Declare(353, "client.device", clientCalm, client.Authentic, client.Standing, clientPace, client.Granted, client.ScopeWithin, client.ResourceWithin)
	deviceLook   = check.Declare(354, "device.look", session.Presented, session.Alive, session.InTime, token.DeviceCalm, token.DeviceKnown, client.Standing)
	deviceAllow  = check.Declare(355, "device.allow", session.Presented, session.Alive, session.InTime, token.DeviceCalm, token.DeviceKnown, client.Standing, token.DeviceEntered, session.FreshEnough)
	deviceRefuse = check.Declare(356, "device.refuse", session.Presented, session.Alive, session.InTime, token.DeviceCalm, token.DeviceKnown, client.Standing, token.DeviceEntered)
	deviceRedeem = check.Declare(357, "device.redeem", clientCalm, client.Authentic, client.Standing, clientPace, client.Granted, token.ProofDemanded, token.ProofUnspent,
		token.DeviceAuthentic, token.DeviceUnspent, token.DeviceInTime, token.DevicePatient, token.DeviceAnswered, token.DeviceAllowed, token.DeviceStands,
		client.ScopeWithin, client.ResourceWithin)
)

// DeviceExchange is the declaration of what allowing a device does, for pages
// that say what happens.
func DeviceExchange() *check.Exchange { return deviceAllow }

// devicePace is how many devices of one application may begin.
var devicePace = []risk.Budget{{Count: 20, Per: 10 * time.Second}}

// Wrong codes of one session, and of one network: with 34 bits and ten minutes
// nobody guesses (RFC 8628 section 5.1).
var (
	deviceTries   = []risk.Budget{{Count: 5, Per: 10 * time.Minute}}
	deviceNetwork = []risk.Budget{{Count: 100, Per: time.Hour}}
)

// A DeviceWaiting is a device that waits: what it polls with, and what its person types.
type DeviceWaiting struct {
	DeviceCode string
	UserCode   string // in two groups
	Until      time.Time
	Interval   time.Duration
}

// DeviceBegin lets a device that has no browser wait for a person who has one
// (RFC 8628 section 3.1).
func (x *Exchanges) DeviceBegin(ctx context.Context, by settle.Caller, proof ClientProof, in Asked) (DeviceWaiting, error) {
	p := x.proving(ctx, by, proof, true)
	random, id := secret.Random(), secret.Random16()
	// The first that nobody waits with; that all are taken does not happen.
	codes := []string{token.NewUserCode(), token.NewUserCode(), token.NewUserCode()}
	out := DeviceWaiting{DeviceCode: token.NewDeviceCode(random), Interval: token.DeviceInterval}
	err := x.pipe.Run(ctx, deviceBegin, by, func(j *settle.Judgement) core.Unit {
		c, ok := p.hold(j, "device", devicePace)
		if !ok || !j.Hold(client.Granted, c.MayGrant(client.GrantDevice)) {
			return nil
		}
		scopes := c.Asks(client.Request{Scope: in.Scope})
		if !j.Hold(client.ScopeWithin, len(scopes) > 0 || in.Scope == "" && len(c.Scopes) == 0) {
			return nil
		}
		if _, ok = x.audience(c, in.Resources); !j.Hold(client.ResourceWithin, ok) {
			return nil
		}
		code := codes[0]
		for _, other := range codes {
			if !j.OnceOf(token.ForDevice, token.SubjectOf(other)).Waits(j.Now) {
				code = other
				break
			}
		}
		out.UserCode, out.Until = token.ShowUserCode(code), j.Now.Add(token.DeviceFor)
		d := token.Device{Client: c.ID, Scopes: scopes, Resources: union(nil, in.Resources), Agent: settle.Clip(by.UserAgent, 256), Interval: int64(token.DeviceInterval.Seconds())}
		if by.Addr.IsValid() {
			d.IP = by.Addr.String()
		}
		return core.Unit{token.Offer{ID: token.NewOnceID(j.Now, id), Use: token.ForDevice, Subject: token.SubjectOf(code), Link: token.LinkHash(token.ForDevice, random[:]),
			Rev: j.Rev, Created: j.Now, Expires: out.Until, Body: d.Pack()}}
	}, nil)
	if err != nil {
		return DeviceWaiting{}, err
	}
	return out, nil
}

// A DeviceAsk is what a person is asked: who asks for what, from where, since
// when (RFC 8628 section 5.4).
type DeviceAsk struct {
	Client  client.Client
	Scopes  []string
	Code    string // in two groups
	IP      string
	Agent   string
	At      time.Time
	Consent client.Consent // what the person allowed before
}

// DeviceLook finds the device that waits with a typed code, and notes that it
// was typed in this session: no other may answer (attack OAU-23).
func (x *Exchanges) DeviceLook(ctx context.Context, by settle.Caller, cookie, typed string) (DeviceAsk, error) {
	var out DeviceAsk
	look := x.looking(by, cookie, typed)
	err := x.pipe.Run(ctx, deviceLook, by, func(j *settle.Judgement) core.Unit {
		o, d, c, ok := look.hold(j)
		if !ok {
			return nil
		}
		out = DeviceAsk{Client: c, Scopes: d.Scopes, Code: look.shown(), IP: d.IP, Agent: d.Agent, At: o.Created, Consent: j.Consent(j.User, c.ID)}
		d.User, d.Session = j.User, j.Session
		return core.Unit{token.Note{ID: o.ID, Was: o.Body, Body: d.Pack()}}
	}, nil)
	if err != nil {
		return DeviceAsk{}, err
	}
	return out, nil
}

// A looking holds what every look at a device and every answer needs: that
// somebody is signed in, who has not guessed too often, and that a device waits
// with the code.
type looking struct {
	x     *Exchanges
	by    settle.Caller
	text  []byte
	good  bool // the cookie has the form of one
	code  string
	typed bool
	wait  time.Duration
}

func (x *Exchanges) looking(by settle.Caller, cookie, typed string) *looking {
	l := &looking{x: x, by: by, wait: -1}
	l.text, l.good = token.ParseSession(cookie)
	l.code, l.typed = token.ParseUserCode(typed)
	return l
}

// shown is the code as people read it.
func (l *looking) shown() string { return token.ShowUserCode(l.code) }

func (l *looking) hold(j *settle.Judgement) (o token.Once, d token.Device, c client.Client, ok bool) {
	s, _, ok := l.x.standing(j, l.text, l.good)
	if !ok {
		return o, d, c, false
	}
	if l.typed {
		o = j.OnceOf(token.ForDevice, token.SubjectOf(l.code))
	}
	waits := o.Waits(j.Now)
	if l.wait < 0 && j.Err() == nil {
		l.wait = l.x.typed(s.ID, risk.Network(l.by.Addr).String(), waits, j.Now)
	}
	if !j.Hold(token.DeviceCalm, l.wait <= 0, check.Wait(l.wait)) || !j.Hold(token.DeviceKnown, waits) {
		return o, d, c, false
	}
	d = o.Device()
	c = j.View.Client(d.Client)
	j.Client = c.ID
	return o, d, c, j.Hold(client.Standing, c.Exists() && !c.Paused && c.MayGrant(client.GrantDevice))
}

// typed takes a code from the budgets of wrong ones, and gives a right one
// back: a budget that is spent lets no right one through, either (attack
// OAU-24).
func (x *Exchanges) typed(s session.ID, network string, right bool, now time.Time) time.Duration {
	wait := x.meters.Take("device code", s.String(), now, deviceTries)
	if wait > 0 {
		return wait
	}
	if wait = x.meters.Take("device network", network, now, deviceNetwork); wait > 0 {
		return wait
	}
	if right {
		x.meters.Refund("device code", s.String(), deviceTries)
		x.meters.Refund("device network", network, deviceNetwork)
	}
	return 0
}

// DeviceAllow lets a device have what it asked for. What a person allows is
// kept as for any application, so that they find it among theirs and can take
// it back.
func (x *Exchanges) DeviceAllow(ctx context.Context, by settle.Caller, cookie, typed string) error {
	look := x.looking(by, cookie, typed)
	id := secret.Random16()
	return x.pipe.Run(ctx, deviceAllow, by, func(j *settle.Judgement) core.Unit {
		o, d, c, ok := look.hold(j)
		if !ok || !j.Hold(token.DeviceEntered, d.Session == j.Session) {
			return nil
		}
		s, u := j.View.Session(j.Session), j.View.User(j.User)
		// First-party applications ask nobody again afterwards, so what a thief
		// talks a person into must cost a proof (attack OAU-23; check DV-05).
		if !j.Hold(session.FreshEnough, s.Proves(session.AllowingDevice, j.Now) || !c.FirstParty && !s.AuthTime.IsZero(), check.Age(session.AllowingDevice.Within)) {
			return nil
		}
		var unit core.Unit
		old := j.Consent(u.ID, c.ID)
		if d.Consent = old.ID; old.Exists() {
			scopes, terms := old.Decide(d.Scopes, d.Scopes)
			unit = append(unit, client.Widen{ID: old.ID, From: old.Changed, Scopes: scopes, Terms: terms, Changed: j.Now})
		} else {
			scopes, terms := old.Decide(d.Scopes, d.Scopes)
			d.Consent = client.NewGrantID(j.Now, id)
			unit = append(unit, client.Allow{ID: d.Consent, User: u.ID, Client: c.ID, Scopes: scopes, Terms: terms, Rev: j.Rev, Created: j.Now})
		}
		d.Reply, d.Rev = token.Allowed, j.Rev
		d.Terms = token.Terms{Resources: d.Resources, Offline: slices.Contains(d.Scopes, "offline_access"), AuthTime: s.AuthTime, ACR: s.ACR(), AMR: s.AMR()}
		unit = append(unit, token.Note{ID: o.ID, Was: o.Body, Body: d.Pack()})
		return append(unit, x.pairs(j, u, c, d)...)
	}, nil)
}

// DeviceDeny tells a device no.
func (x *Exchanges) DeviceDeny(ctx context.Context, by settle.Caller, cookie, typed string) error {
	look := x.looking(by, cookie, typed)
	return x.pipe.Run(ctx, deviceRefuse, by, func(j *settle.Judgement) core.Unit {
		o, d, _, ok := look.hold(j)
		if !ok || !j.Hold(token.DeviceEntered, d.Session == j.Session) {
			return nil
		}
		d.Reply = token.Refused
		return core.Unit{token.Note{ID: o.ID, Was: o.Body, Body: d.Pack()}}
	}, nil)
}

// DeviceRedeem answers a device that asks whether its person has answered: with
// tokens, once, when they allowed it (RFC 8628 section 3.5).
func (x *Exchanges) DeviceRedeem(ctx context.Context, by settle.Caller, proof ClientProof, text string, in Asked) (Granted, error) {
	var out Granted
	var g agreed
	p := x.proving(ctx, by, proof, true)
	raw, formed := token.ParseDeviceCode(text)
	opening := x.newOpening()
	judge := func(j *settle.Judgement) core.Unit {
		out = Granted{}
		c, ok := p.hold(j, "token", tokenPace)
		if !ok || !j.Hold(client.Granted, c.MayGrant(client.GrantDevice)) {
			return nil
		}
		bound, ok := p.bind(j, c)
		if !ok {
			return nil
		}
		var o token.Once
		if formed {
			o = j.OnceByLink(token.LinkHash(token.ForDevice, raw))
		}
		d := o.Device()
		if !j.Hold(token.DeviceAuthentic, o.Exists() && d.Client == c.ID) {
			return nil
		}
		j.User, j.Session = d.User, d.Session
		if !j.Hold(token.DeviceUnspent, o.Spent.IsZero()) {
			return nil
		}
		if !j.Hold(token.DeviceInTime, j.Now.Before(o.Expires)) {
			return nil
		}
		polled, patient := d.Poll(j.Now)
		note := core.Unit{token.Note{ID: o.ID, Was: o.Body, Body: polled.Pack()}}
		if !j.Hold(token.DevicePatient, patient) || !j.Hold(token.DeviceAnswered, d.Reply != token.Unanswered) {
			return note
		}
		used := core.Unit{token.Spend{ID: o.ID, At: j.Now}}
		if !j.Hold(token.DeviceAllowed, d.Reply == token.Allowed) {
			return used
		}
		g = agreed{client: c, consent: j.View.Granted(d.Consent), session: j.View.Session(d.Session), user: j.View.User(d.User), terms: d.Terms}
		g.confirm = bound
		if !j.Hold(token.DeviceStands, session.Judge(g.session, g.user, j.Now) == session.Live && g.user.Cut <= d.Rev && g.session.Cut <= d.Rev && c.Cut <= d.Rev &&
			g.consent.Cut <= d.Rev && g.consent.Covers(d.Scopes)) {
			return used
		}
		// What the application lost since is not given any more.
		g.scopes = slices.DeleteFunc(slices.Clone(d.Scopes), func(s string) bool { return !c.May(s) })
		if !j.Hold(client.ScopeWithin, len(g.scopes) > 0) {
			return used
		}
		if g.audience, ok = x.audienceOf(c, d.Resources, in.Resources, g.scopes); !j.Hold(client.ResourceWithin, ok) {
			return nil
		}
		if c.MayGrant(client.GrantRefresh) {
			var open token.Open
			open, out.Refresh = x.openFor(opening, g, j, d.Scopes)
			g.pair = token.Pair{Family: open.ID}
			used = append(used, open)
		}
		return used
	}
	if waiting, err := x.devicePolls(ctx, judge); waiting || err != nil {
		return Granted{}, err
	}
	err := x.pipe.Run(ctx, deviceRedeem, by, judge, func(p check.Passed, j *settle.Judgement) error { return x.grant(p, j, g, &out) })
	if err != nil {
		return Granted{}, err
	}
	return out, nil
}

// devicePolls answers a device whose person has not answered. That is no
// exchange, and the ledger would be full of it.
func (x *Exchanges) devicePolls(ctx context.Context, judge settle.Judge) (waiting bool, err error) {
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: deviceRedeem.Begin(), Now: x.pipe.Now().Truncate(time.Microsecond), Rev: x.pipe.Feed.Position()}
	unit := judge(j)
	if err := j.Err(); err != nil {
		return false, err
	}
	_, err = j.Close()
	var refusal *check.Refusal
	if !errors.As(err, &refusal) || refusal.Check() != token.DevicePatient && refusal.Check() != token.DeviceAnswered {
		return false, nil
	}
	var lost *core.Lost
	if _, failed := x.pipe.Store.Commit(ctx, append(unit, j.Used()...)); failed != nil {
		// Somebody answered just now, or an assertion was used twice: judge again.
		if errors.As(failed, &lost) {
			return false, nil
		}
		return false, failed
	}
	return true, refusal
}
