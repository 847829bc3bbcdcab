package http_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	doorward "github.com/doorward/doorward/sdk"
	"github.com/doorward/doorward/test/rig"
)

// notes is an API of somebody's that verifies tokens by itself.
type notes struct {
	*doorward.Verifier
	handler http.Handler
	ahead   atomic.Int64 // how far its clock is moved, in nanoseconds
}

const notesOrigin = "https://notes.example.com"

// startNotes registers the page and the API of an application and follows the
// server's revocations.
func startNotes(t *testing.T, s *rig.Server) *notes {
	t.Helper()
	s.App("notes", notesOrigin, "notes-api")
	c := s.API("notes-server", "notes-api")
	n := &notes{}
	v, err := doorward.New(t.Context(), s.URL, doorward.Audience("notes-api"), doorward.Client(c.ID, c.Secret), doorward.HTTPClient(s.Client()),
		doorward.WithClock(func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }), doorward.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	n.Verifier = v
	mux := http.NewServeMux()
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if doorward.From(r.Context()).Stale {
			w.Header().Set("Stale", "yes")
		}
	})
	mux.Handle("/notes", v.Require(doorward.Scope("notes:read"))(ok))
	mux.Handle("/danger", v.Require(doorward.FeedWithin(2*time.Second))(ok))
	n.handler = mux
	return n
}

// ask asks the API for something with a token.
func (n *notes) ask(path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	n.handler.ServeHTTP(w, r)
	return w
}

// dead waits until the token is refused and says how long that took.
func (n *notes) dead(t *testing.T, token string, since time.Time) time.Duration {
	t.Helper()
	for {
		_, err := n.Verify(context.Background(), token)
		took := time.Since(since)
		var refusal *doorward.Refusal
		if errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized {
			return took
		}
		if err != nil {
			t.Fatalf("the token is answered %v", err)
		}
		if took > 10*time.Second {
			t.Fatal("the token still works 10 s after its end")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestRevocationReachesAnAPIWithinASecond(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		n := startNotes(t, s)
		ana := s.User("ana")
		acts := []struct {
			name string
			do   func(b *rig.Browser)
		}{
			{"sign-out", func(b *rig.Browser) { b.Do("DELETE", "/session", nil).Want(t, 204) }},
			{"sessions end", func(b *rig.Browser) {
				if r := s.CLI("", "sessions", "end", b.Session, "--yes", "--json"); r.Code != 0 {
					t.Errorf("sessions end: %d %s", r.Code, r.Stderr)
				}
			}},
			{"end-others", func(*rig.Browser) {
				s.SignInAt(ana, notesOrigin).Do("POST", "/sessions/end-others", nil).Want(t, 200)
			}},
			{"reuse", func(b *rig.Browser) {
				thief := s.Browser()
				thief.Origin = notesOrigin
				thief.Cookies["doorward_refresh"] = b.Cookies["doorward_refresh"]
				b.Refresh().Want(t, 200)
				b.Refresh().Want(t, 200)
				thief.Refresh().Want(t, 401)
			}},
		}
		var all []time.Duration
		for range 6 {
			for _, act := range acts {
				b := s.SignInAt(ana, notesOrigin)
				who, err := n.Verify(t.Context(), b.Access)
				if err != nil || who.Session != b.Session || who.Subject != ana.ID || who.Client != "notes" || who.Stale {
					t.Fatalf("before %s the token is of %+v: %v", act.name, who, err)
				}
				first := b.Access
				act.do(b)
				took := n.dead(t, first, time.Now())
				all = append(all, took)
				if w := n.ask("/notes", first); w.Code != 401 || !strings.Contains(w.Header().Get("WWW-Authenticate"), "invalid_token") {
					t.Errorf("after %s the API answers %d %v", act.name, w.Code, w.Header())
				}
				// The contract. What is measured on a quiet machine is far below.
				if took > time.Second {
					t.Errorf("after %s the token worked for %v more", act.name, took)
				}
			}
		}
		slices.Sort(all)
		t.Logf("from the answer to the API's refusal: p50 %v, p99 %v, max %v of %d", all[len(all)/2], all[len(all)*99/100], all[len(all)-1], len(all))
	})
}

func TestAPIGoesOnWithoutTheServer(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		n := startNotes(t, s)
		ana := s.User("ana")
		stays, ends := s.SignInAt(ana, notesOrigin), s.SignInAt(ana, notesOrigin)
		for _, path := range []string{"/notes", "/danger"} {
			if w := n.ask(path, stays.Access); w.Code != 200 || w.Header().Get("Stale") != "" {
				t.Fatalf("%s answers %d %v", path, w.Code, w.Header())
			}
		}
		n.ask("/notes", ends.Access)

		s.Kill()
		n.ahead.Store(int64(20 * time.Second))
		if w := n.ask("/notes", stays.Access); w.Code != 200 || w.Header().Get("Stale") != "yes" {
			t.Errorf("without the server an ordinary route answers %d %v", w.Code, w.Header())
		}
		if w := n.ask("/danger", stays.Access); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("without the server a route that asks for a fresh view answers %d %v", w.Code, w.Header())
		}

		s.Run()
		ends.Do("DELETE", "/session", nil).Want(t, 204)
		n.dead(t, ends.Access, time.Now())
		for _, path := range []string{"/notes", "/danger"} {
			if w := n.ask(path, stays.Access); w.Code != 200 || w.Header().Get("Stale") != "" {
				t.Errorf("with the server back %s answers %d %v", path, w.Code, w.Header())
			}
		}
	})
}

