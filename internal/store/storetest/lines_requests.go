package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
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
