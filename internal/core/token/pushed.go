package token

import (
	"time"

	"github.com/doorward/doorward/internal/base/secret"
)

// PushedFor is how long a browser may be sent here with a request that was
// pushed (RFC 9126 section 2.2; FAPI 2.0 section 5.3.2.2 wants less than ten
// minutes).
const PushedFor = 90 * time.Second

// A Pushed is an authorization request that an application gave us itself,
// before it sent a browser (RFC 9126). What names it is kept as a hash.
type Pushed struct {
	Hash    [32]byte
	Client  string
	Body    []byte // the request, as JSON
	Created time.Time
	Until   time.Time // when nobody waits for it any more
}

// Exists says whether the row was found.
func (p Pushed) Exists() bool { return p.Hash != [32]byte{} }

// PushedHash is what is kept of the name of a pushed request. Whose it is is
// inside: another application's name finds nothing.
func PushedHash(clientID string, random []byte) [32]byte {
	return secret.MAC([]byte("doorward pushed request"), clientID, random)
}

// pushedPrefix begins the request_uri of a pushed request.
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// NewPushedURI is the request_uri of a pushed request.
func NewPushedURI(random [32]byte) string { return pushedPrefix + secret.Encode(random[:]) }

// ParsePushedURI reads it. An address of anybody's is none: nothing is fetched.
func ParsePushedURI(s string) ([]byte, bool) {
	if len(s) <= len(pushedPrefix) || s[:len(pushedPrefix)] != pushedPrefix {
		return nil, false
	}
	b, ok := secret.Decode(s[len(pushedPrefix):])
	return b, ok && len(b) == secret.Size
}

// Push keeps a request that was pushed.
type Push Pushed

// Unpush removes requests that nobody waits for any more, some at a time.
type Unpush struct{ Before time.Time }

func (Push) Changes() string   { return "pushed" }
func (Unpush) Changes() string { return "pushed" }
