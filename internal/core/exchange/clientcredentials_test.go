package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
)

// A worker is a machine that has a secret.
func (r *rig) worker(format string) exchange.ClientProof {
	r.t.Helper()
	made, err := r.manage.CreateClients(r.t.Context(), settle.Caller{Actor: "host:0"}, []manage.NewClient{{Client: client.Client{ID: "job", Name: "Job", Type: "machine", TokenFormat: format,
		Resources: []string{"https://api.job.example", "https://files.job.example"}, Scopes: []string{"jobs:read", "jobs:run", "openid", "offline_access"}}}})
	if err != nil {
		r.t.Fatal(err)
	}
	return exchange.ClientProof{ID: "job", Secret: made[0].Secret}
}

func TestClientCredentials(t *testing.T) {
	for _, format := range []string{client.JWT, client.Opaque} {
		t.Run(format, func(t *testing.T) {
			onEach(t, func(t *testing.T, r *rig) {
				proof := r.worker(format)
				r.apps()
				all, err := r.ClientCredentials(t.Context(), home, proof, exchange.Asked{})
				if err != nil {
					t.Fatal(err)
				}
				c := r.inspected(t, all.Access)
				// Nothing of a person, and the machine as its own subject (checks DV-06 and JW-20).
				if c.Subject != "job" || c.Client != "job" || c.Session != "" || c.Grant != "" || c.ACR != "" || !c.AuthTime.IsZero() || all.Refresh != "" || all.IDToken != "" ||
					c.Scope != "jobs:read jobs:run" || !slices.Equal(c.Audience, []string{issuer, "https://api.job.example", "https://files.job.example"}) {
					t.Errorf("%+v of %+v", c, all)
				}
				some, err := r.ClientCredentials(t.Context(), home, proof, exchange.Asked{Scope: "jobs:run", Resources: []string{"https://files.job.example"}})
				if err != nil {
					t.Fatal(err)
				}
				if c, err := r.Inspect(t.Context(), some.Access, "https://files.job.example"); err != nil || c.Scope != "jobs:run" || len(c.Audience) != 1 {
					t.Errorf("%+v, %v", c, err)
				}
				// What is said a thousand times is said once: a token is read at every use.
				many, err := r.ClientCredentials(t.Context(), home, proof, exchange.Asked{Scope: strings.Repeat("jobs:run ", 1000), Resources: slices.Repeat([]string{"https://files.job.example"}, 1000)})
				if err != nil {
					t.Fatal(err)
				}
				if c, err := r.Inspect(t.Context(), many.Access, "https://files.job.example"); err != nil || c.Scope != "jobs:run" || len(c.Audience) != 1 {
					t.Errorf("%d bytes of a token, %v", len(many.Access), err)
				}
				for what, c := range map[string]struct {
					proof exchange.ClientProof
					asked exchange.Asked
					want  string
				}{
					"a scope of a person":      {proof, exchange.Asked{Scope: "openid"}, "client.scope"},
					"another's scope":          {proof, exchange.Asked{Scope: "jobs:run notes:read"}, "client.scope"},
					"another's resource":       {proof, exchange.Asked{Resources: []string{"https://api.notes.example"}}, "client.resource"},
					"an application of people": {exchange.ClientProof{ID: "notes", Secret: appSecret + "notes"}, exchange.Asked{}, "client.grant"},
					"a wrong secret":           {exchange.ClientProof{ID: "job", Secret: "x"}, exchange.Asked{}, "client.authentic"},
					"no secret":                {exchange.ClientProof{ID: "job"}, exchange.Asked{}, "client.authentic"},
				} {
					if out, err := r.ClientCredentials(t.Context(), home, c.proof, c.asked); named(err) != c.want || out.Access != "" {
						t.Errorf("%s: %s, want %s", what, named(err), c.want)
					}
				}
				r.exec(`update clients set paused = 1 where id = 'job'`)
				_, err = r.ClientCredentials(t.Context(), home, proof, exchange.Asked{})
				refused(t, err, "client.standing")
			})
		})
	}
}

// Of many tokens in a minute the first costs a commit; all are counted, and
// each is found again by what it carries.
func TestClientCredentialsAreCounted(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		proof := r.worker(client.JWT)
		give := func(by settle.Caller) exchange.Granted {
			t.Helper()
			out, err := r.ClientCredentials(t.Context(), by, proof, exchange.Asked{})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		r.spy.take()
		first := give(home)
		if units := r.spy.take(); len(units) != 1 || len(units[0]) != 1 {
			t.Fatalf("the first wrote %v", units)
		}
		for range 4 {
			give(home)
		}
		if units := r.spy.take(); len(units) != 0 {
			t.Errorf("the next wrote %v", units)
		}
		give(from("203.0.113.7"))
		minute := r.clock.now().Truncate(time.Minute)
		counted := func(want map[string]int) {
			t.Helper()
			got := map[string]int{}
			for _, i := range read(t, r.store, func(v core.View) []ledger.Issue { return v.Issues("job", minute) }) {
				got[i.Network] = i.Count
				if i.Exchange != 301 || !slices.Contains(i.Checks, "client.authentic") || !slices.Contains(i.Checks, "client.resource") {
					t.Errorf("%+v", i)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%v, want %v", got, want)
			}
			for network, n := range want {
				if got[network] != n {
					t.Errorf("%d of %s, want %d", got[network], network, n)
				}
			}
		}
		counted(map[string]int{"192.0.2.10/32": 1, "203.0.113.7/32": 1})
		// A flush that fails counts again.
		r.spy.on(func(core.Unit) error { return errDisk }, nil)
		if err := r.pipe.FlushIssues(t.Context()); err == nil {
			t.Error("the flush did not fail")
		}
		r.spy.on(nil, nil)
		give(home)
		for range 2 {
			if err := r.pipe.FlushIssues(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		counted(map[string]int{"192.0.2.10/32": 6, "203.0.113.7/32": 1})
		if e, err := r.Examine(t.Context(), first.Access, ""); err != nil || !e.Passed || len(e.Issued) != 2 || e.Issued[0].Count != 6 {
			t.Errorf("%+v, %v", e.Issued, err)
		}
		// The next minute is another case, and another node opens its own.
		r.clock.add(time.Minute)
		r.spy.take()
		give(home)
		if units := r.spy.take(); len(units) != 1 {
			t.Errorf("the next minute wrote %v", units)
		}
		minute = minute.Add(time.Minute)
		second := r.open()
		if _, err := second.ClientCredentials(t.Context(), home, proof, exchange.Asked{}); err != nil {
			t.Fatal(err)
		}
		counted(map[string]int{"192.0.2.10/32": 2})
		// What cannot be counted is not given.
		r.clock.add(time.Minute)
		r.spy.on(func(core.Unit) error { return errDisk }, nil)
		if out, err := r.ClientCredentials(t.Context(), home, proof, exchange.Asked{}); named(err) != "unavailable" || out.Access != "" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// An assertion is spent in the unit that counts, when there is one.
func TestAssertionsAreSpentWithTheCount(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		r.register(robot(set))
		for range 3 {
			r.spy.take()
			if _, err := r.ClientCredentials(t.Context(), home, r.assertion(k), exchange.Asked{}); err != nil {
				t.Fatal(err)
			}
			if units := r.spy.take(); len(units) != 1 || len(units[0]) != 2 {
				t.Errorf("wrote %v", units)
			}
		}
	})
}
