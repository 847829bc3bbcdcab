// Package id makes and reads the identifiers of everything Doorward keeps:
// UUIDv7 values (RFC 9562 section 5.7) with a typed prefix on the outside,
// so that a session's id can neither be passed nor pasted as a user's.
// Identifiers are names, never secrets: knowing one gives no power.
package id

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
	"time"
)

// A Kind says what an identifier names; its Prefix stands before the
// underscore on the outside ("user" in "user_01k...").
type Kind interface{ Prefix() string }

// ID is an identifier of a thing of kind K. The zero value names nothing.
type ID[K Kind] [16]byte

// ErrForm is the answer to text that is not an identifier of the kind asked for.
var ErrForm = errors.New("id: not an identifier of this kind")

// Crockford's alphabet in lower case: no i, l, o, u.
var alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

const textLen = 26

// New makes an identifier from an instant and sixteen random bytes, of which
// ten are used. Identifiers made later sort later (RFC 9562 section 5.7).
func New[K Kind](now time.Time, random [16]byte) ID[K] {
	i := ID[K](random)
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(i[:6], ms[2:])
	i[6] = i[6]&0x0f | 0x70
	i[8] = i[8]&0x3f | 0x80
	return i
}

// Time is the instant that New was given, to the millisecond.
func (i ID[K]) Time() time.Time {
	var ms [8]byte
	copy(ms[2:], i[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC()
}

// Named makes the identifier that a digest stands for: version 8 of RFC 9562
// section 5.8, for things that exist by being the meeting of two others.
func Named[K Kind](digest [32]byte) ID[K] {
	i := ID[K](digest[:16])
	i[6] = i[6]&0x0f | 0x80
	i[8] = i[8]&0x3f | 0x80
	return i
}

// IsZero says whether the identifier names nothing.
func (i ID[K]) IsZero() bool { return i == ID[K]{} }

// String is the outside form: prefix, underscore, 26 characters. The zero
// value is the empty string.
func (i ID[K]) String() string {
	if i.IsZero() {
		return ""
	}
	var k K
	out := make([]byte, 0, len(k.Prefix())+1+textLen)
	out = append(out, k.Prefix()...)
	out = append(out, '_')
	return string(alphabet.AppendEncode(out, i[:]))
}

// MarshalText writes the outside form.
func (i ID[K]) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the outside form; the zero value is the empty string.
func (i *ID[K]) UnmarshalText(text []byte) (err error) {
	if *i = (ID[K]{}); len(text) > 0 {
		*i, err = Parse[K](string(text))
	}
	return err
}

// Parse reads the outside form and nothing else: one spelling per identifier,
// so that no cache or list can be passed by writing it differently.
func Parse[K Kind](s string) (ID[K], error) {
	var k K
	n := len(k.Prefix()) + 1
	if len(s) != n+textLen || s[:n-1] != k.Prefix() || s[n-1] != '_' {
		return ID[K]{}, ErrForm
	}
	var i ID[K]
	if _, err := alphabet.Decode(i[:], []byte(s[n:])); err != nil || i.String() != s {
		return ID[K]{}, ErrForm
	}
	return i, nil
}
