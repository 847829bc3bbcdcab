package token

import (
	"strings"
	"testing"
)

// A typed user code is its eight letters, and nothing else is one (attack
// OAU-24).
func FuzzParseUserCode(f *testing.F) {
	for _, s := range []string{"WDJB-MJHT", "wdjb mjht", "WDJBMJHT", "WDJB-MJHA", "WDJB-MJH0", "ＷＤＪＢMJHT", "WDJB-MJH", "WDJB-MJHTT", "ſDJBMJHT", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := ParseUserCode(s)
		if !ok {
			return
		}
		plain := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
		if code != plain || len(code) != 8 || strings.Trim(code, userCodeLetters) != "" {
			t.Errorf("%q reads as %q", s, code)
		}
		if again, ok := ParseUserCode(ShowUserCode(code)); !ok || again != code {
			t.Errorf("%q is shown as another", code)
		}
	})
}

// A device code has one spelling.
func FuzzParseDeviceCode(f *testing.F) {
	f.Add(NewDeviceCode([32]byte{1}))
	f.Add(NewDeviceCode([32]byte{1}) + "=")
	f.Add("dw_dc_")
	f.Fuzz(func(t *testing.T, s string) {
		if b, ok := ParseDeviceCode(s); ok && NewDeviceCode([32]byte(b)) != s {
			t.Errorf("%q reads as a code that is written otherwise", s)
		}
	})
}
