package doorward

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Each unit kills what it names, and only what was issued before.
func TestEventsKill(t *testing.T) {
	i, s, v, _ := good(t)
	i.head = 19 // events from 20 on
	v.mustPoll(t)
	for unit, id := range map[string]string{
		"session": "ses_1", "grant": "grt_1", "user": "usr_ana", "client": "web", "org": "org_1", "jti": "jti_1",
	} {
		t.Run(unit, func(t *testing.T) {
			own := map[string]any{"sid": unit + "s", "grant_id": unit + "g", "sub": unit + "u", "client_id": unit + "c", "org": unit + "o", "jti": unit + "j"}
			claim := map[string]string{"session": "sid", "grant": "grant_id", "user": "sub", "client": "client_id", "org": "org", "jti": "jti"}[unit]
			token := func(change map[string]any) string {
				c := i.claims(own)
				c["rev"] = i.head
				for k, v := range change {
					if c[k] = v; v == nil {
						delete(c, k)
					}
				}
				return s.mint(c)
			}
			before := token(nil)
			stranger := token(map[string]any{claim: id + "x"})
			seq := i.revoke(unit, own[claim].(string))
			wantAccepted(t, v, before) // not read yet
			v.mustPoll(t)
			if r := wantRefused(t, v, before, checkRevoked); !r.named || r.Status != http.StatusUnauthorized {
				t.Errorf("refusal %+v", r)
			}
			wantAccepted(t, v, stranger)
			after := token(map[string]any{"rev": seq})
			if unit == "jti" {
				wantRefused(t, v, after, checkRevoked) // absolute
				return
			}
			wantAccepted(t, v, after)
			wantRefused(t, v, token(map[string]any{"rev": seq - 1}), checkRevoked)

			// Without rev the issue time decides, to the second.
			i.clock.advance(time.Second)
			v.mustPoll(t)
			now := i.clock.now().Unix()
			wantAccepted(t, v, token(map[string]any{"rev": nil, "iat": now}))
			wantAccepted(t, v, token(map[string]any{"rev": nil, "iat": now - 1}))
			wantRefused(t, v, token(map[string]any{"rev": nil, "iat": now - 2}), checkRevoked)
		})
	}
}

func TestKeyAndAllEvents(t *testing.T) {
	i, s, v, token := good(t)
	other := i.addKey(jose.EdDSA)
	if err := v.keys.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	byOther := other.mint(i.claims(nil))
	wantAccepted(t, v, token)
	wantAccepted(t, v, byOther)

	seq := i.revoke("key", s.kid)
	v.mustPoll(t)
	wantRefused(t, v, token, checkRevoked)
	wantRefused(t, v, s.mint(i.claims(map[string]any{"rev": seq})), checkRevoked) // absolute
	wantAccepted(t, v, byOther)

	seq = i.revoke("all", "")
	v.mustPoll(t)
	wantRefused(t, v, byOther, checkRevoked)
	wantAccepted(t, v, other.mint(i.claims(map[string]any{"rev": seq})))
}

// A compromised key does not come back with an old copy of the set, nor when
// its event is over; the key in its place is asked for at once, though the set
// was read a moment ago.
func TestACompromisedKeyIsGoneForGood(t *testing.T) {
	i, s, v, token := good(t)
	wantAccepted(t, v, token)
	next := i.addKey(jose.EdDSA)
	seq := i.revoke("key", s.kid)
	v.mustPoll(t)
	wantRefused(t, v, token, checkRevoked)
	wantAccepted(t, v, next.mint(i.claims(map[string]any{"rev": seq})))
	for range 5 {
		i.clock.advance(4 * time.Minute)
		if err := v.keys.fetch(t.Context()); err != nil { // it still has the key
			t.Fatal(err)
		}
		v.mustPoll(t)
		now := i.clock.now().Unix()
		wantRefused(t, v, s.mint(i.claims(map[string]any{"rev": seq, "iat": now, "nbf": now, "exp": now + 300})), checkRevoked)
	}
}

// An event that says no time condemns every token without rev that it names.
func TestEventWithoutNotBefore(t *testing.T) {
	i, s, v, _ := good(t)
	i.revoke("session", "ses_1")
	i.events[0]["not_before"] = nil
	v.mustPoll(t)
	wantRefused(t, v, s.mint(i.claims(map[string]any{"rev": nil})), checkRevoked)
}

// Empty claims are not named by anything.
func TestMachineTokenIsNotNamedByEmptyIDs(t *testing.T) {
	i, s, v, _ := good(t)
	i.revoke("session", "ses_9")
	v.mustPoll(t)
	wantAccepted(t, v, s.mint(i.claims(map[string]any{"sid": nil, "grant_id": nil, "auth_time": nil, "acr": nil, "amr": nil})))
}

