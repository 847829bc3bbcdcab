package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/edge/door"
)

// Feed serves revocations to the resource servers that follow them.
type Feed struct {
	Door     *door.Door
	Exchange *exchange.Exchanges
	// WriteWithin is how long one write of a stream may take; 0: ten seconds.
	WriteWithin time.Duration
}

// Routes mounts the feed.
func (f *Feed) Routes(mux *http.ServeMux) {
	mux.Handle("/revocations/stream", f.Door.Held(door.Problem, door.Address{Methods: map[string]door.Handler{"GET": f.stream}, Query: []string{"after"}}.Serve))
	mux.Handle("/revocations", f.Door.Held(door.Problem, door.Address{Methods: map[string]door.Handler{"GET": f.poll}, Query: []string{"after", "wait"}}.Serve))
}

type eventOut struct {
	Seq       uint64    `json:"seq"`
	At        time.Time `json:"at"`
	Unit      string    `json:"unit"`
	ID        string    `json:"id"`
	NotBefore time.Time `json:"not_before"`
	Until     time.Time `json:"until"`
}

// viewOut is how far a reader has got when it has read what came before.
type viewOut struct {
	Next   uint64 `json:"next"`
	Head   uint64 `json:"head"`
	HeldMS int64  `json:"held_ms"`
	AgeMS  int64  `json:"age_ms"`
}

type pageOut struct {
	Events  []eventOut `json:"events"`
	viewOut `json:",inline"`
}

func (f *Feed) poll(w http.ResponseWriter, r *http.Request) error {
	q, err := door.Params(r, "after", "wait")
	if err != nil {
		return err
	}
	after, err := position(q.Get("after"))
	if err != nil {
		return err
	}
	wait := time.Duration(0)
	if s := q.Get("wait"); s != "" {
		if wait, err = time.ParseDuration(s); err != nil || wait < 0 {
			return check.Refuse(door.Query)
		}
	}
	proof, err := f.reader(r)
	if err != nil {
		return err
	}
	outlive(w) // its own wait and the server's end bound it
	ctx, cancel := context.WithTimeout(r.Context(), min(wait, time.Minute)+door.Patience)
	defer cancel()
	p, err := f.Exchange.Revocations(ctx, f.Door.Caller(r), proof, after, wait)
	if err != nil {
		return err
	}
	out := pageOut{Events: make([]eventOut, len(p.Events)), viewOut: viewOf(p)}
	for i, e := range p.Events {
		out.Events[i] = eventOf(e)
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

// reader is what a reader shows: HTTP Basic, or a token of its own.
func (f *Feed) reader(r *http.Request) (exchange.ClientProof, error) {
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "DPoP") {
		s, err := f.Door.Shown(r)
		return exchange.ClientProof{Token: s}, err
	}
	id, secret, _, err := door.BasicClient(r)
	return exchange.ClientProof{ID: id, Secret: secret}, err
}

func eventOf(e revocation.Event) eventOut {
	return eventOut{e.Seq, e.At, string(e.Name.Unit), e.Name.ID, e.NotBefore, e.Until}
}

func viewOf(p exchange.Page) viewOut {
	return viewOut{Next: p.Next, Head: p.Head, HeldMS: p.Held.Milliseconds(), AgeMS: ceil(p.Age)}
}

// ceil rounds an age up: a view is never said to be younger than it is.
func ceil(d time.Duration) int64 {
	return (max(d, 0) + time.Millisecond - 1).Milliseconds()
}

// position reads a feed position in its one spelling; none is the beginning.
func position(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, check.Refuse(door.Query)
	}
	return n, nil
}
