package cli_test

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// The doctor says a line for each thing it looks at, and what to do; a proxy
// that nobody trusts is found by what it sends.
func TestTheDoctor(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		r := s.CLI("", "doctor")
		if r.Code != 0 {
			t.Errorf("exit %d %s %s", r.Code, r.Stdout, r.Stderr)
		}
		for _, want := range []string{"✓ address", "sees itself", "✓ database", string(engine), "✓ clock", "✓ disk", "✓ keys", "✓ ledger", "! administrators", "Fix: doorward setup-link", "0 broken"} {
			if !strings.Contains(r.Stdout, want) {
				t.Errorf("%q is not in\n%s", want, r.Stdout)
			}
		}
		if shares := strings.Contains(r.Stdout, "! kek"); shares != (engine == rig.SQLite) {
			t.Errorf("the key beside the database: %v\n%s", shares, r.Stdout)
		}
		s.Browser().Try("GET", "/session", nil, "X-Forwarded-For", "203.0.113.9")
		r = s.CLI("", "doctor", "--json")
		if r.Code != 1 || !strings.Contains(r.Stdout, "127.0.0.1/32") || !strings.Contains(r.Stdout, `"ok":false`) {
			t.Errorf("with an unknown proxy: exit %d %s", r.Code, r.Stdout)
		}
	})
}
