package doorward

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// start is when every test begins.
var start = time.Date(2026, 11, 3, 9, 14, 0, 0, time.UTC)

// A clock stands still until it is moved.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return start.Add(time.Duration(c.ns.Load())) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

const (
	apiClient = "api+1 %" // has to be form-encoded to travel in Basic
	apiSecret = "s:cret/+"
)

// An issuer is a Doorward server as far as a verifier sees one.
type issuer struct {
	*httptest.Server
	clock *clock

	mu     sync.Mutex
	keys   []jose.JSONWebKey
	events []map[string]any
	head   uint64
	dead   map[string]bool // tokens that introspection calls inactive
	opaque map[string]any  // what introspection says of opaque tokens
	meta   map[string]any  // replaces members of the metadata

	away       atomic.Bool // no connection is answered
	failing    atomic.Int32
	feedStatus atomic.Int32
	feedAge    atomic.Int64 // milliseconds
	pageSize   atomic.Int32
	atPoll     func()      // called before a poll's answer leaves
	hold       atomic.Bool // the feed holds an answer without news
	news       chan struct{}
	refused    atomic.Int32 // calls without the client's secret

	polls, asks, jwks atomic.Int32

	// What the stream says; nil: the feed, as a server does.
	says    func(w http.ResponseWriter, flush func())
	streams atomic.Int32
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{clock: new(clock), dead: map[string]bool{}, opaque: map[string]any{}, meta: map[string]any{}, news: make(chan struct{}, 100), head: 10}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", i.metadata)
	mux.HandleFunc("GET /oauth/jwks", i.serveKeys)
	mux.HandleFunc("POST /oauth/introspect", i.introspect)
	mux.HandleFunc("GET /revocations", i.revocations)
	mux.HandleFunc("GET /revocations/stream", i.stream)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.away.Load() {
			panic(http.ErrAbortHandler)
		}
		if s := i.failing.Load(); s != 0 {
			w.WriteHeader(int(s))
			return
		}
		mux.ServeHTTP(w, r)
	}))
	i.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(func() { i.CloseClientConnections(); i.Close() })
	return i
}

func (i *issuer) metadata(w http.ResponseWriter, _ *http.Request) {
	m := map[string]any{
		"issuer": i.URL, "jwks_uri": i.URL + "/oauth/jwks", "introspection_endpoint": i.URL + "/oauth/introspect",
		"doorward_revocations_endpoint": i.URL + "/revocations", "token_endpoint": i.URL + "/oauth/token",
	}
	i.mu.Lock()
	maps.Copy(m, i.meta)
	i.mu.Unlock()
	reply(w, m)
}

func (i *issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	i.jwks.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	w.Header().Set("Cache-Control", "public, max-age=300")
	reply(w, jose.JSONWebKeySet{Keys: i.keys})
}

func (i *issuer) asClient(w http.ResponseWriter, r *http.Request) bool {
	id, secret, _ := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if id == apiClient && secret == apiSecret {
		return true
	}
	i.refused.Add(1)
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

func (i *issuer) introspect(w http.ResponseWriter, r *http.Request) {
	if !i.asClient(w, r) {
		return
	}
	i.asks.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	token := r.PostFormValue("token")
	if strings.HasPrefix(token, opaquePrefix) && !i.dead[token] {
		reply(w, i.opaque[token])
		return
	}
	reply(w, map[string]any{"active": !i.dead[token]})
}

func (i *issuer) revocations(w http.ResponseWriter, r *http.Request) {
	if !i.asClient(w, r) {
		return
	}
	if s := i.feedStatus.Load(); s != 0 {
		w.Header().Set("Location", "/oauth/jwks")
		w.WriteHeader(int(s))
		return
	}
	i.polls.Add(1)
	if i.atPoll != nil {
		defer i.atPoll()
	}
	after, _ := strconv.ParseUint(r.FormValue("after"), 10, 64)
	if i.hold.Load() && r.FormValue("wait") != "0s" && len(i.after(after)) == 0 {
		select {
		case <-i.news:
		case <-r.Context().Done():
			return
		}
	}
	events := i.after(after)
	i.mu.Lock()
	defer i.mu.Unlock()
	next := i.head
	if n := int(i.pageSize.Load()); n > 0 && len(events) > n {
		events = events[:n]
		next = events[n-1]["seq"].(uint64)
	}
	reply(w, map[string]any{"events": events, "next": next, "head": i.head, "held_ms": 0, "age_ms": i.feedAge.Load()})
}

// streaming makes the issuer one that has a stream.
func (i *issuer) streaming() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.meta["doorward_revocations_stream_endpoint"] = i.URL + "/revocations/stream"
}

