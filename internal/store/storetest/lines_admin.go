package storetest

import (
	"fmt"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
)

// administrators are Ana and Ben with the role.
func (w world) administrators() core.Unit {
	lift := func(c *identity.Create) { c.Admin = true }
	return core.Unit{with(w.person(w.ana, "ana"), lift), with(w.person(w.ben, "ben"), lift)}
}

func roleOf(id identity.UserID) func(core.View) any {
	return func(v core.View) any { u := v.User(id); return fmt.Sprint(u.Admin, u.Guard) }
}

var adminLines = []line{
	{identity.Describe{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{identity.Describe{ID: w.ana, Guard: 0, Name: "Ana Ruiz", Verified: true}},
			read:  func(v core.View) any { u := v.User(w.ana); return fmt.Sprint(u.Name, u.Verified, u.Guard) },
			want:  fmt.Sprint("Ana Ruiz", true, 1),
			lost: []core.Unit{
				{identity.Describe{ID: w.ana, Guard: 0, Name: "x"}},
				{identity.Describe{ID: w.id(9), Guard: 0, Name: "x"}},
			}}
	}},
	{identity.Appoint{}, func(w world) steps {
		return steps{
			given: append(w.people(), revocation.Next{}, identity.Pause{ID: w.ben}),
			unit:  core.Unit{identity.Appoint{ID: w.ana, Guard: 0}},
			read:  roleOf(w.ana),
			want:  fmt.Sprint(true, 1),
			lost: []core.Unit{
				{identity.Appoint{ID: w.ana, Guard: 0}},
				{identity.Appoint{ID: w.ana, Guard: 1}}, // is one already
				{identity.Appoint{ID: w.ben, Guard: 1}}, // paused
				{identity.Appoint{ID: w.id(9)}},
			}}
	}},
	{identity.Dismiss{}, func(w world) steps {
		return steps{
			given: w.administrators(),
			unit:  revoking(identity.Dismiss{ID: w.ana, Guard: 0}),
			read:  roleOf(w.ana),
			want:  fmt.Sprint(false, 1),
			lost: []core.Unit{
				revoking(identity.Dismiss{ID: w.ana, Guard: 1}), // is none any more
				revoking(identity.Dismiss{ID: w.ben, Guard: 1}),
				revoking(identity.Dismiss{ID: w.id(9)}),
			}}
	}},
}

// lastAdministrator holds that two who dismiss each other at the same moment
// leave one of them, and that a paused one counts for nothing.
func lastAdministrator(t *testing.T, s core.Store) {
	warm(t, s)
	w := newWorld(1, 0)
	commit(t, s, w.administrators())
	for round := range 20 {
		guard := func(id identity.UserID) uint64 {
			return read(t, s, func(v core.View) uint64 { return v.User(id).Guard })
		}
		guards := [2]uint64{guard(w.ana), guard(w.ben)}
		won, lost := contest(t, s, 2, func(i int) core.Unit {
			return revoking(identity.Dismiss{ID: [2]identity.UserID{w.ana, w.ben}[i], Guard: guards[i]})
		})
		if left := read(t, s, core.View.Administrators); won != 1 || lost != 1 || left != 1 {
			t.Fatalf("round %d: %d won, %d lost, %d are left", round, won, lost, left)
		}
		for _, id := range []identity.UserID{w.ana, w.ben} {
			if !read(t, s, func(v core.View) bool { return v.User(id).Admin }) {
				commit(t, s, core.Unit{identity.Appoint{ID: id, Guard: guard(id)}})
			}
		}
	}
	ana := read(t, s, func(v core.View) identity.User { return v.User(w.ana) })
	ben := read(t, s, func(v core.View) identity.User { return v.User(w.ben) })
	commit(t, s, revoking(identity.Pause{ID: w.ben, Guard: ben.Guard}))
	last := identity.Dismiss{ID: w.ana, Guard: ana.Guard}
	loses(t, s, revoking(last), last, w.everything)
}
