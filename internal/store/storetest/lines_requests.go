package storetest

import (
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/token"
)

func (w world) push(k byte, until time.Time) token.Push {
	return token.Push{Hash: w.hash(k), Client: w.app, Body: []byte{k, 0, 0xff}, Created: at, Until: until}
}

// requests is what a view shows of requests.
func (w world) requests(v core.View) any {
	return []any{v.Pushed(w.hash(44)), v.Pushed(w.hash(45))}
}

var requestLines = []line{
	{token.Push{}, func(w world) steps {
		one := w.push(44, at.Add(time.Hour))
		return steps{
			unit: core.Unit{one},
			read: w.requests,
			want: []any{token.Pushed(one), token.Pushed{}},
			lost: []core.Unit{{one}, {with(one, func(p *token.Push) { p.Client = "other" })}}}
	}},
	{token.Unpush{}, func(w world) steps {
		// Older than any other line's.
		limit := at.Add(-24 * time.Hour)
		stays := w.push(45, limit)
		return steps{
			given: core.Unit{w.push(44, limit.Add(-time.Microsecond)), stays},
			unit:  core.Unit{token.Unpush{Before: limit}},
			read:  w.requests,
			want:  []any{token.Pushed{}, token.Pushed(stays)},
			still: []core.Unit{{token.Unpush{Before: limit}}}}
	}},
}

func (w world) declare(name string) client.DeclareType {
	return client.DeclareType{Name: w.app + ":" + name, Schema: `{"type":"object"}`, Says: "pay {amount}", Changed: at}
}

// detailTypes are this world's.
func (w world) detailTypes(v core.View) any {
	return slices.DeleteFunc(v.DetailTypes(), func(t client.DetailType) bool { return t.Name != w.app+":a" && t.Name != w.app+":b" })
}

var detailLines = []line{
	{client.DeclareType{}, func(w world) steps {
		a := w.declare("a")
		again := with(a, func(d *client.DeclareType) {
			d.Says, d.Schema, d.Changed = "pay", `{"type":"object","required":["amount"]}`, at.Add(time.Hour)
		})
		return steps{
			given: core.Unit{a},
			unit:  core.Unit{w.declare("b"), again},
			read:  w.detailTypes,
			want:  []client.DetailType{client.DetailType(again), client.DetailType(w.declare("b"))},
			still: []core.Unit{{again}}}
	}},
	{client.UndeclareType{}, func(w world) steps {
		return steps{
			given: core.Unit{w.declare("a"), w.declare("b")},
			unit:  core.Unit{client.UndeclareType{Name: w.app + ":a"}},
			read:  w.detailTypes,
			want:  []client.DetailType{client.DetailType(w.declare("b"))},
			lost:  []core.Unit{{client.UndeclareType{Name: w.app + ":a"}}}}
	}},
}
