package storetest

import (
	"errors"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// strange is a write that no store knows.
type strange struct{ core.Write }

// whole holds that a unit is applied whole or not at all, in whatever order
// it was written down.
func whole(t *testing.T, s core.Store) {
	w := newWorld(1, 0)
	commit(t, s, w.signedIn())
	other := newWorld(2, 0)
	nobody := session.Finish{ID: w.id(9), At: at}
	taken := with(other.person(other.ben, "ben"), func(c *identity.Create) { c.Address = w.address("ana") })
	for name, c := range map[string]struct {
		unit core.Unit
		at   core.Write
	}{
		"the third finds no row":        {core.Unit{w.application("x"), other.person(other.ana, "ana"), nobody}, nobody},
		"the third meets a unique key":  {core.Unit{w.application("x"), other.person(other.ana, "ana"), taken}, taken},
		"the third has no parent":       {core.Unit{w.application("x"), other.person(other.ana, "ana"), factor.Enrol{User: w.id(9)}}, factor.Enrol{User: w.id(9)}},
		"a revoking one takes no place": {revoking(identity.Pause{ID: w.ana}, revoke(revocation.User, "ana"), nobody), nobody},
		"the first, and the rest could": {core.Unit{identity.Restore{ID: w.ana}, w.application("x"), key.Add{Purpose: key.Form}}, identity.Restore{ID: w.ana}},
	} {
		t.Run(name, func(t *testing.T) {
			see := func(v core.View) any { return []any{w.everything(v), other.everything(v)} }
			loses(t, s, c.unit, c.at, see)
		})
	}
	t.Run("children before parents", func(t *testing.T) {
		commit(t, s, core.Unit{other.open(other.family), other.start(other.laptop, 1), factor.Enrol{User: other.ana, PHC: "x"}, other.person(other.ana, "ana")})
		same(t, "the family", read(t, s, familyAt(other.family)), opened(other.open(other.family)))
	})
	t.Run("one row twice", func(t *testing.T) {
		commit(t, s, core.Unit{token.Advance{ID: w.family, From: 0, Next: w.hash(20)}, token.Advance{ID: w.family, From: 1, Next: w.hash(19)}})
		got := read(t, s, func(v core.View) token.Family { return v.Family(w.family) })
		if got.Generation != 2 || got.Current != w.hash(19) {
			t.Errorf("generation %d, current %x", got.Generation, got.Current)
		}
	})
	t.Run("nothing to do", func(t *testing.T) {
		if r, err := s.Commit(waiting(t), nil); err != nil || r != (core.Receipt{}) {
			t.Errorf("Commit(nil) = %v, %v", r, err)
		}
	})
	t.Run("a write that nobody knows", func(t *testing.T) {
		before := read(t, s, w.everything)
		_, err := s.Commit(waiting(t), revoking(w.application("y"), strange{}))
		if lost := (*core.Lost)(nil); err == nil || errors.As(err, &lost) || errors.Is(err, core.ErrUnavailable) {
			t.Errorf("Commit: %v, want an error that no retry would mend", err)
		}
		same(t, "afterwards", read(t, s, w.everything), before)
	})
}
