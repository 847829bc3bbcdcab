package token

import (
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

// Open adds a family.
type Open struct {
	ID        FamilyID
	Client    string
	Session   session.ID
	User      identity.UserID
	KeyTag    [4]byte
	Salt      [16]byte
	Current   [32]byte
	Rev       uint64
	Scopes    []string
	Created   time.Time
	IdleUntil time.Time
	MaxUntil  time.Time
	Consent   client.GrantID
	Terms     Terms
}

// Advance makes the successor current: exactly one caller wins a generation.
type Advance struct {
	ID        FamilyID
	From      uint32
	Next      [32]byte
	At        time.Time
	IdleUntil time.Time
}

// Tie binds a family that was not bound to the key of whoever refreshes it, in
// its terms, which are otherwise what they were.
type Tie struct {
	ID    FamilyID
	From  uint32
	Terms Terms
}

// Burn ends a family.
type Burn struct {
	ID FamilyID
	At time.Time
}

// Spare lifts the families of one session over the cut that ends its
// person's others. What an application's or a grant's own cut ended stays so.
type Spare struct{ Session session.ID }

// Forget removes families whose absolute end is before an instant: until then
// even a dead one is kept, as evidence of a spent token that comes back. A live
// one that is listed stays.
type Forget struct {
	IDs    []FamilyID
	Before time.Time
}

// Vanish removes refresh families of a deleted person, some at a time. Nobody
// else's ever go.
type Vanish struct{ User identity.UserID }

func (Vanish) Changes() string  { return "families" }
func (Open) Changes() string    { return "families" }
func (Advance) Changes() string { return "families" }
func (Burn) Changes() string    { return "families" }
func (Tie) Changes() string     { return "families" }
func (Spare) Changes() string   { return "families" }
func (Forget) Changes() string  { return "families" }

// A Lineage is a family and everything that it hangs on, as one read finds it.
type Lineage struct {
	Family  Family
	Session session.Session
	User    identity.User
	Client  client.Client // that the family was opened for
	Granted uint64        // the consent's cut; the highest number when it is gone
}

// Alive says whether session, person and client still stand at the family's
// position.
func (l Lineage) Alive(standing session.Standing) bool {
	rev := l.Family.Rev
	return (standing >= session.Idle && l.Session.Cut <= rev || l.Family.Terms.Offline && l.User.State == identity.Active) && l.User.Cut <= rev &&
		l.Client.Exists() && !l.Client.Paused && l.Client.Cut <= rev && l.Granted <= rev
}

// Reader is what judgements read of families.
type Reader interface {
	Family(FamilyID) Family
	// Lineage reads a family with its session, person and client at once: it
	// is read at every refresh.
	Lineage(FamilyID) Lineage
	// PastFamilies lists what Forget would remove.
	PastFamilies(before time.Time, limit int) []FamilyID
	// Once and OnceByLink find a one-time object.
	Once(OnceID) Once
	// Outlived says whether Outlive would remove anything.
	Outlived(before time.Time) bool
	// Spent finds what something that may be used once was traded for.
	Spent(Use, [32]byte) Spent
	OnceByLink(hash [32]byte) Once
	// OnceOf finds what is offered for a use and subject.
	OnceOf(use Use, subject [32]byte) Once
	// Pushed finds a request that was pushed.
	Pushed(hash [32]byte) Pushed
	// GrantUses says of each consent of a person when a family that hangs on it
	// was last renewed.
	GrantUses(identity.UserID) map[client.GrantID]time.Time
}
