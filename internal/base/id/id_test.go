package id

import (
	"testing"
	"time"
)

type thing struct{}

func (thing) Prefix() string { return "thing" }

type other struct{}

func (other) Prefix() string { return "other" }

func TestTextHasOneSpelling(t *testing.T) {
	i := New[thing](time.UnixMilli(1_760_000_000_123), [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	s := i.String()
	if back, err := Parse[thing](s); err != nil || back != i {
		t.Fatalf("Parse(%q) = %v, %v", s, back, err)
	}
	last := s[:len(s)-1]
	for _, bad := range []string{"", s + "0", s[1:], "other" + s[5:], "THING" + s[5:], last + "z", "thing-" + s[6:], s[:6] + "\n" + s[7:]} {
		if bad == s {
			continue
		}
		if _, err := Parse[thing](bad); err == nil {
			t.Errorf("Parse(%q) was accepted beside %q", bad, s)
		}
	}
	if _, err := Parse[other](s); err == nil {
		t.Error("an identifier of one kind was read as another")
	}
}

func TestLaterSortsLater(t *testing.T) {
	at := time.UnixMilli(1_760_000_000_000)
	full := [16]byte{}
	for i := range full {
		full[i] = 0xff
	}
	a, b := New[thing](at, full), New[thing](at.Add(time.Millisecond), [16]byte{})
	if string(a[:]) >= string(b[:]) || a.String() >= b.String() {
		t.Errorf("%v does not sort before %v", a, b)
	}
	if !a.Time().Equal(at) {
		t.Errorf("%v was made at %v, not %v", a, a.Time(), at)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("thing_" + "01k0000000000000000000000")
	f.Add(New[thing](time.UnixMilli(1), [16]byte{9}).String())
	f.Fuzz(func(t *testing.T, s string) {
		if i, err := Parse[thing](s); err == nil && i.String() != s {
			t.Errorf("%q and %q are one identifier", s, i.String())
		}
	})
}
