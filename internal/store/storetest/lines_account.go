package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/token"
)

var accountLines = []line{
	{identity.Readdress{}, func(w world) steps {
		move := identity.Readdress{ID: w.ana, Guard: 0, Email: "New@Example.com", Address: w.address("new")}
		return steps{
			given: w.people(),
			unit:  revoking(move),
			read:  func(v core.View) any { return []identity.User{v.User(w.ana), v.UserByAddress(w.address("ana"))} },
			want: []identity.User{{ID: w.ana, Email: "New@Example.com", Address: w.address("new"), Name: "ana", Verified: true, State: identity.Active,
				Guard: 1, Cut: w.base + 1, Created: at}, {}},
			lost: []core.Unit{
				revoking(move), // judged before the first
				revoking(with(move, func(m *identity.Readdress) { m.Guard, m.Address = 1, w.address("ben") })), // another's
				revoking(with(move, func(m *identity.Readdress) { m.ID = w.id(9) })),
			}}
	}},
	{token.VoidLater{}, func(w world) steps {
		first, second := w.offer(w.id(20), 40, 41), w.offer(w.id(21), 43, 42)
		first.Rev, second.Rev = 7, 8
		void := token.VoidLater{Use: token.ForRecovery, User: w.ana, Rev: 7, At: at.Add(time.Minute)}
		return steps{
			given: core.Unit{first, second},
			unit:  core.Unit{void},
			read:  func(v core.View) any { return []token.Once{v.Once(w.id(20)), v.Once(w.id(21))} },
			want:  []token.Once{offered(first), with(offered(second), func(o *token.Once) { o.Spent = at.Add(time.Minute) })},
			still: []core.Unit{
				{with(void, func(v *token.VoidLater) { v.At = at.Add(time.Hour) })}, // keeps its first end
				{with(void, func(v *token.VoidLater) { v.Rev, v.User = 0, w.ben })},
				{with(void, func(v *token.VoidLater) { v.Rev, v.Use = 0, token.ForSignUp })},
			}}
	}},
}
