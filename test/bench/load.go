package main

import (
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A step is one act of one client: it asks, reads the answer and says what is
// wrong with it.
type step func(c *conn) error

// errDry is a step that has nothing left to ask.
var errDry = errors.New("nothing left to ask")

// A crowd is clients that act one step after another, each on its own
// connection.
type crowd struct {
	addr   string
	size   int
	cold   bool // without a first step that is not counted
	client func(i int) step
}

// A sample is what one round showed.
type sample struct {
	latencies []time.Duration // sorted
	took      time.Duration
	wrong     int
	why       error // the first wrong answer
	busy      float64
}

// patience is when a round is given up; it judges no speed.
const patience = 30 * time.Second

// run lets the crowd act until the round is over. Who has begun a step ends
// it, and that counts.
func (w crowd) run(round time.Duration) sample {
	var s sample
	var mu sync.Mutex
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	var deadline time.Time
	ready.Add(w.size)
	for i := range w.size {
		done.Go(func() {
			var mine []time.Duration
			act := w.client(i)
			c, err := dial(w.addr)
			if err == nil {
				defer c.Close()
				c.SetDeadline(time.Now().Add(round + patience))
				if !w.cold {
					err = act(c)
				}
			}
			ready.Done()
			<-begin
			for err == nil {
				at := time.Now()
				if at.After(deadline) {
					break
				}
				if err = act(c); err == nil {
					mine = append(mine, time.Since(at))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			s.latencies = append(s.latencies, mine...)
			if err != nil && !errors.Is(err, errDry) {
				s.wrong++
				if s.why == nil {
					s.why = err
				}
			}
		})
	}
	ready.Wait()
	mine, at := ownTime(), time.Now()
	deadline = at.Add(round)
	close(begin)
	done.Wait()
	s.took = time.Since(at)
	s.busy = float64(ownTime()-mine) / float64(s.took)
	slices.Sort(s.latencies)
	return s
}

// rate is how many steps there were in a second.
func (s sample) rate() float64 { return float64(len(s.latencies)) / s.took.Seconds() }

// ownTime is the CPU time of this program.
func ownTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// percentile is the nearest rank of sorted durations; 0 of none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// median is the middle value; of an even number, the mean of the two.
func median[T float64 | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// watch asks at a steady pace, as a visitor would, until stop is closed. What
// was asked late because the answer before it took too long counts from when
// it was due (else the worst waits would hide behind one another).
func watch(addr string, act step, every time.Duration, stop <-chan struct{}) (latencies []time.Duration, err error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	pace := time.NewTimer(0)
	defer pace.Stop()
	for due := time.Now(); ; due = due.Add(every) {
		pace.Reset(time.Until(due))
		select {
		case <-stop:
			slices.Sort(latencies)
			return latencies, nil
		case <-pace.C:
		}
		at := time.Now()
		if at.Sub(due) > every {
			at = due
		}
		c.SetDeadline(at.Add(patience))
		if err := act(c); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(at))
	}
}
