package exchange_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var operator = settle.Caller{Actor: "host:0"}

// crowd gives a person n sessions at addresses of a network, the last of them
// just now, without the cost of signing in.
func (r *rig) crowd(p person, n int, network, app string) (ids []session.ID) {
	r.t.Helper()
	now := r.clock.now()
	head := read(r.t, r.store, core.View.Head)
	for len(ids) < n {
		var u core.Unit
		for range min(500, n-len(ids)) {
			began := now.Add(time.Duration(len(ids)-n) * time.Microsecond)
			id := session.NewID(began, secret.Random16())
			u = append(u, session.Start{ID: id, User: p.id, Hash: secret.Random(), Rev: head, Created: began, AuthTime: began, IdleUntil: began.Add(14 * day),
				MaxUntil: began.Add(30 * day), Method: "password", IP: fmt.Sprintf("%s%d", network, len(ids)%250)})
			if app != "" {
				u = append(u, token.Open{ID: token.NewFamilyID(began, secret.Random16()), Client: app, Session: id, User: p.id, Rev: head, Created: began,
					IdleUntil: began.Add(15 * day), MaxUntil: began.Add(90 * day)})
			}
			ids = append(ids, id)
		}
		if _, err := r.store.Commit(r.t.Context(), u); err != nil {
			r.t.Fatal(err)
		}
	}
	return ids
}

func (n *node) effect(t *testing.T, query string) manage.Effect {
	t.Helper()
	e, err := n.manage.Effect(t.Context(), query)
	if err != nil {
		t.Fatalf("the effect of %q: %v", query, err)
	}
	return e
}

func (n *node) endAll(t *testing.T, query string) job.Job {
	t.Helper()
	j, err := n.manage.EndSessions(t.Context(), operator, query, time.Time{}, 0)
	if err != nil {
		t.Fatalf("ending %q: %v", query, err)
	}
	return j
}

// work is what a node does each second.
func (n *node) work(t *testing.T) {
	t.Helper()
	if err := n.manage.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (n *node) job(t *testing.T, id job.ID) job.Job {
	t.Helper()
	j, err := n.manage.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// endedOnce holds that each session of a crowd ended once, by an operator, in
// parts of at most a thousand with one position each.
func (r *rig) endedOnce(t *testing.T, ids []session.ID) {
	t.Helper()
	if n := r.count(`select count(*) from sessions where ended > 0 and why = ` + fmt.Sprint(int(session.ByOperator))); n != len(ids) {
		t.Errorf("%d sessions ended, want %d", n, len(ids))
	}
	of, at := map[string]int{}, map[uint64]int{}
	for _, e := range read(t, r.store, func(v core.View) []revocation.Event { return v.Events(0, 1_000_000) }) {
		if e.Name.Unit == revocation.Session {
			of[e.Name.ID]++
			at[e.Seq]++
		}
	}
	for _, id := range ids {
		if of[id.String()] != 1 {
			t.Fatalf("session %s has %d events", id, of[id.String()])
		}
	}
	if len(of) != len(ids) {
		t.Errorf("%d sessions have events, want %d", len(of), len(ids))
	}
	for seq, n := range at {
		if n > 1000 {
			t.Errorf("position %d ends %d sessions", seq, n)
		}
	}
}

// A query ends what it means and nothing else: not what begins later, not what
// is over already.
func TestEndingTheSessionsOfAQuery(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p, q := r.person(), r.person()
		lapsed := r.crowd(p, 3, "203.0.113.", "")
		r.clock.add(20 * day)
		bad := r.crowd(p, 2200, "203.0.113.", "notes")
		good := append(r.crowd(p, 20, "198.51.100.", "shop"), r.crowd(q, 20, "2001:db8::", "")...)
		in := r.signIn(t, q) // who has fewer sessions than are kept
		other := r.open(behind)
		r.exec(`update users set admin = 1 where email = 'person1@example.com'`)
		const query = "net:203.0.113.0/24 since:2026-12-01 -client:shop"
		e := r.effect(t, query)
		if e.Sessions != 2200 || e.People != 1 || e.Administrators != 1 || len(e.Clients) != 1 || e.Clients[0] != (manage.Share{Name: "notes", Count: 2200}) || e.Networks[0] != (manage.Share{Name: "ipv4", Count: 2200}) {
			t.Errorf("%+v", e)
		}
		r.clock.add(time.Second)
		later := r.crowd(p, 5, "203.0.113.", "notes")
		j, err := r.manage.EndSessions(t.Context(), operator, query, e.AsOf, e.Sessions)
		if err != nil || j.State != job.Done || j.Did != 2200 || j.Matched != 2200 || j.Actor != "host:0" {
			t.Fatalf("%+v, %v", j, err)
		}
		r.endedOnce(t, bad)
		for _, id := range append(append(later, good...), lapsed...) {
			if s := r.session(id); !s.Ended.IsZero() {
				t.Fatalf("%s ended", id)
			}
		}
		r.live(t, in.Cookie)
		// Why it ended, and by what, is in the story of each.
		_, entries, err := r.manage.Session(t.Context(), bad[1500])
		if err != nil || len(entries) != 1 || entries[0].Exchange.Name != "sessions.end_part" || entries[0].Actor != "host:0" || entries[0].User != p.id {
			t.Errorf("its story: %+v, %v", entries, err)
		}
		if s := r.session(bad[0]); s.Why.String() != "by_operator" {
			t.Errorf("why: %q", s.Why)
		}
		// Other nodes know from the feed.
		other.catchUp(t)
		if !other.pipe.Feed.Dead(0, revocation.Name{Unit: revocation.Session, ID: bad[7].String()}) {
			t.Error("another node does not know")
		}
		if again := r.endAll(t, query); again.Did != 5 {
			t.Errorf("the second time ended %d, want the five that began later", again.Did)
		}
	})
}

