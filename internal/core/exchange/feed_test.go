package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

// shorter than the longest poll: who is not woken fails.
const shorter = 15 * time.Second

func (n *node) poll(t *testing.T, after uint64, wait time.Duration) exchange.Page {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shorter)
	defer cancel()
	p, err := n.Revocations(ctx, home, proof("shop"), after, wait)
	if err == nil {
		err = ctx.Err() // an answer that came when it was too late is none
	}
	if err != nil {
		t.Fatalf("poll after %d: %v", after, err)
	}
	return p
}

// base is where the feed stands before anything of the test's own.
func (r *rig) base(t *testing.T) uint64 {
	t.Helper()
	r.catchUp(t)
	return r.pipe.Feed.Position()
}

func TestTheFeed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p := r.person()
		base := r.base(t)
		if page := r.poll(t, 0, 0); len(page.Events) != 0 || page.Next != base || page.Head != base {
			t.Errorf("the empty feed is %+v", page)
		}
		seats := []exchange.Tokens{r.seat(p), r.seat(p), r.seat(p)}
		for _, s := range seats[:2] {
			if _, err := r.SignOut(t.Context(), home, exchange.Credential{Cookie: s.Cookie}); err != nil {
				t.Fatal(err)
			}
		}
		r.catchUp(t)
		page := r.poll(t, 0, 25*time.Second)
		if len(page.Events) != 2 || page.Next != base+2 || page.Head != base+2 || page.Events[1].Seq != base+2 || page.Events[0].Name != (revocation.Name{Unit: "session", ID: seats[0].Session.ID.String()}) {
			t.Errorf("page %+v", page)
		}
		if page := r.poll(t, base+1, 0); len(page.Events) != 1 || page.Events[0].Seq != base+2 {
			t.Errorf("after the first: %+v", page)
		}
		// A position never falls, not for a reader from the future either.
		for _, after := range []uint64{base + 2, base + 3, 1000} {
			if page := r.poll(t, after, 0); len(page.Events) != 0 || page.Next != after || page.Head != base+2 {
				t.Errorf("after %d: %+v", after, page)
			}
		}
		// A note to nodes moves the position and is told nobody.
		if _, err := r.StepUp(t.Context(), home, seats[2].Cookie, password); err != nil {
			t.Fatal(err)
		}
		r.catchUp(t)
		if page := r.poll(t, base+2, 0); len(page.Events) != 0 || page.Next != base+3 || page.Head != base+3 {
			t.Errorf("after a step-up: %+v", page)
		}
		r.pause(t, p)
		r.catchUp(t)
		if page := r.poll(t, 0, 0); len(page.Events) != 3 || page.Events[2].Name.Unit != "user" || page.Events[2].Seq != base+4 || page.Next != base+4 {
			t.Errorf("all: %+v", page)
		}
	})
}

// A poll answers when something is revoked, here or at another node, and says
// how long it was held.
func TestAPollWakes(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		one, two := r.nodes()
		p := r.person()
		for i, n := range []*node{one, two} {
			seat := r.seat(p)
			after := r.poll(t, 0, 0).Next
			asked := make(chan struct{}, 8)
			one.spy.onView(func() { asked <- struct{}{} })
			got := make(chan exchange.Page)
			go func() {
				defer close(got)
				ctx, cancel := context.WithTimeout(t.Context(), shorter)
				defer cancel()
				page, err := one.Revocations(ctx, home, proof("shop"), after, 25*time.Second)
				if err = errors.Join(err, ctx.Err()); err != nil {
					t.Error(err)
				}
				got <- page
			}()
			<-asked
			one.spy.onView(nil)
			r.clock.add(3 * time.Second)
			if _, err := n.SignOut(t.Context(), home, exchange.Credential{Cookie: seat.Cookie}); err != nil {
				t.Fatal(err)
			}
			page := <-got
			if len(page.Events) != 1 || page.Events[0].Name.ID != seat.Session.ID.String() || page.Held != 3*time.Second || page.Age > 3*time.Second || page.Age < 0 {
				t.Errorf("node %d: page %+v", i, page)
			}
		}
		r.clock.add(2 * time.Second)
		late := r.on(r.store, behind)
		r.clock.add(700 * time.Millisecond)
		if page := late.poll(t, 0, 0); page.Age != 700*time.Millisecond || page.Held != 0 {
			t.Errorf("a view of 700 ms ago is said to be %v old, held %v", page.Age, page.Held)
		}
		// A server that stops lets nobody wait.
		close(late.closing)
		if page := late.poll(t, 99, 25*time.Second); page.Next != 99 {
			t.Errorf("on closing: %+v", page)
		}
		// Nor does a view that is too old answer.
		r.clock.add(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := late.Revocations(ctx, home, proof("shop"), 0, 0)
		unavailable(t, "an old view", nil, err)
	})
}

