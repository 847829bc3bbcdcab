// Package session holds who is signed in, how strongly, and until when.
package session

import (
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
)

type kind struct{}

func (kind) Prefix() string { return "ses" }

// ID names a session: the same in the API, in a token's sid, in the feed.
type ID = id.ID[kind]

// ParseID reads the outside form.
func ParseID(s string) (ID, error) { return id.Parse[kind](s) }

// NewID makes one.
func NewID(now time.Time, random [16]byte) ID { return id.New[kind](now, random) }

// A Session is a fact: this person, on this device, proved these things, until then.
type Session struct {
	ID        ID
	User      identity.UserID
	Hash      [32]byte // of the cookie's secret
	Rev       uint64   // feed position at which it was judged
	Cut       uint64   // feed position at which it was ended; 0 while it stands
	Created   time.Time
	AuthTime  time.Time // the latest proof by the person
	IdleUntil time.Time
	MaxUntil  time.Time
	LastSeen  time.Time
	Method    string // of that proof: "password"
	IP        string
	UserAgent string
	Ended     time.Time // zero while it stands
	Why       End
}

// Exists says whether the row was found.
func (s Session) Exists() bool { return !s.ID.IsZero() }

// End says why a session ended.
type End uint8

// Why a session ends by a write of its own. Sessions that end with their
// person have no such write: their Rev is below the person's Cut.
const (
	NotEnded   End = iota
	SignedOut      // by the person, here
	EndedAfar      // by the person, from another session
	Replaced       // by a new sign-in in the same browser
	TokenReuse     // a spent refresh token came back
	ByOperator     // by an administrator
	Crowded        // its person signed in once more than is kept
)

func (e End) String() string {
	return [...]string{"", "signed_out", "ended_elsewhere", "replaced", "token_reuse", "by_operator", "crowded"}[e]
}

// Lifetimes of sessions.
type Lifetimes struct{ Idle, Max time.Duration }

// Until says when a session ends that is used at now: idle never past max.
func (l Lifetimes) Until(now, maxUntil time.Time) time.Time {
	if idle := now.Add(l.Idle); idle.Before(maxUntil) {
		return idle
	}
	return maxUntil
}

// Due says whether a use at now is worth writing: a tenth of the idle
// lifetime has gone, so a busy session costs at most ten writes per lifetime
// and never ends late.
func (l Lifetimes) Due(s Session, now time.Time) bool {
	until := l.Until(now, s.MaxUntil)
	return until.After(s.IdleUntil) && until.Sub(s.IdleUntil) >= l.Idle/10
}

// A Standing is what a session is at an instant. The zero value is nothing.
type Standing uint8

// The order is the order of judgement.
const (
	Unknown Standing = iota // no such session
	Over                    // ended, or its person's sessions were
	Idle                    // unused for longer than the idle lifetime
	Expired                 // older than the absolute lifetime
	Live
)

// Judge says how a session stands. It is dead when its own cut, or the cut of
// the person it belongs to, is above the position at which it was judged: no
// clock takes part in that.
func Judge(s Session, u identity.User, now time.Time) Standing {
	switch {
	case !s.Exists() || u.ID != s.User:
		return Unknown
	case s.Cut > s.Rev, !s.Ended.IsZero(), u.Cut > s.Rev, u.State != identity.Active:
		return Over
	case !now.Before(s.MaxUntil):
		return Expired
	case !now.Before(s.IdleUntil):
		return Idle
	}
	return Live
}

// ACR is how strongly the person proved themselves, and AMR with what
// (RFC 8176).
func (s Session) ACR() string { return "urn:doorward:acr:1" }

// AMR lists the methods, as RFC 8176 names them.
func (s Session) AMR() []string {
	if s.Method == "password" {
		return []string{"pwd"}
	}
	return nil
}

// levels are the names of how strongly somebody proved themselves, weakest
// first, ours and the standard one of each (OpenID Connect EAP ACR Values).
var levels = [][]string{{"urn:doorward:acr:1"}, {"urn:doorward:acr:2"}, {"urn:doorward:acr:phr", "phr"}, {"phrh"}}

func levelOf(acr string) int {
	return slices.IndexFunc(levels, func(names []string) bool { return slices.Contains(names, acr) })
}

// Reaches says whether the session is as strong as one of these levels. A name
// that nobody knows is reached by none.
func (s Session) Reaches(acrs []string) bool {
	return slices.ContainsFunc(acrs, func(acr string) bool { return levelOf(acr) >= 0 && levelOf(acr) <= levelOf(s.ACR()) })
}

// HashOf is what is kept of a cookie's secret.
func HashOf(token []byte) [32]byte { return secret.Hash("session", token) }

// Checks of this noun.
var (
	Presented = check.New(check.Check{Number: 301, ID: "session.presented", Fault: fault.Unauthenticated, Shown: "session.presented",
		Says: "A session of ours was shown, once and in its one spelling.", Source: "ASVS 7.2.1; RFC 6265bis section 5.7",
		Title: "You are not signed in.", Stops: []string{"SES-04", "SES-05", "SES-08"}})
	Alive = check.New(check.Check{Number: 302, ID: "session.alive", Fault: fault.Unauthenticated, Shown: "session.alive",
		Says: "The session has not been ended, nor all sessions of its person.", Source: "ASVS 7.4.1",
		Title: "You were signed out. Sign in again.", Stops: []string{"SES-11", "OAU-35"}})
	InTime = check.New(check.Check{Number: 303, ID: "session.in_time", Fault: fault.Unauthenticated, Shown: "session.in_time",
		Says: "The session was used recently enough and is not too old.", Source: "ASVS 7.3.1, 7.3.2",
		Title: "Your session ended because it was unused or old. Sign in again."})
	FreshEnough = check.New(check.Check{Number: 304, ID: "session.fresh", Fault: fault.Stale, Shown: "session.fresh",
		Says: "The person proved who they are within the last minutes.", Source: "RFC 9470 section 3; ASVS 7.5.1",
		Title: "One more check is needed: prove that it is still you.", Stops: []string{"MFA-10"}})
	Trusted = check.New(check.Check{Number: 306, ID: "session.trusted", Fault: fault.Stale, Shown: "session.trusted",
		Says: "No doubt has fallen on the session since the person's last proof.", Source: "RFC 9700 section 4.14.2",
		Title: "One more check is needed: prove that it is still you."})
	Own = check.New(check.Check{Number: 305, ID: "session.own", Fault: fault.Missing, Shown: "session.own",
		Says: "The session to end is one of this person's own.", Source: "ASVS 8.2.2",
		Title: "There is no such session.", Stops: []string{"SES-10"}})
)
