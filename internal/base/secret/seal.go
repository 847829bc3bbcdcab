package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

// ErrSealed is the answer to a box that this key does not open: another key,
// another place, or changed bytes.
var ErrSealed = errors.New("secret: sealed under another key, for another place, or damaged")

// A Sealer seals secrets at rest with AES-256-GCM and a fresh random nonce
// for each box. It may have former keys, which only open.
type Sealer struct{ aeads []cipher.AEAD }

// NewSealer takes keys of exactly 32 bytes: the first seals, and any opens.
func NewSealer(key []byte, former ...[]byte) (*Sealer, error) {
	s := new(Sealer)
	for _, k := range append([][]byte{key}, former...) {
		if len(k) != Size {
			return nil, errors.New("secret: a sealing key has 32 bytes")
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		s.aeads = append(s.aeads, aead)
	}
	return s, nil
}

// Seal encrypts for one place, such as "keys/<kid>/private": a box moved to
// another row or column does not open there.
func (s *Sealer) Seal(place string, plain []byte) []byte {
	return s.aeads[0].Seal(nil, nil, plain, []byte(place))
}

// Open decrypts what Seal made for the same place, under this key or a former one.
func (s *Sealer) Open(place string, box []byte) ([]byte, error) {
	for _, a := range s.aeads {
		if plain, err := a.Open(nil, nil, box, []byte(place)); err == nil {
			return plain, nil
		}
	}
	return nil, ErrSealed
}
