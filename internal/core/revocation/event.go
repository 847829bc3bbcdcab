// Package revocation holds the feed: what is no longer trusted, in order. One
// number orders all loss of trust; no clock takes part.
package revocation

import (
	"slices"
	"time"
)

// A Unit says what an event names.
type Unit string

// The units of the feed (contract: "Revocation feed").
const (
	Session Unit = "session"
	Grant   Unit = "grant"
	JTI     Unit = "jti"
	User    Unit = "user"
	Client  Unit = "client"
	Org     Unit = "org"
	Key     Unit = "key"
	All     Unit = "all"
	// Changed tells nodes to read a row again: its name is that of the row. It
	// ends no trust and goes to nodes only.
	Changed Unit = "changed"
)

// A Name is one thing that a token may hang on.
type Name struct {
	Unit Unit
	ID   string
}

// An Event says that what it names lost trust at a position.
type Event struct {
	Seq       uint64
	At        time.Time
	Name      Name
	NotBefore time.Time // for readers whose tokens carry no position: whole seconds, rounded up
	Until     time.Time // after which no token that it kills can live
	Audience  []string  // the only resources that tokens it kills may name; none: it cannot be said
}

// Live says whether a token that the event kills may still be alive.
func (e Event) Live(now time.Time) bool { return !e.Until.Before(now) }

// Concerns says whether a reader that owns these resources may be shown a
// token that the event kills. When it cannot be said, it may. A note to nodes
// concerns no reader: it ends no trust.
func (e Event) Concerns(resources []string) bool {
	if e.Name.Unit == Changed {
		return false
	}
	return len(e.Audience) == 0 || slices.ContainsFunc(resources, func(r string) bool { return slices.Contains(e.Audience, r) })
}

// Next takes the next position. It is the first write of every unit that
// revokes; the row's lock makes the order of positions the order of commits.
type Next struct{}

// Revoke adds an event at the unit's position.
type Revoke struct {
	Unit      Unit
	ID        string
	At        time.Time
	NotBefore time.Time
	Until     time.Time
	// Audience is that of the tokens it kills, where it is known of every one of
	// them, as of a single token: readers of other resources are not told.
	Audience []string
}

// Forget drops events after which no token can live.
type Forget struct{ Now time.Time }

func (Next) Changes() string   { return "feed_head" }
func (Revoke) Changes() string { return "feed_events" }
func (Forget) Changes() string { return "feed_events" }

// Of makes the event for a loss of trust at an instant. life is the longest
// lifetime of any token; an event outlives it by the leeway and a minute, and
// lives at least ten minutes: longer than any cache entry.
func Of(n Name, at time.Time, life, leeway time.Duration) Revoke {
	notBefore := at.Truncate(time.Second)
	if notBefore.Before(at) {
		notBefore = notBefore.Add(time.Second)
	}
	return Revoke{Unit: n.Unit, ID: n.ID, At: at, NotBefore: notBefore, Until: at.Add(max(life+leeway+time.Minute, 10*time.Minute))}
}

// Reader is what is read of the feed.
type Reader interface {
	// Head is the newest position of the database.
	Head() uint64
	// Events lists the events after a position, whole positions only, oldest first.
	Events(after uint64, limit int) []Event
}