// A job outlives the node that works on it: another goes on from where it was,
// once the first has not been heard of for a while.
func TestAJobOutlivesItsNode(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		ids := r.crowd(p, crowded, "203.0.113.", "")
		other := r.open()
		j := r.endAll(t, "net:203.0.113.0/24")
		if j.State != job.Running || j.Did != 4000 {
			t.Fatalf("%+v", j)
		}
		other.work(t)
		if j := r.job(t, j.ID); j.Did != 4000 {
			t.Errorf("a job that is worked on was taken: %+v", j)
		}
		r.clock.add(job.LeaseFor)
		r.close() // as a kill does: what was committed is there, the rest is not
		other.work(t)
		if j := other.job(t, j.ID); j.State != job.Done || j.Did != crowded || j.Seen != crowded {
			t.Errorf("%+v", j)
		}
		r.node = other
		r.endedOnce(t, ids)
		other.work(t) // there is nothing left to do
		r.endedOnce(t, ids)
	})
}

// Two nodes that work on one job at the same time end every session once.
func TestTwoNodesWorkOnOneJob(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ids := r.crowd(r.person(), crowded, "203.0.113.", "")
		nodes := []*node{r.open(), r.open()}
		j := r.endAll(t, "net:203.0.113.0/24")
		r.clock.add(job.LeaseFor)
		for _, n := range nodes {
			n.warm(t)
		}
		var mu sync.Mutex
		together(2, func(i int) {
			for range 100 {
				err := nodes[i].manage.Work(t.Context())
				mu.Lock()
				// What could not be asked in time is asked again, as by the next tick.
				if err != nil && !errors.Is(err, core.ErrUnavailable) {
					t.Error(err)
				}
				r.clock.add(job.LeaseFor) // so that each thinks the other gone
				mu.Unlock()
				if nodes[i].job(t, j.ID).State == job.Done {
					return
				}
			}
		})
		if j := r.job(t, j.ID); j.State != job.Done || j.Did != crowded {
			t.Errorf("%+v", j)
		}
		r.endedOnce(t, ids)
	})
}

