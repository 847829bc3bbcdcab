package doorwardtest

import (
	"sync"
	"time"
)

// A Clock stands still until it is moved. It begins at the machine's time, and
// is safe for use by many goroutines.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *Clock { return &Clock{at: time.Now().UTC().Truncate(time.Second)} }

// Now is the clock's instant.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
