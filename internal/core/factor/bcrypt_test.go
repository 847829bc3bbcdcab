package factor

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func bcryptOf(t *testing.T, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func TestAnImportedBcryptHash(t *testing.T) {
	h := bcryptOf(t, "seven green bottles")
	for _, spelling := range []string{h, "$2b$" + h[4:], "$2y$" + h[4:]} {
		if !Verifiable(spelling) {
			t.Errorf("%.7s is refused", spelling)
		}
		if ok, rehash, err := Verify("seven green bottles", spelling); !ok || !rehash || err != nil {
			t.Errorf("%.7s: the password fits %v, is kept anew %v, %v", spelling, ok, rehash, err)
		}
		if ok, _, _ := Verify("seven green bottle", spelling); ok {
			t.Errorf("%.7s: another password fits", spelling)
		}
	}
}

// MFA-22: bcrypt stops reading at 72 bytes, so a longer password never fits,
// not even the one whose beginning was hashed.
func TestMFA22BeyondWhatBcryptReads(t *testing.T) {
	long := strings.Repeat("é", 36) // 72 bytes
	h := bcryptOf(t, long)
	if ok, _, _ := Verify(long, h); !ok {
		t.Error("a password of 72 bytes does not fit its own hash")
	}
	for _, other := range []string{long + "x", long + "and another end", long[:70]} {
		if ok, _, _ := Verify(other, h); ok {
			t.Errorf("a password of %d bytes fits the hash of another", len(other))
		}
	}
	if ok, _, _ := Verify("a\x00b", bcryptOf(t, "a")); ok {
		t.Error("a password with NUL fits")
	}
}

func TestHashesThatAreNotTaken(t *testing.T) {
	h := bcryptOf(t, "x")
	for what, phc := range map[string]string{
		"nothing": "", "a cost of minutes": h[:4] + "31" + h[6:], "a cost that is no number": h[:4] + "+4" + h[6:], "another version": "$2x$" + h[4:],
		"cut": h[:59], "longer": h + "a", "a stranger's letters": h[:59] + "!", "md5": "$1$abc$abcdefghijklmnopqrstu", "plain": "seven green bottles",
		"argon2i": "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	} {
		if Verifiable(phc) {
			t.Errorf("%s is taken: %s", what, phc)
		}
		if ok, _, err := Verify("x", phc); ok || err == nil {
			t.Errorf("%s: compared", what)
		}
	}
}

func FuzzVerifiable(f *testing.F) {
	f.Add("$2b$12$" + strings.Repeat("a", 53))
	f.Add(Dummy())
	f.Fuzz(func(t *testing.T, phc string) {
		if Verifiable(phc) && len(phc) > 256 {
			t.Errorf("a hash of %d bytes", len(phc))
		}
	})
}
