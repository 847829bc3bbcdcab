package exchange_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

func proof(id string) exchange.ClientProof {
	return exchange.ClientProof{ID: id, Secret: appSecret + id}
}

// inactive holds that an answer says nothing but that a token is not active.
func inactive(t *testing.T, what string, in exchange.Introspection, err error) {
	t.Helper()
	if err != nil || in.Active || in.Claims.Subject != "" || in.Claims.JTI != "" {
		t.Errorf("%s: %+v, %v", what, in, err)
	}
}

func TestIntrospection(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p := r.person()
		in := r.signInFrom(t, p, notesOrigin)
		got, err := r.Introspect(t.Context(), home, proof("notes"), in.Access)
		if err != nil || !got.Active || got.Claims.Subject != p.id.String() || got.Claims.Scope != "notes:read notes:write profile" || !slices.Contains(got.Claims.Audience, "https://api.notes.example") {
			t.Fatalf("%+v, %v", got, err)
		}
		foreign, err := r.Introspect(t.Context(), home, proof("shop"), in.Access)
		inactive(t, "of a foreign audience", foreign, err)
		own := r.signIn(t, p) // for the issuer alone
		for _, c := range []string{"notes", "shop"} {
			got, err := r.Introspect(t.Context(), home, proof(c), own.Access)
			inactive(t, "for the issuer", got, err)
		}
		dot := strings.LastIndex(in.Access, ".")
		for name, text := range map[string]string{"empty": "", "junk": "junk", "a refresh token": in.Refresh, "a cookie": in.Cookie, "cut": in.Access[:dot], "unsigned": in.Access[:dot+1],
			"a changed signature": in.Access[:dot+1] + swap(in.Access[dot+1:dot+2]) + in.Access[dot+2:], "with more": in.Access + "A", "with a space": " " + in.Access} {
			got, err := r.Introspect(t.Context(), home, proof("notes"), text)
			inactive(t, name, got, err)
		}
		// What it hangs on ends, and so does it.
		out := r.signInFrom(t, p, notesOrigin)
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Bearer: token.Alone(out.Access)}); err != nil {
			t.Fatal(err)
		}
		got, err = r.Introspect(t.Context(), home, proof("notes"), out.Access)
		inactive(t, "signed out", got, err)
		r.clock.add(5*time.Minute - time.Second)
		if got, err := r.Introspect(t.Context(), home, proof("notes"), in.Access); err != nil || !got.Active {
			t.Errorf("in its last second: %+v, %v", got, err)
		}
		r.clock.add(time.Second)
		got, err = r.Introspect(t.Context(), home, proof("notes"), in.Access)
		inactive(t, "expired", got, err)
	})
}

// A client proves itself, within a budget of wrong secrets on its network.
func TestClientsProveThemselves(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		ask := func(by settle.Caller, p exchange.ClientProof) string {
			_, err := r.Introspect(t.Context(), by, p, "junk")
			return named(err)
		}
		wrong := exchange.ClientProof{ID: "notes", Secret: "not it"}
		for i, c := range []struct {
			proof exchange.ClientProof
			want  string
		}{
			{exchange.ClientProof{}, "client.authentic"},
			{exchange.ClientProof{ID: "notes"}, "client.authentic"},
			{exchange.ClientProof{ID: "notes", Secret: appSecret + "shop"}, "client.authentic"},
			{exchange.ClientProof{ID: "nobody", Secret: appSecret}, "client.authentic"},
			{exchange.ClientProof{ID: "doorward"}, "client.authentic"}, // public: it has no secret to prove
			{exchange.ClientProof{ID: "doorward", Secret: "x"}, "client.authentic"},
			{exchange.ClientProof{ID: "no\x00\xffid", Secret: "x"}, "client.authentic"},
			{proof("paused"), "client.standing"},
			{proof("notes"), "passed"},
		} {
			if got := ask(elsewhere(i), c.proof); got != c.want {
				t.Errorf("%+v: %s, want %s", c.proof, got, c.want)
			}
		}
		r.spy.take()
		for i := range 5 {
			if got := ask(home, wrong); got != "client.authentic" {
				t.Fatalf("guess %d: %s", i, got)
			}
		}
		units := r.spy.take()
		if e, err := entry(units[len(units)-1]); len(units) != 5 || err != nil || !e.Refused || e.Client != "notes" {
			t.Errorf("%d units, entry %+v: %v", len(units), e, err)
		}
		for _, p := range []exchange.ClientProof{wrong, proof("notes")} {
			_, err := r.Introspect(t.Context(), home, p, "junk")
			if f := refused(t, err, "limit.client"); f.RetryAfter != 12*time.Second {
				t.Errorf("again in %v", f.RetryAfter)
			}
		}
		if units := r.spy.take(); len(units) != 0 {
			t.Errorf("what was not compared wrote %v", units)
		}
		if got := ask(home, proof("shop")); got != "passed" {
			t.Errorf("another client on this network: %s", got)
		}
		if got := ask(elsewhere(20), proof("notes")); got != "passed" {
			t.Errorf("the client on another network: %s", got)
		}
		r.clock.add(12 * time.Second)
		if got := ask(home, proof("notes")); got != "passed" {
			t.Errorf("after the wait: %s", got)
		}
	})
}

// A hundred right secrets at once are no guesses; a hundred wrong ones at once
// are five.
func TestManyClientsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		r.warm(t)
		for _, c := range []struct {
			proof exchange.ClientProof
			want  map[string]int
		}{
			{proof("notes"), map[string]int{"passed": 100}},
			{exchange.ClientProof{ID: "notes", Secret: "not the secret"}, map[string]int{"client.authentic": 5, "limit.client": 95}},
		} {
			var mu sync.Mutex
			seen := map[string]int{}
			together(100, func(int) {
				_, err := r.Introspect(t.Context(), home, c.proof, "junk")
				mu.Lock()
				defer mu.Unlock()
				seen[named(err)]++
			})
			for id, n := range c.want {
				if seen[id] != n {
					t.Errorf("%v, want %v", seen, c.want)
				}
			}
		}
	})
}

// A client that asks faster than it needs to is slowed down, and writes no
// ledger while it is.
func TestTheBudgetOfAClient(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		for i := range 500 {
			if _, err := r.Revocations(t.Context(), home, proof("shop"), 0, 0); err != nil {
				t.Fatalf("poll %d: %v", i, err)
			}
		}
		r.spy.take()
		_, err := r.Revocations(t.Context(), elsewhere(1), proof("shop"), 0, 0)
		if f := refused(t, err, "limit.pace"); f.RetryAfter != 20*time.Millisecond {
			t.Errorf("again in %v", f.RetryAfter)
		}
		if units := r.spy.take(); len(units) != 0 {
			t.Errorf("it wrote %v", units)
		}
		if _, err := r.Introspect(t.Context(), home, proof("shop"), "junk"); err != nil {
			t.Errorf("introspection has a budget of its own: %v", err)
		}
		r.clock.add(20 * time.Millisecond)
		if _, err := r.Revocations(t.Context(), home, proof("shop"), 0, 0); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}
