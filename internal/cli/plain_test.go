package cli

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// What strangers chose never commands a terminal.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"Ana Žižka", "\x1b[2J", "a\rb", "\u202eevil", "\u009b31m", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := plain(s)
		for _, r := range got {
			if r != ' ' && r != utf8.RuneError && !unicode.IsPrint(r) {
				t.Errorf("%q shows %q", s, r)
			}
		}
		if plain(got) != got || utf8.RuneCountInString(got) != utf8.RuneCountInString(s) {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}
