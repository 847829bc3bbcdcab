package storetest

import (
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

func (w world) permit() client.Permit {
	return client.Permit{ID: w.id(50), Hash: w.hash(50), Uses: 2, Created: at, Expires: at.Add(time.Hour)}
}

// registrations are what a view shows of them.
func (w world) registrations(v core.View) any {
	mine := slices.DeleteFunc(v.Initials(), func(i client.Initial) bool { return i.ID != w.id(50) })
	return []any{mine, v.Initial(w.hash(50)), v.Registration(w.app)}
}

var registrationLines = []line{
	{client.Permit{}, func(w world) steps {
		return steps{
			unit: core.Unit{w.permit()},
			read: w.registrations,
			want: []any{[]client.Initial{client.Initial(w.permit())}, client.Initial(w.permit()), [32]byte{}},
			lost: []core.Unit{{w.permit()}, {with(w.permit(), func(p *client.Permit) { p.ID = w.id(51) })}}}
	}},
	{client.Use{}, func(w world) steps {
		of := client.Use{ID: w.id(50), Now: at}
		return steps{
			given: core.Unit{w.permit(), of},
			unit:  core.Unit{of},
			read:  func(v core.View) any { return v.Initial(w.hash(50)).Uses },
			want:  0,
			lost:  []core.Unit{{of}, {client.Use{ID: w.id(51), Now: at}}}}
	}},
	{client.Withdraw{}, func(w world) steps {
		return steps{
			given: core.Unit{w.permit()},
			unit:  core.Unit{client.Withdraw{ID: w.id(50)}},
			read:  w.registrations,
			want:  []any{[]client.Initial{}, client.Initial{}, [32]byte{}},
			lost:  []core.Unit{{client.Withdraw{ID: w.id(50)}}}}
	}},
	{client.Entrust{}, func(w world) steps {
		of := client.Entrust{Client: w.app, Hash: w.hash(50), Created: at}
		return steps{
			unit: core.Unit{of},
			read: func(v core.View) any { return v.Registration(w.app) },
			want: w.hash(50),
			lost: []core.Unit{{of}}}
	}},
	{client.Distrust{}, func(w world) steps {
		return steps{
			given: core.Unit{client.Entrust{Client: w.app, Hash: w.hash(50), Created: at}},
			unit:  core.Unit{client.Distrust{Client: w.app}},
			read:  func(v core.View) any { return v.Registration(w.app) },
			want:  [32]byte{},
			still: []core.Unit{{client.Distrust{Client: w.app}}}}
	}},
}