func (i *issuer) stream(w http.ResponseWriter, r *http.Request) {
	if !i.asClient(w, r) {
		return
	}
	i.streams.Add(1)
	if s := i.feedStatus.Load(); s != 0 {
		w.WriteHeader(int(s))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := func() { _ = http.NewResponseController(w).Flush() }
	if i.says != nil {
		i.says(w, flush)
		return
	}
	began := i.clock.now()
	after, _ := strconv.ParseUint(r.FormValue("after"), 10, 64)
	for r.Context().Err() == nil {
		for _, e := range i.after(after) {
			data, _ := json.Marshal(e)
			after = e["seq"].(uint64)
			fmt.Fprintf(w, "id: %d\nevent: revocation\ndata: %s\n\n", after, data)
		}
		i.mu.Lock()
		fmt.Fprintf(w, "id: %d\nevent: heartbeat\ndata: {\"next\":%d,\"head\":%d,\"held_ms\":%d,\"age_ms\":0}\n\n", i.head, i.head, i.head, i.clock.now().Sub(began).Milliseconds())
		i.mu.Unlock()
		flush()
		select {
		case <-i.news:
		case <-r.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (i *issuer) after(seq uint64) []map[string]any {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := []map[string]any{}
	for _, e := range i.events {
		if e["seq"].(uint64) > seq {
			out = append(out, e)
		}
	}
	return out
}

// revoke appends an event, as of the clock's now.
func (i *issuer) revoke(unit, id string) (seq uint64) {
	i.mu.Lock()
	i.head++
	now := i.clock.now()
	i.events = append(i.events, map[string]any{
		"seq": i.head, "at": now, "unit": unit, "id": id, "not_before": now, "until": now.Add(10 * time.Minute),
	})
	seq = i.head
	i.mu.Unlock()
	i.news <- struct{}{}
	return seq
}

func (i *issuer) kill(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.dead[token] = true
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// A signer is a key of the issuer with its private half.
type signer struct {
	kid string
	alg jose.SignatureAlgorithm
	key any
}

func freshES256() any { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k }

var keyOf = map[jose.SignatureAlgorithm]func() any{
	jose.ES256: sync.OnceValue(freshES256),
	jose.EdDSA: sync.OnceValue(func() any { _, k, _ := ed25519.GenerateKey(rand.Reader); return k }),
	jose.RS256: sync.OnceValue(func() any { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k }),
	jose.RS512: sync.OnceValue(func() any { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k }),
	jose.PS256: sync.OnceValue(func() any { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k }),
}

// addKey publishes a key for one algorithm.
func (i *issuer) addKey(alg jose.SignatureAlgorithm) signer {
	s := signer{alg: alg, key: keyOf[alg]()}
	pub := jose.JSONWebKey{Key: s.key.(crypto.Signer).Public(), Algorithm: string(alg), Use: "sig"}
	thumb, _ := pub.Thumbprint(crypto.SHA256)
	s.kid = base64.RawURLEncoding.EncodeToString(thumb)
	pub.KeyID = s.kid
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, pub)
	return s
}

// claims are those of a good token, with changes. A nil value takes one away.
func (i *issuer) claims(change map[string]any) map[string]any {
	now := i.clock.now().Unix()
	c := map[string]any{
		"iss": i.URL, "sub": "usr_ana", "aud": []string{"notes-api", i.URL}, "client_id": "web",
		"jti": "jti_1", "iat": now, "nbf": now, "exp": now + 300, "auth_time": now - 60,
		"scope": "notes:read notes:write", "sid": "ses_1", "grant_id": "grt_1", "rev": 10,
		"acr": "urn:doorward:acr:1", "amr": []string{"pwd"},
	}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

// mint signs claims with the header of an access token.
func (s signer) mint(claims map[string]any) string {
	payload, _ := json.Marshal(claims)
	return s.sign(map[string]any{"typ": "at+jwt", "alg": s.alg, "kid": s.kid}, payload)
}

// sign makes a JWS of any header and payload, so that attacks can be made too.
func (s signer) sign(header map[string]any, payload []byte) string {
	head, _ := json.Marshal(header)
	return s.signRaw(head, payload)
}

func (s signer) signRaw(head, payload []byte) string {
	input := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(payload)
	return input + "." + base64.RawURLEncoding.EncodeToString(s.signature(input))
}

func (s signer) signature(input string) []byte {
	hash := crypto.SHA256
	if s.alg == jose.RS512 {
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write([]byte(input))
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		r, v, _ := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
		return append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(key, []byte(input))
	case *rsa.PrivateKey:
		var opts crypto.SignerOpts = hash
		if s.alg == jose.PS256 {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		sig, _ := key.Sign(rand.Reader, h.Sum(nil), opts)
		return sig
	}
	panic("no such key")
}

// verifier makes one that polls only when told to.
func (i *issuer) verifier(t testing.TB, more ...Option) *Verifier {
	t.Helper()
	v, err := New(t.Context(), i.URL, append([]Option{
		Audience("notes-api"), Client(apiClient, apiSecret), WithClock(i.clock.now),
		Logger(slog.New(slog.DiscardHandler)), func(s *settings) error { s.still = true; return nil },
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func (v *Verifier) mustPoll(t testing.TB) {
	t.Helper()
	if err := v.feed.poll(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
}

// good is an issuer with an ES256 key, a verifier of it and a token.
func good(t testing.TB) (*issuer, signer, *Verifier, string) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	return i, s, i.verifier(t), s.mint(i.claims(nil))
}

// wantRefused asserts that the token is refused by that check, that nothing of
// it can be read, and returns the refusal.
func wantRefused(t *testing.T, v *Verifier, token, check string) *Refusal {
	t.Helper()
	who, err := v.Verify(context.Background(), token)
	if who != nil {
		t.Fatalf("accepted as %+v, want refused by %s", who, check)
	}
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("error is %v, want a refusal by %s", err, check)
	}
	if r.Check != check {
		t.Fatalf("refused by %s (%s), want %s", r.Check, r.Detail, check)
	}
	return r
}

func wantAccepted(t *testing.T, v *Verifier, token string) *Identity {
	t.Helper()
	who, err := v.Verify(context.Background(), token)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return who
}

// lines is a log that can be read.
func lines() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}
