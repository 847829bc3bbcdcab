package jose

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"slices"
)

// A SharedAlg is an algorithm by which two who share a secret know each
// other's tokens (RFC 7518 section 3.2).
type SharedAlg string

// The shared algorithms.
const (
	HS256 SharedAlg = "HS256"
	HS384 SharedAlg = "HS384"
	HS512 SharedAlg = "HS512"
)

var sharedAlgs = []SharedAlg{HS256, HS384, HS512}

// SharedAlgs are the shared algorithms.
func SharedAlgs() []SharedAlg { return slices.Clone(sharedAlgs) }

// Size is how many bytes a secret has at least, and one that is made here; 0
// where there is no such algorithm.
func (a SharedAlg) Size() int {
	if h := a.hash(); h != nil {
		return h().Size()
	}
	return 0
}

// hash is the hash of a shared algorithm, or nil.
func (a SharedAlg) hash() func() hash.Hash {
	switch a {
	case HS256:
		return sha256.New
	case HS384:
		return sha512.New384
	case HS512:
		return sha512.New
	}
	return nil
}

// A Shared is a secret that one named service shares with the server, bound to
// one algorithm: whoever verifies with it can sign with it, so it is never for
// more than that one. It is a type of its own without a JWK: it cannot stand in
// a JWKS, and a public key cannot take its place.
type Shared struct {
	kid    string
	alg    SharedAlg
	secret []byte
}

// NewShared binds a random secret to an algorithm. It refuses one that is
// shorter than the hash (RFC 7518 section 3.2): a person's password is no key
// (RFC 8725 section 3.5).
func NewShared(kid string, alg SharedAlg, secret []byte) (*Shared, error) {
	h := alg.hash()
	if h == nil {
		return nil, fmt.Errorf("jose: no such shared algorithm %q", string(alg))
	}
	if least := h().Size(); len(secret) < least {
		return nil, fmt.Errorf("jose: %s needs a secret of %d bytes or more, not %d", alg, least, len(secret))
	}
	if !mediaName(kid) {
		return nil, fmt.Errorf("jose: %q cannot be the id of a shared secret", kid)
	}
	return &Shared{kid: kid, alg: alg, secret: append([]byte(nil), secret...)}, nil
}

// KID returns the secret's id.
func (s *Shared) KID() string { return s.kid }

// Alg returns the only algorithm the secret is for.
func (s *Shared) Alg() SharedAlg { return s.alg }

// String returns the kid.
func (s *Shared) String() string { return s.kid }

// GoString returns the kid: %#v would print the secret otherwise.
func (s *Shared) GoString() string { return s.kid }

// Sign is SigningKey.Sign under the shared secret.
func (s *Shared) Sign(typ string, claims []byte) (string, error) {
	if !mediaName(typ) {
		return "", fmt.Errorf("jose: %q cannot be a typ", typ)
	}
	m := hmac.New(s.alg.hash(), s.secret)
	return compact(encodeHeader(string(s.alg), s.kid, typ), claims, m.Size(), s.kid, func(message []byte) ([]byte, error) {
		m.Write(message)
		return m.Sum(nil), nil
	})
}

// SharedID is the id of the secret that a token says it is by, or nothing for
// every other kind of token. It is not believed, only looked up: Shared.Verify
// reads the token again.
func SharedID(token string) string {
	h, err := readHeader(token)
	if err != nil || !slices.Contains(sharedAlgs, SharedAlg(h.Alg)) {
		return ""
	}
	return h.Kid
}

// Verify is the package's Verify for tokens under this secret alone.
func (s *Shared) Verify(token, typ string) (claims []byte, err error) {
	claims, _, err = verify(token, typ, func(kid string) (string, any, bool) { return string(s.alg), s.secret, kid == s.kid })
	return claims, err
}
