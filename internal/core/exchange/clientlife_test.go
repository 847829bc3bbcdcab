package exchange_test

import (
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
)

// proves holds whether an application can prove itself with a secret.
func (n *node) proves(t *testing.T, id, text string, want bool) {
	t.Helper()
	_, err := n.Introspect(t.Context(), home, exchange.ClientProof{ID: id, Secret: text}, "x")
	if want && err != nil {
		t.Errorf("%s does not prove itself: %v", id, err)
	}
	if !want {
		refused(t, err, "client.authentic")
	}
}

func (n *node) appOf(t *testing.T, id string) client.Client {
	t.Helper()
	c, err := n.manage.FindClient(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (n *node) edit(t *testing.T, id string, change func(c *client.Client)) (string, manage.Ended) {
	t.Helper()
	made, ended, err := n.manage.EditClient(t.Context(), operator, id, nil, func(c client.Client) (client.Client, bool) {
		change(&c)
		return c, true
	})
	if err != nil {
		t.Fatal(err)
	}
	return made, ended
}

// Two secrets live while every node of an application is given the new one,
// and an operator sees when the former is used no more. Attack OAU-25.
func TestAClientHasTwoSecretsWhileARotationOverlaps(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		before := appSecret + "notes"
		next, err := r.manage.RotateSecret(t.Context(), operator, "notes", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		r.proves(t, "notes", before, true)
		r.proves(t, "notes", next, true)
		r.proves(t, "shop", next, false)
		r.clock.add(10 * time.Minute)
		r.proves(t, "notes", before, true)
		if c := r.appOf(t, "notes"); !c.Former.Used.IsZero() {
			t.Error("a request waited for the note of its use")
		}
		if err := r.FlushUsed(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := r.appOf(t, "notes"); !c.Former.Used.Equal(r.clock.now()) || !c.Secret.Used.Equal(r.clock.now().Add(-10*time.Minute)) {
			t.Errorf("last used: %v and %v", c.Former.Used, c.Secret.Used)
		}
		_, err = r.manage.RotateSecret(t.Context(), operator, "notes", time.Hour)
		refused(t, err, "client.one_secret") // a third
		if err := r.manage.RetireSecret(t.Context(), operator, "notes"); err != nil {
			t.Fatal(err)
		}
		r.proves(t, "notes", before, false)
		r.proves(t, "notes", next, true)
		refused(t, r.manage.RetireSecret(t.Context(), operator, "notes"), "client.has_former")

		third, err := r.manage.RotateSecret(t.Context(), operator, "notes", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		r.clock.add(time.Hour - time.Second)
		r.proves(t, "notes", next, true)
		r.clock.add(time.Second)
		r.proves(t, "notes", next, false) // its overlap is over
		r.proves(t, "notes", third, true)
		last, err := r.manage.RotateSecret(t.Context(), operator, "notes", 0)
		if err != nil {
			t.Fatal(err)
		}
		r.proves(t, "notes", third, false) // one that leaked ends at once
		r.proves(t, "notes", last, true)
		r.edit(t, "partner", func(c *client.Client) { c.Auth = "none" })
		_, err = r.manage.RotateSecret(t.Context(), operator, "partner", 0)
		refused(t, err, "client.has_secret")
		_, err = r.manage.RotateSecret(t.Context(), operator, "nobody", 0)
		refused(t, err, "client.found")
	})
}

// What an application may no longer have ends at once, and it goes on with the
// rest. Attacks OAU-12, OAU-35.
func TestEditingAClientEndsWhatItTakesAway(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p := r.person()
		in, other := r.signInFrom(t, p, notesOrigin), r.signInFrom(t, p, shopOrigin)
		r.inspected(t, in.Access)
		r.spy.take()
		if _, ended := r.edit(t, "notes", func(c *client.Client) { c.Name = "Notes and more" }); ended != manage.EndedNothing {
			t.Errorf("a name's change ended %q", ended)
		}
		if e, err := entry(r.spy.take()[0]); err != nil || e.Client != "notes" || e.Exchange.Name != "client.edit" || e.Actor != operator.Actor {
			t.Errorf("the ledger says %+v, %v", e, err)
		}
		r.inspected(t, in.Access)
		if _, ended := r.edit(t, "notes", func(c *client.Client) { c.Scopes = []string{"notes:read"} }); ended != manage.EndedAccess {
			t.Errorf("it ended %q", ended)
		}
		r.accessRefused(t, in.Access, "token.alive")
		out, err := r.Refresh(t.Context(), home, exchange.RefreshInput{Token: in.Refresh, Origin: notesOrigin})
		if err != nil {
			t.Fatal(err)
		}
		if c := r.inspected(t, out.Access); c.Scope != "notes:read" {
			t.Errorf("the next token has %q", c.Scope)
		}
		r.inspected(t, other.Access) // of another application

		if _, ended := r.edit(t, "notes", func(c *client.Client) { c.Resources = nil }); ended != manage.EndedAccess {
			t.Errorf("it ended %q", ended)
		}
		r.accessRefused(t, out.Access, "token.alive")
		made, ended := r.edit(t, "partner", func(c *client.Client) { c.Auth = "none" })
		if made != "" || ended != manage.EndedAll {
			t.Errorf("%q, %q", made, ended)
		}
		r.proves(t, "partner", appSecret+"partner", false)
		made, _ = r.edit(t, "partner", func(c *client.Client) { c.Auth = "client_secret_basic" })
		r.proves(t, "partner", made, true)
		r.proves(t, "partner", appSecret+"partner", false)
		if _, ended := r.edit(t, "notes", func(c *client.Client) { c.FirstParty = false }); ended != manage.EndedAll {
			t.Errorf("it ended %q", ended)
		}
		if r.Allows(t.Context(), notesOrigin) {
			t.Error("its pages may use the session still")
		}
	})
}

// An edit is of what the operator saw, and makes no other application of it.
// Attacks OAU-03, OAU-25.
func TestAnEditIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		try := func(id string, version *uint64, change func(c *client.Client)) error {
			_, _, err := r.manage.EditClient(t.Context(), operator, id, version, func(c client.Client) (client.Client, bool) {
				change(&c)
				return c, true
			})
			return err
		}
		name := func(c *client.Client) { c.Name = "x" }
		before := r.appOf(t, "notes")
		if err := try("notes", new(before.Guard), name); err != nil {
			t.Fatal(err)
		}
		refused(t, try("notes", new(before.Guard), name), "client.current")
		refused(t, try("nobody", nil, name), "client.found")
		refused(t, try(client.BuiltIn, nil, name), "client.own")
		for what, change := range map[string]func(c *client.Client){
			"its id":               func(c *client.Client) { c.ID = "shop" },
			"its type":             func(c *client.Client) { c.Type = "machine" },
			"a script":             func(c *client.Client) { c.RedirectURIs = []string{"javascript:alert(1)"} },
			"a scope with a quote": func(c *client.Client) { c.Scopes = []string{`a"b`} },
			"no format":            func(c *client.Client) { c.TokenFormat = "" },
		} {
			if err := try("notes", nil, change); named(err) != "client.metadata" {
				t.Errorf("%s: %v", what, named(err))
			}
		}
		refused(t, try("notes", nil, func(c *client.Client) { c.Origins = []string{shopOrigin} }), "client.free")
		if c := r.appOf(t, "notes"); c.Guard != before.Guard+1 || !slices.Equal(c.Origins, before.Origins) {
			t.Errorf("a refused edit changed it: %+v", c)
		}
		// Two operators at once: one of them is told to look again.
		guard := r.appOf(t, "notes").Guard
		errs := make([]error, 8)
		together(len(errs), func(i int) { errs[i] = try("notes", &guard, name) })
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else {
				refused(t, err, "client.current")
			}
		}
		if done != 1 {
			t.Errorf("%d edits of one version", done)
		}
	})
}

