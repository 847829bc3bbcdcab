package factor

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// SaltSize is the length of a salt for Hash in bytes (RFC 9106 section 3.1).
const SaltSize = 16

// ErrHash says that a stored hash is not one we can or may compute: another
// algorithm, a damaged record, or a cost beyond our bounds.
var ErrHash = errors.New("factor: not a password hash we can verify")

// cost is what one hash takes.
type cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

// current is the OWASP minimum for argon2id. More memory makes every hash
// slower than linearly once a few run side by side, and the Gate is what
// holds off a flood.
var current = cost{memory: 19456, passes: 2, lanes: 1}

// tagSize is the length of a hash of ours in bytes.
const tagSize = 32

// Bounds of a stored hash, so that an imported or tampered record cannot turn
// one sign-in into minutes of work or gigabytes of memory. They take what
// other products write by default (100 MiB, 2 passes, 8 lanes; 64 MiB, 4
// passes).
const (
	maxMemory = 128 << 10 // KiB
	maxPasses = 10
	maxLanes  = 8
	maxWork   = 512 << 10 // memory times passes, in KiB
	minSalt   = 8         // bytes, RFC 9106 section 3.1
	maxSalt   = 64
	minTag    = 16
	maxTag    = 64
)

// stored is a hash taken apart.
type stored struct {
	cost
	salt, tag []byte
}

// Hash returns the argon2id hash of the password's normal form as a PHC
// string, at today's cost. It does not judge the password: that is Judge's
// part, and the hash of one that is TooLong or NotText fits nothing. The salt is fresh, random and SaltSize bytes long; any other length is
// a bug of the caller and panics.
func Hash(password string, salt []byte) string {
	if len(salt) != SaltSize {
		panic("factor: salt of " + strconv.Itoa(len(salt)) + " bytes")
	}
	nfc, finding := normal(password)
	if finding != Fine {
		nfc = password // never verifies; the normal form is empty, and that would
	}
	h := stored{cost: current, salt: salt}
	h.tag = h.derive(nfc, tagSize)
	return h.String()
}

// Verify reports whether the password is the one behind a stored hash. A
// correct one comes with rehash when the hash was made at another cost than
// today's: replace it now, while the password is at hand. A password that
// could never have been set (too long, not text) is wrong without any work. A
// hash of bcrypt's, from another product, is always replaced. The
// error is ErrHash and nothing else.
func Verify(password, phc string) (ok, rehash bool, err error) {
	if isBcrypt(phc) {
		nfc, finding := normal(password)
		ok = verifyBcrypt(nfc, phc) && finding == Fine
		return ok, ok, nil
	}
	h, err := parse(phc)
	if err != nil {
		return false, false, err
	}
	nfc, finding := normal(password)
	if finding != Fine {
		return false, false, nil
	}
	if subtle.ConstantTimeCompare(h.derive(nfc, len(h.tag)), h.tag) != 1 {
		return false, false, nil
	}
	return true, h.cost != current || len(h.salt) != SaltSize || len(h.tag) != tagSize, nil
}

// Dummy returns a hash that costs what a real one costs and that no password
// is known to fit, to verify against when there is no such person or they have
// no password (otherwise a quick answer tells who exists: ENM-02).
//
// Its tag is not the hash of any password but the digest of a phrase: to find
// a password for it one would have to invert argon2id. So it needs neither
// randomness nor keeping secret.
func Dummy() string { return dummy }

var dummy = func() string {
	salt := sha256.Sum256([]byte("doorward: salt of the hash that nobody has"))
	tag := sha256.Sum256([]byte("doorward: tag of the hash that nobody has"))
	return stored{cost: current, salt: salt[:SaltSize], tag: tag[:tagSize]}.String()
}()

func (h stored) derive(nfc string, size int) []byte {
	return argon2.IDKey([]byte(nfc), h.salt, h.passes, h.memory, h.lanes, uint32(size))
}

// String returns the PHC string: $argon2id$v=19$m=19456,t=2,p=1$salt$tag.
func (h stored) String() string {
	b := make([]byte, 0, 128)
	b = append(b, "$argon2id$v=19$m="...)
	b = strconv.AppendUint(b, uint64(h.memory), 10)
	b = append(b, ",t="...)
	b = strconv.AppendUint(b, uint64(h.passes), 10)
	b = append(b, ",p="...)
	b = strconv.AppendUint(b, uint64(h.lanes), 10)
	b = append(b, '$')
	b = base64.RawStdEncoding.AppendEncode(b, h.salt)
	b = append(b, '$')
	b = base64.RawStdEncoding.AppendEncode(b, h.tag)
	return string(b)
}

// parse reads a PHC string. It takes exactly what String writes, for any cost
// within the bounds: one spelling per hash.
func parse(phc string) (stored, error) {
	rest, ok := strings.CutPrefix(phc, "$argon2id$v="+strconv.Itoa(argon2.Version)+"$")
	if !ok {
		return stored{}, ErrHash
	}
	params, rest, ok1 := strings.Cut(rest, "$")
	salt, tag, ok2 := strings.Cut(rest, "$")
	if !ok1 || !ok2 {
		return stored{}, ErrHash
	}
	var h stored
	m, t, p, ok := parameters(params)
	if !ok || m < 8*p || m*t > maxWork { // RFC 9106 section 3.1: 8 KiB a lane at least
		return stored{}, ErrHash
	}
	h.cost = cost{memory: uint32(m), passes: uint32(t), lanes: uint8(p)}
	var err1, err2 error
	h.salt, err1 = octets(salt, minSalt, maxSalt)
	h.tag, err2 = octets(tag, minTag, maxTag)
	if err1 != nil || err2 != nil {
		return stored{}, ErrHash
	}
	return h, nil
}

// parameters reads "m=19456,t=2,p=1".
func parameters(s string) (m, t, p uint64, ok bool) {
	ms, rest, ok1 := strings.Cut(s, ",")
	ts, ps, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 {
		return 0, 0, 0, false
	}
	m, ok1 = number(ms, "m=", maxMemory)
	t, ok2 = number(ts, "t=", maxPasses)
	p, ok = number(ps, "p=", maxLanes)
	return m, t, p, ok && ok1 && ok2
}

// number reads a plain decimal from 1 to most, without sign or leading zero.
func number(s, name string, most uint64) (uint64, bool) {
	digits, ok := strings.CutPrefix(s, name)
	if !ok || digits == "" || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return n, err == nil && n <= most
}

// octets reads canonical base64 without padding. The standard decoder skips
// line breaks even when strict, so they are looked for.
func octets(s string, least, most int) ([]byte, error) {
	if len(s) > base64.RawStdEncoding.EncodedLen(most) || strings.ContainsAny(s, "\r\n") {
		return nil, ErrHash
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < least {
		return nil, ErrHash
	}
	return b, nil
}
