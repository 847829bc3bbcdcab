package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/door"
)

const (
	// beatEvery is how often a stream says how fresh it is: well within the
	// second that readers may count on.
	beatEvery = 750 * time.Millisecond
	// writeWithin is how long one write may take. Who reads slower is dropped:
	// nothing is kept for anybody here, and every cursor is good.
	writeWithin = 10 * time.Second
	// gatherFor is how long events are gathered after some were sent: where many
	// sessions end at once a reader gets them in batches.
	gatherFor = 2 * time.Millisecond
)

// stream serves the feed as server-sent events (WHATWG HTML section 9.2): each
// revocation, and heartbeats that say as of when a reader's view is true.
func (f *Feed) stream(w http.ResponseWriter, r *http.Request) error {
	after, err := cursor(r)
	if err != nil {
		return err
	}
	proof, err := f.reader(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), door.Patience)
	defer cancel()
	s, err := f.Exchange.Stream(ctx, f.Door.Caller(r), proof, after)
	if err != nil {
		return err
	}
	defer s.Close()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // a proxy that collects events makes them late
	if r.Method == http.MethodHead {
		return nil
	}
	c := outlive(w)
	for wait := time.Duration(0); ; wait = beatEvery {
		p, err := s.Next(r.Context(), wait)
		if err != nil {
			return nil // over, or nobody listens: either way there is nobody to tell
		}
		b, err := frames(p)
		if err != nil {
			return err // an event that is left out would be trust that stays
		}
		if f.send(c, w, b) != nil {
			return nil
		}
		if len(p.Events) > 0 {
			select {
			case <-time.After(gatherFor):
			case <-r.Context().Done():
			}
		}
	}
}

// outlive takes the connection's usual deadlines away from an answer that is
// held on purpose, and that somebody else bounds.
func outlive(w http.ResponseWriter) *http.ResponseController {
	c := http.NewResponseController(w)
	_, _ = c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{})
	return c
}

// send writes within the time that a write has. The deadline is an instant long
// past, set when the time is over: so no clock is read.
func (f *Feed) send(c *http.ResponseController, w http.ResponseWriter, b []byte) error {
	within := writeWithin
	if f.WriteWithin > 0 {
		within = f.WriteWithin
	}
	late := time.AfterFunc(within, func() { _ = c.SetWriteDeadline(time.Unix(1, 0)) })
	defer late.Stop()
	if _, err := w.Write(b); err != nil {
		return err
	}
	return c.Flush()
}

// frames are a page as server-sent events. An id says that everything up to it
// was sent, so the events of one position share the last one's: a stream that
// breaks between them begins there again.
func frames(p exchange.Page) ([]byte, error) {
	var b bytes.Buffer
	var failed error
	frame := func(kind string, v any) {
		data, err := json.Marshal(v, json.Deterministic(true))
		failed = errors.Join(failed, err)
		b.WriteString("event: " + kind + "\ndata: ")
		b.Write(data)
		b.WriteString("\n\n")
	}
	position := func(seq uint64) { b.WriteString("id: " + strconv.FormatUint(seq, 10) + "\n") }
	for i, e := range p.Events {
		if i == len(p.Events)-1 || p.Events[i+1].Seq != e.Seq {
			position(e.Seq)
		}
		frame("revocation", eventOf(e))
	}
	position(p.Next)
	frame("heartbeat", viewOf(p))
	return b.Bytes(), failed
}

// cursor is where a reader stands: what it saw last, if it says so, else where
// the address tells it to begin.
func cursor(r *http.Request) (uint64, error) {
	q, err := door.Params(r, "after")
	if err != nil {
		return 0, err
	}
	last := r.Header["Last-Event-Id"]
	switch {
	case len(last) > 1:
		return 0, check.Refuse(door.Query)
	case len(last) == 1 && last[0] != "":
		return position(last[0])
	}
	return position(q.Get("after"))
}