func TestEventsAreKeptUntilTheyEnd(t *testing.T) {
	i, s, v, _ := good(t)
	i.revoke("session", "ses_1")
	v.mustPoll(t)
	token := s.mint(i.claims(map[string]any{"exp": start.Add(2 * time.Hour).Unix()}))
	wantRefused(t, v, token, checkRevoked)
	i.clock.advance(10 * time.Minute)
	v.mustPoll(t)
	wantRefused(t, v, token, checkRevoked)
	i.clock.advance(3 * time.Minute)
	v.mustPoll(t)
	if n := len(v.feed.marks); n != 0 {
		t.Errorf("%d events are kept after their end", n)
	}
}

// An answer in pages is a view only when the last was read.
func TestPages(t *testing.T) {
	i, s, v, _ := good(t)
	var tokens []string
	for n := range 7 {
		tokens = append(tokens, s.mint(i.claims(map[string]any{"sid": fmt.Sprint("ses_", n), "rev": 10})))
		i.revoke("session", fmt.Sprint("ses_", n))
	}
	i.pageSize.Store(2)
	polls := i.polls.Load()
	v.mustPoll(t)
	if n := i.polls.Load() - polls; n != 4 {
		t.Errorf("%d requests for 7 events in pages of 2", n)
	}
	for _, token := range tokens {
		wantRefused(t, v, token, checkRevoked)
	}
	if got := v.View(); !got.Ever || got.Seq != 17 || got.Age != 0 {
		t.Errorf("view %+v", got)
	}
}

// The view is of the request's start, later by what the server held it, earlier
// by the age of what it read.
func TestFreshness(t *testing.T) {
	for _, c := range []struct {
		name               string
		took               time.Duration
		held, age          int64
		want               time.Duration
		refusedByTheReader bool
	}{
		{name: "at once", want: 0},
		{name: "a slow network counts in full", took: 2 * time.Second, want: 2 * time.Second},
		{name: "what was held does not count", took: 2 * time.Second, held: 1500, want: 500 * time.Millisecond},
		{name: "the server's own reading was old", took: time.Second, held: 1000, age: 700, want: 700 * time.Millisecond},
		{name: "held longer than it took is a lie", took: time.Second, held: 9000, want: 0},
		{name: "negative", held: -1, refusedByTheReader: true},
		{name: "negative age", age: -1, refusedByTheReader: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newIssuer(t)
			i.addKey(jose.ES256)
			v := i.verifier(t)
			i.clock.advance(time.Minute)
			i.meta["doorward_revocations_endpoint"] = i.URL + "/other"
			v.feed.server.known.Store(nil)
			replace(i, "/other", func(w http.ResponseWriter) {
				i.clock.advance(c.took)
				reply(w, map[string]any{"events": []any{}, "next": 10, "head": 10, "held_ms": c.held, "age_ms": c.age})
			})
			err := v.feed.poll(t.Context(), pollWait)
			if (err != nil) != c.refusedByTheReader {
				t.Fatal(err)
			}
			i.clock.advance(time.Minute)
			if age := v.View().Age - time.Minute; !c.refusedByTheReader && age != c.want {
				t.Errorf("age %v, want %v", age, c.want)
			}
		})
	}
}

