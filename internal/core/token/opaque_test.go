package token

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/session"
)

func opaqueKey(seed byte) key.OpaqueKey {
	return key.OpaqueKey{KID: "key" + string('0'+rune(seed)), Tag: [4]byte{seed}, Secret: bytes.Repeat([]byte{seed}, 32)}
}

// full is claims of which none is missing.
func full() Claims {
	return Claims{
		Issuer: "https://auth.example.com", Subject: identity.UserID{1}.String(), Audience: []string{"https://auth.example.com", "orders"},
		ExpiresAt: time.Unix(1_800_000_300, 0), IssuedAt: time.Unix(1_800_000_000, 0), JTI: JTI{2}.String(), Client: "notes", Scope: "notes:read profile",
		Session: session.ID{3}.String(), Grant: client.GrantID{4}.String(), Rev: 1<<53 + 1, ACR: "urn:doorward:acr:1", AMR: []string{"pwd", "otp"},
		AuthTime: time.Unix(1_799_999_000, 0), Confirm: Confirm{JKT: "thumbprint", X5T: "certificate"}, Strict: "pair", Act: []string{"front", "store"}, Details: []string{`{"type":"payment"}`}, KID: "key1",
	}
}

func sealed(t testing.TB, seed byte, c Claims) string {
	t.Helper()
	text, err := seal(opaqueKey(seed), c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checksummed is the text of bytes with the checksum that they should have.
func checksummed(b []byte) string {
	return AccessPrefix + secret.Encode(binary.BigEndian.AppendUint32(bytes.Clone(b), crc32.ChecksumIEEE(b)))
}

func TestAnOpaqueTokenCarriesEveryClaim(t *testing.T) {
	c := full()
	for i := range reflect.ValueOf(c).NumField() {
		if reflect.ValueOf(c).Field(i).IsZero() {
			t.Errorf("%s is not there to be carried", reflect.TypeOf(c).Field(i).Name)
		}
	}
	for i, f := range packed {
		if int(f.number) != i+1 {
			t.Errorf("claim %d has the number %d", i+1, f.number)
		}
	}
	keys := []key.OpaqueKey{opaqueKey(1), opaqueKey(2)}
	for name, c := range map[string]Claims{"full": c, "lean": {Subject: "machine-1", JTI: "x", ExpiresAt: time.Unix(2, 0), IssuedAt: time.Unix(1, 0), KID: "key1"}} {
		got, formed, ours := open(sealed(t, 1, c), keys)
		if !formed || !ours || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %v %v\n got %+v\nwant %+v", name, formed, ours, got, c)
		}
	}
	jwt := len(c.encode())*4/3 + 200
	if n := len(sealed(t, 1, c)); n > jwt*2/3 {
		t.Errorf("%d bytes; a JWT would have %d", n, jwt)
	}
	if sealed(t, 1, c) == sealed(t, 1, c) {
		t.Error("the same claims make the same token")
	}
	// What is in it cannot be read.
	if text := sealed(t, 1, c); strings.Contains(text, secret.Encode([]byte("notes:read"))[:10]) {
		t.Errorf("%s shows its scope", text)
	}
}

// SES-08: a token that is cut, extended, changed in one byte, put together
// from two, of another kind or of another version gives nothing.
func TestAnOpaqueTokenIsWholeOrNothing(t *testing.T) {
	keys := []key.OpaqueKey{opaqueKey(1), opaqueKey(2)}
	text, other := sealed(t, 1, full()), sealed(t, 2, full())
	nothing := func(what, text string) {
		t.Helper()
		if c, _, ours := open(text, keys); ours || !reflect.DeepEqual(c, Claims{}) {
			t.Errorf("%s: %q gives %+v", what, text, c)
		}
	}
	for i := range len(text) {
		nothing("cut", text[:i])
		nothing("its end", text[i:][:len(text)-i-1])
		for _, c := range []byte("A_-9~= \n.") {
			if text[i] != c {
				nothing("changed", text[:i]+string(c)+text[i+1:])
			}
			nothing("longer", text[:i]+string(c)+text[i:])
		}
		nothing("one missing", text[:i]+text[i+1:])
		if halves := text[:i] + other[i:]; halves != text && halves != other {
			nothing("two halves", halves)
		}
	}
	for _, end := range []string{"=", "A", "AAAA", text, "\x00", "%3D"} {
		nothing("extended", text+end)
	}
	raw, _ := secret.Decode(text[len(AccessPrefix):])
	raw = raw[:len(raw)-4]
	if c, _, ours := open(checksummed(raw), keys); !ours || c.JTI == "" {
		t.Fatal("the test's own checksum is wrong")
	}
	// The checksum alone proves nothing: the same, with a checksum that fits.
	for i := range raw {
		nothing("cut with a checksum", checksummed(raw[:i]))
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			nothing("changed with a checksum", checksummed(changed))
		}
	}
	for i := range 16 {
		nothing("extended with a checksum", checksummed(append(bytes.Clone(raw), make([]byte, i+1)...)))
	}
	for _, prefix := range []string{RefreshPrefix, SessionPrefix, "dw_ak_", "DW_AT_", "dw_at-", ""} {
		nothing("of another kind", prefix+text[len(AccessPrefix):])
	}
	nothing("of a key that is gone", sealed(t, 3, full()))
	nothing("under another key's name", checksummed(append([]byte{1, 2, 0, 0, 0}, raw[5:]...)))
	for _, version := range []byte{0, 2, 255} {
		nothing("of another version", checksummed(append([]byte{version}, raw[1:]...)))
	}
	for _, kind := range []string{NewSession([32]byte{1}), func() string { w, _ := First(testKey(7), FamilyID{1}, [32]byte{9}); return w }()} {
		nothing("another kind", kind)
		nothing("another kind's body", AccessPrefix+kind[len(AccessPrefix):])
	}
	nothing("a megabyte", AccessPrefix+strings.Repeat("A", 1<<20))
}

func TestAnOpaqueTokenIsNeverTooLong(t *testing.T) {
	c := full()
	c.Scope = strings.Repeat("x", 7000)
	if text, err := seal(opaqueKey(1), c); err == nil {
		t.Errorf("a token of %d bytes, which nobody would read", len(text))
	}
}

// Whatever is in a box, it is read in one way or not at all.
func FuzzUnpack(f *testing.F) {
	f.Add(full().pack())
	f.Add([]byte{2, 2, 0, 'x', 6, 2, 0, 'y', 4, 1, 2, 5, 1, 1})
	f.Add([]byte{2, 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok := unpack(b)
		if !ok {
			return
		}
		again, ok := unpack(c.pack())
		if !ok || !reflect.DeepEqual(c, again) {
			t.Errorf("%x reads as %+v and then as %+v", b, c, again)
		}
	})
}

func FuzzOpaque(f *testing.F) {
	text := sealed(f, 1, full())
	f.Add(text)
	f.Add(text[:len(text)-1])
	f.Add(AccessPrefix)
	ring := &key.Ring{Opaque: []key.OpaqueKey{opaqueKey(1)}}
	f.Fuzz(func(t *testing.T, s string) {
		c, _, ours := Read(s, ring)
		if !ours {
			return
		}
		// Each process of a fuzz run seals its own; all of them seal this.
		rest := strings.TrimPrefix(s, AccessPrefix)
		if b, ok := secret.Decode(rest); !ok || secret.Encode(b) != rest || c.JTI != full().JTI || c.Rev != full().Rev {
			t.Errorf("SES-08: %q gives %+v", s, c)
		}
	})
}
