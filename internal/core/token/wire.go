package token

import (
	"encoding/binary"
	"hash/crc32"
	"strings"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/key"
)

// RefreshPrefix begins every refresh token, so that secret scanners find
// leaked ones.
const RefreshPrefix = "dw_rt_"

const (
	wireVersion = 1
	wireLen     = 1 + 4 + 16 + 4 + 32 + 16 + 4
	// RefreshLen is the one length of a refresh token's text.
	RefreshLen = len(RefreshPrefix) + (wireLen*8+5)/6
)

// A Wire is a refresh token taken apart: version, key tag, family,
// generation, 256-bit secret, MAC, checksum; base64url behind the prefix.
type Wire struct {
	Tag        [4]byte
	Family     FamilyID
	Generation uint32
	Secret     [32]byte
	mac        [16]byte
}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func (w Wire) macOf(k key.RefreshKey) []byte {
	m := secret.MAC(k.MAC, "refresh token", w.Tag[:], w.Family[:], be32(w.Generation), w.Secret[:])
	return m[:16]
}

func (w Wire) authentic(k key.RefreshKey) bool { return secret.Equal(w.mac[:], w.macOf(k)) }

func (w Wire) encode(k key.RefreshKey) string {
	b := make([]byte, 0, wireLen)
	b = append(b, wireVersion)
	b = append(b, k.Tag[:]...)
	b = append(b, w.Family[:]...)
	b = binary.BigEndian.AppendUint32(b, w.Generation)
	b = append(b, w.Secret[:]...)
	w.Tag = k.Tag
	b = append(b, w.macOf(k)...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return RefreshPrefix + secret.Encode(b)
}

// ParseRefresh reads a refresh token's form: one length, one spelling, one
// version, a good checksum. Whether it is ours is for Weigh to say.
func ParseRefresh(s string) (Wire, bool) {
	if len(s) != RefreshLen || !strings.HasPrefix(s, RefreshPrefix) {
		return Wire{}, false
	}
	b, ok := secret.Decode(s[len(RefreshPrefix):])
	if !ok || len(b) != wireLen || b[0] != wireVersion ||
		crc32.ChecksumIEEE(b[:wireLen-4]) != binary.BigEndian.Uint32(b[wireLen-4:]) {
		return Wire{}, false
	}
	return Wire{
		Tag:        [4]byte(b[1:5]),
		Family:     FamilyID(b[5:21]),
		Generation: binary.BigEndian.Uint32(b[21:25]),
		Secret:     [32]byte(b[25:57]),
		mac:        [16]byte(b[57:73]),
	}, true
}

// SessionPrefix begins the secret of a browser session's cookie.
const SessionPrefix = "dw_st_"

const sessionLen = 1 + 32 + 4

// NewSession is the text of a session cookie made from 32 random bytes.
func NewSession(random [32]byte) string {
	b := append([]byte{wireVersion}, random[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return SessionPrefix + secret.Encode(b)
}

// ParseSession reads a session cookie's form and gives its secret.
func ParseSession(s string) ([]byte, bool) {
	if len(s) != len(SessionPrefix)+(sessionLen*8+5)/6 || !strings.HasPrefix(s, SessionPrefix) {
		return nil, false
	}
	b, ok := secret.Decode(s[len(SessionPrefix):])
	if !ok || len(b) != sessionLen || b[0] != wireVersion ||
		crc32.ChecksumIEEE(b[:sessionLen-4]) != binary.BigEndian.Uint32(b[sessionLen-4:]) {
		return nil, false
	}
	return b[1:33], true
}
