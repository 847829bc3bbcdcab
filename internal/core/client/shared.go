package client

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// A SharedSecret is what the server shares with the one service that an
// application's access tokens are for, so that service verifies them without a
// public key. Whoever verifies with it can sign with it: it is good for that
// service alone, and never here.
type SharedSecret struct {
	Client  string
	Number  int // 1, 2, ... in the order of making
	KID     string
	Alg     jose.SharedAlg
	Sealed  []byte // under a key of purpose sharing
	Created time.Time
}

// Exists says whether the row was found.
func (s SharedSecret) Exists() bool { return s.KID != "" }

// secretPrefix begins the id of a shared secret; 16 random bytes follow, in the
// one spelling that is looked for.
const secretPrefix = "hs-"

// NewSecretID makes one.
func NewSecretID(random [16]byte) string { return secretPrefix + hex.EncodeToString(random[:]) }

// SecretID says whether a token's kid is the id of a shared secret: nothing else
// is looked for (attack JWT-05).
func SecretID(kid string) bool {
	digits, ok := strings.CutPrefix(kid, secretPrefix)
	raw, err := hex.DecodeString(digits)
	return ok && err == nil && len(raw) == 16 && digits == hex.EncodeToString(raw)
}

// Place binds a sealed secret to its row.
func (s SharedSecret) Place() string {
	return fmt.Sprintf("shared_secrets/%s/%d/%s", s.Client, s.Number, s.KID)
}

// Shareable says whether an application's access tokens can be for one service
// alone: JWTs of an application with exactly one resource that is not this
// server, which its own pages could not use (they ask the session API).
func (c Client) Shareable(issuer string) bool {
	return c.Exists() && len(c.Resources) == 1 && c.Resources[0] != issuer && !c.FirstParty && c.TokenFormat == JWT
}

// Sole says whether an audience is the service that shares a secret and nobody
// else: this server never is, and is not meant where others are named.
func (c Client) Sole(issuer string, audience []string) bool {
	if c.SharedAlg == "" || !c.Shareable(issuer) {
		return false
	}
	for _, a := range audience {
		if a != issuer && a != c.Resources[0] {
			return false
		}
	}
	return slices.Contains(audience, c.Resources[0])
}

// SetShared turns shared secrets on, to another algorithm, or off, when the
// application still is what was judged.
type SetShared struct {
	ID    string
	Guard uint64
	Alg   jose.SharedAlg
}

// AddSecret keeps a secret. Unique by client and number: of two that rotate at
// once one does.
type AddSecret struct {
	Client  string
	Number  int
	KID     string
	Alg     jose.SharedAlg
	Sealed  []byte
	Created time.Time
}

// DropSecrets forgets an application's secrets up to a number.
type DropSecrets struct {
	Client string
	Last   int
}

func (SetShared) Changes() string   { return "clients" }
func (AddSecret) Changes() string   { return "shared_secrets" }
func (DropSecrets) Changes() string { return "shared_secrets" }

// Checks of shared secrets.
var (
	MayShare = check.New(check.Check{Number: 930, ID: "client.shareable", Fault: fault.Conflict, Shown: "client.shareable",
		Says: "The application's tokens are JWTs for one service, which is not this server.", Source: "RFC 7518 section 3.2; RFC 8725 section 3.5",
		Title: "A secret can be shared only for an application with exactly one resource, whose tokens are JWTs, and that is not first-party.", Stops: []string{"JWT-02"}})
	SecretStrong = check.New(check.Check{Number: 931, ID: "client.secret_strong", Fault: fault.Unacceptable, Shown: "client.secret_strong",
		Says: "A shared secret is random and as long as the hash that it is for.", Source: "RFC 7518 section 3.2; RFC 8725 section 3.5",
		Title: "The secret is too short for the algorithm, or not random.", Stops: []string{"JWT-21"}})
	Sharing = check.New(check.Check{Number: 932, ID: "client.sharing", Fault: fault.Conflict, Shown: "client.sharing",
		Says: "The application shares a secret with its service.", Source: "RFC 7518 section 3.2",
		Title: "This application shares no secret."})
)

// Random says whether a secret could be the random bytes that it must be: one of
// few different bytes is a word, or a row of zeros.
func Random(secret []byte) bool {
	var seen [256]bool
	different := 0
	for _, b := range secret {
		if !seen[b] {
			seen[b] = true
			different++
		}
	}
	const least = 16
	return different >= least
}
