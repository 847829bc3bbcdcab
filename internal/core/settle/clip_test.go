package settle

import (
	"testing"
	"unicode/utf8"
)

// What strangers write is kept as text of a line, and no longer than it may be.
func FuzzClip(f *testing.F) {
	f.Add("Mozilla/5.0", 256)
	f.Add("a\nlevel=ERROR\x1b[2J", 10)
	f.Add("\xff\xfe\u20ac", 4)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most &= 1023
		got := Clip(s, most)
		if len(got) > most || !utf8.ValidString(got) || Clip(got, most) != got {
			t.Errorf("%q clipped to %d is %q", s, most, got)
		}
		for _, r := range got {
			if r < ' ' || r == 0x7f {
				t.Errorf("%q keeps %q", s, r)
			}
		}
	})
}
