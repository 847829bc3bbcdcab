package doorward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// following makes a verifier that follows by itself, with little patience.
func (i *issuer) following(t testing.TB, patience time.Duration, more ...Option) *Verifier {
	t.Helper()
	v := i.verifier(t, more...)
	v.feed.patience = patience
	v.running.Go(func() { v.feed.follow(v.feed.life) })
	return v
}

// The follower hears of a revocation by the stream, and polls no more.
func TestFollowerListens(t *testing.T) {
	i := newIssuer(t)
	i.streaming()
	s := i.addKey(jose.ES256)
	v := i.following(t, time.Minute)
	token := s.mint(i.claims(nil))
	wantAccepted(t, v, token)
	polls := i.polls.Load()
	seq := i.revoke("session", "ses_1")
	eventually(t, func() bool { return v.View().Seq == seq })
	wantRefused(t, v, token, checkRevoked)

	// The view of one request stays young.
	i.clock.advance(time.Hour)
	eventually(t, func() bool { return v.View().Age == 0 })
	if n := i.polls.Load(); n != polls || i.streams.Load() == 0 {
		t.Errorf("%d polls, %d streams", n-polls, i.streams.Load())
	}

	// A server that goes and comes back is followed again.
	i.away.Store(true)
	i.CloseClientConnections()
	seq = i.revoke("user", "usr_eve")
	i.away.Store(false)
	eventually(t, func() bool { return v.View().Seq == seq })
	v.Close()
}

// Where the stream does not work polls keep the view fresh: at a server that
// has no room for one, behind a proxy that holds events back, or one that
// answers with something else.
func TestFollowerPollsWithoutAStream(t *testing.T) {
	for name, says := range map[string]func(w http.ResponseWriter, flush func()){
		"no room": func(w http.ResponseWriter, _ func()) { w.WriteHeader(503) },
		"silent":  func(w http.ResponseWriter, flush func()) { flush(); time.Sleep(time.Second) },
		"comments": func(w http.ResponseWriter, flush func()) {
			fmt.Fprint(w, strings.Repeat(": here\n\n", 9))
			flush()
			time.Sleep(time.Second)
		},
		"a page":  func(w http.ResponseWriter, _ func()) { w.Header().Set("Content-Type", "text/html") },
		"garbage": func(w http.ResponseWriter, _ func()) { fmt.Fprint(w, "event: heartbeat\ndata: {\n\n") },
		"the end": func(w http.ResponseWriter, _ func()) {},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.streaming()
			i.says = says
			s := i.addKey(jose.ES256)
			v := i.following(t, 50*time.Millisecond)
			token := s.mint(i.claims(nil))
			seq := i.revoke("session", "ses_1")
			eventually(t, func() bool { return v.View().Seq == seq && i.streams.Load() > 0 })
			wantRefused(t, v, token, checkRevoked)
			v.Close()
		})
	}
}

// listened plays a stream and gives the verifier that listened to its end.
func listened(t *testing.T, says func(i *issuer, w io.Writer, flush func())) (*issuer, *Verifier, error) {
	t.Helper()
	i := newIssuer(t)
	i.addKey(jose.ES256)
	v := i.verifier(t)
	i.clock.advance(time.Minute)
	i.says = func(w http.ResponseWriter, flush func()) { says(i, w, flush) }
	return i, v, v.feed.listen(t.Context(), i.URL+"/revocations/stream")
}

// Each heartbeat makes the view as of the stream's start, later by what the
// server held it and earlier by the age of what it read.
func TestStreamFreshness(t *testing.T) {
	for _, c := range []struct {
		name      string
		took      time.Duration
		held, age int64
		want      time.Duration
	}{
		{name: "at once", want: 0},
		{name: "what was on its way counts", took: 2 * time.Second, held: 500, want: 1500 * time.Millisecond},
		{name: "after a minute", took: time.Minute, held: 60_000, want: 0},
		{name: "the server's own reading was old", took: time.Second, held: 1000, age: 700, want: 700 * time.Millisecond},
		{name: "held longer than it took is a lie", took: time.Second, held: 9000, want: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, v, err := listened(t, func(i *issuer, w io.Writer, _ func()) {
				i.clock.advance(c.took)
				fmt.Fprintf(w, "id: 10\r\nevent: heartbeat\r\ndata: {\"next\":10,\r\ndata: \"head\":10,\"held_ms\":%d,\"age_ms\":%d}\r\n\r\n", c.held, c.age)
			})
			i.clock.advance(time.Minute) // a view of the future would look young for longer
			if err != nil || v.View().Age != c.want+time.Minute || v.View().Seq != 10 {
				t.Errorf("view %+v, want an age of %v; %v", v.View(), c.want, err)
			}
		})
	}
}

