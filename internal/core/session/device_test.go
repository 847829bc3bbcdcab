package session

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/identity"
)

// A browser's cookie holds the marks of the last four people, each its own.
func TestMarks(t *testing.T) {
	var m Marks
	for n := byte(1); n <= 6; n++ {
		m = m.With([32]byte{n})
		if back := ParseMarks(m.String()); strings.Join(back, ".") != m.String() || len(m) != min(int(n), marksAtMost) || m[0] != secret.Encode(append([]byte{n}, make([]byte, 31)...)) {
			t.Errorf("after %d people: %v, read back %v", n, m, back)
		}
	}
	a, b := identity.UserID{1}, identity.UserID{2}
	if DeviceKey(a, m[0]) == DeviceKey(b, m[0]) || DeviceKey(a, m[0]) == DeviceKey(a, m[1]) {
		t.Error("two people, or two browsers, are one")
	}
}

func TestNamed(t *testing.T) {
	for agent, want := range map[string]string{
		"": "an app or a tool", "x": "x",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
		"evil.example/1.0": "an unknown browser", "Mozilla/5.0 (X11; Linux x86_64) http://evil.example/1.0": "X11 on Linux",
		"Your-account-is-locked-call-us-now/1.0": "an unknown browser",
	} {
		if got := Named(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
