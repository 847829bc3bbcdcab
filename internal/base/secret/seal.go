package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

// ErrSealed is the answer to a box that this key does not open: another key,
// another place, or changed bytes.
var ErrSealed = errors.New("secret: sealed under another key, for another place, or damaged")

// A Sealer seals secrets at rest under a key-encryption key, with
// AES-256-GCM and a fresh random nonce for each box.
type Sealer struct{ aead cipher.AEAD }

// NewSealer takes a key of exactly 32 bytes.
func NewSealer(kek []byte) (*Sealer, error) {
	if len(kek) != Size {
		return nil, errors.New("secret: a key-encryption key has 32 bytes")
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead}, nil
}

// Seal encrypts for one place, such as "keys/<kid>/private": a box moved to
// another row or column does not open there.
func (s *Sealer) Seal(place string, plain []byte) []byte {
	return s.aead.Seal(nil, nil, plain, []byte(place))
}

// Open decrypts what Seal made for the same place.
func (s *Sealer) Open(place string, box []byte) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, box, []byte(place))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
