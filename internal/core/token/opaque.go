package token

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/session"
)

// AccessPrefix begins every opaque access token, so that secret scanners find
// leaked ones.
const AccessPrefix = "dw_at_"

// An opaque access token is, behind its prefix and in base64url: version, key
// tag, box, checksum. The box holds the claims of a JWT, packed; prefix,
// version and tag are bound to it, so that no byte of the text is free.
const (
	opaqueVersion = 1
	opaqueHead    = 1 + 4
	opaqueTail    = 4
)

// seal makes an opaque access token.
func seal(k key.OpaqueKey, c Claims) (string, error) {
	box, err := secret.NewBox(k.Secret)
	if err != nil {
		return "", err
	}
	b := append([]byte{opaqueVersion}, k.Tag[:]...)
	b = box.Seal(b, opaqueBound(b), c.pack())
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	text := AccessPrefix + secret.Encode(b)
	if len(text) > jose.MaxToken {
		return "", fmt.Errorf("token: an opaque token of %d bytes is over %d", len(text), jose.MaxToken)
	}
	return text, nil
}

func opaqueBound(head []byte) []byte { return append([]byte(AccessPrefix), head...) }

// open reads an opaque access token. formed says that it has the form of one:
// one spelling, our version, a good checksum. ours says that a key of ours
// sealed it, and only then are there claims (attack SES-08).
func open(text string, keys []key.OpaqueKey) (c Claims, formed, ours bool) {
	encoded, prefixed := strings.CutPrefix(text, AccessPrefix)
	if !prefixed || len(text) > jose.MaxToken {
		return Claims{}, false, false
	}
	b, ok := secret.Decode(encoded)
	if !ok || len(b) < opaqueHead+opaqueTail || b[0] != opaqueVersion ||
		crc32.ChecksumIEEE(b[:len(b)-opaqueTail]) != binary.BigEndian.Uint32(b[len(b)-opaqueTail:]) {
		return Claims{}, false, false
	}
	for _, k := range keys {
		if k.Tag != [4]byte(b[1:opaqueHead]) {
			continue
		}
		box, err := secret.NewBox(k.Secret)
		if err != nil {
			continue
		}
		plain, err := box.Open(opaqueBound(b[:opaqueHead]), b[opaqueHead:len(b)-opaqueTail])
		if err != nil {
			continue
		}
		if c, ok := unpack(plain); ok {
			c.KID = k.KID
			return c, true, true
		}
	}
	return Claims{}, true, false
}

// packed is every claim that an opaque token carries, by the number that
// stands for it in the box. A number is never given again.
var packed = []struct {
	number byte
	of     func(c *Claims) any
}{
	{1, func(c *Claims) any { return &c.Issuer }},
	{2, func(c *Claims) any { return &c.Subject }},
	{3, func(c *Claims) any { return &c.Audience }},
	{4, func(c *Claims) any { return &c.ExpiresAt }},
	{5, func(c *Claims) any { return &c.IssuedAt }},
	{6, func(c *Claims) any { return &c.JTI }},
	{7, func(c *Claims) any { return &c.Client }},
	{8, func(c *Claims) any { return &c.Scope }},
	{9, func(c *Claims) any { return &c.Session }},
	{10, func(c *Claims) any { return &c.Grant }},
	{11, func(c *Claims) any { return &c.Rev }},
	{12, func(c *Claims) any { return &c.ACR }},
	{13, func(c *Claims) any { return &c.AMR }},
	{14, func(c *Claims) any { return &c.AuthTime }},
	{15, func(c *Claims) any { return &c.Confirm.JKT }},
	{16, func(c *Claims) any { return &c.Confirm.X5T }},
	{17, func(c *Claims) any { return &c.Strict }},
	{18, func(c *Claims) any { return &c.Act }},
	{19, func(c *Claims) any { return &c.Details }},
}

// pack writes the claims that are there: number, length, value.
func (c Claims) pack() []byte {
	b := make([]byte, 0, 320)
	put := func(number byte, value []byte) {
		b = append(b, number)
		b = binary.AppendUvarint(b, uint64(len(value)))
		b = append(b, value...)
	}
	for _, f := range packed {
		switch v := f.of(&c).(type) {
		case *string:
			if *v != "" {
				put(f.number, packText(*v))
			}
		case *[]string:
			for _, s := range *v {
				put(f.number, packText(s))
			}
		case *time.Time:
			if !v.IsZero() {
				put(f.number, binary.AppendUvarint(nil, uint64(v.Unix())))
			}
		case *uint64:
			put(f.number, binary.AppendUvarint(nil, *v))
		}
	}
	return b
}

// unpack reads what pack wrote and nothing else: numbers it knows, in order,
// lists alone more than once.
func unpack(b []byte) (c Claims, ok bool) {
	last := byte(0)
	for len(b) > 0 {
		number := b[0]
		n, w := binary.Uvarint(b[1:])
		if w <= 0 || n > uint64(len(b)-1-w) || number < last {
			return Claims{}, false
		}
		value := b[1+w : 1+w+int(n)]
		b = b[1+w+int(n):]
		if number == 0 || int(number) > len(packed) || !unpackInto(packed[number-1].of(&c), value, number == last) {
			return Claims{}, false
		}
		last = number
	}
	// What ReadClaims demands of a JWT.
	return c, len(c.Act) <= ActorsAtMost && c.Subject != "" && c.JTI != "" && !c.ExpiresAt.IsZero() && !c.IssuedAt.IsZero()
}

func unpackInto(claim any, value []byte, again bool) bool {
	switch v := claim.(type) {
	case *string:
		s, ok := unpackText(value)
		*v = s
		return ok && !again
	case *[]string:
		s, ok := unpackText(value)
		*v = append(*v, s)
		return ok
	case *time.Time:
		n, ok := unpackNumber(value)
		*v = time.Unix(int64(n), 0)
		return ok && !again && n <= year9999
	case *uint64:
		n, ok := unpackNumber(value)
		*v = n
		return ok && !again
	}
	return false
}

func unpackNumber(b []byte) (uint64, bool) {
	n, w := binary.Uvarint(b)
	return n, w == len(b) && w > 0
}

// Identifiers of ours are 16 bytes in the box and not 30: half of a token
// would be their text. Any other text stands as it is, behind a zero.
var brief = []briefID{brevity(identity.UserID{}), brevity(session.ID{}), brevity(client.GrantID{}), brevity(JTI{})}

type briefID struct {
	parse func(string) ([16]byte, error)
	text  func([16]byte) string
}

func brevity[K id.Kind](id.ID[K]) briefID {
	return briefID{func(s string) ([16]byte, error) { return id.Parse[K](s) }, func(b [16]byte) string { return id.ID[K](b).String() }}
}

func packText(s string) []byte {
	for i, b := range brief {
		if raw, err := b.parse(s); err == nil {
			return append([]byte{byte(i + 1)}, raw[:]...)
		}
	}
	return append([]byte{0}, s...)
}

func unpackText(b []byte) (string, bool) {
	switch {
	case len(b) > 1 && b[0] == 0:
		return string(b[1:]), true
	case len(b) == 17 && int(b[0]) <= len(brief):
		s := brief[b[0]-1].text([16]byte(b[1:]))
		return s, s != ""
	}
	return "", false
}
