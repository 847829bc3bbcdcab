package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// oneAdvance holds that of 40 who present the same refresh token at the same
// moment one makes its successor current, a hundred times over.
func oneAdvance(t *testing.T, s core.Store) {
	const rounds, callers = 100, 40
	w := newWorld(1, 0)
	commit(t, s, w.signedIn())
	warm(t, s)
	conflicts := 0
	for round := range uint32(rounds) {
		won, lost := contest(t, s, callers, func(i int) core.Unit {
			return core.Unit{token.Advance{ID: w.family, From: round, Next: [32]byte{byte(i + 1)}, At: at, IdleUntil: at.Add(time.Hour)}}
		})
		if won != 1 {
			t.Fatalf("round %d: %d of %d advanced the family", round, won, callers)
		}
		conflicts += lost
	}
	if got := read(t, s, func(v core.View) uint32 { return v.Family(w.family).Generation }); got != rounds {
		t.Errorf("generation %d after %d rounds", got, rounds)
	}
	t.Logf("%d conflicts met", conflicts)
}

// oneWinner holds the same of everything else that can be had or spent once.
func oneWinner(t *testing.T, s core.Store) {
	const callers = 50
	w := newWorld(1, 0)
	commit(t, s, append(w.signedIn(), w.record(1), w.application(w.app)))
	warm(t, s)
	head := read(t, s, core.View.Head)
	for name, unit := range map[string]func(i int) core.Unit{
		"an address": func(i int) core.Unit {
			return core.Unit{with(w.person(w.id(byte(50+i)), "x"), func(c *identity.Create) { c.Address = w.address("new") })}
		},
		"a client id":    func(i int) core.Unit { return core.Unit{w.application("once")} },
		"an origin":      func(i int) core.Unit { return core.Unit{client.Claim{Origin: w.origin("a"), Client: w.app}} },
		"a first key":    func(i int) core.Unit { return core.Unit{key.Add{Purpose: key.Form, Number: 1, KID: fmt.Sprint(i)}} },
		"a new password": func(i int) core.Unit { return core.Unit{factor.Replace{User: w.ana, Version: 1, PHC: fmt.Sprint(i)}} },
		"a pause":        func(i int) core.Unit { return revoking(identity.Pause{ID: w.ana}, revoke(revocation.User, "ana")) },
		"a renewal": func(i int) core.Unit {
			return core.Unit{session.Renew{ID: w.phone, Old: w.hash(2), New: w.hash(byte(50 + i)), AuthTime: at}}
		},
		"an end":             func(i int) core.Unit { return revoking(session.Finish{ID: w.laptop, At: at}) },
		"a burn":             func(i int) core.Unit { return core.Unit{token.Burn{ID: w.family, At: at}} },
		"the next segment":   func(i int) core.Unit { return core.Unit{with(w.sealed(1), func(a *ledger.Append) { a.Count = i })} },
		"the sealed entries": func(i int) core.Unit { return core.Unit{ledger.Drop{IDs: []ledger.ID{w.id(1)}}} },
	} {
		if won, lost := contest(t, s, callers, unit); won != 1 || lost != callers-1 {
			t.Errorf("%s: %d had it, %d lost", name, won, lost)
		}
	}
	if got := read(t, s, core.View.Head); got != head+2 {
		t.Errorf("a pause and an end moved the head by %d, for the losers too", got-head)
	}
}

