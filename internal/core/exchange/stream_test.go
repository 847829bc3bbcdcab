package exchange_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

func (n *node) stream(t *testing.T, id string, after uint64) *exchange.Stream {
	t.Helper()
	s, err := n.Stream(t.Context(), home, proof(id), after)
	if err != nil {
		t.Fatalf("%s opens a stream: %v", id, err)
	}
	t.Cleanup(s.Close)
	return s
}

func next(t *testing.T, s *exchange.Stream, within time.Duration) exchange.Page {
	t.Helper()
	p, err := s.Next(t.Context(), within)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// happen takes a position for each of these events, and lets the node read them.
func (r *rig) happen(t *testing.T, events ...revocation.Revoke) {
	t.Helper()
	for _, e := range events {
		if _, err := r.store.Commit(t.Context(), core.Unit{revocation.Next{}, e}); err != nil {
			t.Fatal(err)
		}
	}
	r.catchUp(t)
}

func (r *rig) loss(unit revocation.Unit, id string, audience ...string) revocation.Revoke {
	e := revocation.Of(revocation.Name{Unit: unit, ID: id}, r.clock.now(), 5*time.Minute, 30*time.Second)
	e.Audience = audience
	return e
}

// idsOf are the ids of a page, in order.
func idsOf(events []revocation.Event) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.Name.ID)
	}
	return ids
}

// A stream tells at once what happens, here or at another node, and each time
// as of when its reader knows everything.
func TestAStreamTells(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		one, two := r.nodes()
		p := r.person()
		base := r.base(t)
		s := one.stream(t, "shop", base)
		if p := next(t, s, 0); len(p.Events) != 0 || p.Next != base || p.Head != base || p.Held != 0 {
			t.Errorf("at once: %+v", p)
		}
		for i, n := range []*node{one, two} {
			seat := r.seat(p)
			r.clock.add(3 * time.Second)
			if _, err := n.SignOut(t.Context(), home, exchange.Credential{Cookie: seat.Cookie}); err != nil {
				t.Fatal(err)
			}
			seq := base + uint64(i) + 1
			p := next(t, s, shorter)
			if !slices.Equal(idsOf(p.Events), []string{seat.Session.ID.String()}) || p.Next != seq || p.Events[0].Seq != seq ||
				p.Held != time.Duration(i+1)*3*time.Second || p.Age > 3*time.Second || p.Age < 0 {
				t.Errorf("from node %d: %+v", i, p)
			}
		}
		// Another one resumes wherever it likes.
		for after, want := range map[uint64]int{0: 2, base: 2, base + 1: 1, base + 2: 0, base + 99: 0} {
			if p := next(t, one.stream(t, "shop", after), 0); len(p.Events) != want || p.Next != max(after, base+2) {
				t.Errorf("after %d: %+v", after, p)
			}
		}
	})
}

// A node that hears nothing of the database any more says how old its view is,
// and makes none look fresh.
func TestAStreamOfAnOldView(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		late := r.on(r.store, behind)
		s := late.stream(t, "shop", 0)
		r.clock.add(7 * time.Second)
		if p := next(t, s, 0); p.Age != 7*time.Second || p.Held != 7*time.Second {
			t.Errorf("age %v, held %v", p.Age, p.Held)
		}
	})
}

func TestWhatEndsAStream(t *testing.T) {
	over := func(t *testing.T, what string, s *exchange.Stream) {
		t.Helper()
		if p, err := s.Next(t.Context(), 0); !errors.Is(err, exchange.ErrStreamOver) || p.Events != nil {
			t.Errorf("%s: %+v, %v", what, p, err)
		}
	}
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		base := r.base(t)
		shop, partner := r.stream(t, "shop", base), r.stream(t, "partner", base)
		// Whoever may have changed is judged again before it is told anything.
		r.happen(t, r.loss(revocation.Client, "shop"), r.loss(revocation.Session, "ses_x"))
		over(t, "a reader that was stopped", shop)
		if p := next(t, partner, 0); len(p.Events) != 2 {
			t.Errorf("the other reader: %+v", p)
		}
		r.happen(t, r.loss(revocation.Changed, "partner"))
		over(t, "a reader whose row changed", partner)

		shop = r.stream(t, "shop", base)
		r.clock.add(5 * time.Minute)
		next(t, shop, 0)
		r.clock.add(time.Microsecond)
		over(t, "a reader that was judged more than 5 minutes ago", shop)

		n := r.on(r.store)
		shop = n.stream(t, "shop", base)
		close(n.closing)
		over(t, "a server that stops", shop)
	})
}

