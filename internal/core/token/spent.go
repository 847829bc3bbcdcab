package token

import (
	"time"

	"github.com/doorward/doorward/internal/base/secret"
)

// SpentHash is what is kept of something that was used up. The use and whose it
// is are inside: an object of one use or client never stands for another's
// (attack OAU-16).
func SpentHash(use Use, clientID string, id []byte) [32]byte {
	return secret.MAC([]byte{byte(use)}, "spent", []byte(clientID), id)
}

// A Spent is something that was used and may not be again.
type Spent struct {
	Hash   [32]byte
	Until  time.Time
	Bought []byte // what it was traded for: a family, or nothing
}

// Exists says whether the row was found.
func (s Spent) Exists() bool { return s.Hash != [32]byte{} }

// SpendOnce uses something up: exactly one caller does. Unique by use and hash.
// It is kept until nobody would believe it any more.
type SpendOnce struct {
	Use    Use
	Hash   [32]byte
	Until  time.Time
	Bought []byte
}

// Outlive removes what nobody would believe any more, some at a time.
type Outlive struct{ Before time.Time }

func (SpendOnce) Changes() string { return "spent" }
func (Outlive) Changes() string   { return "spent" }
