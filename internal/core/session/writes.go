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

func (Start) Changes() string  { return "sessions" }
func (Finish) Changes() string { return "sessions" }
func (Extend) Changes() string { return "sessions" }
func (Seen) Changes() string   { return "sessions" }
func (Renew) Changes() string  { return "sessions" }
func (Doubt) Changes() string  { return "sessions" }
func (Spare) Changes() string  { return "sessions" }
func (Forget) Changes() string { return "sessions" }

// A Query selects sessions for people and operators. Zero fields select all.
type Query struct {
	User  identity.UserID
	Limit int
}

// Reader is what judgements read of sessions.
type Reader interface {
	Session(ID) Session
	SessionByHash([32]byte) Session
	// Sessions lists the newest first.
	Sessions(Query) []Session
	// PastSessions lists what Forget would remove.
	PastSessions(before time.Time, limit int) []ID
}
