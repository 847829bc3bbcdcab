package identity

import "time"

// The writes that this noun owns. Each is a value; the store holds its text.

// Create adds a person. Unique by Address.
type Create struct {
	ID       UserID
	Email    string
	Address  string
	Name     string
	Verified bool
	Admin    bool
	Created  time.Time
}

// Pause stops a person from everything, at the unit's feed position.
type Pause struct {
	ID    UserID
	Guard uint64
}

// Restore lets a paused person in again. What the pause cut stays cut.
type Restore struct {
	ID    UserID
	Guard uint64
}

// Cut ends everything this person held, at the unit's feed position.
type Cut struct {
	ID    UserID
	Guard uint64
}

// Hold takes a person's guard, for a rule over several of their rows: of two
// units that were judged on the same rows one is judged again.
type Hold struct {
	ID    UserID
	Guard uint64
}

func (Hold) Changes() string    { return "users" }
func (Create) Changes() string  { return "users" }
func (Pause) Changes() string   { return "users" }
func (Restore) Changes() string { return "users" }
func (Cut) Changes() string     { return "users" }

// Reader is what judgements read of people.
type Reader interface {
	User(UserID) User
	UserByAddress(address string) User
	// Users lists by id, after the given one.
	Users(after UserID, limit int) []User
}
