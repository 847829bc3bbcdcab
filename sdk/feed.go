package doorward

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"
)

const (
	// viewFresh is the age up to which a view is enough to judge by.
	viewFresh = 5 * time.Second
	// viewSpent is how long ordinary routes go on after that without the server.
	viewSpent = 5 * time.Minute
	// pollWait is how long the server may hold an answer when nothing happens.
	// The view's age grows meanwhile, so it must be well under viewFresh.
	pollWait = 2 * time.Second
	// pollLeast and pollPause bound the pause after a poll that failed.
	pollLeast = 100 * time.Millisecond
	pollPause = 2 * time.Second
)

// durationMost bounds a duration in an answer, in milliseconds: a day.
const durationMost = 24 * 60 * 60 * 1000

// A feed follows the server's revocations.
type feed struct {
	*view
	server *server
	log    *slog.Logger
	life   context.Context
	flight flight
	// patience is how long a stream may be silent: beatWithin, but in tests.
	patience time.Duration

	// The follower's alone: after a stream failed polls do until then.
	streamAfter time.Time
	rest        time.Duration
}

// page is one answer of the feed.
type page struct {
	Events []event `json:"events"`
	Next   uint64  `json:"next"`
	Head   uint64  `json:"head"`
	Held   int64   `json:"held_ms"`
	Age    int64   `json:"age_ms"`
}

// check refuses an answer that would make the view look newer than it is.
func (p *page) check(after uint64) error {
	for _, e := range p.Events {
		if err := e.check(); err != nil {
			return err
		}
	}
	switch {
	case p.Head < after || p.Next < after:
		// Positions never fall. A server that went back in time forgot
		// revocations; its answers are no view.
		return &shapeError{fmt.Sprintf("the feed went back from %d to %d", after, min(p.Head, p.Next))}
	case p.Held < 0 || p.Age < 0 || p.Held > durationMost || p.Age > durationMost:
		return &shapeError{"the feed has a duration that cannot be"}
	case len(p.Events) > 0 && p.Next == after && p.Next < p.Head:
		return &shapeError{"the feed does not advance"}
	}
	return nil
}

// poll reads the feed up to its head. The server may hold the first answer for
// as long as wait when there is nothing new.
func (f *feed) poll(ctx context.Context, wait time.Duration) error {
	m, err := f.server.discover(ctx)
	if err != nil {
		return err
	}
	if m.Revocations == "" {
		return &shapeError{"the server has no revocation feed"}
	}
	for after := f.state.Load().position; ; wait = 0 {
		start := f.server.now()
		p, err := f.page(ctx, m.Revocations, after, wait)
		if err != nil {
			return err
		}
		if err := p.check(after); err != nil {
			return err
		}
		f.apply(p.Events)
		if len(p.Events) == 0 || p.Next >= p.Head {
			end := f.server.now()
			f.settle(max(p.Head, p.Next), asOf(start, end, p.Held, p.Age), end)
			return nil
		}
		after = p.Next
	}
}

func (f *feed) page(ctx context.Context, address string, after uint64, wait time.Duration) (*page, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+callTimeout)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	q.Set("after", strconv.FormatUint(after, 10))
	q.Set("wait", wait.String())
	u.RawQuery = q.Encode()
	p := new(page)
	_, err = f.server.get(ctx, u.String(), true, feedAnswer, p)
	return p, err
}

// catchUp polls at once until enough holds. A poll in the air may have begun
// before the need arose, so one that began after it is waited for as well.
func (f *feed) catchUp(ctx context.Context, enough func(*state) bool) error {
	var err error
	for range 2 {
		if err = f.flight.join(ctx, f.life, func(ctx context.Context) error { return f.poll(ctx, 0) }); err != nil {
			return err
		}
		if enough(f.state.Load()) {
			return nil
		}
	}
	return nil
}

// once follows for a while: by the stream where the server has one and it
// works, else by a poll. A stream that broke left the view as old as it is, so
// the poll after it is not held.
func (f *feed) once(ctx context.Context) error {
	wait, began := pollWait, time.Now()
	if m, err := f.server.discover(ctx); err == nil && m.Stream != "" && !began.Before(f.streamAfter) {
		if err = f.listen(ctx, m.Stream); err == nil {
			f.rest = 0
			return nil
		}
		if time.Since(began) > streamRestMost {
			f.rest = 0 // it worked for long enough: this is a new failure
		}
		f.rest = min(max(2*f.rest, streamRest), streamRestMost)
		f.streamAfter = time.Now().Add(f.rest)
		wait = 0
	}
	return f.poll(ctx, wait)
}

// follow follows until ctx ends. It speaks when the server is lost or found, and
// once a minute while it is lost.
func (f *feed) follow(ctx context.Context) {
	var (
		pause = pollLeast
		said  time.Time
		lost  bool
	)
	for ctx.Err() == nil {
		start, before := f.server.now(), f.state.Load().generation
		err := f.once(ctx)
		now := f.server.now()
		switch {
		case err == nil && lost:
			f.log.Info("doorward: following revocations again")
			fallthrough
		case err == nil:
			pause, lost = pollLeast, false
			// News is followed up at once; a server that does not hold its
			// answers is not asked without end.
			if f.state.Load().generation != before || now.Sub(start) >= pollLeast {
				continue
			}
		case ctx.Err() == nil && (!lost || now.Sub(said) >= time.Minute):
			f.log.Warn("doorward: cannot follow revocations", "error", err)
			said, lost = now, true
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		if err != nil {
			pause = min(2*pause, pollPause)
		}
	}
}
