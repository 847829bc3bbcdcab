package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

func (w world) recognise(k byte, user identity.UserID, after time.Duration) session.Recognise {
	return session.Recognise{Key: w.hash(k), User: user, At: at.Add(after)}
}

// browsers are what a view shows of the world's devices.
func (w world) browsers(v core.View) any {
	return [][]session.Device{v.Devices(w.ana, plenty), v.Devices(w.ben, plenty), {v.Device(w.hash(20)), v.Device(w.hash(21)), v.Device(w.hash(22))}}
}

func (w world) browser(k byte, user identity.UserID, created, seen time.Duration) session.Device {
	return session.Device{Key: w.hash(k), User: user, Created: at.Add(created), Seen: at.Add(seen)}
}

var deviceLines = []line{
	{identity.Hold{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{identity.Hold{ID: w.ana}},
			read:  standingOf(w.ana),
			want:  standing{identity.Active, 1, 0, 0},
			lost: []core.Unit{
				{identity.Hold{ID: w.ana}},
				{identity.Hold{ID: w.ben, Guard: 1}},
				{identity.Hold{ID: w.id(9)}},
			}}
	}},
	{factor.Distrust{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{factor.Distrust{User: w.ana}},
			read:  passwordOf(w.ana),
			want:  factor.Password{User: w.ana, PHC: "first", Version: 1, Changed: at, Distrusted: true},
			still: []core.Unit{{factor.Distrust{User: w.ana}}, {factor.Distrust{User: w.ben}}}}
	}},
	{session.Recognise{}, func(w world) steps {
		return steps{
			given: append(w.people(), w.recognise(20, w.ana, 0)),
			unit:  core.Unit{w.recognise(21, w.ana, -time.Minute), w.recognise(22, w.ben, 0), w.recognise(20, w.ana, time.Hour)},
			read:  w.browsers,
			want: [][]session.Device{
				{w.browser(21, w.ana, -time.Minute, -time.Minute), w.browser(20, w.ana, 0, time.Hour)}, {w.browser(22, w.ben, 0, 0)},
				{w.browser(20, w.ana, 0, time.Hour), w.browser(21, w.ana, -time.Minute, -time.Minute), w.browser(22, w.ben, 0, 0)}},
			lost:  []core.Unit{{w.recognise(23, w.id(9), 0)}},
			still: []core.Unit{{w.recognise(20, w.ana, time.Minute)}}} // only forward
	}},
	{session.Unrecognise{}, func(w world) steps {
		return steps{
			given: append(w.people(), w.recognise(20, w.ana, 0), w.recognise(21, w.ana, 0)),
			unit:  core.Unit{session.Unrecognise{Key: w.hash(21)}},
			read:  w.browsers,
			want:  [][]session.Device{{w.browser(20, w.ana, 0, 0)}, nil, {w.browser(20, w.ana, 0, 0), {}, {}}},
			still: []core.Unit{{session.Unrecognise{Key: w.hash(21)}}}}
	}},
	{session.UnrecogniseAll{}, func(w world) steps {
		return steps{
			given: append(w.people(), w.recognise(20, w.ana, 0), w.recognise(21, w.ana, 0), w.recognise(22, w.ben, 0)),
			unit:  core.Unit{session.UnrecogniseAll{User: w.ana}},
			read:  w.browsers,
			want:  [][]session.Device{nil, {w.browser(22, w.ben, 0, 0)}, {{}, {}, w.browser(22, w.ben, 0, 0)}},
			still: []core.Unit{{session.UnrecogniseAll{User: w.ana}}}}
	}},
	{session.Unvisited{}, func(w world) steps {
		old := -10 * 365 * 24 * time.Hour // of every world, only these are so old
		return steps{
			given: append(w.people(), w.recognise(20, w.ana, old), w.recognise(21, w.ana, 0)),
			unit:  core.Unit{session.Unvisited{Before: at.Add(old + time.Microsecond)}},
			read:  w.browsers,
			want:  [][]session.Device{{w.browser(21, w.ana, 0, 0)}, nil, {{}, w.browser(21, w.ana, 0, 0), {}}},
			still: []core.Unit{{session.Unvisited{Before: at.Add(old)}}}}
	}},
}
