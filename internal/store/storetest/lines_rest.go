package storetest

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
)

var clientLines = []line{
	{deployment.Found{}, func(w world) steps {
		return steps{
			unit: core.Unit{deployment.Found{Issuer: "https://auth.example.com", Mode: "production", Created: at}},
			read: func(v core.View) any { return v.Deployment() },
			want: deployment.Deployment{Issuer: "https://auth.example.com", Mode: "production", Created: at},
			lost: []core.Unit{
				{deployment.Found{Issuer: "https://auth.example.com", Mode: "production", Created: at}}, // of two first starts
				{deployment.Found{Issuer: "http://localhost:8400", Mode: "development"}},
			}}
	}},
	{client.Create{}, func(w world) steps {
		return steps{
			unit: core.Unit{w.application(w.app)},
			read: func(v core.View) any { return v.Client(w.app) },
			want: client.Client{ID: w.app, Name: w.app, Type: "web", Auth: "none", Secret: client.Secret{Made: at}, Created: at},
			lost: []core.Unit{{with(w.application(w.app), func(c *client.Create) { c.Name = "another" })}}}
	}},
	{client.Claim{}, func(w world) steps {
		return steps{
			given: core.Unit{w.application(w.app), w.application(w.app + "-b")},
			unit:  core.Unit{client.Claim{Origin: w.origin("a"), Client: w.app}},
			read:  func(v core.View) any { return v.ClientOf(w.origin("a")).ID },
			want:  w.app,
			lost: []core.Unit{
				{client.Claim{Origin: w.origin("a"), Client: w.app + "-b"}}, // one owner
				{client.Claim{Origin: w.origin("b"), Client: "nobody"}},
			}}
	}},
	{client.Prefer{}, func(w world) steps {
		return steps{
			given: core.Unit{w.application(w.app), w.application(w.app + "-b")},
			unit:  core.Unit{client.Prefer{Origin: w.origin("a"), Client: w.app}},
			read:  func(v core.View) any { return v.ClientOf(w.origin("a")).ID },
			want:  w.app,
			lost:  []core.Unit{{client.Prefer{Origin: w.origin("b"), Client: "nobody"}}},
			still: []core.Unit{{client.Prefer{Origin: w.origin("a"), Client: w.app + "-b"}}}} // the first keeps it
	}},
}

var feedLines = []line{
	{revocation.Next{}, func(w world) steps {
		return steps{unit: core.Unit{revocation.Next{}}, read: func(v core.View) any { return v.Head() }, want: w.base + 1}
	}},
	{revocation.Revoke{}, func(w world) steps {
		user := revoke(revocation.User, "ana")
		event := revocation.Event{Seq: w.base + 1, At: at, Name: revocation.Name{Unit: revocation.User, ID: "ana"}, NotBefore: user.NotBefore, Until: user.Until}
		return steps{
			unit: revoking(user, revoke(revocation.Session, "ana")),
			read: func(v core.View) any { return v.Events(w.base, plenty) },
			want: []revocation.Event{with(event, func(e *revocation.Event) { e.Name.Unit = revocation.Session }), event},
			lost: []core.Unit{revoking(user, user)}} // one event a name and position
	}},
	{revocation.Forget{}, func(w world) steps {
		brief, long := revoke(revocation.JTI, "brief"), revoke(revocation.JTI, "long")
		long.Until = brief.Until.Add(time.Microsecond)
		return steps{
			given: revoking(brief, long),
			unit:  core.Unit{revocation.Forget{Now: long.Until}},
			read: func(v core.View) any {
				var names []string
				for _, e := range v.Events(w.base, plenty) {
					names = append(names, e.Name.ID)
				}
				return fmt.Sprint(names, v.Head())
			},
			want:  fmt.Sprint([]string{"long"}, w.base+1), // the position stays
			still: []core.Unit{{revocation.Forget{Now: long.Until}}}}
	}},
}