func TestWhoMayOpenAStream(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		for id, want := range map[string]string{"shop": "passed", "partner": "passed", "notes": "client.may_read",
			"paused": "client.standing", "doorward": "client.authentic", "nobody": "client.authentic"} {
			s, err := r.Stream(t.Context(), home, proof(id), 0)
			if got := named(err); got != want || (s == nil) != (err != nil) {
				t.Errorf("%s: %s, want %s", id, got, want)
			}
			if s != nil {
				s.Close()
			}
		}
		// A reader that connects again without end is slowed.
		for range 99 {
			r.stream(t, "shop", 0).Close()
		}
		_, err := r.Stream(t.Context(), home, proof("shop"), 0)
		if e := refused(t, err, "limit.pace"); e.RetryAfter <= 0 {
			t.Error("does not say when to try again")
		}
		r.stream(t, "partner", 0)
		for range 4 {
			_, err = r.Stream(t.Context(), elsewhere(1), exchange.ClientProof{ID: "shop", Secret: "guess"}, 0)
			refused(t, err, "client.authentic")
		}
	})
}

// Attack DOS-03: connections that are held are bounded, for each application
// and in all, and whoever leaves makes room.
func TestStreamsAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		var held []*exchange.Stream
		for range 64 {
			held = append(held, r.stream(t, "shop", 0))
		}
		_, err := r.Stream(t.Context(), home, proof("shop"), 0)
		if e := refused(t, err, "stream.share"); e.RetryAfter != 10*time.Second {
			t.Errorf("wait %v", e.RetryAfter)
		}
		r.stream(t, "partner", 0) // is another one
		held[0].Close()
		held[0].Close() // gives back one place, not two
		r.stream(t, "shop", 0)
		_, err = r.Stream(t.Context(), home, proof("shop"), 0)
		refused(t, err, "stream.share")
		if r.engine != "sqlite" {
			return // the rest has nothing to do with the database
		}
		var many []manage.NewClient
		for i := range 64 {
			id := fmt.Sprint("reader", i)
			many = append(many, manage.NewClient{Secret: appSecret + id, Client: client.Client{ID: id, Type: "machine", Resources: []string{"x"}, Scopes: []string{exchange.FeedScope}}})
		}
		if _, err := r.manage.CreateClients(t.Context(), settle.Caller{Actor: "host:0"}, many); err != nil {
			t.Fatal(err)
		}
		opened := 65
		for _, c := range many {
			for range 64 {
				s, err := r.Stream(t.Context(), home, proof(c.Client.ID), 0)
				if err != nil {
					refused(t, err, "stream.room")
					break
				}
				held = append(held, s)
				opened++
			}
		}
		if n := r.Streams(); opened != 4096 || n != 4096 {
			t.Errorf("%d streams at once, %d counted", opened, n)
		}
		for _, s := range held {
			s.Close()
		}
		r.stream(t, "reader63", 0)
		if n := r.Streams(); n != 3 {
			t.Errorf("%d of 3 streams are left", n)
		}
	})
}

