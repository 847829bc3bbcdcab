package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/token"
)

// issue is what this world's application was given in the minute of at.
func (w world) issue() ledger.Issue {
	return ledger.Issue{Client: w.app, Minute: at.Truncate(time.Minute), Exchange: 301, Network: "192.0.2.0/24", Checks: []string{"client.authentic", "client.grant"}, Count: 2}
}

// grants is what a view shows of what applications get for themselves.
func (w world) grants(v core.View) any { return []any{v.Issues(w.app, at), v.Federations(w.app)} }

// federation is whose tokens this world's application may trade.
func (w world) federation(k byte) client.Federation {
	return client.Federation{ID: w.id(k), Client: w.app, Issuer: "https://tokens.example.com", Created: at, Rule: client.Rule{Audiences: []string{"us"},
		Claims: map[string]string{"sub": "job", "/a/b": "\n"}, Scopes: []string{"x"}, Lifetime: 60, JWKSURI: "https://tokens.example.com/jwks"}}
}

func federations(w world) func(core.View) any {
	return func(v core.View) any { return v.Federations(w.app) }
}

var grantLines = []line{
	{token.Note{}, func(w world) steps {
		offer := with(w.offer(w.id(20), 40, 41), func(o *token.Offer) { o.Use = token.ForDevice })
		of := token.Note{ID: offer.ID, Was: offer.Body, Body: []byte{2, 0, 0xfe}}
		return steps{
			given: core.Unit{offer, w.offer(w.id(21), 43, 42), token.Spend{ID: w.id(21), At: at}},
			unit:  core.Unit{of},
			read: func(v core.View) any {
				return []token.Once{v.OnceOf(token.ForDevice, w.hash(40)), v.OnceOf(token.ForRecovery, w.hash(40))}
			},
			want: []token.Once{with(offered(offer), func(o *token.Once) { o.Body = of.Body }), {}},
			lost: []core.Unit{
				{of}, // judged before the first
				{with(of, func(n *token.Note) { n.ID = w.id(22) })},
				{token.Note{ID: w.id(21), Was: w.offer(w.id(21), 43, 42).Body}}, // spent
			}}
	}},
	{client.Federate{}, func(w world) steps {
		of := client.Federate(w.federation(50))
		return steps{
			unit: core.Unit{of},
			read: federations(w),
			want: []client.Federation{w.federation(50)},
			lost: []core.Unit{{with(of, func(f *client.Federate) { f.Issuer = "https://other.example.com" })}}}
	}},
	{client.Unfederate{}, func(w world) steps {
		return steps{
			given: core.Unit{client.Federate(w.federation(50)), client.Federate(w.federation(51))},
			unit:  core.Unit{client.Unfederate{ID: w.id(50)}},
			read:  federations(w),
			want:  []client.Federation{w.federation(51)},
			lost:  []core.Unit{{client.Unfederate{ID: w.id(50)}}}}
	}},
	{client.Orphan{}, func(w world) steps {
		others := with(w.federation(52), func(f *client.Federation) { f.Client += "x" })
		return steps{
			given: core.Unit{client.Federate(w.federation(50)), client.Federate(w.federation(51)), client.Federate(others)},
			unit:  core.Unit{client.Orphan{Client: w.app}},
			read:  func(v core.View) any { return append(v.Federations(w.app), v.Federations(w.app+"x")...) },
			want:  []client.Federation{others},
			still: []core.Unit{{client.Orphan{Client: w.app}}}}
	}},
	{ledger.Issue{}, func(w world) steps {
		elsewhere := with(w.issue(), func(i *ledger.Issue) { i.Network = "192.0.3.0/24" })
		later := with(w.issue(), func(i *ledger.Issue) { i.Minute = i.Minute.Add(time.Minute) })
		others := with(w.issue(), func(i *ledger.Issue) { i.Client += "x" })
		return steps{
			given: core.Unit{w.issue(), elsewhere, later, others},
			unit:  core.Unit{with(w.issue(), func(i *ledger.Issue) { i.Count = 40 })},
			read:  func(v core.View) any { return v.Issues(w.app, at) },
			want:  []ledger.Issue{with(w.issue(), func(i *ledger.Issue) { i.Count = 42 }), elsewhere}}
	}},
	{ledger.Unissue{}, func(w world) steps {
		// Older than any other line's.
		limit := at.Add(-24 * time.Hour).Truncate(time.Minute)
		old := with(w.issue(), func(i *ledger.Issue) { i.Minute = limit.Add(-time.Minute) })
		kept := with(w.issue(), func(i *ledger.Issue) { i.Minute = limit })
		return steps{
			given: core.Unit{old, kept},
			unit:  core.Unit{ledger.Unissue{Before: limit}},
			read:  func(v core.View) any { return append(v.Issues(w.app, old.Minute), v.Issues(w.app, limit)...) },
			want:  []ledger.Issue{kept},
			still: []core.Unit{{ledger.Unissue{Before: limit}}}}
	}},
}
