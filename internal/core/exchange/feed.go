package exchange

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

// FeedScope is what a reader of revocations holds.
const FeedScope = "revocations:read"

// A Page of the revocation feed.
type Page struct {
	Events []revocation.Event
	Next   uint64
	Head   uint64
	Held   time.Duration // since the request came in
	Age    time.Duration // of this node's view, from the start of its last read of the head
}

const (
	eventsAtOnce = 1000
	longestWait  = 25 * time.Second
)

// Revocations gives a reader the events after a position, waiting for one if
// there is none. A reader's view is as of its request's start plus Held minus
// Age: durations, so no clocks are compared.
func (x *Exchanges) Revocations(ctx context.Context, by settle.Caller, proof ClientProof, after uint64, wait time.Duration) (Page, error) {
	began := x.pipe.Now()
	proof, err := x.read(ctx, proof)
	if err != nil {
		return Page{}, err
	}
	reader, err := x.clientFor(ctx, followFeed, by, proof)
	if err != nil {
		return Page{}, err
	}
	if err := x.pipe.Follow.Fresh(ctx); err != nil {
		return Page{}, err
	}
	return x.await(ctx, reader, began, after, min(max(wait, 0), longestWait))
}

// await gives the first events after a position that concern a reader, or none
// when the wait is over or the server stops.
func (x *Exchanges) await(ctx context.Context, reader client.Client, began time.Time, after uint64, wait time.Duration) (Page, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for expired := false; ; {
		moved := x.pipe.Feed.Moved()
		events, next, head := x.pipe.Feed.Since(after, eventsAtOnce)
		now := x.pipe.Now()
		events = slices.DeleteFunc(events, func(e revocation.Event) bool { return !e.Live(now) || !e.Concerns(reader.Resources) })
		if len(events) == 0 && next < head {
			after = next // a page of what concerns others alone: what follows must not wait
			continue
		}
		if len(events) > 0 || expired {
			events, err := x.renamed(ctx, reader, events)
			if err != nil {
				return Page{}, err
			}
			age, _ := x.pipe.Feed.Age(now)
			return Page{Events: events, Next: next, Head: head, Held: max(now.Sub(began), 0), Age: age}, nil
		}
		after = next
		select {
		case <-moved:
		case <-timer.C:
			expired = true
		case <-x.pipe.Closing:
			expired = true
		case <-ctx.Done():
			return Page{}, ctx.Err()
		}
	}
}

const (
	// streamsEach is how many streams one application may hold: one for each of
	// its nodes, and as many again while it is rolled over.
	streamsEach = 64
	// streamsInAll is how many there may be: each is a connection and a goroutine.
	streamsInAll = 4096
	// streamFor is how long a reader is believed without being judged again, as
	// long as whatever else is kept of a row.
	streamFor = cacheFor
	// streamRetry is when to try again where there was no room.
	streamRetry = 10 * time.Second
)

var (
	streamShare = check.New(check.Check{Number: 411, ID: "stream.share", Fault: fault.Slow, Shown: "stream.share",
		Says: "The application holds few enough streams.", Source: "ASVS 2.4.1",
		Title: "This application holds too many streams.", Stops: []string{"DOS-03"}})
	streamRoom = check.New(check.Check{Number: 412, ID: "stream.room", Fault: fault.Busy, Shown: "stream.room",
		Says: "The server has room for one more stream.", Source: "ASVS 2.4.1",
		Title: "There is no room for one more stream. Poll instead.", Stops: []string{"DOS-03"}})
)

// streams counts those that are open.
type streams struct {
	mu sync.Mutex
	of map[string]int
	n  int
}

// join takes a place for an application, if both bounds allow it.
func (s *streams) join(id string) (share, room bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	share, room = s.of[id] < streamsEach, s.n < streamsInAll
	if share && room {
		s.of[id]++
		s.n++
	}
	return share, room
}

func (s *streams) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n--
	if s.of[id]--; s.of[id] == 0 {
		delete(s.of, id)
	}
}

// Streams is how many streams this node holds.
func (x *Exchanges) Streams() int {
	x.streams.mu.Lock()
	defer x.streams.mu.Unlock()
	return x.streams.n
}

// ErrStreamOver says that a stream has ended and nothing is wrong: its reader
// opens another one where this one stopped.
var ErrStreamOver = errors.New("exchange: the stream is over")

// A Stream tells one reader what is revoked, as it happens.
type Stream struct {
	x      *Exchanges
	reader client.Client
	rev    uint64 // at which the reader was judged
	began  time.Time
	after  uint64
	names  []revocation.Name // what the reader hangs on
	until  time.Time         // the end of its token, if it showed one
	leave  func()
}

// Stream opens a stream of the events after a position. It holds a place until
// it is closed.
func (x *Exchanges) Stream(ctx context.Context, by settle.Caller, proof ClientProof, after uint64) (*Stream, error) {
	s := &Stream{x: x, rev: x.pipe.Feed.Position(), began: x.pipe.Now(), after: after}
	proof, err := x.read(ctx, proof)
	if err != nil {
		return nil, err
	}
	// Asked once, though a refusal is judged again to be written down.
	join := sync.OnceValues(func() (share, room bool) { return x.streams.join(s.reader.ID) })
	s.reader, err = x.clientFor(ctx, openStream, by, proof, func(j *settle.Judgement, c client.Client) {
		s.reader = c
		share, room := join()
		if j.Hold(streamShare, share, check.Wait(streamRetry)) {
			j.Hold(streamRoom, room, check.Wait(streamRetry))
		}
	})
	if err != nil {
		return nil, err
	}
	s.names = []revocation.Name{{Unit: revocation.Client, ID: s.reader.ID}, {Unit: revocation.Changed, ID: s.reader.ID}}
	if proof.Token.Access != "" {
		s.names, s.until = append(s.names, proof.claims.Names()...), proof.claims.ExpiresAt
	}
	s.leave = sync.OnceFunc(func() { x.streams.leave(s.reader.ID) })
	if err := x.pipe.Follow.Fresh(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Next gives the next events, or none after at most a while. A reader that may
// have changed since it was judged is told nothing more.
func (s *Stream) Next(ctx context.Context, within time.Duration) (Page, error) {
	p, err := s.x.await(ctx, s.reader, s.began, s.after, within)
	if err != nil {
		return Page{}, err
	}
	select {
	case <-s.x.pipe.Closing:
		return Page{}, ErrStreamOver
	default:
	}
	now := s.x.pipe.Now()
	if now.Sub(s.began).Abs() > streamFor || s.x.pipe.Feed.Dead(s.rev, s.names...) || !s.until.IsZero() && !now.Before(s.until) {
		return Page{}, ErrStreamOver
	}
	s.after = p.Next
	return p, nil
}

// Close gives the place back.
func (s *Stream) Close() { s.leave() }
