package factor

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

var salt = []byte("0123456789abcdef")

// cheap is a hash that costs next to nothing, for tests of everything else.
func cheap(password string) string {
	h := stored{cost: cost{memory: 8, passes: 1, lanes: 1}, salt: salt}
	h.tag = h.derive(password, tagSize)
	return h.String()
}

// Made with the reference implementation in C (through argon2-cffi), from this
// password and salt.
const reference = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0"

func TestHashIsTheReferenceHash(t *testing.T) {
	if got := Hash("correct horse battery staple", salt); got != reference {
		t.Errorf("got %s, want %s", got, reference)
	}
}

func TestVerify(t *testing.T) {
	for _, try := range []struct {
		name, password, phc string
		ok, rehash          bool
	}{
		{"right", "correct horse battery staple", reference, true, false},
		{"wrong", "correct horse battery stapl", reference, false, false},
		{"empty", "", reference, false, false},
		{"right, old cost", "hunter22", cheap("hunter22"), true, true},
		{"wrong, old cost", "hunter23", cheap("hunter22"), false, false},
		{"too long to have been set", strings.Repeat("a", MaxPasswordBytes+1), cheap(strings.Repeat("a", MaxPasswordBytes+1)), false, false},
		{"too long is not empty", strings.Repeat("a", MaxPasswordBytes+1), cheap(""), false, false},
		{"not text is not empty", "\xff", cheap(""), false, false},
		{"holds a NUL", "hunter22\x00", cheap("hunter22\x00"), false, false},
	} {
		ok, rehash, err := Verify(try.password, try.phc)
		if err != nil || ok != try.ok || rehash != try.rehash {
			t.Errorf("%s: ok %v, rehash %v, %v", try.name, ok, rehash, err)
		}
	}
}

// PW-02: the keyboard decides whether an accent is one code point or two; the
// person typed the same password.
func TestComposedAndDecomposedAreOnePassword(t *testing.T) {
	composed, decomposed := "caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301"
	if composed == decomposed {
		t.Fatal("the same bytes prove nothing")
	}
	if Hash(composed, salt) != Hash(decomposed, salt) {
		t.Error("hashed differently")
	}
	if ok, _, err := Verify(decomposed, cheap(composed)); !ok || err != nil {
		t.Errorf("decomposed against composed: %v, %v", ok, err)
	}
	if ok, _, _ := Verify("CAFÉ CAFÉ CAFÉ", cheap(composed)); ok {
		t.Error("case does not count")
	}
}

// PW-02: nothing is cut off, as bcrypt does at 72 bytes.
// Attack MFA-22.
func TestTheLastByteCounts(t *testing.T) {
	long := strings.Repeat("0123456789", 25) + "abcdef" // 256
	phc := cheap(long)
	if ok, _, _ := Verify(long, phc); !ok {
		t.Error("256 code points are too many")
	}
	if ok, _, _ := Verify(long[:255]+"g", phc); ok {
		t.Error("the last byte does not count")
	}
}

