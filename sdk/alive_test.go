package doorward

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// While the view is older than 5 s the server is asked about each token, once
// for all who bring it, and its word stands for 5 s.
func TestStaleViewAsks(t *testing.T) {
	i, s, v, token := good(t)
	i.clock.advance(5 * time.Second)
	if who := wantAccepted(t, v, token); who.ViewAge != 5*time.Second || who.Stale {
		t.Errorf("%+v", who)
	}
	if i.asks.Load() != 0 {
		t.Fatal("the server was asked although the view is fresh")
	}
	i.clock.advance(time.Millisecond)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if who, err := v.Verify(t.Context(), token); err != nil || who.Stale || who.ViewAge != 0 {
				t.Error(who, err)
			}
		})
	}
	wg.Wait()
	if n := i.asks.Load(); n != 1 {
		t.Errorf("asked %d times about one token", n)
	}
	i.kill(token)
	i.clock.advance(5 * time.Second)
	if who := wantAccepted(t, v, token); who.ViewAge != 5*time.Second || who.Stale {
		t.Errorf("%+v", who)
	}
	i.clock.advance(time.Millisecond)
	if r := wantRefused(t, v, token, checkRevoked); r.Status != http.StatusUnauthorized {
		t.Errorf("%+v", r)
	}
	if n := i.asks.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	// Each token has its own answer.
	wantAccepted(t, v, s.mint(i.claims(map[string]any{"jti": "jti_2"})))
	if n := i.asks.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

// With the server away ordinary verification goes on for 5 minutes after the
// view went stale, says so, and ends with the token.
func TestServerAway(t *testing.T) {
	for name, away := range map[string]func(*issuer){
		"no connection": func(i *issuer) { i.away.Store(true) },
		"500":           func(i *issuer) { i.failing.Store(500) },
		"503":           func(i *issuer) { i.failing.Store(503) },
	} {
		t.Run(name, func(t *testing.T) {
			i, s, v, short := good(t)
			long := s.mint(i.claims(map[string]any{"exp": start.Add(time.Hour).Unix()}))
			away(i)
			i.clock.advance(6 * time.Second)
			if who := wantAccepted(t, v, long); !who.Stale || who.ViewAge != 6*time.Second {
				t.Errorf("%+v", who)
			}
			i.clock.advance(5*time.Minute + 5*time.Second - 6*time.Second)
			if who := wantAccepted(t, v, long); !who.Stale {
				t.Errorf("%+v", who)
			}
			wantAccepted(t, v, short) // 305 s old, inside the leeway of exp
			i.clock.advance(time.Second)
			r := wantRefused(t, v, long, checkFeed)
			if r.Status != http.StatusServiceUnavailable || r.RetryAfter <= 0 {
				t.Errorf("%+v", r)
			}
			i.clock.advance(25 * time.Second)
			wantRefused(t, v, short, checkTime)

			// The server is back.
			i.away.Store(false)
			i.failing.Store(0)
			if who := wantAccepted(t, v, long); who.Stale {
				t.Error("still stale")
			}
		})
	}
}

// What the last view knew to be dead stays dead while the server is away.
func TestDeadStaysDeadWhileAway(t *testing.T) {
	i, _, v, token := good(t)
	i.revoke("session", "ses_1")
	v.mustPoll(t)
	i.away.Store(true)
	i.clock.advance(time.Minute)
	wantRefused(t, v, token, checkRevoked)
}

// A server that was not reached is not asked again by each request.
func TestAwayIsRemembered(t *testing.T) {
	i, s, v, token := good(t)
	other := s.mint(i.claims(map[string]any{"jti": "jti_2"}))
	i.failing.Store(502)
	i.clock.advance(10 * time.Second)
	wantAccepted(t, v, token)
	i.failing.Store(0)
	if who := wantAccepted(t, v, other); !who.Stale || i.asks.Load() != 0 {
		t.Errorf("asked %d times within a second of a failure", i.asks.Load())
	}
	i.clock.advance(awayKept)
	if who := wantAccepted(t, v, other); who.Stale || i.asks.Load() != 1 {
		t.Errorf("not asked again after a second")
	}
}

// A server that answers, but not to this client, is not "away": that would let
// revoked tokens pass for five minutes whenever a secret is wrong.
func TestServerThatRefusesTheClient(t *testing.T) {
	i, _, v, token := good(t)
	v.server.secret = "changed"
	i.clock.advance(10 * time.Second)
	r := wantRefused(t, v, token, checkReach)
	if r.Status != http.StatusServiceUnavailable || r.RetryAfter <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestNeverHadAView(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	token := s.mint(i.claims(nil))

	// The server is away altogether: no keys, no view. Never 401.
	i.away.Store(true)
	v := i.verifier(t)
	if v.View().Ever || v.View().Age != math.MaxInt64 {
		t.Errorf("%+v", v.View())
	}
	if r := wantRefused(t, v, token, checkReach); r.Status != http.StatusServiceUnavailable || r.RetryAfter <= 0 {
		t.Errorf("%+v", r)
	}
	// It comes: keys are fetched, and the token is asked about.
	i.away.Store(false)
	i.clock.advance(time.Second)
	if who := wantAccepted(t, v, token); who.Stale || i.asks.Load() != 1 {
		t.Errorf("%+v", who)
	}
	// Away again before there was a view.
	i.away.Store(true)
	i.clock.advance(6 * time.Second)
	if r := wantRefused(t, v, token, checkFeed); r.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", r)
	}
	i.away.Store(false)
	v.mustPoll(t)
	if who := wantAccepted(t, v, token); who.Stale || who.ViewAge != 0 {
		t.Errorf("%+v", who)
	}
}

