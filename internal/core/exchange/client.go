package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var clientCalm = check.New(check.Check{Number: 603, ID: "limit.client", Fault: fault.Slow, Shown: "limit.client",
	Says: "Nobody on this network has guessed this application's secret too often.", Source: "ASVS 2.4.1",
	Title: "Too many tries.", Stops: []string{"DOS-01"}})

var clientPace = check.New(check.Check{Number: 604, ID: "limit.pace", Fault: fault.Slow, Shown: "limit.pace",
	Says: "The application does not ask faster than it needs to.", Source: "ASVS 2.4.1",
	Title: "Too many requests.", Stops: []string{"DOS-01"}})

var (
	authenticate = check.Declare(111, "client.authenticate", clientCalm, client.Authentic, client.Standing, clientPace)
	followFeed   = check.Declare(112, "revocations.read", clientCalm, client.Authentic, client.Standing, client.MayRead, clientPace)
	openStream   = check.Declare(131, "revocations.stream", clientCalm, client.Authentic, client.Standing, client.MayRead, clientPace, streamShare, streamRoom)
)

// paces are what one client may ask for: 500 introspections and 50 polls a
// second (security defaults 3.4), and a stream for each of its nodes whenever
// all of them start again.
var paces = map[*check.Exchange][]risk.Budget{
	authenticate: {{Count: 5000, Per: 10 * time.Second}},
	followFeed:   {{Count: 500, Per: 10 * time.Second}},
	openStream:   {{Count: 100, Per: 10 * time.Second}},
}

// A ClientProof is what an application shows to say which one it is: its id and
// secret, or an access token of its own.
type ClientProof struct {
	ID, Secret string
	Token      string // instead of both

	claims token.Claims // of Token, once it was read
}

// holds says whether the proof is the client's. A person's token is not: an
// application that acts for somebody is not that application itself.
func (p ClientProof) holds(c client.Client) bool {
	if p.Token == "" {
		return c.Proves(p.Secret)
	}
	return c.Exists() && p.claims.Session == "" && p.claims.Subject == c.ID && p.claims.Client == c.ID
}

// may says whether client and token are both for a scope.
func (p ClientProof) may(c client.Client, scope string) bool {
	return c.May(scope) && (p.Token == "" || slices.Contains(strings.Fields(p.claims.Scope), scope))
}

// read judges a proof's token, if it has one, and finds whose it is.
func (x *Exchanges) read(ctx context.Context, p ClientProof) (ClientProof, error) {
	if p.Token == "" {
		return p, nil
	}
	var err error
	p.claims, err = x.Inspect(ctx, p.Token, x.policy.Issuer)
	p.ID = p.claims.Client
	return p, err
}

// clientFor judges a client's proof. Nothing is written when it holds: it is
// shown with every introspection and every poll. Checks of the exchange's own
// come last, in also.
func (x *Exchanges) clientFor(ctx context.Context, of *check.Exchange, by settle.Caller, proof ClientProof, also ...func(*settle.Judgement, client.Client)) (client.Client, error) {
	var c client.Client
	known := false
	// The budget is the network's and the client's, once there is one: strangers
	// name what they like.
	who := risk.Network(by.Addr).String()
	wait, pace := time.Duration(-1), time.Duration(-1) // not asked yet
	judge := func(j *settle.Judgement) core.Unit {
		if client.ValidID(proof.ID) {
			c = j.View.Client(proof.ID)
		}
		known = c.Exists()
		if proof.Token != "" {
			wait = 0 // a signature is not guessed
		}
		if wait < 0 && j.Err() == nil {
			who += " " + c.ID
			wait = x.guessed(c, proof.Secret, who, j.Now)
		}
		if !j.Hold(clientCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		if !j.Hold(client.Authentic, proof.holds(c)) || !j.Hold(client.Standing, !c.Paused) {
			return nil
		}
		if of != authenticate && !j.Hold(client.MayRead, len(c.Resources) > 0 && proof.may(c, FeedScope)) {
			return nil
		}
		if pace < 0 {
			pace = x.meters.Take(of.Name, c.ID, j.Now, paces[of])
		}
		if !j.Hold(clientPace, pace == 0, check.Wait(pace)) {
			return nil
		}
		for _, f := range also {
			f(j, c)
		}
		return nil
	}
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: of.Begin(), Now: x.pipe.Now()}
	judge(j)
	if err := j.Err(); err != nil {
		return client.Client{}, err
	}
	_, err := j.Close()
	if err == nil {
		return c, nil
	}
	if wait > 0 || pace > 0 || !known {
		return client.Client{}, err
	}
	// A refusal of a client that exists is in the ledger.
	return client.Client{}, x.pipe.Run(ctx, of, by, func(j *settle.Judgement) core.Unit {
		judge(j)
		j.Client = c.ID
		return nil
	}, nil)
}

// guessed compares a secret within the budget of wrong ones, and says how long
// to wait when it is spent. Budget and comparison are one step: however many
// guesses come at once no more are compared, and a resource that asks about a
// hundred tokens at once with the right secret spends nothing.
func (x *Exchanges) guessed(c client.Client, text, who string, now time.Time) (wait time.Duration) {
	x.guessing.Lock()
	defer x.guessing.Unlock()
	if wait = x.meters.Take("client", who, now, risk.ClientTries); wait == 0 && c.Proves(text) {
		x.meters.Refund("client", who, risk.ClientTries)
	}
	return wait
}

// An Introspection is what a resource may learn of a token (RFC 7662). Its
// zero value says that the token is not active, and nothing else.
type Introspection struct {
	Active bool
	Claims token.Claims
}

// Introspect tells a client of one of its own resources what an access token
// is. Anything else is not active: unknown, expired, revoked, foreign.
func (x *Exchanges) Introspect(ctx context.Context, by settle.Caller, proof ClientProof, text string) (Introspection, error) {
	c, err := x.clientFor(ctx, authenticate, by, proof)
	if err != nil {
		return Introspection{}, err
	}
	claims, err := x.Inspect(ctx, text, c.Resources...)
	if err != nil {
		return Introspection{}, only(err)
	}
	return Introspection{Active: true, Claims: claims}, nil
}

// only passes errors that are no refusal: a token that was refused is an
// answer here.
func only(err error) error {
	var refusal *check.Refusal
	if errors.As(err, &refusal) {
		return nil
	}
	return err
}
