package secret

import (
	"crypto/cipher"
	"crypto/rand"

	"golang.org/x/crypto/chacha20poly1305"
)

// A Box seals what travels outside and comes back, with XChaCha20-Poly1305.
// Its nonce of 192 random bits may be drawn for every token there will ever
// be, which the 96 bits of AES-GCM would not bear (NIST SP 800-38D section
// 8.3 stops at 2^32).
type Box struct{ aead cipher.AEAD }

// NewBox takes a key of exactly 32 bytes.
func NewBox(key []byte) (*Box, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	return &Box{aead}, nil
}

// Seal appends a fresh nonce and the sealed text to dst. bound is not hidden,
// but the box opens only beside the same bytes.
func (b *Box) Seal(dst, bound, plain []byte) []byte {
	var nonce [chacha20poly1305.NonceSizeX]byte
	rand.Read(nonce[:])
	return b.aead.Seal(append(dst, nonce[:]...), nonce[:], plain, bound)
}

// Open reads what Seal appended.
func (b *Box) Open(bound, box []byte) ([]byte, error) {
	if len(box) < chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return nil, ErrSealed
	}
	plain, err := b.aead.Open(nil, box[:chacha20poly1305.NonceSizeX], box[chacha20poly1305.NonceSizeX:], bound)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
