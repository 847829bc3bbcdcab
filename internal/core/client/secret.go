package client

import (
	"time"

	"github.com/doorward/doorward/internal/base/secret"
)

// A Secret is what is kept of a text that a client proves itself with.
type Secret struct {
	Hash  [32]byte
	Made  time.Time
	Used  time.Time // last, within a minute or so; zero: never
	Until time.Time // of a former one: from then on it proves nothing
}

// Exists says whether there is one.
func (s Secret) Exists() bool { return s.Hash != [32]byte{} }

// Live says whether a former secret still proves anything.
func (s Secret) Live(now time.Time) bool { return s.Exists() && now.Before(s.Until) }

// HashOf is what is kept of a client secret. A secret of 256 random bits
// needs no slow hash.
func HashOf(clientID, text string) [32]byte {
	return secret.MAC([]byte("doorward client secret"), clientID, []byte(text))
}

// Proves says in constant time whether a text is one of this client's two
// secrets, and which: both are compared, whatever the first one says.
func (c Client) Proves(text string, now time.Time) (Secret, bool) {
	h := HashOf(c.ID, text)
	current := secret.Equal(h[:], c.Secret.Hash[:])
	former := secret.Equal(h[:], c.Former.Hash[:])
	switch {
	case !c.Exists() || !c.Secret.Exists():
		return Secret{}, false
	case current:
		return c.Secret, true
	case former && c.Former.Live(now):
		return c.Former, true
	}
	return Secret{}, false
}

// Overlaps of two secrets.
const (
	OverlapUsual = 7 * 24 * time.Hour
	OverlapMost  = 90 * 24 * time.Hour
)

// Resecret gives an application its next secret, or none; the one it had goes
// on proving it until Until.
type Resecret struct {
	ID    string
	Guard uint64
	Hash  [32]byte
	Made  time.Time
	Until time.Time
}

// Reprove gives an application that changes how it proves itself its first
// secret, or none. It goes with an Edit, whose guard is for both.
type Reprove struct {
	ID   string
	Hash [32]byte
	Made time.Time
}

// Retire ends the former secret.
type Retire struct {
	ID    string
	Guard uint64
	At    time.Time
}

// Used notes when one of two secrets was last used. It is for show, and only
// moves forward.
type Used struct {
	ID   string
	Hash [32]byte
	At   time.Time
}

func (Resecret) Changes() string { return "clients" }
func (Reprove) Changes() string  { return "clients" }
func (Retire) Changes() string   { return "clients" }
func (Used) Changes() string     { return "clients" }