// A reader is told of every event that may end a token made for it, and of none
// that cannot: another resource's token, a note to nodes.
func TestReadersSeeWhatConcernsThem(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		base := r.base(t)
		shop, partner := "https://api.shop.example", "https://api.partner.example"
		streams := map[string]*exchange.Stream{"shop": r.stream(t, "shop", base), "partner": r.stream(t, "partner", base)}
		both := []revocation.Revoke{r.loss(revocation.Session, "s"), r.loss(revocation.User, "u"), r.loss(revocation.Grant, "g"),
			r.loss(revocation.Client, "c"), r.loss(revocation.Key, "k")}
		r.happen(t, append(both, r.loss(revocation.JTI, "any"), r.loss(revocation.JTI, "shop's", issuer, shop), r.loss(revocation.JTI, "shared", shop, partner),
			r.loss(revocation.JTI, "issuer's", issuer), r.loss(revocation.Grant, "partner's", partner), r.loss(revocation.Changed, "note", shop))...)
		everybody := []string{"s", "u", "g", "c", "k", "any"}
		for id, want := range map[string][]string{"shop": append(everybody[:6:6], "shop's", "shared"), "partner": append(everybody[:6:6], "shared", "partner's")} {
			page, err := r.Revocations(t.Context(), home, proof(id), base, 0)
			if err != nil || !slices.Equal(idsOf(page.Events), want) || page.Next != base+11 {
				t.Errorf("%s polls %q up to %d, %v", id, idsOf(page.Events), page.Next, err)
			}
			if p := next(t, streams[id], 0); !slices.Equal(idsOf(p.Events), want) || p.Next != base+11 {
				t.Errorf("%s streams %q up to %d", id, idsOf(p.Events), p.Next)
			}
		}
		// What it was not told does not hold up what follows, nor wake it.
		r.happen(t, r.loss(revocation.JTI, "elsewhere", "https://other.example"), r.loss(revocation.Session, "later"))
		if p := next(t, streams["shop"], shorter); !slices.Equal(idsOf(p.Events), []string{"later"}) || p.Next != base+13 {
			t.Errorf("later: %+v", p)
		}
		// Where everything ended, readers are judged anew as well.
		r.happen(t, r.loss(revocation.All, ""))
		if p, err := streams["shop"].Next(t.Context(), 0); !errors.Is(err, exchange.ErrStreamOver) {
			t.Errorf("%+v, %v", p, err)
		}
		if p := next(t, r.stream(t, "shop", base+13), 0); len(p.Events) != 1 || p.Events[0].Name.Unit != revocation.All {
			t.Errorf("all: %+v", p)
		}
	})
}

// An event is served for as long as a token that it kills can live, to the
// microsecond, by a node that has it in mind and by one that reads it anew, and
// is then gone from the database too.
func TestEventsAreServedUntilTheyEnd(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		base := r.base(t)
		r.happen(t, r.loss(revocation.Session, "ses_x"), r.loss(revocation.Client, "app"))
		served := func(n *node, what string, want int) {
			t.Helper()
			if page := n.poll(t, base, 0); len(page.Events) != want || page.Next != base+2 {
				t.Errorf("%s: polls %+v", what, page)
			}
			if p := next(t, n.stream(t, "shop", 0), 0); len(p.Events) != want || p.Next != base+2 {
				t.Errorf("%s: streams %+v", what, p)
			}
		}
		forget := func() int {
			t.Helper()
			if _, err := r.store.Commit(t.Context(), core.Unit{revocation.Forget{Now: r.clock.now()}}); err != nil {
				t.Fatal(err)
			}
			return r.count(`select count(*) from feed_events where name in ('ses_x', 'app')`)
		}
		r.clock.add(10 * time.Minute)
		r.catchUp(t)
		served(r.node, "in mind", 2)
		served(r.on(r.store), "read anew", 2)
		if n := forget(); n != 2 {
			t.Errorf("%d of 2 events are left while they can kill", n)
		}
		r.clock.add(time.Microsecond)
		r.catchUp(t)
		served(r.node, "in mind, ended", 0)
		served(r.on(r.store), "read anew, ended", 0)
		if n := forget(); n != 0 {
			t.Errorf("%d events are left after their end", n)
		}
		served(r.on(r.store), "forgotten", 0)
	})
}

