package exchange

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// longestTurn is how long a try waits for others of the same address.
const longestTurn = 2 * time.Second

// busyFor is when to ask again after the gate was full.
const busyFor = 2 * time.Second

var passwordSignIn = check.Declare(1, "signin.password",
	client.FirstParty, risk.NetworkCalm, risk.AddressRested, factor.HasherFree,
	identity.Known, factor.PasswordFits, identity.IsActive, factor.PasswordTrusted)

// PasswordSignIn is the exchange's declaration, for pages that say what happens.
func PasswordSignIn() *check.Exchange { return passwordSignIn }

// PasswordInput is an address and a password, as typed.
type PasswordInput struct {
	Email    string
	Password string
	Origin   string // of the page that asks; empty for a client that is no browser
	Replaces string // the session cookie this browser sent, which a sign-in ends
}

// Password trades an e-mail address and a password for a session, a refresh
// family and an access token.
func (x *Exchanges) Password(ctx context.Context, by settle.Caller, in PasswordInput) (Tokens, error) {
	address, ok := identity.Canonical(in.Email)
	if !ok {
		// It names nobody; it is compared and counted like any unknown address.
		address = "?" + strings.ToLower(settle.Clip(in.Email, 320))
	}
	g, err := x.guess(ctx, by, address, in.Password, factor.Strangers)
	if err != nil {
		return Tokens{}, err
	}
	defer g.end()
	b := x.newBeginning()
	var out Tokens
	var c client.Client
	err = x.pipe.Run(ctx, passwordSignIn, by, func(j *settle.Judgement) core.Unit {
		c = x.firstParty(j, in.Origin)
		if !j.Hold(client.FirstParty, mayAsk(c)) || !g.allowed(j) {
			return nil
		}
		u := j.UserByAddress(address)
		pw := j.View.Password(u.ID)
		fits, free := g.fits(j, pw)
		if !free {
			return nil
		}
		j.User = u.ID
		known := j.Hold(identity.Known, u.Exists())
		fits = j.Hold(factor.PasswordFits, fits && pw.Exists())
		if !known || !fits {
			return core.Unit{g.failed(j)}
		}
		// Only who knows the password learns that the account is paused, or the
		// password called into question.
		if !j.Hold(identity.IsActive, u.State == identity.Active) || !j.Hold(factor.PasswordTrusted, !pw.Distrusted) {
			return g.succeeded(j, pw)
		}
		var begun core.Unit
		out, begun = x.begin(j, by, b, u, c, "password", in.Replaces)
		unit := append(core.Unit{factor.Use{User: u.ID, Version: pw.Version, At: j.Now}}, begun...)
		return append(unit, g.succeeded(j, pw)...)
	}, func(p check.Passed, j *settle.Judgement) (err error) {
		out.Access, out.ExpiresAt, err = x.access(p, j, out.Session, c, c.Scopes)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	x.meters.Refund("password", g.network, risk.PasswordTries)
	return out, nil
}

// replaced ends the session that this browser held before: a sign-in always
// makes a new one, so an id planted in a browser is worth nothing (ASVS 7.2.4).
func (x *Exchanges) replaced(j *settle.Judgement, cookie string) (old session.ID, unit core.Unit) {
	text, ok := token.ParseSession(cookie)
	if !ok {
		return old, nil
	}
	s := j.SessionByHash(session.HashOf(text))
	if !s.Exists() || !s.Ended.IsZero() {
		return old, nil
	}
	finish, event := x.ends(s.ID, j.Now, session.Replaced)
	return s.ID, core.Unit{finish, event}
}

// A guess is one password typed for one address: limited, compared at most
// once for each hash it meets, and counted.
type guess struct {
	x        *Exchanges
	ctx      context.Context
	address  string
	password string
	place    [32]byte
	marks    session.Marks
	network  string
	wait     time.Duration // that the network's budget asks for
	lane     factor.Lane
	release  func()
	results  map[string]result
	key      [32]byte // the counter that this guess counts on
	known    bool     // the network is known for the address
	failures risk.Failures
}

type result struct {
	fits, rehash, free bool
}

// guess waits for this address's turn. It refuses nothing itself: what it
// finds is held as checks by the exchange.
func (x *Exchanges) guess(ctx context.Context, by settle.Caller, address, password string, lane factor.Lane) (*guess, error) {
	g := &guess{x: x, ctx: ctx, address: address, password: password, lane: lane, release: func() {}, results: map[string]result{}}
	network := risk.Network(by.Addr)
	g.network, g.marks = network.String(), session.ParseMarks(by.Device)
	g.place = risk.PlaceKey(address, network)
	g.wait = x.meters.Take("password", g.network, x.pipe.Now(), risk.PasswordTries)
	if g.wait > 0 {
		return g, nil
	}
	within, cancel := context.WithTimeout(ctx, longestTurn)
	defer cancel()
	release, err := x.turns.take(within, risk.AddressKey(address))
	var busy *factor.Busy
	switch {
	case errors.As(err, &busy), err != nil && ctx.Err() == nil:
		g.wait = busyFor
	case err != nil:
		return nil, errors.Join(core.ErrUnavailable, err)
	default:
		g.release = release
	}
	return g, nil
}

func (g *guess) end() { g.release() }

// allowed holds the limits, before anything is compared: known and unknown,
// right and wrong look alike.
func (g *guess) allowed(j *settle.Judgement) bool {
	if !j.Hold(risk.NetworkCalm, g.wait == 0, check.Wait(g.wait)) {
		return false
	}
	// A network that the address signed in from has a counter of its own, and
	// so has a browser, so nobody elsewhere can slow the person down (attack
	// MFA-23).
	g.known = j.Knows(g.place, j.Now)
	if g.key = risk.AddressKey(g.address); g.known {
		g.key = g.place
	}
	if key, known := recognised(j, g.marks, j.UserByAddress(g.address).ID); known {
		g.key = key
	}
	g.failures = j.Failures(g.key)
	rest := g.failures.Rest(j.Now, g.x.policy.Scale)
	return j.Hold(risk.AddressRested, rest == 0, check.Wait(rest), check.Count(g.failures.Count))
}

// fits compares the password, at equal cost whether there is one to compare
// with or not. free is false when there was no room to.
func (g *guess) fits(j *settle.Judgement, pw factor.Password) (fits, free bool) {
	r := g.compare(pw.PHC)
	return r.fits, j.Hold(factor.HasherFree, r.free, check.Wait(busyFor))
}

func (g *guess) compare(phc string) result {
	if phc == "" {
		phc = factor.Dummy()
	}
	if r, done := g.results[phc]; done {
		return r
	}
	var r result
	err := g.x.gate.Do(g.ctx, g.lane, func() {
		r.fits, r.rehash, _ = factor.Verify(g.password, phc)
	})
	r.free = err == nil
	g.results[phc] = r
	return r
}

// failed counts the wrong guess.
func (g *guess) failed(j *settle.Judgement) risk.Fail {
	return risk.Fail{Key: g.key, At: j.Now, Forgotten: risk.Forgotten(j.Now)}
}

// succeeded forgets failures, remembers the network, and brings an old hash
// up to today's cost while the password is at hand.
func (g *guess) succeeded(j *settle.Judgement, pw factor.Password) (u core.Unit) {
	if g.failures.Count > 0 {
		u = append(u, risk.Clear{Key: g.key})
	}
	if !g.known {
		u = append(u, risk.Know{Key: g.place, Until: j.Now.Add(risk.KnownFor)})
	}
	if g.results[pw.PHC].rehash {
		salt := secret.Random16()
		if g.x.gate.Do(g.ctx, g.lane, func() { pw.PHC = factor.Hash(g.password, salt[:]) }) == nil {
			u = append(u, factor.Rehash{User: pw.User, Version: pw.Version, PHC: pw.PHC})
		}
	}
	return u
}
