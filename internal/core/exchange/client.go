package exchange

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

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
// secret, or its id alone, or an assertion that it signed, or its certificates,
// or an access token of its own.
type ClientProof struct {
	ID, Secret string
	Assertion  string // instead of Secret; it says the id, too (RFC 7523)
	Endpoint   string // the path that it was sent to
	Alias      string // the other origin that it was sent to, where certificates are shown
	// Certificates are those that it proved to hold the key of, its own first.
	// They may stand beside another proof: its tokens are bound to them then.
	Certificates []*x509.Certificate
	Token        token.Shown // instead of all of them
	// Key is the DPoP proof beside it: not of who the client is, but of the key
	// that its tokens are to be bound to.
	Key token.Proof

	claims token.Claims // of Token, once it was read
}

// holds says whether the proof is the client's. A person's token is not: an
// application that acts for somebody is not that application itself.
func (p ClientProof) holds(c client.Client, now time.Time) bool {
	if p.Token.Access == "" {
		_, ok := c.Proves(p.Secret, now)
		return ok
	}
	return c.Exists() && p.claims.Session == "" && p.claims.Subject == c.ID && p.claims.Client == c.ID
}

// A proving is a client's proof on its way through the judgements of one
// exchange: what is counted or costs something is done once, however often it
// is judged.
type proving struct {
	x      *Exchanges
	by     settle.Caller
	proof  ClientProof
	signed asserted
	certs  certified
	public bool // a client without any secret may take part: something else is proved beside it
	wait   time.Duration
	slow   time.Duration
}

// proving begins with a proof. What is slow about it, or asks others, is done
// here and not in a judgement.
func (x *Exchanges) proving(ctx context.Context, by settle.Caller, proof ClientProof, public bool) *proving {
	p := &proving{x: x, by: by, proof: proof, public: public, wait: -1, slow: -1}
	if proof.Assertion != "" {
		if p.proof.ID == "" {
			p.proof.ID = client.AssertionOf(proof.Assertion)
		}
		p.signed = x.asserted(ctx, p.proof)
	} else if len(proof.Certificates) > 0 && proof.Secret == "" {
		p.certs = x.certified(ctx, p.proof)
	}
	return p
}

// hold holds who the client is: clientCalm, client.Authentic, client.Standing
// and clientPace, within a budget of its own for what is asked for.
func (p *proving) hold(j *settle.Judgement, what string, pace []risk.Budget) (c client.Client, ok bool) {
	if client.ValidID(p.proof.ID) {
		c = j.View.Client(p.proof.ID)
	}
	named := p.public && c.Exists() && c.Auth == client.AuthNone && p.proof.Secret == "" && p.proof.Token.Access == "" && p.proof.Assertion == ""
	// The budget is the network's and the client's, once there is one:
	// strangers name what they like.
	who := risk.Network(p.by.Addr).String() + " " + c.ID
	authentic, word := named, check.Word(0)
	switch {
	case p.proof.Token.Access != "" || named:
		p.wait = 0 // nothing is guessed
	case p.proof.Assertion != "" || c.ByCertificate() && p.proof.Secret == "":
		if p.proof.Assertion != "" {
			word, authentic = p.asserts(j, c)
		} else {
			word, authentic = p.certifies(c)
		}
		if authentic {
			p.wait = 0
		} else if p.wait < 0 && j.Err() == nil {
			p.wait = p.x.meters.Take("client", who, j.Now, risk.ClientTries)
		}
	case p.wait < 0 && j.Err() == nil:
		p.wait = p.x.guessed(c, p.proof.Secret, who, j.Now)
	}
	if !j.Hold(clientCalm, p.wait <= 0, check.Wait(p.wait)) {
		return c, false
	}
	// A refusal of a client that exists is in the ledger.
	j.Client = c.ID
	authentic = authentic || word == 0 && p.proof.Assertion == "" && p.proof.holds(c, j.Now)
	if authentic && what == atToken && c.CertificateBound && len(p.proof.Certificates) == 0 {
		// There would be nothing to bind its tokens to (RFC 8705 section 3.4).
		// Whoever asks about tokens, or ends them, gets none.
		word, authentic = client.WordNoCertificate, false
	}
	if word != 0 {
		return c, j.Hold(client.Authentic, false, check.As(word))
	}
	if !j.Hold(client.Authentic, authentic) {
		return c, false
	}
	if !j.Hold(client.Standing, !c.Paused) {
		return c, false
	}
	if p.slow < 0 {
		of := c.ID
		if named {
			of = who // anybody can name it
		}
		p.slow = p.x.meters.Take(what, of, j.Now, pace)
	}
	return c, j.Hold(clientPace, p.slow == 0, check.Wait(p.slow))
}

// may says whether client and token are both for a scope.
func (p ClientProof) may(c client.Client, scope string) bool {
	return c.May(scope) && (p.Token.Access == "" || slices.Contains(strings.Fields(p.claims.Scope), scope))
}

