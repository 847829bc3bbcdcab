package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/token"
)

// A principal has fifty requests a second; the next is told how long to wait.
// The bounds of an administrator's session hold to the microsecond.
func TestAnAdministratorsSession(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		if _, err := r.store.Commit(t.Context(), core.Unit{identity.Appoint{ID: p.id}}); err != nil {
			t.Fatal(err)
		}
		in := r.signIn(t, p)
		for range 50 {
			if who, err := r.Administer(t.Context(), home, token.Alone(in.Access), true); err != nil || who.Actor != p.id.String() {
				t.Fatal(who, err)
			}
		}
		_, err := r.Administer(t.Context(), home, token.Alone(in.Access), false)
		if e := refused(t, err, "limit.admin"); e.RetryAfter <= 0 {
			t.Error("it does not say when to come again")
		}
		text := in.Refresh
		access := func(after time.Duration) string {
			t.Helper()
			r.clock.add(after)
			next := r.refresh(t, text)
			text = next.Refresh
			return next.Access
		}
		a := access(10 * time.Minute)
		if _, err := r.Administer(t.Context(), home, token.Alone(a), true); err != nil {
			t.Errorf("a change ten minutes after the proof: %v", err)
		}
		a = access(time.Microsecond)
		_, err = r.Administer(t.Context(), home, token.Alone(a), true)
		refused(t, err, "session.fresh")
		if _, err := r.Administer(t.Context(), home, token.Alone(a), false); err != nil {
			t.Errorf("a look: %v", err)
		}
		a = access(15 * time.Minute)
		if _, err := r.Administer(t.Context(), home, token.Alone(a), false); err != nil {
			t.Errorf("after fifteen minutes without use: %v", err)
		}
		a = access(15*time.Minute + time.Microsecond)
		_, err = r.Administer(t.Context(), home, token.Alone(a), false)
		refused(t, err, "admin.recent")

		in = r.signIn(t, p)
		text = in.Refresh
		for range 34 { // 14 minutes each: 7 h 56 m
			a = access(14 * time.Minute)
			if _, err := r.Administer(t.Context(), home, token.Alone(a), false); err != nil {
				t.Fatal(err)
			}
		}
		a = access(4*time.Minute + time.Microsecond)
		_, err = r.Administer(t.Context(), home, token.Alone(a), false)
		refused(t, err, "admin.recent")
	})
}