// A job stops between two parts and goes on from there.
func TestAJobIsStoppedAndResumed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ids := r.crowd(r.person(), 6_000, "203.0.113.", "")
		j := r.endAll(t, "net:203.0.113.0/24")
		if err := r.manage.StopJob(t.Context(), operator, j.ID); err != nil {
			t.Fatal(err)
		}
		r.work(t)
		if j := r.job(t, j.ID); j.State != job.Stopped || j.Did != 4000 {
			t.Errorf("%+v", j)
		}
		refused(t, r.manage.StopJob(t.Context(), operator, j.ID), "job.turnable")
		if err := r.manage.ResumeJob(t.Context(), operator, j.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, r.manage.ResumeJob(t.Context(), operator, j.ID), "job.turnable")
		r.work(t)
		if j := r.job(t, j.ID); j.State != job.Done || j.Did != 6000 {
			t.Errorf("%+v", j)
		}
		r.endedOnce(t, ids)
		refused(t, r.manage.ResumeJob(t.Context(), operator, j.ID), "job.turnable")
		refused(t, r.manage.StopJob(t.Context(), operator, job.ID{1}), "job.found")
		_, err := r.manage.Job(t.Context(), job.ID{1})
		refused(t, err, "job.found")
		if all, err := r.manage.Jobs(t.Context()); err != nil || len(all) != 1 || all[0].ID != j.ID {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// A node leaves work alone that it does not know, and goes on with the rest, a
// part of each in turn.
func TestAJobOfALaterVersion(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, q := r.person(), r.person()
		ids := append(r.crowd(p, 1500, "203.0.113.", ""), r.crowd(q, 1500, "198.51.100.", "")...)
		now := r.clock.now()
		ask := func(kind, query string) job.ID {
			id := job.NewID(now, secret.Random16())
			if _, err := r.store.Commit(t.Context(), core.Unit{job.Ask{ID: id, Kind: kind, Query: query, Actor: "host:0", Asked: now, State: job.Running}}); err != nil {
				t.Fatal(err)
			}
			return id
		}
		strange := []job.ID{ask("users.import", "net:203.0.113.0/24"), ask(job.SessionsEnd, "planet:mars")}
		one, two := ask(job.SessionsEnd, "net:203.0.113.0/24"), ask(job.SessionsEnd, "net:198.51.100.0/24")
		r.spy.take()
		r.work(t)
		for _, id := range strange {
			if j := r.job(t, id); j.State != job.Running || j.Did != 0 || j.Seen != 0 {
				t.Errorf("%+v", j)
			}
		}
		for _, id := range []job.ID{one, two} {
			if j := r.job(t, id); j.State != job.Done || j.Did != 1500 {
				t.Errorf("%+v", j)
			}
		}
		r.endedOnce(t, ids)
		r.spy.take()
		r.work(t)
		if units := r.spy.take(); len(units) != 0 {
			t.Errorf("what it does not know made it write %v", units)
		}
	})
}

// SES-11: all that one person has ends by one event, and each session says why.
func TestOnePersonIsOneEvent(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, q := r.person(), r.person()
		one, two, kept := r.signIn(t, p), r.signIn(t, p), r.signIn(t, q)
		other := r.open(behind)
		before := len(r.events())
		j := r.endAll(t, "user:"+p.email)
		if j.State != job.Done || j.Did != 2 || j.Query != "user:"+p.id.String() {
			t.Errorf("%+v", j)
		}
		if e := r.events()[before:]; len(e) != 1 || e[0].Name != (revocation.Name{Unit: revocation.User, ID: p.id.String()}) {
			t.Errorf("%+v", e)
		}
		other.catchUp(t)
		for _, n := range []*node{r.node, other} {
			n.dead(t, one)
			n.dead(t, two)
			n.live(t, kept.Cookie)
		}
		if s := r.session(one.Session.ID); s.Why != session.ByOperator || s.Ended.IsZero() {
			t.Errorf("%+v", s)
		}
		again := r.signIn(t, p)
		if n, err := r.manage.EndUser(t.Context(), operator, p.id); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		r.dead(t, again)
	})
}