// read judges a proof's token, if it has one, and finds whose it is.
func (x *Exchanges) read(ctx context.Context, p ClientProof) (ClientProof, error) {
	if p.Token.Access == "" {
		return p, nil
	}
	var err error
	p.claims, err = x.Access(ctx, p.Token)
	p.ID = p.claims.Client
	return p, err
}

// clientFor judges a client's proof. Nothing is written when it holds: it is
// shown with every introspection and every poll. Checks of the exchange's own
// come last, in also.
func (x *Exchanges) clientFor(ctx context.Context, of *check.Exchange, by settle.Caller, proof ClientProof, also ...func(*settle.Judgement, client.Client)) (client.Client, error) {
	c, _, err := x.clientPassed(ctx, of, by, proof, also...)
	return c, err
}

// clientPassed is clientFor with the proof that its exchange passed.
func (x *Exchanges) clientPassed(ctx context.Context, of *check.Exchange, by settle.Caller, proof ClientProof, also ...func(*settle.Judgement, client.Client)) (client.Client, check.Passed, error) {
	var c client.Client
	p := x.proving(ctx, by, proof, false)
	judge := func(j *settle.Judgement) core.Unit {
		var ok bool
		if c, ok = p.hold(j, of.Name, paces[of]); !ok {
			return nil
		}
		if of != authenticate && !j.Hold(client.MayRead, len(c.Resources) > 0 && proof.may(c, FeedScope)) {
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
		return client.Client{}, check.Passed{}, err
	}
	passed, err := j.Close()
	if err == nil {
		if err := x.spends(ctx, of, by, judge, j.Used()); err != nil {
			return client.Client{}, check.Passed{}, err
		}
		return c, passed, nil
	}
	if p.wait > 0 || p.slow > 0 || !c.Exists() {
		return client.Client{}, check.Passed{}, err
	}
	return client.Client{}, check.Passed{}, x.pipe.Run(ctx, of, by, judge, nil)
}

// spends commits what an exchange used up that writes nothing else. Where
// somebody else was first, it is judged again, and refused.
func (x *Exchanges) spends(ctx context.Context, of *check.Exchange, by settle.Caller, judge settle.Judge, unit core.Unit) error {
	if len(unit) == 0 {
		return nil
	}
	_, err := x.pipe.Store.Commit(ctx, unit)
	var lost *core.Lost
	if errors.As(err, &lost) {
		return x.pipe.Run(ctx, of, by, judge, nil)
	}
	return err
}

// guessed compares a secret within the budget of wrong ones, and says how long
// to wait when it is spent. Budget and comparison are one step: however many
// guesses come at once no more are compared, and a resource that asks about a
// hundred tokens at once with the right secret spends nothing.
func (x *Exchanges) guessed(c client.Client, text, who string, now time.Time) (wait time.Duration) {
	x.guessing.Lock()
	defer x.guessing.Unlock()
	if wait = x.meters.Take("client", who, now, risk.ClientTries); wait > 0 {
		return wait
	}
	if s, ok := c.Proves(text, now); ok {
		x.meters.Refund("client", who, risk.ClientTries)
		x.secrets.note(c.ID, s, now)
	}
	return 0
}

// An Introspection is what a resource may learn of a token (RFC 7662). Its
// zero value says that the token is not active, and nothing else.
type Introspection struct {
	Active bool
	Claims token.Claims

	to     client.Client // who asked
	passed check.Passed
}

// Introspect tells a client what a token is that is for one of its own
// resources, or that it was given itself. Anything else is not active:
// unknown, expired, revoked, foreign. For a resource that wants it strict,
// every row that the token hangs on is read.
func (x *Exchanges) Introspect(ctx context.Context, by settle.Caller, proof ClientProof, text string) (Introspection, error) {
	c, passed, err := x.clientPassed(ctx, authenticate, by, proof)
	if err != nil {
		return Introspection{}, err
	}
	out := Introspection{to: c, passed: passed}
	if strings.HasPrefix(text, token.RefreshPrefix) {
		out.Claims, out.Active, err = x.standingRefresh(ctx, c, text)
		return out, err
	}
	claims, err := x.inspectFor(ctx, c, text)
	if err != nil {
		return out, only(err)
	}
	if claims.Client != c.ID && !slices.ContainsFunc(claims.Audience, c.Owns) {
		return out, nil
	}
	if c.Revocation == client.Strict && claims.Strict == "" {
		if err := x.strictly(ctx, claims); err != nil {
			return out, only(err)
		}
	}
	out.Active, out.Claims = true, claims
	return out, nil
}

// Attest signs an answer to who asked about a token, as a JWT of its own kind
// (RFC 9701 section 5): it has no subject and no end, so that nobody takes it for
// the token that it tells of.
func (x *Exchanges) Attest(in Introspection, answer jsontext.Value) (string, error) {
	return x.answer(in.passed, in.to, in.to.Introspection(), token.IntrospectionType, struct {
		Issuer   string         `json:"iss"`
		Audience string         `json:"aud"`
		IssuedAt int64          `json:"iat"`
		Answer   jsontext.Value `json:"token_introspection"`
	}{x.policy.Issuer, in.to.ID, x.pipe.Now().Unix(), answer})
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