// A paused application gets nothing and what it had counts for nothing, on
// every node at once. Attack OAU-12, OAU-35.
func TestAPausedClientStopsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		two := r.open()
		in := r.signInFrom(t, r.person(), notesOrigin)
		if err := r.manage.PauseClient(t.Context(), operator, "notes"); err != nil {
			t.Fatal(err)
		}
		if all := r.events(); len(all) != 1 || all[0].Name != (revocation.Name{Unit: revocation.Client, ID: "notes"}) {
			t.Errorf("the feed says %+v", all)
		}
		r.accessRefused(t, in.Access, "token.alive")
		two.catchUp(t)
		two.accessRefused(t, in.Access, "token.alive")
		_, err := two.Refresh(t.Context(), home, exchange.RefreshInput{Token: in.Refresh, Origin: notesOrigin})
		refused(t, err, "client.first_party")
		_, err = r.Introspect(t.Context(), home, proof("notes"), "x")
		refused(t, err, "client.standing")
		if err := r.manage.PauseClient(t.Context(), operator, "notes"); err != nil {
			t.Errorf("again: %v", err)
		}
		if err := r.manage.ResumeClient(t.Context(), operator, "notes"); err != nil {
			t.Fatal(err)
		}
		r.proves(t, "notes", appSecret+"notes", true)
		r.accessRefused(t, in.Access, "token.alive")
		r.live(t, in.Cookie) // its people stay signed in here
		again := r.signInFrom(t, r.person(), notesOrigin)
		r.inspected(t, again.Access)
		refused(t, r.manage.PauseClient(t.Context(), operator, client.BuiltIn), "client.own")
		refused(t, r.manage.ResumeClient(t.Context(), operator, "nobody"), "client.found")
	})
}
