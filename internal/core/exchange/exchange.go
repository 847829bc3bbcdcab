// Package exchange trades one proof for another: a password for a session, a
// refresh token for its successor, a session for its end. Each exchange is a
// list of named checks and one effect.
package exchange

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// Policy is what an operator decides of exchanges.
type Policy struct {
	Issuer  string
	Session session.Lifetimes
	Admin   AdminLifetimes
	Token   token.Lifetimes
	Scale   int  // divides the delays after failures
	Mail    bool // mail can be sent
	// Where says where an address roughly is; nil when nobody knows.
	Where  func(netip.Addr) risk.Place
	SignUp identity.Admission
	// DPoPNonce demands a nonce of ours in every DPoP proof.
	DPoPNonce bool
	// Keys reads the keys that others keep at an address; nil when nobody may.
	Keys KeySource
	// Authorities are those who may sign the certificates of applications; nil,
	// or a nil pool, where nobody may.
	Authorities func() *x509.CertPool
	// PasswordMin is how many code points a new password has at least.
	PasswordMin int
	// Documents reads what applications say of themselves at the address that is
	// their id; nil where that is switched off.
	Documents library
	// Post tells applications that a session ended.
	Post poster
}

func (p Policy) authorities() *x509.CertPool {
	if p.Authorities == nil {
		return nil
	}
	return p.Authorities()
}

// Place is where an address that was kept is; the zero Place when nobody knows.
func (p Policy) Place(ip string) risk.Place {
	addr, err := netip.ParseAddr(ip)
	if p.Where == nil || err != nil {
		return risk.Place{}
	}
	return p.Where(addr)
}

// Exchanges runs exchanges.
type Exchanges struct {
	pipe   *settle.Pipeline
	keys   *key.Keyring
	policy Policy
	gate   *factor.Gate
	meters *risk.Meters
	turns  *turns
	cache  *cache
	marks  marks
	apps   apps

	secrets secretMarks

	streams streams
	admins  administering

	seen token.Seen // proofs that were shown where nothing is written

	noticing sync.Mutex // around noticed
	noticed  uint64     // the position up to which Notices has looked

	guessing sync.Mutex // around a client's budget and the comparison it pays for
}

// New makes exchanges that settle on a pipeline.
func New(pipe *settle.Pipeline, keys *key.Keyring, policy Policy, gate *factor.Gate, meters *risk.Meters) *Exchanges {
	return &Exchanges{pipe: pipe, keys: keys, policy: policy, gate: gate, meters: meters, turns: newTurns(), cache: newCache(cacheSize),
		marks: marks{at: map[session.ID]mark{}}, apps: apps{of: map[string]app{}}, secrets: secretMarks{at: map[client.Used]time.Time{}}, streams: streams{of: map[string]int{}}}
}

// Policy is what these exchanges run under.
func (x *Exchanges) Policy() Policy { return x.policy }

// Tokens are what a first-party sign-in or refresh gives.
type Tokens struct {
	Cookie    string // the browser session's secret; empty when it did not change
	Refresh   string // the refresh token
	Device    string // what the browser is to keep to be known again; empty when it has it
	Access    string // the access token
	ExpiresAt time.Time
	Session   session.Session
	User      identity.User
	Client    string
}

// firstParty finds the client that a page's origin stands for: the
// first-party application that claimed it, or the server itself for its own
// pages. An origin chooses among what is registered and widens nothing.
func (x *Exchanges) firstParty(j *settle.Judgement, origin string) client.Client {
	if c, ok := x.apps.get(origin, j.Now, x.pipe.Feed); ok {
		return c
	}
	c := j.ClientOf(origin)
	if !c.Exists() && (origin == "" || origin == x.policy.Issuer) {
		c = j.View.Client(client.BuiltIn)
	}
	if c.Exists() && j.Err() == nil {
		x.apps.put(origin, app{c, j.Rev, j.Now})
	}
	return c
}

