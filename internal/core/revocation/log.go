package revocation

import (
	"slices"
	"sync"
	"time"
)

// A Log is a node's view of the feed: the live events, the position up to
// which it has applied all of them, and when that was last known to be true.
type Log struct {
	mu     sync.RWMutex
	head   uint64
	began  time.Time // of the latest read of the head: the view is as of then
	events []Event   // live, by position
	latest map[Name]Event
	moved  chan struct{}
}

// NewLog is a view of nothing yet: position 0, never read.
func NewLog() *Log { return &Log{latest: map[Name]Event{}, moved: make(chan struct{})} }

// Position is the feed position this node has applied. Whoever judges takes
// it before any other read.
func (l *Log) Position() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.head
}

// Apply takes what a read of the database that began at an instant found:
// the events after the former position and the head.
func (l *Log) Apply(events []Event, head uint64, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		if e.Seq > l.head {
			l.events = append(l.events, e)
			l.note(e)
		}
	}
	// Never the later of two: a clock that was set back would make this view
	// look old until it had caught up.
	l.began = began
	if head > l.head {
		l.head = head
		close(l.moved)
		l.moved = make(chan struct{})
	}
}

// Own notes events of a unit that this node committed, before any answer
// leaves: from here on they count here, though the position stays until all
// events before them have been read.
func (l *Log) Own(events ...Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.note(e)
	}
}

// note keeps the newest event of a name: what the database says of one that
// was this node's own takes its place.
func (l *Log) note(e Event) {
	if old, ok := l.latest[e.Name]; !ok || e.Seq >= old.Seq {
		l.latest[e.Name] = e
	}
}

// Dead says whether anything that a token or cache entry hangs on lost trust
// after the position at which it was judged. Keys and single tokens are
// absolute: once named, dead.
func (l *Log) Dead(rev uint64, names ...Name) bool {
	_, dead := l.Killer(rev, names...)
	return dead
}

// Killer is the event by which Dead says so.
func (l *Log) Killer(rev uint64, names ...Name) (Event, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if e, ok := l.latest[Name{Unit: All}]; ok && e.Seq > rev {
		return e, true
	}
	for _, n := range names {
		if e, ok := l.latest[n]; ok && (e.Seq > rev || n.Unit == JTI || n.Unit == Key) {
			return e, true
		}
	}
	return Event{}, false
}

// NotBefore is the latest instant below which a token of these names is dead
// for readers without positions; a new token is never issued below it.
func (l *Log) NotBefore(names ...Name) (latest time.Time) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, n := range append(names, Name{Unit: All}) {
		if e, ok := l.latest[n]; ok && e.NotBefore.After(latest) {
			latest = e.NotBefore
		}
	}
	return latest
}

// Since lists live events after a position, at most limit and then up to the
// end of the last position, and the position to ask for next.
func (l *Log) Since(after uint64, limit int) (events []Event, next, head uint64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	from, _ := slices.BinarySearchFunc(l.events, after+1, func(e Event, seq uint64) int {
		switch {
		case e.Seq < seq:
			return -1
		case e.Seq > seq:
			return 1
		}
		return 0
	})
	to := min(len(l.events), from+limit)
	for to > from && to < len(l.events) && l.events[to].Seq == l.events[to-1].Seq {
		to++
	}
	next = l.head
	if to < len(l.events) {
		next = l.events[to-1].Seq
	}
	return slices.Clone(l.events[from:to]), max(next, after), l.head
}

// Moved is closed when the position moves. Take it before looking.
func (l *Log) Moved() <-chan struct{} {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.moved
}

// Age is how long ago the view was last known to be true; ok is false when
// it never was.
func (l *Log) Age(now time.Time) (age time.Duration, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return now.Sub(l.began), !l.began.IsZero()
}

// Sweep forgets events that no token can outlive.
func (l *Log) Sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := func(e Event) bool { return !e.Live(now) }
	l.events = slices.DeleteFunc(l.events, gone)
	for n, e := range l.latest {
		if gone(e) {
			delete(l.latest, n)
		}
	}
}