// replace changes what the issuer says at one path.
func replace(i *issuer, path string, with func(http.ResponseWriter)) {
	next := i.Config.Handler
	i.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			with(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// An answer that this reader cannot understand must not make its view look fresh.
func TestAnswersThatAreNoView(t *testing.T) {
	for name, body := range map[string]string{
		"unknown unit":     `{"events":[{"seq":11,"unit":"planet","id":"x","until":"2027-01-01T00:00:00Z"}],"next":11,"head":11}`,
		"no id":            `{"events":[{"seq":11,"unit":"session","until":"2027-01-01T00:00:00Z"}],"next":11,"head":11}`,
		"no until":         `{"events":[{"seq":11,"unit":"session","id":"x"}],"next":11,"head":11}`,
		"no seq":           `{"events":[{"unit":"session","id":"x","until":"2027-01-01T00:00:00Z"}],"next":11,"head":11}`,
		"the head fell":    `{"events":[],"next":10,"head":9}`,
		"next fell":        `{"events":[],"next":3,"head":11}`,
		"does not advance": `{"events":[{"seq":11,"unit":"session","id":"x","until":"2027-01-01T00:00:00Z"}],"next":10,"head":12}`,
		"not JSON":         `<html>`,
		"a list":           `[]`,
		"a bad number":     `{"events":[],"next":-1,"head":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.addKey(jose.ES256)
			v := i.verifier(t)
			replace(i, "/revocations", func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, body)
			})
			i.clock.advance(time.Minute)
			if err := v.feed.poll(t.Context(), 0); err == nil || unreachable(err) {
				t.Errorf("error %v", err)
			}
			if v.View().Age != time.Minute {
				t.Errorf("the view is %v old, want a minute", v.View().Age)
			}
		})
	}
}

// A token newer than the view makes it catch up, once for all who ask.
func TestTokenAheadOfTheView(t *testing.T) {
	i, s, v, _ := good(t)
	dead := s.mint(i.claims(map[string]any{"rev": 11, "sid": "ses_2"}))
	i.head = 11
	i.revoke("session", "ses_2") // 12
	i.head = 20
	fresh := s.mint(i.claims(map[string]any{"rev": 20}))
	polls := i.polls.Load()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), fresh); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := i.polls.Load() - polls; n < 1 || n > 20 {
		t.Errorf("%d polls", n)
	}
	if v.View().Seq != 20 {
		t.Errorf("view at %d", v.View().Seq)
	}
	wantRefused(t, v, dead, checkRevoked)

	// Ahead of the server itself: from a future that did not happen.
	future := s.mint(i.claims(map[string]any{"rev": 21}))
	r := wantRefused(t, v, future, checkPosition)
	if r.Status != http.StatusUnauthorized || !r.named {
		t.Errorf("%+v", r)
	}
	// And where the server is away it is one more that it cannot be asked about.
	i.away.Store(true)
	if who := wantAccepted(t, v, future); !who.Stale {
		t.Error("not stale")
	}
}

// A poll that read the head before a token was issued says nothing about that
// token: who joined it waits for one that began later.
func TestPollInTheAirIsTooOld(t *testing.T) {
	i, s, v, _ := good(t)
	read, release := make(chan struct{}, 10), make(chan struct{})
	i.atPoll = func() {
		read <- struct{}{}
		<-release
	}
	go func() { _ = v.feed.catchUp(t.Context(), func(*state) bool { return true }) }()
	<-read // it has its answer, at position 10
	i.mu.Lock()
	i.head = 11
	i.mu.Unlock()
	token := s.mint(i.claims(map[string]any{"rev": 11}))
	judged := make(chan error)
	go func() {
		_, err := v.Verify(t.Context(), token)
		judged <- err
	}()
	eventually(t, func() bool { return v.cache.get(token) != nil })
	close(release)
	if err := <-judged; err != nil {
		t.Error(err)
	}
}

// The follower hears of a revocation while its request is held.
func TestFollower(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	i.hold.Store(true)
	v := i.verifier(t, func(s *settings) error { s.still = false; return nil })
	token := s.mint(i.claims(nil))
	wantAccepted(t, v, token)
	seq := i.revoke("session", "ses_1")
	eventually(t, func() bool { return v.View().Seq == seq })
	wantRefused(t, v, token, checkRevoked)

	// A server that goes and comes back is followed again.
	i.away.Store(true)
	i.CloseClientConnections()
	i.revoke("user", "usr_ben")
	i.away.Store(false)
	seq = i.revoke("user", "usr_eve")
	eventually(t, func() bool { return v.View().Seq == seq })
	v.Close()
}

// eventually waits for what other goroutines do. It ends as soon as that is done.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never happened")
		}
	}
}

func TestSleepingMachine(t *testing.T) {
	// While a machine sleeps the monotonic clock stands still and the wall
	// clock does not: a time with both, and one an hour later with the wall's only.
	now := time.Now()
	s := &state{ever: true, asOf: now}
	if age := s.age(now.Round(0).Add(time.Hour)); age != time.Hour {
		t.Errorf("age %v", age)
	}
	if age := s.age(now.Add(-time.Second)); age != 0 {
		t.Errorf("age %v after the clock was set back", age)
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(`{"events":[{"seq":42,"at":"2026-11-03T09:14:00Z","unit":"session","id":"ses_1","not_before":"2026-11-03T09:14:00Z","until":"2026-11-03T09:30:00Z"}],"next":42,"head":42,"held_ms":0,"age_ms":0}`))
	f.Add([]byte(`{"events":[],"next":10,"head":10,"held_ms":99999999999999,"age_ms":99999999999999}`))
	f.Add([]byte(`{"events":[{"seq":18446744073709551615,"unit":"all","until":"9999-12-31T23:59:59Z"}],"next":18446744073709551615,"head":0}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		now := start
		v := newView()
		remote := &server{issuer: "http://localhost", now: func() time.Time { return now }, http: &http.Client{Transport: canned(body)}}
		remote.known.Store(&metadata{Revocations: "http://localhost/r", read: now})
		fd := &feed{view: v, server: remote, life: t.Context()}
		err := fd.poll(t.Context(), 0)
		s := v.state.Load()
		if err != nil && s.ever {
			t.Error("an answer that was refused gave a view")
		}
		if s.ever && s.asOf.After(now) {
			t.Error("a view of the future")
		}
	})
}

// canned answers every request with the same JSON.
type canned []byte

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(c)),
	}, nil
}

func TestOneEventManyReadings(t *testing.T) {
	v := newView()
	e := event{Seq: 5, Unit: unitSession, ID: "s", NotBefore: start, Until: start.Add(time.Hour)}
	older := event{Seq: 3, Unit: unitSession, ID: "s", NotBefore: start.Add(-time.Hour), Until: start.Add(time.Minute)}
	v.apply([]event{e, older})
	v.apply([]event{older})
	tok := &verified{claims: claims{session: "s", rev: 4, hasRev: true}, key: &key{id: "k"}}
	if unit, dead := v.kills(tok); !dead || unit != unitSession {
		t.Error("an older event hides a newer one")
	}
	v.settle(5, start, start.Add(30*time.Minute))
	if _, dead := v.kills(tok); !dead {
		t.Error("the longer until does not win")
	}
}
