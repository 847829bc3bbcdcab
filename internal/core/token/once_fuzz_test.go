package token

import (
	"strings"
	"testing"
)

// A link has one spelling.
func FuzzParseLink(f *testing.F) {
	f.Add(NewLink([32]byte{1}))
	f.Add(NewLink([32]byte{1}) + "=")
	f.Add(strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, s string) {
		b, ok := ParseLink(s)
		if !ok {
			return
		}
		if NewLink([32]byte(b)) != s {
			t.Errorf("%q reads as a link that is written otherwise", s)
		}
	})
}

// A typed code is its eight digits, and nothing else is one (attack MFA-01).
func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"12345678", "1234 5678", "1234-5678", " 12345678", "１２３４５６７８", "+12345678", "012345678", "1234567", "1e345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := ParseCode(s)
		if !ok {
			return
		}
		if again, same := ParseCode(code); len(code) != CodeDigits || !same || again != code || strings.Trim(s, "0123456789 -") != "" {
			t.Errorf("%q is the code %q", s, code)
		}
	})
}