// mayAsk holds whether a client may take part in first-party exchanges.
func mayAsk(c client.Client) bool { return c.Exists() && c.FirstParty && !c.Paused }

// access makes an access token for a session, with the proof that its
// exchange passed.
func (x *Exchanges) access(p check.Passed, j *settle.Judgement, s session.Session, c client.Client, scopes []string) (string, time.Time, error) {
	return x.issue(p, j, c, token.Claims{Subject: s.User.String(), Audience: token.AudienceFor(x.policy.Issuer, c), Scope: token.JoinScope(scopes),
		Session: s.ID.String(), Grant: token.GrantOf(s.ID, c.ID).String(), ACR: s.ACR(), AMR: s.AMR(), AuthTime: s.AuthTime})
}

// issue makes an access token of a client's kind from what is special to it.
func (x *Exchanges) issue(p check.Passed, j *settle.Judgement, c client.Client, claims token.Claims) (string, time.Time, error) {
	if claims.Subject == "" {
		return "", time.Time{}, fmt.Errorf("exchange: %w: there is no key of pairwise names yet", core.ErrUnavailable)
	}
	claims.Issuer, claims.Client, claims.Rev = x.policy.Issuer, c.ID, j.Rev
	claims.JTI = token.NewJTI(j.Now, secret.Random16()).String()
	claims.IssuedAt = j.Now.Truncate(time.Second)
	// Readers that know no positions go by iat: it is never below the instant
	// that an earlier loss of trust gave them.
	if nb := x.pipe.Feed.NotBefore(claims.Names()...); nb.After(claims.IssuedAt) {
		claims.IssuedAt = nb
	}
	// What it was traded for may end before a token of its own accord does.
	until := claims.IssuedAt.Add(x.policy.Token.For(c).Access)
	if claims.ExpiresAt.IsZero() || until.Before(claims.ExpiresAt) {
		claims.ExpiresAt = until
	}
	if c.Revocation == client.Strict && claims.Strict == "" {
		claims.Strict = token.Pair{}.Seal(x.keys.Ring().State)
	}
	by, err := x.signs(j, c, &claims)
	if err != nil {
		return "", time.Time{}, err
	}
	t, err := token.Issue(p, x.keys.Ring(), c.TokenFormat, by, claims)
	return t, claims.ExpiresAt, err
}

// signer is the key that signs by an algorithm which an application asked for.
// Where it was asked for just now, or its key was compromised, another is made
// within seconds.
func (x *Exchanges) signer(alg jose.Alg) (*jose.SigningKey, error) {
	if k := x.keys.SignerBy(alg); k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("exchange: %w: there is no %s key yet", core.ErrUnavailable, alg)
}

// ends are the writes that end one session at the unit's position.
func (x *Exchanges) ends(s session.ID, now time.Time, why session.End) (session.Finish, revocation.Revoke) {
	return session.Finish{ID: s, At: now, Why: why}, x.event(revocation.Name{Unit: revocation.Session, ID: s.String()}, now)
}

func (x *Exchanges) event(n revocation.Name, now time.Time) revocation.Revoke {
	return revocation.Of(n, now, x.policy.Token.Access, x.policy.Token.Leeway)
}

// opening makes the family that a session's tokens come from.
func (x *Exchanges) opening(s session.Session, c client.Client, now time.Time, rev uint64) (token.Open, string) {
	refresh := x.keys.Ring().Refresh
	k := refresh[len(refresh)-1]
	f := token.NewFamilyID(now, secret.Random16())
	wire, current := token.First(k, f, secret.Random())
	life := x.policy.Token.For(c)
	maxUntil := now.Add(life.Max)
	return token.Open{ID: f, Client: c.ID, Session: s.ID, User: s.User, KeyTag: k.Tag, Salt: secret.Random16(), Current: current, Rev: rev,
		Scopes: c.Scopes, Created: now, IdleUntil: life.Until(now, maxUntil), MaxUntil: maxUntil}, wire
}