// Of a strict token every use is asked about: no view, no former answer and no
// patience stand in for that.
func TestStrictTokensAreAskedAboutAtEveryUse(t *testing.T) {
	i, s, v, _ := good(t)
	token := s.mint(i.claims(map[string]any{"strict": "sealed"}))
	for n := range int32(3) {
		if who := wantAccepted(t, v, token); who.ViewAge != 0 || who.Stale || int32(i.asks.Load()) != n+1 {
			t.Errorf("use %d: %+v, asked %d times", n, who, i.asks.Load())
		}
	}
	i.away.Store(true)
	if r := wantRefused(t, v, token, checkReach); r.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", r)
	}
	i.away.Store(false)
	i.kill(token)
	wantRefused(t, v, token, checkRevoked)
	wantRefused(t, i.verifier(t, Stateless()), token, checkReach)
}

func TestStateless(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	v := i.verifier(t, Stateless())
	token := s.mint(i.claims(nil))
	i.revoke("session", "ses_1")
	i.clock.advance(time.Minute)
	who := wantAccepted(t, v, token)
	if who.Stale || who.ViewAge != math.MaxInt64 || v.View().Ever {
		t.Errorf("%+v", who)
	}
	if i.polls.Load()+i.asks.Load() != 0 {
		t.Error("a stateless verifier called the server")
	}
}

// An unknown key id makes one request, shared, and the next only 10 s later.
func TestUnknownKey(t *testing.T) {
	i, _, v, token := good(t)
	next := i.addKey(jose.EdDSA)
	i.clock.advance(10 * time.Second)
	v.mustPoll(t)
	before := i.jwks.Load()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), next.mint(i.claims(nil))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := i.jwks.Load() - before; n != 1 {
		t.Errorf("%d requests for one new key", n)
	}
	stranger := newIssuer(t).addKey(jose.ES256)
	stranger.kid = "made-up"
	for range 20 {
		wantRefused(t, v, stranger.mint(i.claims(nil)), checkKey)
	}
	if n := i.jwks.Load() - before; n != 1 {
		t.Errorf("%d requests, a stranger's key ids set the pace", n)
	}
	i.clock.advance(10 * time.Second)
	v.mustPoll(t)
	wantRefused(t, v, stranger.mint(i.claims(nil)), checkKey)
	if n := i.jwks.Load() - before; n != 2 {
		t.Errorf("%d requests after 10 s", n)
	}
	// With the server away nobody can say that a key is made up.
	i.clock.advance(10 * time.Second)
	v.mustPoll(t)
	i.away.Store(true)
	if r := wantRefused(t, v, stranger.mint(i.claims(nil)), checkReach); r.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", r)
	}
	wantAccepted(t, v, token)
}

// The set is renewed when it is due; while the server is away the last good one
// serves for an hour.
func TestKeysAreRenewedAndKept(t *testing.T) {
	i, s, v, token := good(t)
	wantAccepted(t, v, token)
	i.clock.advance(301 * time.Second) // max-age is 300
	v.mustPoll(t)
	before := i.jwks.Load()
	wantAccepted(t, v, token)
	eventually(t, func() bool { return i.jwks.Load() == before+1 })

	v = i.verifier(t, Stateless())
	token = s.mint(i.claims(map[string]any{"exp": start.Add(48 * time.Hour).Unix()}))
	i.away.Store(true)
	i.clock.advance(time.Hour)
	wantAccepted(t, v, token)
	i.clock.advance(time.Second)
	if r := wantRefused(t, v, token, checkReach); r.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", r)
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	ed := i.addKey(jose.EdDSA)
	rs := i.addKey(jose.RS256)
	i.keys[1].Use = "enc"
	i.keys[2].Algorithm = "" // which of three?
	twin := i.keys[0]
	twin.KeyID = "twin"
	i.keys = append(i.keys, twin, twin)
	secret := jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "oct", Algorithm: "HS256"}
	private := jose.JSONWebKey{Key: s.key, KeyID: "private", Algorithm: "ES256"}
	i.keys = append(i.keys, secret, private)
	v := i.verifier(t)
	wantAccepted(t, v, s.mint(i.claims(nil)))
	wantRefused(t, v, ed.mint(i.claims(nil)), checkKey)
	wantRefused(t, v, rs.mint(i.claims(nil)), checkKey)
	s.kid = "twin"
	wantRefused(t, v, s.mint(i.claims(nil)), checkKey)
	s.kid = "private"
	wantRefused(t, v, s.mint(i.claims(nil)), checkKey)
}

// Whoever gives up waiting ends their own wait, not the others'.
func TestCallerGivesUp(t *testing.T) {
	i, _, v, token := good(t)
	i.clock.advance(10 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	who, err := v.Verify(ctx, token)
	if who != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", who, err)
	}
	wantAccepted(t, v, token)
}

func TestMaxAge(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": keysNormal, "max-age=300": 5 * time.Minute, "public, Max-Age=600": 10 * time.Minute, "max-age=0": time.Minute,
		"max-age=99999999": keysMost, "max-age=-1": keysNormal, "max-age=x": keysNormal, "no-store": keysNormal,
	} {
		if got := maxAge(http.Header{"Cache-Control": {header}}); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
