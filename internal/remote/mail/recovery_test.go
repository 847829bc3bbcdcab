package mail

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/outbox"
)

// Each mail about keeping and losing an account says what it is for.
func TestTheMailsOfRecovery(t *testing.T) {
	for kind, want := range map[outbox.Kind][]string{
		outbox.Recover:         {"Ben started this", "1234 5678", "https://auth.example.com/not-me/Q7", "22 November 2026, 16:02 UTC"},
		outbox.NoAccount:       {"There is none"},
		outbox.Recovered:       {"203.0.113.88", "Browsers that were signed out: 3"},
		outbox.PasswordChanged: {"22 November 2026, 15:02 UTC", "203.0.113.88"},
	} {
		m, err := words.Render(full(kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(m.Text, w) {
				t.Errorf("%v does not say %q:\n%s", kind, w, m.Text)
			}
		}
	}
}
