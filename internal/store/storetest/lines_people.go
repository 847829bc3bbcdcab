package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
)

// standing is what pausing and cutting change of a person, and what a view
// says of having read them.
type standing struct {
	State      identity.State
	Guard, Cut uint64
	Seen       uint64
}

func standingOf(id identity.UserID) func(core.View) any {
	return func(v core.View) any {
		u := v.User(id)
		return standing{u.State, u.Guard, u.Cut, v.Cut()}
	}
}

func passwordOf(id identity.UserID) func(core.View) any {
	return func(v core.View) any { return v.Password(id) }
}

var peopleLines = []line{
	{identity.Create{}, func(w world) steps {
		return steps{
			unit: core.Unit{identity.Create{ID: w.ana, Email: "Ana@Example.com", Address: w.address("ana"), Name: "Ana Žižka", Verified: true, Admin: true, Created: at}},
			read: func(v core.View) any { return v.UserByAddress(w.address("ana")) },
			want: identity.User{ID: w.ana, Email: "Ana@Example.com", Address: w.address("ana"), Name: "Ana Žižka", Verified: true, Admin: true, State: identity.Active, Created: at},
			lost: []core.Unit{
				{w.person(w.ana, "another address")},
				{w.person(w.ben, "ana")}, // another person, the same address
			}}
	}},
	{identity.Pause{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  revoking(identity.Pause{ID: w.ana, Guard: 0}),
			read:  standingOf(w.ana),
			want:  standing{identity.Paused, 1, w.base + 1, w.base + 1},
			lost: []core.Unit{
				revoking(identity.Pause{ID: w.ana, Guard: 0}), // judged before the first
				revoking(identity.Pause{ID: w.ana, Guard: 1}), // paused already
				revoking(identity.Pause{ID: w.ben, Guard: 1}), // a guard that never was
				revoking(identity.Pause{ID: w.id(9)}),
			}}
	}},
	{identity.Restore{}, func(w world) steps {
		return steps{
			given: append(w.people(), revocation.Next{}, identity.Pause{ID: w.ana}),
			unit:  core.Unit{identity.Restore{ID: w.ana, Guard: 1}},
			read:  standingOf(w.ana),
			want:  standing{identity.Active, 2, w.base + 1, w.base + 1}, // what the pause cut stays cut
			lost: []core.Unit{
				{identity.Restore{ID: w.ana, Guard: 1}},
				{identity.Restore{ID: w.ana, Guard: 2}}, // not paused
				{identity.Restore{ID: w.ben, Guard: 0}},
				{identity.Restore{ID: w.id(9)}},
			}}
	}},
	{identity.Cut{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  revoking(identity.Cut{ID: w.ana, Guard: 0}),
			read:  standingOf(w.ana),
			want:  standing{identity.Active, 1, w.base + 1, w.base + 1},
			lost: []core.Unit{
				revoking(identity.Cut{ID: w.ana, Guard: 0}),
				revoking(identity.Cut{ID: w.ana, Guard: 2}),
				revoking(identity.Cut{ID: w.id(9)}),
			}}
	}},
	{factor.Enrol{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{factor.Enrol{User: w.ben, PHC: "$argon2id$…", Changed: at}},
			read:  passwordOf(w.ben),
			want:  factor.Password{User: w.ben, PHC: "$argon2id$…", Version: 1, Changed: at},
			lost: []core.Unit{
				{factor.Enrol{User: w.ben, PHC: "second"}},
				{factor.Enrol{User: w.id(9), PHC: "of nobody"}},
			}}
	}},
	{factor.Use{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{factor.Use{User: w.ana, Version: 1, At: at}},
			lost: []core.Unit{
				{factor.Use{User: w.ana, Version: 0, At: at}},
				{factor.Use{User: w.ana, Version: 2, At: at}},
				{factor.Use{User: w.ben, Version: 1, At: at}}, // has none
			}}
	}},
	{factor.Rehash{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{factor.Rehash{User: w.ana, Version: 1, PHC: "stronger"}},
			read:  passwordOf(w.ana),
			want:  factor.Password{User: w.ana, PHC: "stronger", Version: 1, Changed: at},
			lost: []core.Unit{
				{factor.Rehash{User: w.ana, Version: 0, PHC: "x"}},
				{factor.Rehash{User: w.ana, Version: 2, PHC: "x"}},
				{factor.Rehash{User: w.ben, Version: 1, PHC: "x"}},
			}}
	}},
	{factor.Replace{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{factor.Replace{User: w.ana, Version: 1, PHC: "second", Changed: at.Add(time.Hour)}},
			read:  passwordOf(w.ana),
			want:  factor.Password{User: w.ana, PHC: "second", Version: 2, Changed: at.Add(time.Hour)},
			lost: []core.Unit{
				{factor.Replace{User: w.ana, Version: 1, PHC: "x"}}, // the one that was replaced
				{factor.Replace{User: w.ana, Version: 3, PHC: "x"}},
				{factor.Replace{User: w.ben, Version: 1, PHC: "x"}},
			}}
	}},
}
