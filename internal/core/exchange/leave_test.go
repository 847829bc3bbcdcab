package exchange_test

import (
	"testing"

	"github.com/doorward/doorward/internal/core/revocation"
)

// Attack OAU-07: people are sent back to pages of first-party applications
// alone, for as long as they are such.
func TestWhoseCanBeReturnedTo(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		for origin, want := range map[string]string{notesOrigin: "passed", shopOrigin: "passed", issuer: "passed", "https://partner.example.net": "return.registered",
			"https://paused.example.com": "return.registered", "https://evil.example": "return.registered", "": "return.registered", "null": "return.registered"} {
			c, err := r.Leave(t.Context(), origin)
			if got := named(err); got != want || c.Exists() != (err == nil) {
				t.Errorf("%q: %s as %q, want %s", origin, got, c.ID, want)
			}
		}
		entries := r.count(`select count(*) from ledger_open`)
		r.exec(`update clients set paused = 1 where id = 'notes'`)
		r.happen(t, r.loss(revocation.Changed, "notes"))
		if _, err := r.Leave(t.Context(), notesOrigin); named(err) != "return.registered" {
			t.Errorf("a paused application: %v", err)
		}
		if n := r.count(`select count(*) from ledger_open`); n != entries {
			t.Errorf("%d entries were written by looking", n-entries)
		}
		r.spy.blind.Store(true)
		_, err := r.Leave(t.Context(), "https://later.example.com")
		unavailable(t, "no store", nil, err)
	})
}
