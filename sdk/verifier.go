package doorward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"
)

// leeway is the difference allowed between the server's clock and ours. It is
// applied to exp, nbf and iat, in checkTimes and nowhere else.
const leeway = 30 * time.Second

// A Verifier judges the access tokens of one Doorward server for one API. It is
// safe for concurrent use.
type Verifier struct {
	issuer, audience string
	development      bool // the server is on this machine: refusals list their checks
	now              func() time.Time
	log              *slog.Logger
	server           *server
	keys             *keyring
	feed             *feed  // nil when stateless
	asker            *asker // nil when stateless
	cache            cache
	lines            budget
	public           string // the address that DPoP proofs are for; empty: that of the request
	nonces           nonces
	certificates     passedOn // how proxies pass on the certificates of clients
	seen             seen
	end              context.CancelFunc
	running          sync.WaitGroup
}

// New makes a verifier for the server at issuer, reads its keys and, unless
// Stateless is said, its revocations, and goes on following them until Close.
// ctx bounds these first requests only.
//
// A server that cannot be reached is no error: requests are answered with 503
// until it can. A server that answers wrongly is one, as are a missing audience
// and a missing client.
func New(ctx context.Context, issuer string, opts ...Option) (*Verifier, error) {
	s, err := newSettings(opts)
	if err == nil {
		err = checkIssuerURL(issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("doorward: %w", err)
	}
	life, end := context.WithCancel(context.Background())
	remote := &server{issuer: issuer, client: s.client, secret: s.secret, http: s.http, now: s.now}
	v := &Verifier{
		issuer: issuer, audience: s.audience, development: strings.HasPrefix(issuer, "http:"), now: s.now, log: s.log, end: end,
		server: remote, keys: &keyring{server: remote, life: life}, public: s.public, nonces: s.nonces, certificates: s.certificates,
	}
	if s.shared != nil {
		v.keys.share(s.shared)
	}
	if !s.stateless {
		v.feed = &feed{view: newView(), server: remote, log: s.log, life: life, patience: beatWithin}
		v.feed.key = v.keys.distrust
		v.asker = &asker{server: remote, life: life, answers: make(map[[32]byte]*answer)}
	}
	if err := v.start(ctx); err != nil {
		end()
		return nil, fmt.Errorf("doorward: %w", err)
	}
	if v.feed != nil && !s.still {
		v.running.Go(func() { v.feed.follow(life) })
	}
	return v, nil
}

// start makes the first requests. Only what asking again cannot mend is an error.
func (v *Verifier) start(ctx context.Context) error {
	if err := v.keys.fetch(ctx); err != nil {
		if misconfigured(err) {
			return err
		}
		v.log.Warn("doorward: the server cannot be reached yet", "issuer", v.issuer, "error", err)
		return nil
	}
	if v.feed == nil {
		return nil
	}
	err := v.feed.poll(ctx, 0)
	var status *statusError
	switch {
	case errors.As(err, &status) && misconfigured(err):
		return fmt.Errorf("revocation feed: %w: does the client have the scope revocations:read?", err)
	case misconfigured(err):
		return fmt.Errorf("revocation feed: %w", err)
	case err != nil:
		v.log.Warn("doorward: the revocation feed cannot be read yet", "error", err)
	}
	return nil
}

// Close ends the verifier's own requests. What it verified stays true for those
// who hold it.
func (v *Verifier) Close() {
	v.end()
	v.running.Wait()
	v.server.http.CloseIdleConnections()
}

// A View is how far the verifier has followed the revocation feed.
type View struct {
	Ever bool          // whether the server was ever read; false for a stateless verifier
	Seq  uint64        // the position up to which every event is known
	Age  time.Duration // how old this knowledge is; the largest duration when there is none
}

// View tells how far the verifier has followed, for health checks and metrics.
func (v *Verifier) View() View {
	if v.feed == nil {
		return View{Age: math.MaxInt64}
	}
	s := v.feed.state.Load()
	return View{Ever: s.ever, Seq: s.position, Age: s.age(v.now())}
}

// Verify judges an access token: form, signature, issuer, audience, time, and
// whether it still stands. The error is a [*Refusal], or that of ctx; with an
// error there is no identity. A token that is bound to a key is refused: the
// proof of it is in the request (see [Verifier.VerifyRequest]).
func (v *Verifier) Verify(ctx context.Context, token string) (*Identity, error) {
	who, t, err := v.verify(ctx, token)
	if err == nil && t.bound {
		r := refuse(checkSender, "the token is bound to a key, and there is no request to prove it")
		r.named, r.dpop = true, true
		return nil, r
	}
	return who, err
}

func (v *Verifier) verify(ctx context.Context, token string) (*Identity, *verified, error) {
	now := v.now()
	if strings.HasPrefix(token, opaquePrefix) {
		t, at, err := v.verifyOpaque(ctx, token, now)
		if err != nil {
			return nil, nil, err
		}
		return t.who(at), t, nil
	}
	t := v.cache.get(token)
	if t == nil || !v.keys.same(t.key, now) {
		var err error
		t, err = v.authentic(token, func(id string) (*key, error) { return v.keys.find(ctx, id) })
		if err != nil {
			return nil, nil, err
		}
		v.cache.put(token, t)
	}
	if err := checkTimes(&t.claims, now); err != nil {
		return nil, nil, signed(err)
	}
	at, err := v.alive(ctx, t, token, now)
	if err != nil {
		return nil, nil, err
	}
	return t.who(at), t, nil
}

// checkTimes judges exp, nbf and iat at the instant now (RFC 9068 section 4).
func checkTimes(c *claims, now time.Time) error {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	switch {
	case !now.Before(at(c.expires).Add(leeway)):
		return refuse(checkTime, "the token expired at "+at(c.expires).UTC().Format(time.RFC3339))
	case now.Before(at(c.notBefore).Add(-leeway)):
		return refuse(checkTime, "the token is good from "+at(c.notBefore).UTC().Format(time.RFC3339)+" on")
	case now.Before(at(c.issued).Add(-leeway)):
		return refuse(checkTime, "the token was issued at "+at(c.issued).UTC().Format(time.RFC3339)+", in the future")
	}
	return nil
}
