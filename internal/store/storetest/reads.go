package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
)

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// reads holds the order and the limits of lists.
func reads(t *testing.T, s core.Store) {
	same(t, "the head of a new database", read(t, s, core.View.Head), uint64(0))
	w := newWorld(1, 0)
	var people, feed core.Unit
	for k := range byte(5) {
		people = append(people, w.person(w.id(k+1), string('a'+rune(k))))
	}
	for k := range byte(4) {
		people = append(people, w.start(w.id(10+k), 10+k))
	}
	commit(t, s, append(people, with(w.start(w.id(14), 14), func(x *session.Start) { x.User = w.ben })))
	ids := func(f func(core.View) []identity.User) (out []byte) {
		for _, u := range read(t, s, f) {
			out = append(out, u.ID[15])
		}
		return out
	}
	same(t, "the first people", ids(func(v core.View) []identity.User { return v.Users(identity.UserID{}, 2) }), []byte{1, 2})
	same(t, "the people after those", ids(func(v core.View) []identity.User { return v.Users(w.id(2), 2) }), []byte{3, 4})
	same(t, "the last people", ids(func(v core.View) []identity.User { return v.Users(w.id(4), 2) }), []byte{5})

	newest := func(q session.Query) (out []byte) {
		for _, x := range read(t, s, func(v core.View) []session.Session { return v.Sessions(q) }) {
			out = append(out, x.ID[15])
		}
		return out
	}
	same(t, "the newest sessions", newest(session.Query{Limit: 2}), []byte{14, 13})
	same(t, "one person's newest", newest(session.Query{User: w.ana, Limit: 3}), []byte{13, 12, 11})
	same(t, "another person's", newest(session.Query{User: w.ben, Limit: 9}), []byte{14})

	for _, n := range []int{1, 3, 1} {
		feed = revoking()
		for k := range n {
			feed = append(feed, revoke(revocation.JTI, string('a'+rune(k))))
		}
		commit(t, s, feed)
	}
	page := func(after uint64, limit int) (out []uint64) {
		for _, e := range read(t, s, func(v core.View) []revocation.Event { return v.Events(after, limit) }) {
			out = append(out, e.Seq)
		}
		return out
	}
	same(t, "a page that would end inside a position", page(0, 2), []uint64{1, 2, 2, 2})
	same(t, "the rest", page(2, 2), []uint64{3})
	same(t, "nothing after the head", page(3, 2), []uint64(nil))

	commit(t, s, core.Unit{w.record(3), w.record(1), w.record(2)})
	same(t, "the oldest open entries", read(t, s, func(v core.View) any { return v.OpenEntries(w.chain, 2) }), []ledger.Record{w.record(1), w.record(2)})
}

// Unanswered holds that a store which cannot answer passes no read for an
// answer, whatever is asked: Err says so.
func Unanswered(t *testing.T, s core.Store, ctx context.Context) {
	t.Helper()
	for m := range reflect.TypeFor[core.View]().Methods() {
		if m.Name == "Err" || m.Name == "Cut" {
			continue
		}
		v := s.View(ctx)
		f := reflect.ValueOf(v).MethodByName(m.Name)
		args := make([]reflect.Value, f.Type().NumIn())
		for i := range args {
			args[i] = reflect.Zero(f.Type().In(i))
		}
		f.Call(args)
		if err := v.Err(); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: Err is %v, want ErrUnavailable", m.Name, err)
		}
	}
	var lost *core.Lost
	if _, err := s.Commit(ctx, newWorld(900, 0).people()); !errors.Is(err, core.ErrUnavailable) || errors.As(err, &lost) {
		t.Errorf("Commit: %v, want ErrUnavailable", err)
	}
}
