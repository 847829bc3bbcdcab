package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/revocation"
)

// served runs a handler behind a server with short deadlines and gives the
// answer's beginning.
func served(t *testing.T, deadline time.Duration, h http.HandlerFunc) *http.Response {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ReadTimeout, s.Config.WriteTimeout = deadline, deadline
	s.Start()
	t.Cleanup(s.Close)
	res, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// A stream goes on when the deadlines of ordinary answers are over.
func TestAStreamOutlivesTheDeadlines(t *testing.T) {
	res := served(t, 50*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		c := outlive(w)
		for range 4 {
			if err := (&Feed{}).send(c, w, []byte("here ")); err != nil {
				t.Error(err)
			}
			select {
			case <-r.Context().Done():
				t.Error("the read deadline ended the request")
			case <-time.After(40 * time.Millisecond):
			}
		}
	})
	b := make([]byte, 64)
	n := 0
	for {
		k, err := res.Body.Read(b[n:])
		if n += k; err != nil {
			break
		}
	}
	if got := string(b[:n]); got != "here here here here " {
		t.Errorf("got %q", got)
	}
}

// Attack DOS-03: a reader that does not read is dropped, and nothing is kept for it.
func TestASlowReaderIsDropped(t *testing.T) {
	dropped := make(chan int, 1)
	served(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		c, f := outlive(w), &Feed{WriteWithin: 100 * time.Millisecond}
		for n := range 1000 {
			if f.send(c, w, make([]byte, 1<<20)) != nil {
				dropped <- n
				return
			}
		}
		dropped <- 1000
	})
	select {
	case n := <-dropped:
		if n > 100 {
			t.Errorf("%d MB were written to a reader that reads nothing", n)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still writing")
	}
}

// The id of an event says that everything up to it was sent: a position that
// several events share is named by the last of them alone.
func TestFramesNameWholePositions(t *testing.T) {
	event := func(seq uint64, id string) revocation.Event {
		return revocation.Event{Seq: seq, Name: revocation.Name{Unit: revocation.Session, ID: id}}
	}
	b, err := frames(exchange.Page{Events: []revocation.Event{event(4, "a"), event(4, "b"), event(6, "c\nid: 99")}, Next: 7, Head: 9, Held: 1500 * time.Millisecond, Age: 1500 * time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	var outline []string
	for _, frame := range strings.Split(strings.TrimSuffix(string(b), "\n\n"), "\n\n") {
		outline = append(outline, strings.Join(strings.SplitN(frame, "\n", 3)[:2], " "))
	}
	data := `{"seq":4,"at":"0001-01-01T00:00:00Z","unit":"session","id":"a","not_before":"0001-01-01T00:00:00Z","until":"0001-01-01T00:00:00Z"}`
	want := "event: revocation data: " + data + "|id: 4 event: revocation|id: 6 event: revocation|id: 7 event: heartbeat"
	if got := strings.Join(outline, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !strings.HasSuffix(string(b), `data: {"next":7,"head":9,"held_ms":1500,"age_ms":2}`+"\n\n") {
		t.Errorf("it ends in %q", b[len(b)-80:])
	}
	if _, err := frames(exchange.Page{Events: []revocation.Event{event(1, "\xff")}}); err == nil {
		t.Error("an event that cannot be written was left out in silence")
	}
}
