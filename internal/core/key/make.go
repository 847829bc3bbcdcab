package key

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
)

// ErrWrongKEK says that the key-encryption key is not the one that sealed
// these keys. Nothing is written; the server refuses to start.
var ErrWrongKEK = errors.New("the key-encryption key does not open this database's keys: it is another one, or damaged")

// Make makes the first key of each purpose that has none: all of them for an
// empty database, and those of a later version for an older one.
func Make(ctx context.Context, have []Key, kek secret.KEK, alg jose.Alg, now time.Time) ([]Add, error) {
	var out []Add
	for _, p := range purposes {
		if has(have, p) {
			continue
		}
		a, err := New(ctx, kek, Want{Purpose: p, Number: 1, Alg: alg, Since: now}, now)
		if err != nil {
			return nil, err
		}
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

// A Want is a key to be made.
type Want struct {
	Purpose Purpose
	Number  int
	Alg     jose.Alg // of a signing key
	Since   time.Time
}

// symmetric are the algorithms of keys that are no pair of the JOSE kind.
var symmetric = [...]string{Refresh: "HMAC-SHA256", Ledger: "Ed25519", Form: "HMAC-SHA256", Code: "HMAC-SHA256", Mail: "AES-256-GCM", Opaque: "XChaCha20-Poly1305", Sharing: "AES-256-GCM", Pairwise: "HMAC-SHA256"}

// New makes a key and seals it. No id begins with a hyphen: on a command line
// it would be read as a flag.
func New(ctx context.Context, kek secret.KEK, w Want, now time.Time) (Add, error) {
	for {
		if a, err := newKey(ctx, kek, w, now); err != nil || a.KID[0] != '-' {
			return a, err
		}
	}
}

func newKey(ctx context.Context, kek secret.KEK, w Want, now time.Time) (Add, error) {
	a := Add{Purpose: w.Purpose, Number: w.Number, Created: now, Since: w.Since}
	var private []byte
	switch {
	case w.Purpose.Signs():
		k, err := jose.GenerateKey(w.Alg)
		if err != nil {
			return Add{}, err
		}
		if private, err = k.MarshalPKCS8(); err != nil {
			return Add{}, err
		}
		if a.Public, err = x509.MarshalPKIXPublicKey(k.Key().Public()); err != nil {
			return Add{}, err
		}
		a.KID, a.Alg = k.KID(), string(w.Alg)
	case w.Purpose.Opens():
		k, err := jose.GenerateDecryptionKey(opens[w.Purpose])
		if err != nil {
			return Add{}, err
		}
		if private, err = k.MarshalPKCS8(); err != nil {
			return Add{}, err
		}
		if a.Public, err = x509.MarshalPKIXPublicKey(k.Public()); err != nil {
			return Add{}, err
		}
		a.KID, a.Alg = k.KID(), string(k.Alg())
	default:
		r := secret.Random()
		private = r[:]
		name := secret.Hash("key name", private)
		a.KID, a.Alg = secret.Encode(name[:9]), symmetric[w.Purpose]
		if w.Purpose == Ledger {
			var err error
			if a.Public, err = ledgerPublic(private); err != nil {
				return Add{}, err
			}
		}
	}
	e, err := secret.Enclose(ctx, kek, Key{Purpose: a.Purpose, Number: a.Number}.place(), private)
	a.Wrapped, a.Sealed = e.Wrapped, e.Sealed
	return a, err
}

func ledgerPublic(seed []byte) ([]byte, error) {
	return x509.MarshalPKIXPublicKey(ed25519.NewKeyFromSeed(seed).Public())
}

// private opens a key's private part.
func (k Key) private(ctx context.Context, kek secret.KEK) ([]byte, error) {
	var private []byte
	var err error
	if len(k.Wrapped) == 0 {
		private, err = kek.Unwrap(ctx, k.place(), k.Sealed)
	} else {
		private, err = secret.Envelope{Wrapped: k.Wrapped, Sealed: k.Sealed}.Open(ctx, kek, k.place())
	}
	if errors.Is(err, secret.ErrSealed) {
		return nil, ErrWrongKEK
	}
	return private, err
}

// Fits says whether a key-encryption key is one that opens these keys.
func Fits(ctx context.Context, keys []Key, kek secret.KEK) error {
	for _, k := range keys {
		if k.Erased() {
			continue
		}
		if _, err := k.private(ctx, kek); err != nil {
			return err
		}
	}
	return nil
}

// BesideOne holds one of these keys to what was read of it.
func BesideOne(all []Standing) Beside {
	for _, k := range all {
		if !k.Erased() {
			return Beside{Purpose: k.Purpose, Number: k.Number, Sealed: k.Sealed}
		}
	}
	return Beside{}
}

// Under puts keys that old opens under another key-encryption key.
func Under(ctx context.Context, keys []Key, old, next secret.KEK) ([]Reseal, error) {
	var out []Reseal
	for _, k := range keys {
		if k.Erased() {
			continue
		}
		private, err := k.private(ctx, old)
		if err != nil {
			return nil, err
		}
		e, err := secret.Enclose(ctx, next, k.place(), private)
		if err != nil {
			return nil, err
		}
		out = append(out, Reseal{Purpose: k.Purpose, Number: k.Number, Was: k.Sealed, Wrapped: e.Wrapped, Sealed: e.Sealed})
	}
	return out, nil
}
