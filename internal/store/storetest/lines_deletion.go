package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// leavingAt is when Ana's account is to be deleted.
var leavingAt = at.Add(7 * 24 * time.Hour)

// leaves says whether a person is listed for deletion at an instant.
func (w world) leaves(v core.View, now time.Time) bool {
	return slices.ContainsFunc(v.Leaving(now, plenty), func(u identity.User) bool { return u.ID == w.ana })
}

func (w world) delete() identity.Delete {
	return identity.Delete{ID: w.ana, Guard: 0, Gone: identity.Gone(w.ana), At: at}
}

// deleted are people of whom Ana's account was deleted, with what hung on it.
func (w world) deleted() core.Unit {
	ben := with(w.start(w.id(20), 9), func(s *session.Start) { s.User = w.ben })
	bare := with(w.start(w.id(22), 8), func(s *session.Start) { s.User = w.ben })
	his := with(w.open(w.id(7)), func(o *token.Open) { o.User, o.Session = w.ben, w.id(20) })
	return append(w.signedIn(), revoking(w.delete(), ben, bare, his)...)
}

var deletionLines = []line{
	{identity.Schedule{}, func(w world) steps {
		of := identity.Schedule{ID: w.ana, Guard: 0, At: leavingAt}
		return steps{
			given: w.people(),
			unit:  core.Unit{of},
			read: func(v core.View) any {
				return []any{v.User(w.ana).DeleteAt, v.User(w.ana).Guard, w.leaves(v, leavingAt.Add(-time.Microsecond)), w.leaves(v, leavingAt)}
			},
			want: []any{leavingAt, uint64(1), false, true},
			lost: []core.Unit{
				{of}, // judged before the first
				{with(of, func(s *identity.Schedule) { s.ID = w.id(9) })},
				{identity.Schedule{ID: w.ben, Guard: 1, At: leavingAt}},
			}}
	}},
	{identity.Keep{}, func(w world) steps {
		return steps{
			given: append(w.people(), identity.Schedule{ID: w.ana, Guard: 0, At: leavingAt}),
			unit:  core.Unit{identity.Keep{ID: w.ana, Guard: 1}},
			read: func(v core.View) any {
				return []any{v.User(w.ana).DeleteAt, v.User(w.ana).Guard, w.leaves(v, leavingAt)}
			},
			want: []any{time.Time{}, uint64(2), false},
			lost: []core.Unit{
				{identity.Keep{ID: w.ana, Guard: 1}},
				{identity.Keep{ID: w.ana, Guard: 2}}, // is not leaving
				{identity.Keep{ID: w.ben, Guard: 0}},
			}}
	}},
	{identity.Delete{}, func(w world) steps {
		of := w.delete()
		return steps{
			given: w.people(),
			unit:  revoking(of),
			read: func(v core.View) any {
				listed := slices.ContainsFunc(v.Users(identity.UserID{}, plenty), func(u identity.User) bool { return u.ID == w.ana })
				return []any{v.User(w.ana), v.UserByAddress(w.address("ana")), listed, w.leaves(v, leavingAt), slices.Contains(v.Deleted(plenty), w.ana)}
			},
			want: []any{identity.User{ID: w.ana, Address: identity.Gone(w.ana), State: identity.Deleted, Guard: 1, Cut: w.base + 1, Created: at, DeleteAt: at},
				identity.User{}, false, false, true},
			lost: []core.Unit{
				revoking(of), // judged before the first
				revoking(with(of, func(d *identity.Delete) { d.Guard = 1 })), // is gone
				revoking(with(of, func(d *identity.Delete) { d.ID = w.id(9) })),
				revoking(with(of, func(d *identity.Delete) { d.ID, d.Guard = w.ben, 1 })),
			}}
	}},
	{identity.Cleared{}, func(w world) steps {
		return steps{
			given: append(w.people(), revoking(w.delete(), identity.Schedule{ID: w.ben, Guard: 0, At: leavingAt})...),
			unit:  core.Unit{identity.Cleared{ID: w.ana}},
			read: func(v core.View) any {
				return []bool{slices.Contains(v.Deleted(plenty), w.ana), v.User(w.ben).DeleteAt.IsZero()}
			},
			want:  []bool{false, false},
			still: []core.Unit{{identity.Cleared{ID: w.ana}}, {identity.Cleared{ID: w.ben}}, {identity.Cleared{ID: w.id(9)}}}}
	}},
	{factor.Remove{}, func(w world) steps {
		return steps{
			given: append(w.people(), factor.Enrol{User: w.ben, PHC: "his", Changed: at}),
			unit:  core.Unit{factor.Remove{User: w.ana}},
			read:  func(v core.View) any { return []bool{v.Password(w.ana).Exists(), v.Password(w.ben).Exists()} },
			want:  []bool{false, true},
			still: []core.Unit{{factor.Remove{User: w.ana}}, {factor.Remove{User: w.id(9)}}}}
	}},
	{token.Withdraw{}, func(w world) steps {
		his := with(w.offer(w.id(21), 43, 42), func(o *token.Offer) { o.User = w.ben })
		return steps{
			given: core.Unit{w.offer(w.id(20), 40, 41), his},
			unit:  core.Unit{token.Withdraw{User: w.ana}},
			read:  func(v core.View) any { return []token.Once{v.Once(w.id(20)), v.Once(w.id(21))} },
			want:  []token.Once{{}, offered(his)},
			still: []core.Unit{{token.Withdraw{User: w.ana}}, {token.Withdraw{User: w.id(9)}}}}
	}},
	{session.Vanish{}, func(w world) steps {
		return steps{
			given: w.deleted(),
			unit:  core.Unit{session.Vanish{User: w.ana}},
			read: func(v core.View) any {
				return []bool{v.Session(w.laptop).Exists(), v.Session(w.phone).Exists(), v.Session(w.id(20)).Exists(), v.Session(w.id(22)).Exists()}
			},
			want:  []bool{true, false, true, true}, // a family hangs on the laptop's
			still: []core.Unit{{session.Vanish{User: w.ana}}, {session.Vanish{User: w.ben}}, {session.Vanish{User: w.id(9)}}}}
	}},
	{token.Vanish{}, func(w world) steps {
		return steps{
			given: w.deleted(),
			unit:  core.Unit{token.Vanish{User: w.ana}},
			read:  func(v core.View) any { return []bool{v.Family(w.family).Exists(), v.Family(w.id(7)).Exists()} },
			want:  []bool{false, true},
			still: []core.Unit{{token.Vanish{User: w.ana}}, {token.Vanish{User: w.ben}}, {token.Vanish{User: w.id(9)}}}}
	}},
}

// lastToGo holds that of two administrators whose accounts are deleted at the
// same moment one stays.
func lastToGo(t *testing.T, s core.Store) {
	warm(t, s)
	for round := range 10 {
		w := newWorld(40_000+round, read(t, s, core.View.Head))
		commit(t, s, w.administrators())
		won, lost := contest(t, s, 2, func(i int) core.Unit {
			id := [2]identity.UserID{w.ana, w.ben}[i]
			return revoking(identity.Delete{ID: id, Gone: identity.Gone(id), At: at})
		})
		if left := read(t, s, core.View.Administrators); won != 1 || lost != 1 || left != 1 {
			t.Fatalf("round %d: %d won, %d lost, %d are left", round, won, lost, left)
		}
		for _, id := range []identity.UserID{w.ana, w.ben} {
			if u := read(t, s, func(v core.View) identity.User { return v.User(id) }); u.Admin {
				commit(t, s, revoking(identity.Pause{ID: id, Guard: u.Guard})) // leaves the next round its two
			}
		}
	}
}
