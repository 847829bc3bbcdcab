// Package secret makes, derives, seals, hashes and compares secrets. It is
// the only importer of crypto/rand, and the only place where secret bytes are
// compared.
package secret

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
)

// Reader gives random bytes to those of the standard library that still take
// a reader.
var Reader = rand.Reader

// Size is the length in bytes of every secret made here: 256 bits.
const Size = 32

// Random fills 32 bytes from the operating system. crypto/rand ends the
// program rather than return weak bytes, so there is no error to forget.
func Random() (b [Size]byte) {
	rand.Read(b[:])
	return b
}

// Random16 is for identifiers and salts, which are not secret.
func Random16() (b [16]byte) {
	rand.Read(b[:])
	return b
}

// refAlphabet has no letters or digits that are read as one another.
const refAlphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

// Ref makes a short reference such as 7KQ2-M4, by which a person, a log line
// and the ledger speak of the same refusal. It is a name, not a secret.
func Ref() string {
	out := make([]byte, 0, 7)
	for len(out) < 7 {
		if len(out) == 4 {
			out = append(out, '-')
		}
		var b [1]byte
		rand.Read(b[:])
		// 240 is the largest multiple of 30 in a byte: no letter is likelier.
		if b[0] < 240 {
			out = append(out, refAlphabet[b[0]%30])
		}
	}
	return string(out)
}

// Digits makes a code of n decimal digits, each as likely as any other.
func Digits(n int) string {
	out := make([]byte, 0, n)
	for len(out) < n {
		var b [1]byte
		rand.Read(b[:])
		if b[0] < 250 { // the largest multiple of ten in a byte
			out = append(out, '0'+b[0]%10)
		}
	}
	return string(out)
}

// Text makes a code of n letters of an alphabet, each as likely as any other.
func Text(alphabet string, n int) string {
	out := make([]byte, 0, n)
	fair := 256 - 256%len(alphabet)
	for len(out) < n {
		var b [1]byte
		rand.Read(b[:])
		if int(b[0]) < fair {
			out = append(out, alphabet[int(b[0])%len(alphabet)])
		}
	}
	return string(out)
}

// Hash is the SHA-256 of a secret for one purpose. Secrets of 128 bits and
// more need no slow hash (NIST SP 800-63B-4 section 3.1.2); the purpose keeps
// a hash of one kind from ever matching another kind.
func Hash(purpose string, secret []byte) [32]byte {
	return digest(sha256.New(), purpose, secret)
}

// MAC authenticates parts for one purpose under a key. Parts are
// length-prefixed, so no two lists of parts give the same input.
func MAC(key []byte, purpose string, parts ...[]byte) [32]byte {
	return digest(hmac.New(sha256.New, key), purpose, parts...)
}

type hasher interface {
	Write([]byte) (int, error)
	Sum([]byte) []byte
}

func digest(h hasher, purpose string, parts ...[]byte) (out [32]byte) {
	var n [4]byte
	write := func(p []byte) {
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	write([]byte(purpose))
	for _, p := range parts {
		write(p)
	}
	h.Sum(out[:0])
	return out
}

// Derive makes a key for one purpose from a longer-lived one (RFC 5869).
func Derive(key []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, purpose, Size)
}

// Equal compares in constant time. Inputs of different length are unequal.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// Encode is base64url without padding, the text form of every secret.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Decode reads Encode's form and no other spelling: no padding, no newlines,
// no slack bits, so that one secret has one text.
func Decode(s string) ([]byte, bool) {
	for i := range len(s) {
		// The decoder skips line breaks even when strict.
		if s[i] == '\n' || s[i] == '\r' {
			return nil, false
		}
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}
