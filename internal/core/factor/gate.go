package factor

import (
	"container/list"
	"context"
	"runtime"
	"sync"
	"time"
)

// How many callers may wait for the Gate, and how long. A password hash costs
// tens of milliseconds of a whole core and 19 MiB; more of them at once than
// there are cores makes all of them slower (DOS-02, I-38).
const (
	gateQueue    = 64
	gateReserved = gateQueue / 4 // of these, for people who are signed in
	gateWait     = 2 * time.Second
)

// A Lane is where a caller waits at the Gate.
type Lane uint8

// The lanes. Each is first come, first served, and they take turns, so a flood
// of sign-ins cannot keep those who are in from proving themselves again, nor
// the other way round.
const (
	Strangers Lane = iota // nobody is signed in yet; three quarters of the places
	SignedIn              // the caller holds a session; one quarter
	lanes
)

// Busy is the error of a Gate that has no place: try again after RetryAfter.
type Busy struct {
	RetryAfter time.Duration
}

// Error says so.
func (*Busy) Error() string { return "factor: too many password checks at once" }

// Gate bounds how many password hashes run at once and how many wait to. It is
// safe for use by many goroutines.
type Gate struct {
	most  int
	after func(time.Duration) <-chan time.Time

	mu      sync.Mutex
	running int
	waiting [lanes]list.List // of chan struct{}, closed when the place is given
	turn    Lane             // whose turn it is when both wait
}

// NewGate returns a Gate that lets most hashes run at once: as many as there
// are cores if most is not positive. After is time.After, or a test's.
func NewGate(most int, after func(time.Duration) <-chan time.Time) *Gate {
	if most <= 0 {
		most = runtime.GOMAXPROCS(0)
	}
	return &Gate{most: most, after: after}
}

// Do runs hash when there is a place for it, and returns nil. Otherwise it has
// not run hash: the error is *Busy when the lane is full or 2 s have passed,
// or that of ctx when the caller went away first. A hash that runs is never
// interrupted.
func (g *Gate) Do(ctx context.Context, lane Lane, hash func()) error {
	if err := g.enter(ctx, lane); err != nil {
		return err
	}
	defer g.leave()
	hash()
	return nil
}

// Load returns how many hashes run and how many callers wait, for metrics.
func (g *Gate) Load() (running, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.waiting {
		waiting += g.waiting[i].Len()
	}
	return g.running, waiting
}

func (g *Gate) enter(ctx context.Context, lane Lane) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.running < g.most { // then nobody waits: leave hands places on
		g.running++
		g.mu.Unlock()
		return nil
	}
	room := gateQueue - gateReserved
	if lane == SignedIn {
		room = gateReserved
	}
	queue := &g.waiting[lane]
	if queue.Len() >= room {
		g.mu.Unlock()
		return &Busy{RetryAfter: gateWait}
	}
	given := make(chan struct{})
	place := queue.PushBack(given)
	g.mu.Unlock()

	var err error
	select {
	case <-given:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-g.after(gateWait):
		err = &Busy{RetryAfter: gateWait}
	}

	g.mu.Lock()
	select {
	case <-given: // in the same moment: the place is ours to pass on
		g.mu.Unlock()
		g.leave()
	default:
		queue.Remove(place)
		g.mu.Unlock()
	}
	return err
}

// leave gives the place to whoever waits longest in the lane whose turn it is,
// else in the other one, else back.
func (g *Gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for range lanes {
		queue := &g.waiting[g.turn]
		g.turn = (g.turn + 1) % lanes
		if first := queue.Front(); first != nil {
			close(queue.Remove(first).(chan struct{}))
			return
		}
	}
	g.running--
}
