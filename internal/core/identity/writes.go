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

// Describe changes what a person is called and whether their address is known
// to be theirs.
type Describe struct {
	ID       UserID
	Guard    uint64
	Name     string
	Verified bool
}

// Appoint makes a person an administrator.
type Appoint struct {
	ID    UserID
	Guard uint64
}

// Dismiss takes the role of administrator away, but never from the last active
// one. Its unit takes a feed position: of two at once the second sees what the
// first has left.
type Dismiss struct {
	ID    UserID
	Guard uint64
}

func (Hold) Changes() string { return "users" }

// Readdress gives a person another address, which they proved to be theirs.
// Unique by Address. It ends everything they held, at the unit's feed position.
type Readdress struct {
	ID      UserID
	Guard   uint64
	Email   string
	Address string
}

func (Readdress) Changes() string { return "users" }

// Schedule says when an account is to be deleted.
type Schedule struct {
	ID    UserID
	Guard uint64
	At    time.Time
}

// Keep takes a wish to be deleted back.
type Keep struct {
	ID    UserID
	Guard uint64
}

// Delete makes an account nobody's, at the unit's feed position, but never that
// of the last active administrator: its unit takes a position, as Dismiss's
// does. What made it somebody's goes; Gone takes the place of the address,
// which is free for another account.
type Delete struct {
	ID    UserID
	Guard uint64
	Gone  string // see [Gone]
	At    time.Time
}

// Cleared says that nothing of a deleted account is left to remove.
type Cleared struct{ ID UserID }

func (Schedule) Changes() string { return "users" }
func (Keep) Changes() string     { return "users" }
func (Delete) Changes() string   { return "users" }
func (Cleared) Changes() string  { return "users" }

func (Create) Changes() string  { return "users" }
func (Pause) Changes() string   { return "users" }
func (Restore) Changes() string { return "users" }
func (Cut) Changes() string     { return "users" }

func (Describe) Changes() string { return "users" }
func (Appoint) Changes() string  { return "users" }
func (Dismiss) Changes() string  { return "users" }

// Reader is what judgements read of people.
type Reader interface {
	User(UserID) User
	UserByAddress(address string) User
	// Users lists by id, after the given one; deleted ones not.
	Users(after UserID, limit int) []User
	// Administrators counts those who are active.
	Administrators() int
	// Leaving lists those whose account is due for deletion, the longest due first.
	Leaving(now time.Time, limit int) []User
	// Deleted lists deleted accounts of which something is left to remove.
	Deleted(limit int) []UserID
}
