package token

import (
	"time"

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
}

// Advance makes the successor current: exactly one caller wins a generation.
type Advance struct {
	ID        FamilyID
	From      uint32
	Next      [32]byte
	At        time.Time
	IdleUntil time.Time
}

// Burn ends a family.
type Burn struct {
	ID FamilyID
	At time.Time
}

// Spare lifts the families of one session over the cut that ends its
// person's others.
type Spare struct{ Session session.ID }

func (Open) Changes() string    { return "families" }
func (Advance) Changes() string { return "families" }
func (Burn) Changes() string    { return "families" }
func (Spare) Changes() string   { return "families" }

// Reader is what judgements read of families.
type Reader interface{ Family(FamilyID) Family }
