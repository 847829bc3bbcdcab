package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
)

// issue is what this world's application was given in the minute of at.
func (w world) issue() ledger.Issue {
	return ledger.Issue{Client: w.app, Minute: at.Truncate(time.Minute), Exchange: 301, Network: "192.0.2.0/24", Checks: []string{"client.authentic", "client.grant"}, Count: 2}
}

// grants is what a view shows of what applications get for themselves.
func (w world) grants(v core.View) any { return v.Issues(w.app, at) }

var grantLines = []line{
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