// A revocation behind many notes to nodes is told at once.
func TestNotesHideNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		base, now := r.base(t), r.clock.now()
		u := core.Unit{revocation.Next{}}
		for i := range 1100 {
			u = append(u, revocation.Of(revocation.Name{Unit: revocation.Changed, ID: fmt.Sprint("ses_", i)}, now, 5*time.Minute, 0))
		}
		for _, u := range []core.Unit{u, {revocation.Next{}, revocation.Of(revocation.Name{Unit: revocation.Session, ID: "ses_x"}, now, 5*time.Minute, 0)}} {
			if _, err := r.store.Commit(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		r.catchUp(t)
		if page := r.poll(t, 0, 25*time.Second); len(page.Events) != 1 || page.Events[0].Name.ID != "ses_x" || page.Next != base+2 {
			t.Errorf("page %+v", page)
		}
	})
}

// More than one page of revocations comes in whole positions, none twice and
// none left out.
func TestPagesOfTheFeed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		const each, units = 400, 7
		base := r.base(t)
		for i := range units {
			u := core.Unit{revocation.Next{}}
			for j := range each {
				u = append(u, revocation.Of(revocation.Name{Unit: revocation.Session, ID: fmt.Sprintf("ses_%d_%d", i, j)}, r.clock.now(), 5*time.Minute, 0))
			}
			if _, err := r.store.Commit(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		r.catchUp(t)
		seen, after := map[string]bool{}, uint64(0)
		for range 10 {
			page := r.poll(t, after, 0)
			if page.Next < after || page.Head != base+units {
				t.Fatalf("after %d: next %d, head %d", after, page.Next, page.Head)
			}
			for _, e := range page.Events {
				if e.Seq <= after || e.Seq > page.Next || seen[e.Name.ID] {
					t.Fatalf("after %d: %+v", after, e)
				}
				seen[e.Name.ID] = true
			}
			after = page.Next
		}
		if len(seen) != each*units || after != base+units {
			t.Errorf("%d events up to %d", len(seen), after)
		}
	})
}

func TestWhoMayReadTheFeed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		_, err := r.manage.CreateClients(t.Context(), settle.Caller{Actor: "host:0"}, []manage.NewClient{
			{Secret: appSecret + "bare", Client: client.Client{ID: "bare", Type: "machine", Scopes: []string{exchange.FeedScope}}}})
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"shop": "passed", "partner": "passed", "notes": "client.may_read", "bare": "client.may_read",
			"paused": "client.standing", "doorward": "client.authentic", "nobody": "client.authentic"} {
			page, err := r.Revocations(t.Context(), home, proof(id), 0, 0)
			if got := named(err); got != want || err != nil && page.Events != nil {
				t.Errorf("%s: %s, want %s", id, got, want)
			}
		}
		// The budget of wrong secrets is that of introspection.
		for i := range 5 {
			_, err := r.Revocations(t.Context(), elsewhere(1), exchange.ClientProof{ID: "shop", Secret: fmt.Sprint("guess", i)}, 0, 0)
			refused(t, err, "client.authentic")
		}
		_, err = r.Revocations(t.Context(), elsewhere(1), proof("shop"), 0, 0)
		refused(t, err, "limit.client")
		_, err = r.Introspect(t.Context(), elsewhere(1), proof("shop"), "x")
		refused(t, err, "limit.client")
	})
}
