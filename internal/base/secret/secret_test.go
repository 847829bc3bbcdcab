package secret

import (
	"bytes"
	"regexp"
	"testing"
)

func TestHashSeparatesPurposesAndParts(t *testing.T) {
	k := []byte("0123456789abcdef0123456789abcdef")
	if Hash("session", []byte("x")) == Hash("refresh", []byte("x")) {
		t.Error("one secret hashes alike for two purposes")
	}
	if MAC(k, "p", []byte("ab"), []byte("c")) == MAC(k, "p", []byte("a"), []byte("bc")) {
		t.Error("moving a byte between parts gives the same MAC")
	}
}

func TestDecodeHasOneSpelling(t *testing.T) {
	for _, bad := range []string{"QR", "QQ==", "Q\nQ", "QQ\n", "Q+", "Q/", " QQ", "Q"} {
		if _, ok := Decode(bad); ok {
			t.Errorf("Decode(%q) was accepted", bad)
		}
	}
	if b, ok := Decode("QQ"); !ok || string(b) != "A" {
		t.Errorf("Decode(QQ) = %q, %v", b, ok)
	}
}

func TestSealedBoxOpensOnlyInItsPlace(t *testing.T) {
	a := Random()
	s, err := NewSealer(a[:])
	if err != nil {
		t.Fatal(err)
	}
	box := s.Seal("keys/1", []byte("private"))
	if plain, err := s.Open("keys/1", box); err != nil || string(plain) != "private" {
		t.Fatalf("Open = %q, %v", plain, err)
	}
	if bytes.Contains(box, []byte("private")) {
		t.Error("the box shows what is in it")
	}
	b := Random()
	wrong, _ := NewSealer(b[:])
	if _, err := wrong.Open("keys/1", box); err == nil {
		t.Error("another key opened the box")
	}
	if _, err := s.Open("keys/2", box); err == nil {
		t.Error("the box opened in another place")
	}
	box[len(box)-1] ^= 1
	if _, err := s.Open("keys/1", box); err == nil {
		t.Error("a changed box opened")
	}
}

func TestRefIsReadable(t *testing.T) {
	form := regexp.MustCompile(`^[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{2}$`)
	for range 200 {
		if r := Ref(); !form.MatchString(r) {
			t.Fatalf("Ref() = %q", r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("QQ")
	f.Fuzz(func(t *testing.T, s string) {
		if b, ok := Decode(s); ok && Encode(b) != s {
			t.Errorf("%q and %q are one secret", s, Encode(b))
		}
	})
}

// A box opens in its place and to what was put in, or not at all.
func FuzzOpen(f *testing.F) {
	key := Random()
	b, err := NewBox(key[:])
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("bound"), []byte("plain"), []byte("other"), 0)
	f.Add([]byte{}, []byte{}, []byte{}, 40)
	f.Fuzz(func(t *testing.T, bound, plain, junk []byte, at int) {
		if got, err := b.Open(bound, junk); err == nil {
			t.Errorf("%x opens to %x", junk, got)
		}
		box := b.Seal(nil, bound, plain)
		if got, err := b.Open(bound, box); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%x came back as %x, %v", plain, got, err)
		}
		box[uint(at)%uint(len(box))] ^= 1
		if _, err := b.Open(bound, box); err == nil {
			t.Error("a changed box opens")
		}
		box[uint(at)%uint(len(box))] ^= 1
		if _, err := b.Open(append(bound, 1), box); err == nil {
			t.Error("a box opens in another place")
		}
	})
}
