package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/key"
)

// key is a key of a purpose of this world's own.
func (w world) key(number int) key.Add {
	return key.Add{Purpose: key.Purpose(w.n), Number: number, KID: "a", Alg: "ES256", Wrapped: []byte{1, 0}, Sealed: []byte{0, 1, 0xff}, Public: []byte{2},
		Created: at, Since: at.Add(time.Hour)}
}

func kept(a key.Add) key.Key {
	return key.Key{Purpose: a.Purpose, Number: a.Number, KID: a.KID, Alg: a.Alg, Wrapped: a.Wrapped, Sealed: a.Sealed, Public: a.Public, Created: a.Created, Since: a.Since}
}

// keysOf are the keys of this world.
func (w world) keysOf(v core.View) any {
	var out []key.Key
	for _, k := range v.Keys() {
		if k.Purpose == key.Purpose(w.n) {
			out = append(out, k)
		}
	}
	return out
}

var keyLines = []line{
	{key.Add{}, func(w world) steps {
		older := with(w.key(2), func(a *key.Add) { a.Wrapped, a.Public = nil, nil })
		return steps{
			unit: core.Unit{w.key(1), older},
			read: w.keysOf,
			want: []key.Key{kept(w.key(1)), kept(older)},
			lost: []core.Unit{{with(w.key(1), func(a *key.Add) { a.KID = "b" })}}} // of two that make the first key
	}},
	{key.Hasten{}, func(w world) steps {
		now := key.Hasten{Purpose: key.Purpose(w.n), Number: 1, From: w.key(1).Since, Since: at}
		return steps{
			given: core.Unit{w.key(1), w.key(2), key.Distrust{Purpose: key.Purpose(w.n), Number: 2, At: at}},
			unit:  core.Unit{now},
			read:  w.keysOf,
			want:  []key.Key{with(kept(w.key(1)), func(k *key.Key) { k.Since = at }), with(kept(w.key(2)), func(k *key.Key) { k.Compromised = at })},
			lost: []core.Unit{
				{now}, // it moved meanwhile
				{with(now, func(h *key.Hasten) { h.Number = 2 })}, // nobody trusts it any more
				{with(now, func(h *key.Hasten) { h.Number = 3 })},
			}}
	}},
	{key.Distrust{}, func(w world) steps {
		word := key.Distrust{Purpose: key.Purpose(w.n), Number: 1, At: at}
		return steps{
			given: core.Unit{w.key(1)},
			unit:  core.Unit{word},
			read:  w.keysOf,
			want:  []key.Key{with(kept(w.key(1)), func(k *key.Key) { k.Compromised = at })},
			lost:  []core.Unit{{with(word, func(d *key.Distrust) { d.At = at.Add(time.Hour) })}, {with(word, func(d *key.Distrust) { d.Number = 2 })}}}
	}},
	{key.Beside{}, func(w world) steps {
		beside := key.Beside{Purpose: key.Purpose(w.n), Number: 1, Sealed: w.key(1).Sealed}
		moved := key.Reseal{Purpose: beside.Purpose, Number: 1, Was: beside.Sealed, Wrapped: []byte{9}, Sealed: []byte{8}}
		return steps{
			given: core.Unit{w.key(1), w.key(3)},
			unit:  core.Unit{with(w.key(2), func(a *key.Add) { a.Sealed = []byte{7} }), with(beside, func(b *key.Beside) { b.Number = 3 })},
			read:  w.keysOf,
			want:  []key.Key{kept(w.key(1)), with(kept(w.key(2)), func(k *key.Key) { k.Sealed = []byte{7} }), kept(w.key(3))},
			lost:  []core.Unit{{moved, with(beside, func(b *key.Beside) { b.Sealed = []byte{6} })}, {with(beside, func(b *key.Beside) { b.Number = 4 })}},
			still: []core.Unit{{beside}}}
	}},
	{key.Erase{}, func(w world) steps {
		erase := key.Erase{Purpose: key.Purpose(w.n), Number: 1, Sealed: w.key(1).Sealed, Public: []byte{3}}
		return steps{
			given: core.Unit{w.key(1)},
			unit:  core.Unit{erase},
			read:  w.keysOf,
			want:  []key.Key{with(kept(w.key(1)), func(k *key.Key) { k.Wrapped, k.Sealed, k.Public = nil, nil, []byte{3} })},
			lost:  []core.Unit{{erase}, {with(erase, func(e *key.Erase) { e.Number = 2 })}}}
	}},
	{key.Reseal{}, func(w world) steps {
		move := key.Reseal{Purpose: key.Purpose(w.n), Number: 1, Was: w.key(1).Sealed, Wrapped: []byte{9}, Sealed: []byte{8}}
		return steps{
			given: core.Unit{w.key(1)},
			unit:  core.Unit{move},
			read:  w.keysOf,
			want:  []key.Key{with(kept(w.key(1)), func(k *key.Key) { k.Wrapped, k.Sealed = []byte{9}, []byte{8} })},
			lost:  []core.Unit{{move}, {with(move, func(m *key.Reseal) { m.Number, m.Was = 2, []byte{8} })}}}
	}},
}