func TestFeedTellsWhatEnded(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		reader := s.API("reader", "notes-api")
		machine := s.Register(map[string]any{"client_id": "machine", "client_name": "machine", "doorward_type": "machine", "doorward_resources": []string{"other"}})
		type page struct {
			Events []struct {
				Seq       uint64    `json:"seq"`
				At        time.Time `json:"at"`
				Unit      string    `json:"unit"`
				ID        string    `json:"id"`
				NotBefore time.Time `json:"not_before"`
				Until     time.Time `json:"until"`
			} `json:"events"`
			Next uint64 `json:"next"`
			Head uint64 `json:"head"`
			Held *int64 `json:"held_ms"`
			Age  *int64 `json:"age_ms"`
		}
		b := s.Browser()
		b.Origin = ""
		read := func(query string) (p page) {
			b.Do("GET", "/revocations"+query, nil, "Authorization", basic(reader)).Want(t, 200).Into(t, &p)
			return p
		}
		ana := s.User("ana")
		one, two := s.SignIn(ana), s.SignIn(ana)
		// Positions are the server's own affair, but for their order.
		p := read("")
		if p.Events == nil || len(p.Events) > 0 || p.Next != p.Head || p.Held == nil || p.Age == nil {
			t.Errorf("the first page is %+v", p)
		}
		after := func(p page, wait string) page { return read(fmt.Sprintf("?after=%d&wait=%s", p.Next, wait)) }
		waiting := make(chan page)
		go func() { waiting <- after(p, "20s") }()
		one.Do("DELETE", "/session", nil).Want(t, 204)
		p = <-waiting
		if len(p.Events) != 1 || p.Events[0].Unit != "session" || p.Events[0].ID != one.Session || p.Events[0].Seq != p.Next || !p.Events[0].Until.After(p.Events[0].At.Add(5*time.Minute)) {
			t.Errorf("after a sign-out the feed says %+v", p)
		}
		two.Do("POST", "/sessions/end-others", nil).Want(t, 200)
		p = after(p, "5s")
		if len(p.Events) != 1 || p.Events[0].Unit != "user" || p.Events[0].ID != ana.ID || p.Events[0].NotBefore.Nanosecond() != 0 {
			t.Errorf("after end-others the feed says %+v", p)
		}
		if end := after(p, "0s"); len(end.Events) > 0 || end.Next != p.Next || end.Head != p.Head {
			t.Errorf("at the head the feed says %+v after %+v", end, p)
		}
		// Who may not read it, does not.
		for name, who := range map[string]struct {
			auth   string
			status int
		}{"nobody": {"", 401}, "a wrong secret": {basic(rig.Client{ID: reader.ID, Secret: "wrong"}), 401}, "no scope": {basic(machine), 403}} {
			if a := b.Do("GET", "/revocations", nil, "Authorization", who.auth); a.Status != who.status || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s is answered %d %v", name, a.Status, a.Header)
			}
		}
	})
}