// issuing lets tests make tokens that no exchange gives yet.
var issuing = check.Declare(139, "test.issue", client.Authentic)

// machine makes an access token of an application's own, with changes.
func (r *rig) machine(t *testing.T, id string, change func(c *token.Claims)) exchange.ClientProof {
	t.Helper()
	trail := issuing.Begin()
	trail.Hold(client.Authentic, true)
	passed, err := trail.Close()
	if err != nil {
		t.Fatal(err)
	}
	now := r.clock.now().Truncate(time.Second)
	c := token.Claims{Issuer: issuer, Subject: id, Client: id, Audience: []string{issuer}, JTI: "at_" + id, Scope: "account " + exchange.FeedScope,
		Rev: r.pipe.Feed.Position(), IssuedAt: now, ExpiresAt: now.Add(time.Minute)}
	if change != nil {
		change(&c)
	}
	text, err := token.Issue(passed, r.ring, "jwt", r.ring.Signer, c)
	if err != nil {
		t.Fatal(err)
	}
	return exchange.ClientProof{Token: token.Alone(text)}
}

// A reader may show an access token of its own instead of its secret: one that
// holds the scope, while it lives. A person's token is no such proof, whatever
// it may do.
func TestReadersByBearer(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p := r.person()
		base := r.base(t)
		for name, c := range map[string]struct {
			proof exchange.ClientProof
			want  string
		}{
			"a reader":          {r.machine(t, "shop", nil), "passed"},
			"no reader":         {r.machine(t, "notes", nil), "client.may_read"},
			"a narrower token":  {r.machine(t, "shop", func(c *token.Claims) { c.Scope = "account" }), "client.may_read"},
			"a paused one":      {r.machine(t, "paused", nil), "client.standing"},
			"nobody":            {r.machine(t, "nobody", nil), "client.authentic"},
			"for a person":      {r.machine(t, "shop", func(c *token.Claims) { c.Subject = p.id.String() }), "client.authentic"},
			"in a session":      {r.machine(t, "shop", func(c *token.Claims) { c.Session = "ses_x" }), "client.authentic"},
			"of another":        {r.machine(t, "shop", func(c *token.Claims) { c.Subject = "partner" }), "client.authentic"},
			"for an API":        {r.machine(t, "shop", func(c *token.Claims) { c.Audience = []string{"https://api.shop.example"} }), "token.audience"},
			"over":              {r.machine(t, "shop", func(c *token.Claims) { c.ExpiresAt = c.IssuedAt }), "token.time"},
			"of a page":         {exchange.ClientProof{Token: token.Alone(r.signInFrom(t, p, shopOrigin).Access)}, "client.authentic"},
			"no token":          {exchange.ClientProof{Token: token.Alone("x")}, "token.form"},
			"a token's id only": {exchange.ClientProof{ID: "shop", Token: token.Alone("x")}, "token.form"},
		} {
			_, err := r.Revocations(t.Context(), home, c.proof, base, 0)
			s, err2 := r.Stream(t.Context(), home, c.proof, base)
			if s != nil {
				s.Close()
			}
			got := []string{named(err), named(err2)}
			for i, g := range got {
				if g != c.want && !(strings.HasPrefix(c.want, "token.") && strings.HasPrefix(g, "token.")) {
					t.Errorf("%s, %d: %s, want %s", name, i, g, c.want)
				}
			}
		}
		// The stream ends with the token, by time or by revocation.
		for _, end := range []func(){func() { r.clock.add(time.Minute) }, func() { r.happen(t, r.loss(revocation.JTI, "at_shop")) }} {
			s, err := r.Stream(t.Context(), home, r.machine(t, "shop", nil), r.pipe.Feed.Position())
			if err != nil {
				t.Fatal(err)
			}
			next(t, s, 0)
			end()
			if _, err := s.Next(t.Context(), 0); !errors.Is(err, exchange.ErrStreamOver) {
				t.Errorf("the stream goes on: %v", err)
			}
			s.Close()
		}
	})
}
