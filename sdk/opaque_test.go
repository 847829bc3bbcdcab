package doorward

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// opaqueText is a text of the form of an opaque token.
func opaqueText(name string) string {
	b := []byte("\x01tag!" + name)
	return opaquePrefix + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

// seal makes such a text, and has the server say these claims of it.
func (i *issuer) seal(name string, change map[string]any) string {
	token := opaqueText(name)
	said := i.claims(change)
	said["active"], said["token_type"] = true, "Bearer"
	i.mu.Lock()
	defer i.mu.Unlock()
	i.opaque[token] = said
	return token
}

// An opaque token is asked about once in 5 s, whoever brings it, and means what
// a JWT would.
func TestOpaqueTokensAreAskedAbout(t *testing.T) {
	i, _, v, _ := good(t)
	token := i.seal("ana", nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			who, err := v.Verify(t.Context(), token)
			if err != nil || who.Subject != "usr_ana" || who.Session != "ses_1" || !who.HasScope("notes:write") || who.Stale || who.ViewAge != 0 || who.SignedInAt.IsZero() {
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
	wg.Wait()
	i.clock.advance(5 * time.Second)
	if who := wantAccepted(t, v, token); who.ViewAge != 5*time.Second {
		t.Errorf("%+v", who)
	}
	if n := i.asks.Load(); n != 1 {
		t.Errorf("asked %d times about one token", n)
	}
	// The server's word ends, and so does the token.
	i.kill(token)
	i.clock.advance(time.Millisecond)
	if r := wantRefused(t, v, token, checkRevoked); r.Status != http.StatusUnauthorized || r.named {
		t.Errorf("%+v", r)
	}
}

// What the feed tells counts at once, within the answer's five seconds.
func TestTheFeedEndsOpaqueTokens(t *testing.T) {
	for unit, id := range map[string]string{unitToken: "jti_1", unitSession: "ses_1", unitGrant: "grt_1", unitUser: "usr_ana", unitClient: "web", unitAll: ""} {
		i, _, v, _ := good(t)
		token, other := i.seal("ana", nil), i.seal("ben", map[string]any{"jti": "jti_2", "sid": "ses_2", "grant_id": "grt_2", "sub": "usr_ben", "client_id": "cli"})
		wantAccepted(t, v, token)
		i.revoke(unit, id)
		v.mustPoll(t)
		wantRefused(t, v, token, checkRevoked)
		if unit != unitAll {
			wantAccepted(t, v, other)
		}
		if n := i.asks.Load(); n > 2 {
			t.Errorf("%s: asked %d times", unit, n)
		}
	}
}

// SES-08: a text that is cut or changed is refused without asking anybody.
func TestBrokenOpaqueTokensAreNotAskedAbout(t *testing.T) {
	i, _, v, _ := good(t)
	token := i.seal("ana", nil)
	for n := len(opaquePrefix); n < len(token); n++ {
		wantRefused(t, v, token[:n], checkForm)
	}
	for _, s := range []string{token + "A", token + "=", token[:20] + "\n" + token[20:], opaquePrefix + strings.Repeat("A", 9000), token + token[len(opaquePrefix):]} {
		wantRefused(t, v, s, checkForm)
	}
	if n := i.asks.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// The server's word is judged like a signature's: issuer, audience, time.
func TestWhatIsSaidOfAnOpaqueToken(t *testing.T) {
	i, _, v, _ := good(t)
	for name, c := range map[string]struct {
		change map[string]any
		check  string
	}{
		"issuer":   {map[string]any{"iss": "https://elsewhere.example"}, checkIssuer},
		"audience": {map[string]any{"aud": "billing-api"}, checkAudience},
		"expired":  {map[string]any{"exp": start.Add(-time.Minute).Unix()}, checkTime},
		"early":    {map[string]any{"nbf": start.Add(time.Minute).Unix()}, checkTime},
		"no sub":   {map[string]any{"sub": nil}, checkReach},
	} {
		wantRefused(t, v, i.seal(name, c.change), c.check)
	}
	i.kill(opaqueText("unknown"))
	wantRefused(t, v, opaqueText("unknown"), checkRevoked)
}

// With the server away, a token it vouched for goes on like a JWT; one it was
// never asked about cannot be judged, and nobody is signed out for that.
func TestOpaqueTokensWhileTheServerIsAway(t *testing.T) {
	i, _, v, _ := good(t)
	known := i.seal("ana", map[string]any{"exp": start.Add(time.Hour).Unix()})
	unknown := i.seal("ben", nil)
	wantAccepted(t, v, known)
	i.away.Store(true)
	i.clock.advance(6 * time.Second)
	if who := wantAccepted(t, v, known); !who.Stale || who.ViewAge != 6*time.Second {
		t.Errorf("%+v", who)
	}
	if r := wantRefused(t, v, unknown, checkReach); r.Status != http.StatusServiceUnavailable || r.RetryAfter == 0 {
		t.Errorf("%+v", r)
	}
	i.clock.advance(6 * time.Minute)
	if r := wantRefused(t, v, known, checkFeed); r.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", r)
	}
	i.away.Store(false)
	i.clock.advance(2 * time.Second)
	wantAccepted(t, v, known)
}

// A stateless verifier has nobody to ask.
func TestAStatelessVerifierReadsNoOpaqueToken(t *testing.T) {
	i := newIssuer(t)
	i.addKey("ES256")
	v, err := New(t.Context(), i.URL, Audience("notes-api"), Stateless(), WithClock(i.clock.now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	if r := wantRefused(t, v, i.seal("ana", nil), checkKey); r.Status != http.StatusUnauthorized {
		t.Errorf("%+v", r)
	}
	if v.View().Age != math.MaxInt64 || i.asks.Load() != 0 {
		t.Error("it asked")
	}
}

// A route that must know of a revocation at once asks the feed for an opaque
// token as for a JWT.
func TestFeedWithinForOpaqueTokens(t *testing.T) {
	i, _, v, _ := good(t)
	token := i.seal("ana", nil)
	h := v.Require(FeedWithin(0), Scope("notes:read"))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	status := func() int {
		r := httptest.NewRequest("DELETE", "/v1/notes/1", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	if got := status(); got != http.StatusNoContent {
		t.Fatalf("answered %d", got)
	}
	i.clock.advance(time.Second)
	i.revoke(unitSession, "ses_1") // within the five seconds of the answer, and not polled yet
	if got := status(); got != http.StatusUnauthorized {
		t.Errorf("answered %d", got)
	}
	i.away.Store(true)
	i.clock.advance(10 * time.Second)
	other := i.seal("ben", map[string]any{"jti": "jti_2", "sid": "ses_2"})
	token = other
	if got := status(); got != http.StatusServiceUnavailable {
		t.Errorf("with the server away: %d", got)
	}
}