func TestStoredHashesWeRefuse(t *testing.T) {
	const salt, tag = "MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
	phc := func(params string) string { return "$argon2id$v=19$" + params + "$" + salt + "$" + tag }
	if _, err := parse(phc("m=19456,t=2,p=1")); err != nil {
		t.Fatalf("the pattern of all: %v", err)
	}
	if _, err := parse(phc("m=102400,t=2,p=8")); err != nil {
		t.Fatalf("a common import: %v", err)
	}
	for name, bad := range map[string]string{
		"nothing":               "",
		"clear text":            "hunter2",
		"bcrypt, cut":           "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMU",
		"argon2i":               strings.Replace(phc("m=19456,t=2,p=1"), "argon2id", "argon2i", 1),
		"argon2d":               strings.Replace(phc("m=19456,t=2,p=1"), "argon2id", "argon2d", 1),
		"version 16":            strings.Replace(phc("m=19456,t=2,p=1"), "v=19", "v=16", 1),
		"no version":            strings.Replace(phc("m=19456,t=2,p=1"), "$v=19", "", 1),
		"4 GiB":                 phc("m=4194304,t=2,p=1"),
		"a KiB over the bound":  phc("m=131073,t=1,p=1"),
		"most and many passes":  phc("m=131072,t=10,p=1"),
		"11 passes":             phc("m=8192,t=11,p=1"),
		"no pass":               phc("m=19456,t=0,p=1"),
		"no lane":               phc("m=19456,t=2,p=0"),
		"255 lanes":             phc("m=19456,t=2,p=255"),
		"256 lanes, 0 in uint8": phc("m=19456,t=2,p=256"),
		"too little a lane":     phc("m=63,t=2,p=8"),
		"over 32 bits":          phc("m=4294986752,t=2,p=1"),
		"negative":              phc("m=-19456,t=2,p=1"),
		"plus sign":             phc("m=+19456,t=2,p=1"),
		"leading zero":          phc("m=019456,t=2,p=1"),
		"hexadecimal":           phc("m=0x4c00,t=2,p=1"),
		"another order":         phc("t=2,m=19456,p=1"),
		"p twice":               phc("m=19456,t=2,p=1,p=1"),
		"key id":                phc("m=19456,t=2,p=1,keyid=abc"),
		"space":                 phc("m=19456, t=2,p=1"),
		"no p":                  phc("m=19456,t=2"),
		"padding":               phc("m=19456,t=2,p=1") + "=",
		"sixth field":           phc("m=19456,t=2,p=1") + "$",
		"line break":            phc("m=19456,t=2,p=1") + "\n",
		"stray bits":            strings.TrimSuffix(phc("m=19456,t=2,p=1"), "Y") + "Z",
		"no tag":                "$argon2id$v=19$m=19456,t=2,p=1$" + salt,
		"empty tag":             "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$",
		"short tag":             "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$MDEy",
		"long tag":              "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 4096),
		"empty salt":            "$argon2id$v=19$m=19456,t=2,p=1$$" + tag,
		"long salt":             "$argon2id$v=19$m=19456,t=2,p=1$" + strings.Repeat("A", 4096) + "$" + tag,
	} {
		ok, rehash, err := Verify("hunter2", bad)
		if !errors.Is(err, ErrHash) || ok || rehash {
			t.Errorf("%s: ok %v, rehash %v, %v", name, ok, rehash, err)
		}
	}
}

// ENM-02: an unknown person costs what a known one costs.
func TestDummyCostsTheSameAndFitsNothing(t *testing.T) {
	ours, err := parse(Hash("anything at all", salt))
	if err != nil {
		t.Fatal(err)
	}
	dummy, err := parse(Dummy())
	if err != nil {
		t.Fatal(err)
	}
	if dummy.cost != ours.cost || len(dummy.salt) != len(ours.salt) || len(dummy.tag) != len(ours.tag) {
		t.Errorf("dummy %+v is unlike a hash of ours %+v", dummy.cost, ours.cost)
	}
	if Dummy() != Dummy() {
		t.Error("it changes")
	}
	for _, guess := range []string{"", "doorward", "password"} {
		if ok, _, err := Verify(guess, Dummy()); ok || err != nil {
			t.Errorf("%q: %v, %v", guess, ok, err)
		}
	}
}

// A password that nobody judged must not become the empty one.
func TestHashOfNoTextFitsNothing(t *testing.T) {
	for _, bad := range []string{"\xff", "a\x00", strings.Repeat("a", MaxPasswordBytes+1)} {
		for _, guess := range []string{"", bad} {
			if ok, _, err := Verify(guess, Hash(bad, salt)); ok || err != nil {
				t.Errorf("%q against the hash of %.5q: %v, %v", guess, bad, ok, err)
			}
		}
	}
}

func TestSaltOfAnotherSizePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("hashed without a proper salt")
		}
	}()
	Hash("correct horse battery staple", salt[:8])
}

// What is taken is within the bounds and has one spelling.
func FuzzParsePHC(f *testing.F) {
	f.Add(Dummy())
	f.Add(cheap("hunter22"))
	f.Add("$argon2id$v=19$m=131072,t=4,p=8$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, phc string) {
		h, err := parse(phc)
		if err != nil {
			if h.salt != nil || h.tag != nil {
				t.Fatalf("refused %q, yet gave %+v", phc, h)
			}
			return
		}
		if h.memory < 8 || h.memory > 128<<10 || h.passes < 1 || h.passes > 10 || h.lanes < 1 || h.lanes > 8 ||
			h.memory*h.passes > 512<<10 || len(h.salt) > 64 || len(h.tag) > 64 {
			t.Fatalf("took %+v out of bounds", h)
		}
		if h.String() != phc {
			t.Fatalf("%q is another spelling of %q", phc, h.String())
		}
		again, err := parse(h.String())
		if err != nil || !bytes.Equal(again.tag, h.tag) {
			t.Fatalf("not read back: %v", err)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Hash("correct horse battery staple", salt)
		}
	})
	b.Run("every core", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				Hash("correct horse battery staple", salt)
			}
		})
	})
}
