package key

import (
	"cmp"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
)

// A Policy is what an operator decides of keys, and how long what is made
// with them lives.
type Policy struct {
	Alg     jose.Alg      // of the next key of Signing
	Every   time.Duration // how long a key makes new things
	Access  time.Duration // the longest life of an access token
	Refresh time.Duration // the longest life of a refresh family
}

const (
	// Notice is how long a key is published before its turn, so that every
	// verifier has it (security default 3.6: T-7 d).
	Notice = 7 * 24 * time.Hour
	// Shortly is the notice of a rotation by hand: twice the max-age of the JWKS.
	Shortly = 10 * time.Minute
	// Soon is the notice of one that cannot wait: nodes and verifiers that
	// follow know the key by then; who caches the JWKS may not.
	Soon = 15 * time.Second
	// LiveAtMost is how many keys of one signing purpose are published at once.
	LiveAtMost = 4
)

// waiting bounds how long a mail waits to be sent.
const waiting = 7 * 24 * time.Hour

// shared is how long a service may keep one secret: for good, as far as a key
// goes.
const shared = 100 * 365 * 24 * time.Hour

// keeps is how long a key is kept when another has taken its place: as long
// as anything made with it may live, and a day. ok is false when keys of the
// purpose take no turns: forms and mailed codes live for less than a day and
// know one key at a time.
func (p Policy) keeps(of Purpose) (keep time.Duration, ok bool) {
	const day = 24 * time.Hour
	switch {
	case of.Signs(), of == Opaque:
		return max(p.Access, day) + day, true
	case of.Opens():
		return 2 * day, true // for applications that keep the JWKS, and what they sent
	case of == Refresh:
		return p.Refresh + day, true
	case of == Mail:
		return waiting + day, true
	case of == Ledger:
		return day, true // only to be seen: segments need the public half alone
	case of == Sharing, of == Pairwise:
		return shared, false // each secret lies under the key that it was put under; a name never changes
	}
	return 0, false
}

// Turns says whether keys of a purpose take turns.
func (p Policy) Turns(of Purpose) bool {
	_, ok := p.keeps(of)
	return ok
}

// every is how long a key of a purpose makes new things. Families are long:
// where they outlive the keys' turns, their keys take longer ones, so that few
// are kept.
func (p Policy) every(of Purpose) time.Duration {
	if of == Refresh {
		return max(p.Every, p.Refresh/2)
	}
	return p.Every
}

func (p Policy) notice(of Purpose) time.Duration { return min(Notice, p.every(of)/2) }

// A State is where a key is in its life.
type State int

// The zero value makes and verifies nothing.
const (
	Gone        State = iota // its time is over, or its private part erased
	Next                     // published, and not used yet
	Current                  // makes new things
	Previous                 // still verifies what it made
	Compromised              // in other hands: what it made is dead
)

func (s State) String() string {
	return [...]string{"gone", "next", "current", "previous", "compromised"}[s]
}

// A Standing is a key and where it is in its life.
type Standing struct {
	Key
	State State
	Until time.Time // when it stops to verify; zero while nobody follows it
}

// Stand says where each key is in its life, in the order of purposes and
// turns. It and Plan are the whole rule of rotation: their table tests are
// the specification.
func (p Policy) Stand(keys []Key, now time.Time) []Standing {
	out := make([]Standing, 0, len(keys))
	for _, k := range keys {
		out = append(out, Standing{Key: k})
	}
	slices.SortStableFunc(out, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(a.Purpose, b.Purpose), a.Since.Compare(b.Since), cmp.Compare(a.Number, b.Number))
	})
	current := map[Purpose]int{}
	for i := range out {
		s := &out[i]
		// Where the clock was set back behind all of them, the first one.
		if _, any := current[s.Purpose]; s.Compromised.IsZero() && !s.Erased() && (!any || !s.Since.After(now)) {
			current[s.Purpose] = i
		}
	}
	for i := range out {
		s := &out[i]
		keep, _ := p.keeps(s.Purpose)
		if after := follower(out[i+1:], s.Purpose); after != nil {
			s.Until = after.Since.Add(keep)
		}
		if !s.Compromised.IsZero() {
			s.State = Compromised
			continue
		}
		at, any := current[s.Purpose]
		switch {
		case s.Erased():
		case any && at == i:
			s.State = Current
		case s.Since.After(now):
			s.State = Next
		case s.Until.IsZero() || now.Before(s.Until):
			s.State = Previous
		}
	}
	return out
}

