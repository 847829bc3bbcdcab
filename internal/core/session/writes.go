package session

import (
	"time"

	"github.com/doorward/doorward/internal/core/identity"
)

// Start adds a session.
type Start struct {
	ID        ID
	User      identity.UserID
	Hash      [32]byte
	Rev       uint64
	Created   time.Time
	AuthTime  time.Time
	IdleUntil time.Time
	MaxUntil  time.Time
	Method    string
	IP        string
	UserAgent string
}

// Finish ends a standing session, at the unit's feed position.
type Finish struct {
	ID  ID
	At  time.Time
	Why End
}

// FinishAll ends standing sessions, at the unit's feed position: all of them,
// or the unit is lost.
type FinishAll struct {
	IDs []ID
	At  time.Time
	Why End
}

// Rows is how many rows must be changed.
func (f FinishAll) Rows() int { return len(f.IDs) }

// Extend moves the idle end of a session that is still standing, only
// forward. A session that lapsed in the meantime stays lapsed.
type Extend struct {
	ID        ID
	IdleUntil time.Time
	Now       time.Time
}

// Seen notes when a session was last used, only forward; it is for show.
type Seen struct {
	ID ID
	At time.Time
}

// Renew gives a session a new secret after a fresh proof (ASVS 7.2.4). The
// old secret must still be the current one.
type Renew struct {
	ID       ID
	Old, New [32]byte
	AuthTime time.Time
	Method   string
}

// Doubt takes back the last proof: risky acts and new tokens ask for another.
type Doubt struct{ ID ID }

// Spare lifts one session over the cut that ends its person's others: it is
// judged anew at the unit's feed position.
type Spare struct{ ID ID }

// Forget removes sessions whose absolute end is before an instant and that no
// refresh family hangs on any more. A live one that is listed stays.
type Forget struct {
	IDs    []ID
	Before time.Time
}

// Vanish removes sessions of a deleted person, some at a time, when no refresh
// family hangs on them any more. Nobody else's ever go.
type Vanish struct{ User identity.UserID }

func (Vanish) Changes() string    { return "sessions" }
func (Start) Changes() string     { return "sessions" }
func (Finish) Changes() string    { return "sessions" }
func (FinishAll) Changes() string { return "sessions" }
func (Extend) Changes() string    { return "sessions" }
func (Seen) Changes() string      { return "sessions" }
func (Renew) Changes() string     { return "sessions" }
func (Doubt) Changes() string     { return "sessions" }
func (Spare) Changes() string     { return "sessions" }
func (Forget) Changes() string    { return "sessions" }

// A Query selects sessions for people and operators. Zero fields select all.
type Query struct {
	User     identity.UserID
	Standing time.Time // only those of the person that stand at this instant
	Limit    int
}

// A Span is a run of sessions by id, which is the order in which they began:
// those of one person, or everybody's.
type Span struct {
	User     identity.UserID // zero for everybody's
	After    ID              // exclusive
	Upto     ID              // inclusive
	Standing bool            // only those that have not been ended
	Newest   bool            // the newest first
	Limit    int
}

// A Row is a session with the person it belongs to and the applications that
// have had tokens of it.
type Row struct {
	Session
	Person  identity.User
	Clients []string
}

// IDsOf are the bounds within which the ids of sessions lie that began from
// one instant to another, both included. An id is made a little before its
// session begins: a sign-in may have waited.
func IDsOf(from, to time.Time) (after, upto ID) {
	if !from.IsZero() {
		after = NewID(from.Add(-time.Minute), [16]byte{})
	}
	upto = NewID(to, [16]byte{})
	for i := 6; i < len(upto); i++ {
		upto[i] = 0xff
	}
	return after, upto
}

// AtMost is how many sessions of one person stand at a time.
const AtMost = 48

// Reader is what judgements read of sessions.
type Reader interface {
	Session(ID) Session
	SessionByHash([32]byte) Session
	// Sessions lists the newest first.
	Sessions(Query) []Session
	Device(key [32]byte) Device
	// Devices lists a person's browsers, the longest unused first.
	Devices(user identity.UserID, limit int) []Device
	// PastSessions lists what Forget would remove.
	PastSessions(before time.Time, limit int) []ID
	PartyReader
	// Span lists a run of sessions.
	Span(Span) []Row
}
