package doorward

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Units of trust that an event of the feed can take away.
const (
	unitToken   = "jti"
	unitSession = "session"
	unitGrant   = "grant"
	unitUser    = "user"
	unitClient  = "client"
	unitOrg     = "org"
	unitKey     = "key"
	unitAll     = "all"
)

// eventKept is added to an event's until: our clock may run ahead of the server's.
const eventKept = time.Minute

// An event says that what it names is no longer trusted.
type event struct {
	Seq       uint64    `json:"seq"`
	Unit      string    `json:"unit"`
	ID        string    `json:"id"`
	NotBefore time.Time `json:"not_before"`
	Until     time.Time `json:"until"`
}

// check refuses an event that this reader would misread. A unit of a later
// version is such: its view must not pass for complete.
func (e event) check() error {
	switch e.Unit {
	case unitToken, unitSession, unitGrant, unitUser, unitClient, unitOrg, unitKey:
		if e.ID == "" {
			return &shapeError{"the feed has an event of no id"}
		}
	case unitAll:
	default:
		return &shapeError{fmt.Sprintf("the feed has an event of the unknown unit %q", e.Unit)}
	}
	if e.Seq == 0 || e.Until.IsZero() {
		return &shapeError{"the feed has an event without seq or until"}
	}
	return nil
}

type name struct{ unit, id string }

// A mark is what the events on one name say together.
type mark struct {
	seq       uint64
	notBefore int64 // seconds since 1970; MaxInt64: an event did not say
	until     time.Time
}

// A state is how far a view has got. It never changes; the next one replaces it.
type state struct {
	position   uint64    // every event up to here is applied
	asOf       time.Time // the instant whose truth this is, on the local clock
	ever       bool      // whether the server was ever read
	generation uint64    // counts changes of the marks
}

// age is how old the view is. On a machine that slept the monotonic clock did
// not advance, the wall clock did: the larger of the two counts.
func (s *state) age(now time.Time) time.Duration {
	if !s.ever {
		return math.MaxInt64
	}
	return max(now.Sub(s.asOf), now.Round(0).Sub(s.asOf.Round(0)), 0)
}

// A view is what this verifier knows to be no longer trusted.
type view struct {
	mu    sync.RWMutex
	marks map[name]mark
	swept time.Time
	state atomic.Pointer[state]
	key   func(id string) // told once of each key that is no longer trusted; may be nil
}

func newView() *view {
	v := &view{marks: make(map[name]mark)}
	v.state.Store(&state{generation: 1})
	return v
}

// apply adds events. It may be given the same ones again, in any order.
func (v *view) apply(events []event) {
	if len(events) == 0 {
		return
	}
	for _, id := range v.note(events) {
		if v.key != nil {
			v.key(id)
		}
	}
}

// note marks what events name, and returns the keys that were not marked yet.
func (v *view) note(events []event) (keys []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range events {
		n := name{e.Unit, e.ID}
		if _, known := v.marks[n]; e.Unit == unitKey && !known {
			keys = append(keys, e.ID)
		}
		if e.Unit == unitAll {
			n.id = ""
		}
		m := v.marks[n]
		// A token without rev is judged by not_before; where that is missing
		// too, nothing speaks for the token.
		notBefore := int64(math.MaxInt64)
		if !e.NotBefore.IsZero() {
			notBefore = e.NotBefore.Add(time.Second - 1).Unix()
		}
		m.seq, m.notBefore = max(m.seq, e.Seq), max(m.notBefore, notBefore)
		if e.Until.After(m.until) {
			m.until = e.Until
		}
		v.marks[n] = m
	}
	s := *v.state.Load()
	s.generation++
	v.state.Store(&s)
	return keys
}

// settle says that every event up to position was applied, as of that instant.
// Neither falls: two polls may end in the other order.
func (v *view) settle(position uint64, asOf, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := *v.state.Load()
	s.position = max(s.position, position)
	if !s.ever || asOf.After(s.asOf) {
		s.asOf = asOf
	}
	s.ever = true
	v.state.Store(&s)
	if now.Sub(v.swept) < eventKept {
		return
	}
	v.swept = now
	for n, m := range v.marks {
		if now.After(m.until.Add(eventKept)) {
			delete(v.marks, n)
		}
	}
}

// kills says whether an event takes the token's trust away, and on which unit.
// A token is dead when an event above its rev names it or an ancestor; without
// a rev, when it was issued before the event's not_before. A token and a key
// are named for good.
func (v *view) kills(t *verified) (unit string, dead bool) {
	generation := v.state.Load().generation
	if t.cleared.Load() == generation {
		return "", false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, n := range [...]name{
		{unitToken, t.id}, {unitSession, t.session}, {unitGrant, t.grant}, {unitUser, t.subject},
		{unitClient, t.client}, {unitClient, t.subject}, {unitOrg, t.organization}, {unitKey, t.key.id}, {unitAll, ""},
	} {
		m, ok := v.marks[n]
		if !ok {
			continue
		}
		absolute := n.unit == unitToken || n.unit == unitKey
		if absolute || t.hasRev && t.rev < m.seq || !t.hasRev && t.issued < m.notBefore {
			return n.unit, true
		}
	}
	t.cleared.Store(generation)
	return "", false
}