var riskLines = []line{
	{risk.Fail{}, func(w world) steps {
		again, anew := w.hash(1), w.hash(2)
		return steps{
			given: core.Unit{risk.Fail{Key: again, At: at}, risk.Fail{Key: anew, At: at}},
			unit: core.Unit{
				risk.Fail{Key: again, At: at.Add(time.Second), Forgotten: at},
				risk.Fail{Key: again, At: at.Add(2 * time.Second), Forgotten: at},
				risk.Fail{Key: anew, At: at.Add(time.Hour), Forgotten: at.Add(time.Microsecond)}, // the first no longer counts
			},
			read: func(v core.View) any {
				return []risk.Failures{v.Failures(again), v.Failures(anew), v.Failures(w.hash(3))}
			},
			want: []risk.Failures{{Count: 3, Last: at.Add(2 * time.Second)}, {Count: 1, Last: at.Add(time.Hour)}, {}}}
	}},
	{risk.Clear{}, func(w world) steps {
		return steps{
			given: core.Unit{risk.Fail{Key: w.hash(1), At: at}, risk.Fail{Key: w.hash(2), At: at}},
			unit:  core.Unit{risk.Clear{Key: w.hash(1)}},
			read:  func(v core.View) any { return []risk.Failures{v.Failures(w.hash(1)), v.Failures(w.hash(2))} },
			want:  []risk.Failures{{}, {Count: 1, Last: at}},
			still: []core.Unit{{risk.Clear{Key: w.hash(1)}}}}
	}},
	{risk.Know{}, func(w world) steps {
		until := at.Add(time.Hour)
		return steps{
			given: core.Unit{risk.Know{Key: w.hash(1), Until: at}},
			unit:  core.Unit{risk.Know{Key: w.hash(1), Until: until}},
			read: func(v core.View) any {
				return []bool{v.Knows(w.hash(1), until.Add(-time.Microsecond)), v.Knows(w.hash(1), until), v.Knows(w.hash(2), at)}
			},
			want: []bool{true, false, false}}
	}},
}

// sealed is a segment of one entry about Ana.
func (w world) sealed(number uint64) ledger.Append {
	r, _ := ledger.Entry{ID: w.id(20), At: at, Chain: w.chain, User: w.ana}.Writes([16]byte{1})
	a, err := ledger.Seal(ledger.Segment{Number: number - 1, Hash: w.hash(30)}, w.chain, []ledger.Record{r}, ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		panic(err) // of bytes that are in memory
	}
	return a
}

var ledgerLines = []line{
	{ledger.Record{}, func(w world) steps {
		return steps{
			unit: core.Unit{w.record(2), w.record(1)},
			read: func(v core.View) any { return v.OpenEntries(w.chain, plenty) },
			want: []ledger.Record{w.record(1), w.record(2)},
			lost: []core.Unit{{with(w.record(1), func(r *ledger.Record) { r.Body = []byte("rewritten") })}}}
	}},
	{ledger.Keep{}, func(w world) steps {
		keep := ledger.Keep{ID: w.id(1), At: at, Salt: [16]byte{1}, Body: []byte("{}")}
		return steps{unit: core.Unit{keep}, lost: []core.Unit{{with(keep, func(k *ledger.Keep) { k.Body = []byte("rewritten") })}}}
	}},
	{ledger.Append{}, func(w world) steps {
		return steps{
			unit: core.Unit{w.sealed(1), w.sealed(2)},
			read: func(v core.View) any {
				return append(v.Segments(w.chain, 1, plenty), v.LastSegment(w.chain), v.LastSegment(w.chain+100))
			},
			want: []ledger.Segment{ledger.Segment(w.sealed(1)), ledger.Segment(w.sealed(2)), ledger.Segment(w.sealed(2)), {}},
			lost: []core.Unit{{with(w.sealed(2), func(a *ledger.Append) { a.Count++ })}}}
	}},
	{ledger.Index{}, func(w world) steps {
		index := ledger.Index{Subject: w.ana, Chain: w.chain, Number: 1}
		return steps{
			given: core.Unit{w.sealed(1)},
			unit:  core.Unit{index},
			read: func(v core.View) any {
				var ids []ledger.ID
				for _, e := range append(v.EntriesOf(w.ana, plenty), v.EntriesOf(w.ben, plenty)...) {
					ids = append(ids, e.ID)
				}
				return ids
			},
			want: []ledger.ID{w.id(20)},
			lost: []core.Unit{{index}}}
	}},
	{ledger.Drop{}, func(w world) steps {
		return steps{
			given: core.Unit{w.record(1), w.record(2), w.record(3)},
			unit:  core.Unit{ledger.Drop{IDs: []ledger.ID{w.id(1), w.id(3)}}},
			read:  func(v core.View) any { return v.OpenEntries(w.chain, plenty) },
			want:  []ledger.Record{w.record(2)},
			lost: []core.Unit{
				{ledger.Drop{IDs: []ledger.ID{w.id(1)}}},
				{ledger.Drop{IDs: []ledger.ID{w.id(2), w.id(4)}}}, // all of them, or none
			},
			still: []core.Unit{{ledger.Drop{}}}}
	}},
	{ledger.Tally{}, func(w world) steps {
		tally := ledger.Tally{Minute: at.Truncate(time.Minute), Exchange: w.n, Check: 1, Network: "192.0.2.0/24", Count: 2}
		return steps{unit: core.Unit{tally, tally}}
	}},
}