// follower is the first key that took or takes its turn after another: one
// that was compromised before its turn never does.
func follower(rest []Standing, p Purpose) *Standing {
	for i := range rest {
		k := &rest[i]
		if k.Purpose == p && (k.Compromised.IsZero() || !k.Compromised.Before(k.Since)) {
			return k
		}
	}
	return nil
}

// A Plan is what is to be done with keys.
type Plan struct {
	Make  []Want
	Erase []Standing
}

// Empty says that nothing is.
func (p Plan) Empty() bool { return len(p.Make) == 0 && len(p.Erase) == 0 }

// Plan says what is due: the next key of a purpose is made ahead of its turn,
// and a private part is erased when nothing that it made can live. A purpose
// without a key that makes new things is given one at once, also one that has
// none yet and is wanted.
func (p Policy) Plan(keys []Key, now time.Time, wants ...Purpose) Plan {
	var out Plan
	all := p.Stand(keys, now)
	for _, of := range slices.Concat(purposes, asked) {
		if !has(keys, of) && !slices.Contains(wants, of) {
			continue // nobody wants it, or it is of another version: the start makes it
		}
		current, next := Find(all, of, Current), Find(all, of, Next)
		notice := p.notice(of)
		switch {
		case next != nil:
		case current == nil:
			out.Make = append(out.Make, p.Want(all, of, now))
		case p.Turns(of) && p.Every > 0 && p.Room(all, of) && !now.Before(current.Since.Add(p.every(of)-notice)):
			at := current.Since.Add(p.every(of))
			if soonest := now.Add(min(notice, Shortly)); at.Before(soonest) {
				at = soonest // the server was off for a while
			}
			out.Make = append(out.Make, p.Want(all, of, at))
		}
	}
	for _, s := range all {
		over := s.State == Gone || s.State == Compromised && (s.Needless() || !s.Until.IsZero() && !now.Before(s.Until))
		if over && !s.Erased() {
			out.Erase = append(out.Erase, s)
		}
	}
	return out
}

// Needless says whether nobody needs the private part of a key that was
// compromised: families go on under theirs, and waiting mails and shared secrets
// are opened with it.
func (k Key) Needless() bool {
	return k.Purpose != Refresh && k.Purpose != Mail && k.Purpose != Sharing && k.Purpose != Pairwise
}

// Want is the next key of a purpose.
func (p Policy) Want(all []Standing, of Purpose, since time.Time) Want {
	w := Want{Purpose: of, Alg: p.Alg, Since: since}
	if alg, ok := algs[of]; ok {
		w.Alg = alg
	}
	for _, s := range all {
		if s.Purpose == of {
			w.Number = max(w.Number, s.Number)
		}
	}
	w.Number++
	return w
}

// Room says whether another signing key may be published.
func (p Policy) Room(all []Standing, of Purpose) bool {
	live := 0
	for _, s := range all {
		if s.Purpose == of && (s.State == Next || s.State == Current || s.State == Previous) {
			live++
		}
	}
	return !of.Signs() || live < LiveAtMost
}

// Find is the key of a purpose that is in a state, or nil.
func Find(all []Standing, of Purpose, state State) *Standing {
	for i := range all {
		if all[i].Purpose == of && all[i].State == state {
			return &all[i]
		}
	}
	return nil
}