// SignInRaces lets a sign-in on one node race the loss of what it rests on,
// on another: whatever the order, no session lives that began on a paused
// account or with the old password. Both stores are of one database.
func SignInRaces(t *testing.T, here, there core.Store) {
	for i, c := range []struct {
		name string
		take func(w world) core.Unit
		back func(w world) core.Unit // so that only positions can kill the session
	}{
		{"pause", func(w world) core.Unit {
			return revoking(identity.Pause{ID: w.ana, Guard: 0}, revoke(revocation.User, w.ana.String()))
		}, func(w world) core.Unit { return core.Unit{identity.Restore{ID: w.ana, Guard: 1}} }},
		{"change of password", func(w world) core.Unit {
			return revoking(factor.Replace{User: w.ana, Version: 1, PHC: "second", Changed: at}, identity.Cut{ID: w.ana, Guard: 0}, revoke(revocation.User, w.ana.String()))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { raceSignIn(t, here, there, 1000*(i+1), c.take, c.back) })
	}
}

const raceRounds = 300

func raceSignIn(t *testing.T, here, there core.Store, first int, take, back func(world) core.Unit) {
	worlds := make([]world, raceRounds)
	var people, backs core.Unit
	for i := range worlds {
		worlds[i] = newWorld(first+i, 0)
		people = append(people, worlds[i].people()...)
		if back != nil {
			backs = append(backs, back(worlds[i])...)
		}
	}
	commit(t, here, people)
	warm(t, here)
	warm(t, there)
	var began, late, lost, refused int
	for round, w := range worlds {
		// The loss is let go at one of four moments of the sign-in.
		moment, now, gone := stage(round%4), make(chan struct{}), make(chan struct{})
		var signed, taken error
		var tooLate bool
		var both sync.WaitGroup
		both.Go(func() {
			signed = signIn(t, here, w, w.laptop, "first", func(s stage) {
				if s == moment {
					close(now)
				}
				if s == overtaken && s == moment {
					<-gone
				}
			})
			select {
			case <-gone:
				tooLate = true
			default:
			}
		})
		both.Go(func() {
			defer close(gone)
			<-now
			_, taken = there.Commit(t.Context(), take(w))
		})
		both.Wait()
		if taken != nil {
			t.Fatalf("what takes trust away must not lose to a sign-in: %v", taken)
		}
		switch l := (*core.Lost)(nil); {
		case signed == nil:
			began++
			if tooLate {
				late++
			}
		case errors.As(signed, &l):
			lost++
		case errors.Is(signed, errRefused):
			refused++
		default:
			t.Fatalf("the sign-in: %v", signed)
		}
		if f := read(t, here, func(v core.View) token.Family { return v.Family(w.family) }); f.Exists() != (signed == nil) {
			t.Fatalf("the sign-in ended with %v, and its family is there: %v", signed, f.Exists())
		}
	}
	commit(t, there, backs)
	alive := 0
	for _, w := range worlds {
		v := here.View(t.Context())
		if session.Judge(v.Session(w.laptop), v.User(w.ana), at) == session.Live || v.Err() != nil {
			alive++
		}
	}
	if alive > 0 {
		t.Errorf("%d sessions live that rest on what was taken", alive)
	}
	t.Logf("of %d rounds, %d began a session, %d of them answered after the loss was; %d lost at commit, %d were refused at the judgement", raceRounds, began, late, lost, refused)
	if late+lost < raceRounds/4 {
		t.Errorf("only %d rounds were races", late+lost)
	}

	// What races nothing does live: the others were not dead for another reason.
	w, right := worlds[0], "first"
	if back == nil {
		right = "second"
	}
	if err := signIn(t, here, w, w.phone, right, func(stage) {}); err != nil {
		t.Fatalf("an undisturbed sign-in: %v", err)
	}
	v := here.View(t.Context())
	if got := session.Judge(v.Session(w.phone), v.User(w.ana), at); got != session.Live {
		t.Errorf("an undisturbed sign-in is %v, want Live", got)
	}
}

// A stage is a moment in a sign-in at which something else may happen.
type stage int

const (
	begins    stage = iota
	stamped         // the position is read, and nothing else
	judged          // and not committed
	overtaken       // and not committed before the loss is
)

var errRefused = errors.New("refused")

// signIn is a sign-in as the exchange does it: the position is read before
// anything else, and the unit conditions on the password that was compared.
func signIn(t *testing.T, s core.Store, w world, id session.ID, password string, reach func(stage)) error {
	reach(begins)
	v := s.View(t.Context())
	rev := v.Head()
	reach(stamped)
	u, p := v.User(w.ana), v.Password(w.ana)
	reach(judged)
	reach(overtaken)
	if err := v.Err(); err != nil {
		return err
	}
	if u.State != identity.Active || p.PHC != password {
		return errRefused
	}
	start, family := w.start(id, id[15]), w.open(w.family)
	if id != w.laptop {
		family.ID, family.Session = w.id(30), id
	}
	start.Rev, family.Rev = rev, rev
	_, err := s.Commit(t.Context(), core.Unit{start, factor.Use{User: w.ana, Version: p.Version, At: at}, family})
	return err
}