// OAU-35: one application's tokens end by one event, on every node; the people
// stay signed in, and what they get afterwards lives.
func TestOneApplicationIsOneEvent(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		r.vault()
		p := r.person()
		other := r.open(behind)
		ended := map[string]exchange.Tokens{notesOrigin: r.signInFrom(t, p, notesOrigin), vaultOrigin: r.signInFrom(t, p, vaultOrigin)}
		kept := r.signInFrom(t, p, shopOrigin)
		for _, app := range []string{"notes", "vault"} {
			before := len(r.events())
			if err := r.manage.EndClient(t.Context(), operator, app); err != nil {
				t.Fatal(err)
			}
			if e := r.events()[before:]; len(e) != 1 || e[0].Name != (revocation.Name{Unit: revocation.Client, ID: app}) {
				t.Errorf("%+v", e)
			}
		}
		other.catchUp(t)
		for origin, in := range ended {
			for _, n := range []*node{r.node, other} {
				n.accessRefused(t, in.Access, "token.alive")
				n.inspected(t, kept.Access)
				n.live(t, in.Cookie)
			}
			_, err := other.Refresh(t.Context(), home, exchange.RefreshInput{Token: in.Refresh, Origin: origin})
			refused(t, err, "refresh.alive")
			anew, err := r.Resume(t.Context(), home, in.Cookie, origin)
			if err != nil {
				t.Fatal(err)
			}
			r.inspected(t, anew.Access)
		}
		vault, err := other.Introspect(t.Context(), home, proof("vault"), ended[vaultOrigin].Access)
		inactive(t, "of the application", vault, err)
		refused(t, r.manage.EndClient(t.Context(), operator, "nobody"), "client.found")
		refused(t, r.manage.EndClient(t.Context(), operator, "\x00"), "client.found")

		// A query for one application ends the tokens at once and the sessions too.
		in := r.signInFrom(t, p, notesOrigin)
		before := len(r.events())
		j := r.endAll(t, "client:notes")
		if e := r.events()[before:]; e[0].Name.Unit != revocation.Client || j.State != job.Done || j.Did != 2 {
			t.Errorf("%+v, %+v", e, j)
		}
		r.cookieRefused(t, in.Cookie, "session.alive")
		r.live(t, kept.Cookie)
	})
}

func TestQueriesThatEndNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		in := r.signIn(t, r.person())
		for query, want := range map[string]string{"": "query.form", "state:alive": "query.form", "country:ES": "query.form", "user:nobody@example.com": "user.found",
			"client:nobody": "client.found", "-client:nobody": "client.found", "-user:user_00000000000000000000000000": "user.found"} {
			_, err := r.manage.EndSessions(t.Context(), operator, query, time.Time{}, 0)
			if got := named(err); got != want {
				t.Errorf("%q: %s, want %s", query, got, want)
			}
			if query != "" {
				_, err := r.manage.Effect(t.Context(), query)
				if got := named(err); got != want {
					t.Errorf("the effect of %q: %s, want %s", query, got, want)
				}
			}
		}
		if j := r.endAll(t, "state:ended"); j.Did != 0 || j.State != job.Done {
			t.Errorf("%+v", j)
		}
		r.live(t, in.Cookie)
		if j := r.endAll(t, "state:live"); j.Did != 1 {
			t.Errorf("%+v", j)
		}
		r.cookieRefused(t, in.Cookie, "session.alive")
	})
}

// A machine's application is forgotten: its secret proves nothing, its id may
// be given again. One that people's tokens hang on stays.
func TestADeletedApplicationNeverComesBack(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		if _, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: client.Client{ID: "job", Name: "Job", Type: "machine", Resources: []string{"job"}, Scopes: []string{exchange.FeedScope}}, Secret: "a secret of the job"}}); err != nil {
			t.Fatal(err)
		}
		who := exchange.ClientProof{ID: "job", Secret: "a secret of the job"}
		if _, err := r.Introspect(t.Context(), home, who, "x"); err != nil {
			t.Fatal(err)
		}
		before := len(r.events())
		r.spy.take()
		if err := r.manage.DeleteClient(t.Context(), operator, "job"); err != nil {
			t.Fatal(err)
		}
		e, err := entry(r.spy.take()[0])
		if err != nil || e.Client != "job" || e.Refused {
			t.Errorf("the ledger says %+v, %v", e, err)
		}
		if all := r.events()[before:]; len(all) != 1 || all[0].Name.Unit != revocation.Client || all[0].Name.ID != "job" {
			t.Errorf("the feed says %+v", all)
		}
		_, err = r.Introspect(t.Context(), home, who, "x")
		refused(t, err, "client.authentic")
		refused(t, r.manage.DeleteClient(t.Context(), operator, "job"), "client.found")
		refused(t, r.manage.DeleteClient(t.Context(), operator, "\x00"), "client.found")
		refused(t, r.manage.DeleteClient(t.Context(), operator, client.BuiltIn), "client.own")
		// Whatever names it still means the one before.
		_, err = r.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: client.Client{ID: "job", Name: "Job", Type: "machine", Resources: []string{"job"}}, Secret: "another secret"}})
		refused(t, err, "client.free")
	})
}
