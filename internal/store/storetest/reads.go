package storetest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
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

	same(t, "one person's that stand", newest(session.Query{User: w.ana, Standing: at.Add(time.Hour - time.Microsecond), Limit: 2}), []byte{13, 12})
	same(t, "none of them idle", newest(session.Query{User: w.ana, Standing: at.Add(time.Hour), Limit: 2}), []byte(nil))

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
	spans(t, s, w)

	commit(t, s, core.Unit{w.record(3), w.record(1), w.record(2)})
	same(t, "the oldest open entries", read(t, s, func(v core.View) any { return v.OpenEntries(w.chain, 2) }), []ledger.Record{w.record(1), w.record(2)})
}

// past holds the pages of a subject's past: newest first, none twice and none
// left out, sealed and open alike, also where an entry was sealed late.
func past(t *testing.T, s core.Store) {
	w := newWorld(2, read(t, s, core.View.Head))
	k := ed25519.NewKeyFromSeed(make([]byte, 32))
	entry := func(n byte, user [16]byte) ledger.Entry {
		when := at.Add(time.Duration(n) * time.Minute)
		return ledger.Entry{ID: ledger.NewID(when, [16]byte{15: n}), At: when, Chain: w.chain, User: user, Session: w.laptop, Personal: ledger.Personal{IP: fmt.Sprint("192.0.2.", n)}}
	}
	var want []string
	var last ledger.Segment
	seal := func(entries ...ledger.Entry) {
		t.Helper()
		var u core.Unit
		var records []ledger.Record
		for _, e := range entries {
			r, keep := e.Writes([16]byte{1})
			records, u = append(records, r), append(u, keep)
		}
		a, err := ledger.Seal(last, w.chain, records, k)
		if err != nil {
			t.Fatal(err)
		}
		last = ledger.Segment(a)
		commit(t, s, append(u, a, ledger.Index{Subject: w.ana, Chain: w.chain, Number: a.Number}))
	}
	for n := byte(1); n <= 60; n++ {
		if n == 40 { // sealed behind the next one, as if it had committed late
			late := entry(n, w.ana)
			late.ID = ledger.NewID(at.Add(41*time.Minute-time.Second), [16]byte{15: n})
			late.At = at.Add(41*time.Minute - time.Second)
			seal(entry(41, w.ana), entry(200, w.ben))
			seal(late)
			n++
			continue
		}
		seal(entry(n, w.ana))
	}
	for n := byte(61); n <= 63; n++ {
		r, keep := entry(n, w.ana).Writes([16]byte{1})
		commit(t, s, core.Unit{r, keep})
	}
	for n := 63; n >= 11; n-- {
		want = append(want, fmt.Sprint("192.0.2.", n))
	}
	for _, size := range []int{1, 7, 16, 100} {
		var got []string
		q := ledger.Past{Subject: w.ana, Chain: w.chain, Since: at.Add(11 * time.Minute), Limit: size}
		for {
			page := read(t, s, func(v core.View) []ledger.Entry { return v.EntriesPast(q) })
			if len(page) > size {
				t.Fatalf("a page of %d has %d", size, len(page))
			}
			for _, e := range page {
				got = append(got, e.Personal.IP)
			}
			if len(page) < size {
				break
			}
			q.Before = page[len(page)-1].ID
		}
		same(t, fmt.Sprintf("the past in pages of %d", size), got, want)
	}
	other := read(t, s, func(v core.View) []ledger.Entry {
		return v.EntriesPast(ledger.Past{Subject: w.ana, Chain: w.chain + 1, Limit: plenty})
	})
	same(t, "the other chain", len(other), 0)
}

// spans holds runs of sessions: their bounds, order and limit, and each session
// once, with its person and the applications that had tokens of it.
func spans(t *testing.T, s core.Store, w world) {
	for i, app := range []string{"notes", "shop", "notes"} {
		commit(t, s, core.Unit{with(w.open(w.id(30+byte(i))), func(o *token.Open) { o.Session, o.Client = w.id(11), app })})
	}
	got := func(q session.Span) (out string) {
		for _, r := range read(t, s, func(v core.View) []session.Row { return v.Span(q) }) {
			if r.Person.ID != r.User {
				t.Errorf("%v is with %v", r.Session, r.Person)
			}
			out += fmt.Sprint(r.ID[15], r.Clients, " ")
		}
		return out
	}
	same(t, "everybody's", got(session.Span{Upto: w.id(99), Limit: 9}), "10 [] 11 [notes shop] 12 [] 13 [] 14 [] ")
	same(t, "after one, up to another", got(session.Span{After: w.id(10), Upto: w.id(13), Limit: 9}), "11 [notes shop] 12 [] 13 [] ")
	same(t, "some", got(session.Span{After: w.id(10), Upto: w.id(14), Limit: 2}), "11 [notes shop] 12 [] ")
	same(t, "the newest", got(session.Span{Upto: w.id(99), Newest: true, Limit: 4}), "14 [] 13 [] 12 [] 11 [notes shop] ")
	same(t, "one person's", got(session.Span{User: w.ana, After: w.id(11), Upto: w.id(99), Limit: 9}), "12 [] 13 [] ")
	same(t, "one person's newest", got(session.Span{User: w.ana, Upto: w.id(12), Newest: true, Limit: 2}), "12 [] 11 [notes shop] ")
	commit(t, s, revoking(session.Finish{ID: w.id(12), At: at, Why: session.SignedOut}))
	same(t, "those that stand", got(session.Span{Upto: w.id(99), Standing: true, Limit: 3}), "10 [] 11 [notes shop] 13 [] ")
	same(t, "one person's that stand", got(session.Span{User: w.ana, Upto: w.id(99), Standing: true, Newest: true, Limit: 2}), "13 [] 11 [notes shop] ")
	same(t, "those that stand or not", got(session.Span{After: w.id(11), Upto: w.id(13), Limit: 9}), "12 [] 13 [] ")
	same(t, "nobody's", got(session.Span{User: w.id(9), Upto: w.id(99), Limit: 9}), "")

	stopped, done := with(w.ask(w.id(2)), func(a *job.Ask) { a.State = job.Stopped }), with(w.ask(w.id(3)), func(a *job.Ask) { a.State = job.Done })
	commit(t, s, core.Unit{w.ask(w.id(4)), w.ask(w.id(1)), stopped, done})
	jobs := func(f func(core.View) []job.Job) (out []byte) {
		for _, j := range read(t, s, f) {
			out = append(out, j.ID[15])
		}
		return out
	}
	same(t, "the newest jobs", jobs(func(v core.View) []job.Job { return v.Jobs(3) }), []byte{4, 3, 2})
	same(t, "the oldest that run", jobs(func(v core.View) []job.Job { return v.JobsIn(job.Running, 9) }), []byte{1, 4})
	same(t, "the oldest that runs", jobs(func(v core.View) []job.Job { return v.JobsIn(job.Running, 1) }), []byte{1})
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
