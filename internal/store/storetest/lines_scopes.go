package storetest

import (
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

func (w world) describe(name string) client.Describe {
	return client.Describe{Name: w.app + ":" + name, Says: "read your notes", Optional: true, Changed: at}
}

// scopes are this world's.
func (w world) scopes(v core.View) any {
	return slices.DeleteFunc(v.Scopes(), func(s client.Scope) bool { return s.Name != w.app+":a" && s.Name != w.app+":b" })
}

var scopeLines = []line{
	{client.Describe{}, func(w world) steps {
		a := w.describe("a")
		again := with(a, func(d *client.Describe) {
			d.Says, d.Optional, d.Changed = "read all your notes", false, at.Add(time.Hour)
		})
		return steps{
			given: core.Unit{a},
			unit:  core.Unit{w.describe("b"), again},
			read:  w.scopes,
			want:  []client.Scope{client.Scope(again), client.Scope(w.describe("b"))},
			still: []core.Unit{{again}}}
	}},
	{client.Undescribe{}, func(w world) steps {
		return steps{
			given: core.Unit{w.describe("a"), w.describe("b")},
			unit:  core.Unit{client.Undescribe{Name: w.app + ":a"}},
			read:  w.scopes,
			want:  []client.Scope{client.Scope(w.describe("b"))},
			lost:  []core.Unit{{client.Undescribe{Name: w.app + ":a"}}}}
	}},
}
