package doorwardtest

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	doorward "github.com/doorward/doorward/sdk"
)

// Issuer is the iss of tokens that no server made. Nothing listens there.
const Issuer = "https://doorward.test"

// A Claim says something of a token.
type Claim func(claims map[string]any)

// As says whose token it is: its sub.
func As(subject string) Claim { return func(c map[string]any) { c["sub"] = subject } }

// Scope adds to what the token may be used for.
func Scope(scope string) Claim {
	return func(c map[string]any) {
		if had, _ := c["scope"].(string); had != "" {
			scope = had + " " + scope
		}
		c["scope"] = scope
	}
}

// For says which APIs the token is for. Without it, it is for those that this
// test has made a [Verifier] of.
func For(audience ...string) Claim { return func(c map[string]any) { c["aud"] = audience } }

// SignedInAgo says how long ago the person proved who they are, for routes that
// are doorward.Fresh. Without it, just now.
func SignedInAgo(d time.Duration) Claim {
	return func(c map[string]any) { c["auth_time"] = time.Now().Add(-d).Unix() }
}

// ExpiredAgo says how long ago the token expired.
func ExpiredAgo(d time.Duration) Claim {
	return func(c map[string]any) {
		at := time.Now().Add(-d)
		c["exp"], c["nbf"], c["iat"] = at.Unix(), at.Add(-life).Unix(), at.Add(-life).Unix()
	}
}

// With sets a claim by its name; nil leaves it out.
func With(name string, value any) Claim {
	return func(c map[string]any) {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
}

const life = 5 * time.Minute

// Token makes an access token without a server: for a person called "user",
// without any scope, for five minutes, unless the claims say otherwise. It is
// signed with a key that this process made, so that only [Verifier] takes it.
func Token(t testing.TB, claims ...Claim) string {
	t.Helper()
	o, err := office()
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	now := time.Now()
	o.mu.Lock()
	o.made++
	n := o.made
	c := map[string]any{
		"iss": Issuer, "sub": "user", "client_id": "doorwardtest", "jti": fmt.Sprint("at_", n), "sid": fmt.Sprint("ses_", n), "grant_id": fmt.Sprint("grt_", n),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(), "auth_time": now.Unix(), "rev": o.head,
		"acr": "urn:doorward:acr:1", "amr": []string{"pwd"}, "aud": o.audienceOf(t.Name()),
	}
	o.mu.Unlock()
	for _, claim := range claims {
		claim(c)
	}
	if aud, ok := c["aud"].([]string); ok && len(aud) == 0 {
		t.Fatal("doorwardtest: who is the token for? Make the Verifier first, or say For(audience)")
	}
	payload, err := json.Marshal(c, json.Deterministic(true))
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	token, err := o.key.Sign("at+jwt", payload)
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	return token
}

// Verifier makes the verifier of an API of this audience, which takes the
// tokens of [Token]. It makes every check of a real one; what it would ask a
// server it is told in this process.
func Verifier(t testing.TB, audience string) *doorward.Verifier {
	t.Helper()
	o, err := office()
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	v, err := doorward.New(t.Context(), Issuer, doorward.Audience(audience), doorward.Client("api", "secret"),
		doorward.HTTPClient(&http.Client{Transport: o}), doorward.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.verifiers[v] = true
	o.audiences[t.Name()] = append(o.audiences[t.Name()], audience)
	t.Cleanup(func() {
		v.Close()
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.verifiers, v)
		delete(o.audiences, t.Name())
	})
	return v
}

// Revoke ends a token of [Token]. When it returns every verifier knows.
func Revoke(t testing.TB, token string) {
	t.Helper()
	o, err := office()
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	payload, _, err := jose.Verify(token, "at+jwt", func(kid string) (jose.Key, bool) { return o.key.Key(), kid == o.key.KID() })
	if err != nil {
		t.Fatal("doorwardtest: this is no token of Token: ", err)
	}
	var c struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	at, all := o.revoke(c.ID)
	caughtUp(t, all, at)
}

// A desk is the issuer of Token as far as a verifier sees one: an
// http.RoundTripper that answers in this process.
type desk struct {
	key *jose.SigningKey

	mu        sync.Mutex
	made      int
	head      uint64
	events    []event
	moved     chan struct{}
	verifiers map[*doorward.Verifier]bool
	audiences map[string][]string // of a test, by its name
}

type event struct {
	Seq       uint64    `json:"seq"`
	Unit      string    `json:"unit"`
	ID        string    `json:"id"`
	NotBefore time.Time `json:"not_before"`
	Until     time.Time `json:"until"`
}

var office = sync.OnceValues(func() (*desk, error) {
	key, err := jose.GenerateKey(jose.ES256)
	return &desk{key: key, head: 1, moved: make(chan struct{}), verifiers: map[*doorward.Verifier]bool{}, audiences: map[string][]string{}}, err
})

// audienceOf are the APIs of a test and of those that it is a part of.
func (o *desk) audienceOf(test string) (all []string) {
	for more := true; more; {
		all = append(all, o.audiences[test]...)
		i := strings.LastIndexByte(test, '/')
		if more = i > 0; more {
			test = test[:i]
		}
	}
	return all
}

func (o *desk) revoke(jti string) (at uint64, all []*doorward.Verifier) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.head++
	o.events = append(o.events, event{o.head, "jti", jti, time.Now(), time.Now().Add(time.Hour)})
	close(o.moved)
	o.moved = make(chan struct{})
	for v := range o.verifiers {
		all = append(all, v)
	}
	return o.head, all
}

// RoundTrip answers what a verifier asks.
func (o *desk) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		return reply(map[string]any{"issuer": Issuer, "jwks_uri": Issuer + "/jwks", "doorward_revocations_endpoint": Issuer + "/revocations"})
	case "/jwks":
		return reply(jose.Set(o.key.Key()))
	case "/revocations":
		return o.feed(r)
	}
	return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// feed answers a poll, held until there is news.
func (o *desk) feed(r *http.Request) (*http.Response, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	after, err := strconv.ParseUint(q.Get("after"), 10, 64)
	if err != nil {
		return nil, err
	}
	wait, err := time.ParseDuration(q.Get("wait"))
	if err != nil {
		return nil, err
	}
	began := time.Now()
	over := time.NewTimer(wait)
	defer over.Stop()
	for expired := false; ; {
		o.mu.Lock()
		page := map[string]any{"events": []event{}, "next": o.head, "head": o.head, "held_ms": time.Since(began).Milliseconds(), "age_ms": 0}
		if n := slices.IndexFunc(o.events, func(e event) bool { return e.Seq > after }); n >= 0 {
			page["events"], expired = slices.Clone(o.events[n:]), true
		}
		moved := o.moved
		o.mu.Unlock()
		if expired {
			return reply(page)
		}
		select {
		case <-moved:
		case <-over.C:
			expired = true
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

func reply(v any) (*http.Response, error) {
	text, err := json.Marshal(v)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text))}, err
}
