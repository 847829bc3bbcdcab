// Package key holds the keys that tokens and ledger segments are made with.
// Private halves exist outside memory only sealed under the key-encryption key.
package key

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
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
)

// purposes are all of them, in the order in which keys are made.
var purposes = []Purpose{Signing, Refresh, Ledger, Form, Code, Mail, Opaque}

// A Key as it is kept.
type Key struct {
	Purpose     Purpose
	Number      int    // 1, 2, ... in the order of making
	KID         string // RFC 7638 thumbprint for Signing, else a name
	Alg         string
	Sealed      []byte
	Created     time.Time
	Compromised bool
}

// Add adds a key. Unique by purpose and number: of two servers that start at
// once, one makes the key and the other reads it.
type Add struct {
	Purpose Purpose
	Number  int
	KID     string
	Alg     string
	Sealed  []byte
	Created time.Time
}

func (Add) Changes() string { return "keys" }

// Reader is what is read of keys.
type Reader interface{ Keys() []Key }

// place binds a sealed key to its row.
func place(p Purpose, number int) string { return fmt.Sprintf("keys/%d/%d", p, number) }

// Make makes the first key of each purpose that has none: all of them for an
// empty database, and those of a later version for an older one.
func Make(have []Key, s *secret.Sealer, alg jose.Alg, now time.Time) ([]Add, error) {
	var out []Add
	for _, p := range purposes {
		if has(have, p) {
			continue
		}
		a := Add{Purpose: p, Number: 1, Created: now}
		var private []byte
		switch p {
		case Signing:
			k, err := jose.GenerateKey(alg)
			if err != nil {
				return nil, err
			}
			if private, err = k.MarshalPKCS8(); err != nil {
				return nil, err
			}
			a.KID, a.Alg = k.KID(), string(alg)
		default:
			r := secret.Random()
			private = r[:]
			a.Alg = [...]string{Refresh: "HMAC-SHA256", Ledger: "Ed25519", Form: "HMAC-SHA256", Code: "HMAC-SHA256", Mail: "AES-256-GCM", Opaque: "XChaCha20-Poly1305"}[p]
			name := secret.Hash("key name", private)
			a.KID = secret.Encode(name[:9])
		}
		a.Sealed = s.Seal(place(p, a.Number), private)
		out = append(out, a)
	}
	return out, nil
}

func has(keys []Key, p Purpose) bool {
	for _, k := range keys {
		if k.Purpose == p {
			return true
		}
	}
	return false
}

// A Ring is every key of a running server, opened.
type Ring struct {
	Signer  *jose.SigningKey    // signs access tokens now
	Verify  map[string]jose.Key // by kid: every key whose tokens may still live
	Refresh []RefreshKey        // the newest last
	Ledger  ed25519.PrivateKey
	Form    []byte
	Code    []byte
	Mail    *secret.Sealer // seals what a mail says until it is sent
	Opaque  []OpaqueKey    // the newest last; none that is compromised
}

// An OpaqueKey seals and opens opaque access tokens.
type OpaqueKey struct {
	KID    string  // as the feed names it
	Tag    [4]byte // names the key inside a token
	Secret []byte  // 32 bytes
}

// A RefreshKey makes and knows refresh tokens: one key derives successors,
// the other authenticates what is on the wire.
type RefreshKey struct {
	Tag         [4]byte // names the key inside a token
	Next, MAC   []byte
	Compromised bool // its MAC is no evidence any more
}

// ErrWrongKEK says that the key-encryption key is not the one that sealed
// these keys. Nothing is written; the server refuses to start.
var ErrWrongKEK = errors.New("the key-encryption key does not open this database's keys: it is another one, or damaged")

// Fits says whether a key-encryption key is the one that sealed these keys.
func Fits(keys []Key, s *secret.Sealer) error {
	for _, k := range keys {
		if _, err := s.Open(place(k.Purpose, k.Number), k.Sealed); err != nil {
			return ErrWrongKEK
		}
	}
	return nil
}

// Open opens every key.
func Open(keys []Key, s *secret.Sealer) (*Ring, error) {
	r := &Ring{Verify: map[string]jose.Key{}}
	for _, k := range keys {
		private, err := s.Open(place(k.Purpose, k.Number), k.Sealed)
		if err != nil {
			return nil, ErrWrongKEK
		}
		switch k.Purpose {
		case Signing:
			sk, err := jose.ParseSigningKey(jose.Alg(k.Alg), private)
			if err != nil {
				return nil, fmt.Errorf("signing key %s: %w", k.KID, err)
			}
			if !k.Compromised {
				r.Signer, r.Verify[sk.KID()] = sk, sk.Key()
			}
		case Refresh:
			rk, err := openRefresh(private)
			if err != nil {
				return nil, err
			}
			rk.Compromised = k.Compromised
			r.Refresh = append(r.Refresh, rk)
		case Ledger:
			r.Ledger = ed25519.NewKeyFromSeed(private)
		case Form:
			r.Form = private
		case Code:
			r.Code = private
		case Mail:
			if r.Mail, err = secret.NewSealer(private); err != nil {
				return nil, err
			}
		case Opaque:
			if tag := secret.Hash("opaque key tag", private); !k.Compromised {
				r.Opaque = append(r.Opaque, OpaqueKey{KID: k.KID, Tag: [4]byte(tag[:4]), Secret: private})
			}
		}
	}
	if r.Signer == nil || len(r.Refresh) == 0 || r.Ledger == nil || r.Form == nil || r.Code == nil || r.Mail == nil || len(r.Opaque) == 0 {
		return nil, errors.New("a key is missing: no signing, refresh, ledger, form, code, mail or opaque key that may be used")
	}
	return r, nil
}

func openRefresh(private []byte) (RefreshKey, error) {
	next, err := secret.Derive(private, "refresh successor")
	if err != nil {
		return RefreshKey{}, err
	}
	mac, err := secret.Derive(private, "refresh authenticity")
	if err != nil {
		return RefreshKey{}, err
	}
	tag := secret.Hash("refresh key tag", private)
	return RefreshKey{Tag: [4]byte(tag[:4]), Next: next, MAC: mac}, nil
}
