package api

import (
	"testing"

	"github.com/doorward/doorward/internal/core/check"
)

// Whatever refuses a token or a session, there is something to do about it.
func TestEveryCheckOfATokenHasAFix(t *testing.T) {
	n := 0
	for _, e := range check.Exchanges() {
		if e.Name == "token.present" || e.Name == "token.present_refresh" || e.Name == "session.present" {
			for _, c := range e.Checks {
				n++
				if fixes[c.ID] == "" {
					t.Errorf("%s has no fix", c.ID)
				}
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d checks", n)
	}
	for id := range fixes {
		if check.Named(id) == nil {
			t.Errorf("a fix for %s, which is no check", id)
		}
	}
}
