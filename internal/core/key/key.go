// Package key holds the keys that tokens and ledger segments are made with,
// and decides when each is made, used, kept and erased. Private halves exist
// outside memory only sealed under the key-encryption key.
package key

import (
	"fmt"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
)

// A Purpose says what a key is for; a key of one purpose is never used for another.
type Purpose uint8

const (
	Signing Purpose = iota + 1 // access tokens: a pair, published
	Refresh                    // refresh families: 32 bytes
	Ledger                     // ledger segments: an Ed25519 pair
	Form                       // form tokens of the hosted pages: 32 bytes
	Code                       // what is kept of mailed codes: 32 bytes
	Mail                       // mails that wait to be sent: 32 bytes
	_                          // 7 is not given
	Opaque                     // opaque access tokens: 32 bytes

	// Tokens of applications that asked for an algorithm which is not that of
	// Signing: pairs, published, each made when it is first asked for.
	SigningES256
	SigningEdDSA
	SigningRS256
	SigningRS512
	SigningPS256

	Sharing // the secrets that services share, while they are kept: 32 bytes, made with the first

	// What applications encrypt to the server: pairs, published for that use, each
	// made when an application first asks for its algorithm.
	OpeningECDHES
	OpeningRSAOAEP

	Pairwise // the names of people that only one sector knows: 32 bytes, made with the first
)

// purposes are those of which every database has a key, in the order in which
// they are made.
var purposes = []Purpose{Signing, Refresh, Ledger, Form, Code, Mail, Opaque}

// asked are those whose keys are made when an application asks for them.
var asked = []Purpose{SigningES256, SigningEdDSA, SigningRS256, SigningRS512, SigningPS256, Sharing, OpeningECDHES, OpeningRSAOAEP, Pairwise}

var purposeNames = [...]string{Signing: "signing", Refresh: "refresh", Ledger: "ledger", Form: "form", Code: "code", Mail: "mail", Opaque: "opaque",
	SigningES256: "signing-es256", SigningEdDSA: "signing-eddsa", SigningRS256: "signing-rs256", SigningRS512: "signing-rs512", SigningPS256: "signing-ps256",
	Sharing: "sharing", OpeningECDHES: "opening-ecdh-es", OpeningRSAOAEP: "opening-rsa-oaep-256",
	Pairwise: "pairwise"}

// algs are the algorithms of purposes that sign by one, and opens of those that
// decrypt by one.
var (
	algs = map[Purpose]jose.Alg{SigningES256: jose.ES256, SigningEdDSA: jose.EdDSA, SigningRS256: jose.RS256, SigningRS512: jose.RS512, SigningPS256: jose.PS256}

	opens = map[Purpose]jose.KeyAlg{OpeningECDHES: jose.ECDHES, OpeningRSAOAEP: jose.RSAOAEP256}
)

// Signs says whether keys of a purpose sign tokens and are published.
func (p Purpose) Signs() bool { return p == Signing || algs[p] != "" }

// Opens says whether keys of a purpose decrypt, and are published for that.
func (p Purpose) Opens() bool { return opens[p] != "" }

// String is the purpose's name in lists and commands.
func (p Purpose) String() string {
	if int(p) >= len(purposeNames) {
		return ""
	}
	return purposeNames[p]
}

// ParsePurpose reads a purpose's name.
func ParsePurpose(s string) (Purpose, bool) {
	for _, p := range slices.Concat(purposes, asked) {
		if p.String() == s {
			return p, true
		}
	}
	return 0, false
}

// A Key as it is kept.
type Key struct {
	Purpose     Purpose
	Number      int    // 1, 2, ... in the order of making
	KID         string // RFC 7638 thumbprint of what signs, else a name
	Alg         string
	Wrapped     []byte // the data key that Sealed lies under; empty: the key-encryption key itself
	Sealed      []byte // the private part; empty when it was erased
	Public      []byte // PKIX of a pair
	Created     time.Time
	Since       time.Time // from when on it makes new things; it is known before that
	Compromised time.Time // when somebody said so
}

// Erased says whether the private part is gone.
func (k Key) Erased() bool { return len(k.Sealed) == 0 }

// place binds a sealed key to its row.
func (k Key) place() string { return fmt.Sprintf("keys/%d/%d", k.Purpose, k.Number) }

// Add adds a key. Unique by purpose and number: of two servers that add at
// once, one makes the key and the other reads it.
type Add struct {
	Purpose Purpose
	Number  int
	KID     string
	Alg     string
	Wrapped []byte
	Sealed  []byte
	Public  []byte
	Created time.Time
	Since   time.Time
}

// Hasten moves the instant from which a key makes new things, when it still
// is what was read.
type Hasten struct {
	Purpose Purpose
	Number  int
	From    time.Time
	Since   time.Time
}

// Distrust says that a key is in other hands. Nothing takes that back.
type Distrust struct {
	Purpose Purpose
	Number  int
	At      time.Time
}

// Erase deletes the private part that was read, and keeps the public one.
type Erase struct {
	Purpose Purpose
	Number  int
	Sealed  []byte
	Public  []byte
}

// Beside holds a key to what was read of it. Every later Add has one, so that
// no key is ever added under a key-encryption key that a Reseal has left.
type Beside struct {
	Purpose Purpose
	Number  int
	Sealed  []byte
}

// Reseal puts a private part under another key-encryption key, when it still
// is what was read.
type Reseal struct {
	Purpose Purpose
	Number  int
	Was     []byte
	Wrapped []byte
	Sealed  []byte
}

func (Add) Changes() string      { return "keys" }
func (Hasten) Changes() string   { return "keys" }
func (Distrust) Changes() string { return "keys" }
func (Erase) Changes() string    { return "keys" }
func (Beside) Changes() string   { return "keys" }
func (Reseal) Changes() string   { return "keys" }

// Reader is what is read of keys.
type Reader interface{ Keys() []Key }