// What this reader cannot understand ends the stream, and makes no view. Before
// the last page was read there is none either.
func TestStreamsThatAreNoView(t *testing.T) {
	const (
		fine  = "event: revocation\ndata: {\"seq\":11,\"unit\":\"session\",\"id\":\"x\",\"until\":\"2027-01-01T00:00:00Z\"}\n\n"
		beats = "event: heartbeat\ndata: {\"next\":11,\"head\":11}\n\n"
	)
	for name, text := range map[string]string{
		"unknown unit":    "event: revocation\ndata: {\"seq\":11,\"unit\":\"planet\",\"id\":\"x\",\"until\":\"2027-01-01T00:00:00Z\"}\n\n" + beats,
		"unknown kind":    "event: removal\ndata: {}\n\n" + beats,
		"no kind":         "data: {}\n\n" + beats,
		"the head fell":   "event: heartbeat\ndata: {\"next\":10,\"head\":9}\n\n",
		"next fell":       fine + "event: heartbeat\ndata: {\"next\":3,\"head\":11}\n\n",
		"negative":        "event: heartbeat\ndata: {\"next\":11,\"head\":11,\"held_ms\":-1}\n\n",
		"negative age":    "event: heartbeat\ndata: {\"next\":11,\"head\":11,\"age_ms\":-1}\n\n",
		"not JSON":        "event: heartbeat\ndata: next\n\n",
		"cut off":         "event: heartbeat\ndata: {\"next\":11,\"head\":11}\n",
		"a long line":     ": " + strings.Repeat("x", frameMost) + "\n" + beats,
		"a long event":    "event: heartbeat\n" + strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", 70) + "\n" + beats,
		"nothing":         "",
		"a page of many":  fine + "event: heartbeat\ndata: {\"next\":11,\"head\":40}\n\n",
		"events, no beat": fine,
	} {
		t.Run(name, func(t *testing.T) {
			_, v, err := listened(t, func(_ *issuer, w io.Writer, _ func()) { fmt.Fprint(w, text) })
			if (err == nil) != (name == "a page of many") {
				t.Errorf("error %v", err)
			}
			if got := v.View(); got.Age != time.Minute || got.Seq != 10 {
				t.Errorf("view %+v", got)
			}
		})
	}
}

// An event kills from the moment that it is read, before its heartbeat.
func TestStreamedEventsCountAtOnce(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	v := i.verifier(t)
	token := s.mint(i.claims(nil))
	wantAccepted(t, v, token)
	heard := make(chan struct{})
	i.says = func(w http.ResponseWriter, flush func()) {
		fmt.Fprint(w, "event: revocation\ndata: {\"seq\":11,\"unit\":\"session\",\"id\":\"ses_1\",\"until\":\"2027-01-01T00:00:00Z\"}\n\n")
		flush()
		<-heard
	}
	go func() { _ = v.feed.listen(t.Context(), i.URL+"/revocations/stream") }()
	eventually(t, func() bool { return v.feed.state.Load().generation > 1 })
	wantRefused(t, v, token, checkRevoked)
	close(heard)
}

// The client's secret goes with a stream to the server alone, and a time limit
// of the app's own HTTP client does not end it.
func TestStreamGoesToTheServer(t *testing.T) {
	i := newIssuer(t)
	i.streaming()
	i.addKey(jose.ES256)
	v := i.following(t, time.Minute, HTTPClient(&http.Client{Timeout: 200 * time.Millisecond}), Logger(slog.New(slog.DiscardHandler)))
	eventually(t, func() bool { return i.streams.Load() == 1 })
	time.Sleep(400 * time.Millisecond)
	if n := i.streams.Load(); n != 1 || i.refused.Load() != 0 {
		t.Errorf("%d streams, %d refused", n, i.refused.Load())
	}
	v.Close()
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("id: 42\nevent: revocation\ndata: {\"seq\":42,\"unit\":\"session\",\"id\":\"ses_1\",\"until\":\"2026-11-03T09:30:00Z\"}\n\nevent: heartbeat\ndata: {\"next\":42,\"head\":42,\"held_ms\":1,\"age_ms\":1}\n\n"))
	f.Add([]byte(": comment\r\n\r\nevent\ndata\ndata:\n\n"))
	f.Add([]byte("event: heartbeat\ndata: {\"next\":1,\"head\":1,\"held_ms\":86400000}\n\nevent: heartbeat\ndata: {\"next\":0,\"head\":1}\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		in := bufio.NewReaderSize(bytes.NewReader(body), frameMost)
		for {
			if _, _, err := readFrame(in); err != nil {
				break
			}
		}
		now := start
		v := newView()
		remote := &server{issuer: "http://localhost", now: func() time.Time { return now }, http: &http.Client{Transport: told(body)}}
		fd := &feed{view: v, server: remote, life: t.Context(), patience: time.Minute}
		_ = fd.listen(t.Context(), "http://localhost/r")
		if s := v.state.Load(); s.ever && s.asOf.After(now) {
			t.Error("a view of the future")
		}
	})
}

// told answers every request with the same events.
type told []byte

func (c told) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(bytes.NewReader(c))}, nil
}
