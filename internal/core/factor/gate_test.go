package factor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowd is a Gate and the callers before it, in a bubble that can tell when
// everybody waits.
type crowd struct {
	t    *testing.T
	gate *Gate
	all  sync.WaitGroup
}

func newCrowd(t *testing.T, most int) *crowd {
	return &crowd{t: t, gate: NewGate(most, time.After)}
}

// hold starts n hashes that run until released.
func (c *crowd) hold(n int) (release func()) {
	done := make(chan struct{})
	for range n {
		c.all.Go(func() {
			if err := c.gate.Do(context.Background(), Strangers, func() { <-done }); err != nil {
				c.t.Errorf("holding: %v", err)
			}
		})
	}
	synctest.Wait()
	return func() { close(done); synctest.Wait() }
}

// send sends one caller, who waits when send returns or is done. What became of
// them is in the result.
func (c *crowd) send(ctx context.Context, lane Lane, hash func()) (result *error) {
	result = new(error)
	*result = errStillWaiting
	c.all.Go(func() { *result = c.gate.Do(ctx, lane, hash) })
	synctest.Wait()
	return result
}

var errStillWaiting = errors.New("still waiting")

func (c *crowd) load(running, waiting int) {
	c.t.Helper()
	synctest.Wait()
	if r, w := c.gate.Load(); r != running || w != waiting {
		c.t.Errorf("%d run and %d wait, want %d and %d", r, w, running, waiting)
	}
}

func busy(err error) bool {
	var b *Busy
	return errors.As(err, &b) && b.RetryAfter == 2*time.Second
}

// DOS-02: real goroutines on real cores; run it with the race detector.
func TestDOS02NoMoreThanSoManyAtOnce(t *testing.T) {
	const most = 3
	g := NewGate(most, func(time.Duration) <-chan time.Time { return nil })
	var now, peak, ran, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 500 {
		all.Go(func() {
			err := g.Do(context.Background(), Lane(i%2), func() {
				n := now.Add(1)
				for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
				}
				Verify("hunter23", cheap("hunter22"))
				now.Add(-1)
			})
			switch {
			case err == nil:
				ran.Add(1)
			case busy(err):
				refused.Add(1)
			default:
				t.Errorf("neither run nor busy: %v", err)
			}
		})
	}
	all.Wait()
	if peak.Load() > most || ran.Load() < most || ran.Load()+refused.Load() != 500 {
		t.Errorf("at most %d at once, %d ran, %d refused", peak.Load(), ran.Load(), refused.Load())
	}
	if running, waiting := g.Load(); running != 0 || waiting != 0 {
		t.Errorf("afterwards %d run and %d wait", running, waiting)
	}
}

// DOS-02, I-38: 500 sign-ins at once fill their part of the queue and no more;
// a person who is signed in still finds a place.
func TestQueueIsBoundedAndKeepsPlacesForTheSignedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2)
		release := c.hold(2)
		var ran, refused int
		count := func(lane Lane, n int) {
			ran, refused = 0, 0
			for range n {
				switch err := *c.send(t.Context(), lane, func() {}); {
				case errors.Is(err, errStillWaiting):
					ran++
				case busy(err):
					refused++
				default:
					t.Errorf("neither waits nor busy: %v", err)
				}
			}
		}
		if count(Strangers, 500); ran != 48 || refused != 452 {
			t.Errorf("%d strangers wait, %d were refused", ran, refused)
		}
		if count(SignedIn, 500); ran != 16 || refused != 484 {
			t.Errorf("%d signed in wait, %d were refused", ran, refused)
		}
		c.load(2, 64)
		release()
		c.load(0, 0)
		c.all.Wait()
	})
}

func TestFirstComeFirstServedAndLanesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1)
		release := c.hold(1)
		var order []string
		for _, name := range []string{"s1", "s2", "s3", "s4"} {
			c.send(t.Context(), Strangers, func() { order = append(order, name) })
		}
		for _, name := range []string{"in1", "in2"} {
			c.send(t.Context(), SignedIn, func() { order = append(order, name) })
		}
		release()
		c.all.Wait()
		want := []string{"s1", "in1", "s2", "in2", "s3", "s4"}
		if len(order) != len(want) {
			t.Fatalf("served %v, want %v", order, want)
		}
		for i := range want {
			if order[i] != want[i] {
				t.Fatalf("served %v, want %v", order, want)
			}
		}
	})
}

func TestTwoSecondsAreEnoughWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1)
		var asked time.Duration
		bell := make(chan time.Time)
		c.gate.after = func(d time.Duration) <-chan time.Time { asked = d; return bell }
		release := c.hold(1)
		result := c.send(t.Context(), Strangers, func() { t.Error("ran all the same") })
		c.load(1, 1)
		if asked != 2*time.Second {
			t.Errorf("waits for %v", asked)
		}
		close(bell)
		c.load(1, 0)
		if !busy(*result) {
			t.Errorf("afterwards: %v", *result)
		}
		release()
		c.load(0, 0)
		c.all.Wait()
	})
}

func TestWhoLeavesFreesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1)
		release := c.hold(1)
		ctx, cancel := context.WithCancel(t.Context())
		var gone []*error
		for range 48 {
			gone = append(gone, c.send(ctx, Strangers, func() { t.Error("ran all the same") }))
		}
		if err := *c.send(t.Context(), Strangers, func() {}); !busy(err) {
			t.Fatalf("the queue is full, yet: %v", err)
		}
		cancel()
		c.load(1, 0)
		for _, result := range gone {
			if !errors.Is(*result, context.Canceled) {
				t.Fatalf("who went away got %v", *result)
			}
		}
		stays := c.send(t.Context(), Strangers, func() {})
		c.load(1, 1)
		release()
		c.all.Wait()
		if *stays != nil {
			t.Errorf("who came after: %v", *stays)
		}
		c.load(0, 0)
	})
}

func TestWhoIsGoneAlreadyTakesNoPlace(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := NewGate(1, time.After)
	if err := g.Do(ctx, SignedIn, func() { t.Error("ran all the same") }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A place given in the very moment its taker goes away is passed on. The Gate
// asks for its timer after queueing, which is when both things happen here.
func TestNoPlaceIsLostInARace(t *testing.T) {
	ran := 0
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		hold, held, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
		g := NewGate(1, func(time.Duration) <-chan time.Time {
			cancel()
			close(hold)
			<-left
			return nil
		})
		go func() {
			defer close(left)
			_ = g.Do(t.Context(), Strangers, func() { close(held); <-hold })
		}()
		<-held
		switch err := g.Do(ctx, Strangers, func() {}); {
		case err == nil:
			ran++
		case !errors.Is(err, context.Canceled):
			t.Fatalf("got %v", err)
		}
		if running, waiting := g.Load(); running != 0 || waiting != 0 {
			t.Fatalf("afterwards %d run and %d wait", running, waiting)
		}
	}
	if ran == 0 || ran == 100 {
		t.Errorf("one side won every time: %d of 100 ran", ran)
	}
}

// A hash that panics gives its place back.
func TestPanicGivesThePlaceBack(t *testing.T) {
	g := NewGate(1, time.After)
	func() {
		defer func() { _ = recover() }()
		_ = g.Do(t.Context(), Strangers, func() { panic("out of memory") })
	}()
	if running, _ := g.Load(); running != 0 {
		t.Errorf("%d still run", running)
	}
}

func TestAsManyAsCoresByDefault(t *testing.T) {
	if g := NewGate(0, time.After); g.most < 1 {
		t.Errorf("lets %d run", g.most)
	}
}
