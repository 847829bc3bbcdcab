package storetest

import (
	"reflect"
	"slices"
	"testing"

	"github.com/doorward/doorward/internal/core"
)

// A line says of one kind of write what it changes and when it must not.
type line struct {
	kind core.Write
	of   func(w world) steps
}

type steps struct {
	given core.Unit           // what stands before
	unit  core.Unit           // has the write
	read  func(core.View) any // what is looked at after it; nil when no view shows it
	want  any                 // and found
	lost  []core.Unit         // each then loses at its last write, and changes nothing
	still []core.Unit         // each then commits, and changes nothing that a view shows
}

// lines is everything that can ever change.
var lines = slices.Concat(peopleLines, sessionLines, tokenLines, clientLines, keyLines, feedLines, riskLines, ledgerLines, pastLines, adminLines, onceLines, jobLines, deviceLines, setupLines, accountLines, deletionLines, oauthLines, partyLines, scopeLines, grantLines, clientLifeLines, sharedLines,
	requestLines, detailLines, registrationLines)

// Complete says whether every kind of write that a store knows has its line.
func Complete(t *testing.T, kinds []core.Write) {
	t.Helper()
	have := map[reflect.Type]int{}
	for _, l := range lines {
		have[reflect.TypeOf(l.kind)]++
	}
	for _, k := range kinds {
		if n := have[reflect.TypeOf(k)]; n != 1 {
			t.Errorf("%T has %d lines in storetest, want 1", k, n)
		}
		delete(have, reflect.TypeOf(k))
	}
	for k := range have {
		t.Errorf("storetest has a line for %v, which the store does not know", k)
	}
}

func everyWrite(t *testing.T, s core.Store) {
	for i, l := range lines {
		t.Run(reflect.TypeOf(l.kind).String(), func(t *testing.T) {
			w := newWorld(i+10, read(t, s, core.View.Head))
			l.of(w).run(t, s, w, l.kind)
		})
	}
}

func (x steps) run(t *testing.T, s core.Store, w world, kind core.Write) {
	has := func(u core.Unit) bool {
		return slices.ContainsFunc(u, func(c core.Write) bool { return reflect.TypeOf(c) == reflect.TypeOf(kind) })
	}
	if !has(x.unit) {
		t.Fatalf("the line does not write %T", kind)
	}
	commit(t, s, x.given)
	if x.read != nil && reflect.DeepEqual(read(t, s, x.read), x.want) {
		t.Errorf("the line looks at nothing that %T changes", kind)
	}
	commit(t, s, x.unit)
	if x.read != nil {
		same(t, "after "+show(x.unit), read(t, s, x.read), x.want)
	}
	for _, u := range x.lost {
		last := u[len(u)-1]
		if reflect.TypeOf(last) != reflect.TypeOf(kind) {
			t.Errorf("%s does not end in a %T", show(u), kind)
		}
		loses(t, s, u, last, w.everything)
	}
	for _, u := range x.still {
		if !has(u) {
			t.Errorf("%s has no %T", show(u), kind)
		}
		before := read(t, s, w.everything)
		commit(t, s, u)
		same(t, "after "+show(u), read(t, s, w.everything), before)
	}
}
