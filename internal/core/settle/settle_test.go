package settle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// judged makes a judge that holds both checks and asks for one unit.
func judged(a, b bool, u core.Unit) settle.Judge {
	return func(j *settle.Judgement) core.Unit {
		j.User = ana
		j.Hold(first, a)
		j.Hold(other, b, check.Wait(7*time.Second))
		return u
	}
}

var person2 = core.Unit{identity.Create{ID: identity.UserID{2}, Address: "ben@example.com"}}

func (r *rig) has2(t *testing.T) bool {
	t.Helper()
	v := r.store.View(t.Context())
	u := v.User(identity.UserID{2})
	if err := v.Err(); err != nil {
		t.Fatal(err)
	}
	return u.Exists()
}

func TestWhatHoldsIsCommitted(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		prepared := check.Passed{}
		err := r.Run(t.Context(), trade, by, judged(true, true, person2), func(p check.Passed, j *settle.Judgement) error {
			if r.has2(t) {
				t.Error("prepared after the commit")
			}
			prepared = p
			return nil
		})
		if err != nil || !prepared.Proven() || !r.has2(t) {
			t.Fatalf("%v, proof %v, committed %v", err, prepared, r.has2(t))
		}
		e := r.entries(t)
		if len(e) != 1 || e[0].Refused || e[0].Ref != "" || e[0].Exchange != trade || len(e[0].Steps) != 2 || e[0].Chain != ledger.Audit || !e[0].At.Equal(r.now().Truncate(time.Microsecond)) {
			t.Errorf("entries %+v", e)
		}
	})
}

func TestWhatFailsIsCommittedToo(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		never := func(check.Passed, *settle.Judgement) error {
			t.Error("something was prepared for a refusal")
			return nil
		}
		err := r.Run(t.Context(), trade, by, judged(true, false, person2), never)
		f := refused(t, err, "test.other")
		if f.Ref == "" || f.RetryAfter != 7*time.Second || f.Exchange != trade || !r.has2(t) {
			t.Errorf("refusal %+v, committed %v", f, r.has2(t))
		}
		e := r.entries(t)
		if len(e) != 1 || !e[0].Refused || e[0].Ref != f.Ref || len(r.tallied) != 0 {
			t.Errorf("entries %+v, tallies %v", e, r.tallied)
		}
		// The reference finds it, sealed and all.
		if _, err := r.Seal(t.Context(), ledger.Audit, sealing); err != nil {
			t.Fatal(err)
		}
		if found := r.store.View(t.Context()).EntriesOf(ledger.RefSubject(f.Ref), 10); len(found) != 1 || found[0].Ref != f.Ref {
			t.Errorf("by its reference: %+v", found)
		}
	})
}

// Strangers do not write entries: nobody known is a count.
func TestARefusalOfNobody(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		err := r.Run(t.Context(), trade, by, func(j *settle.Judgement) core.Unit {
			j.Hold(first, false)
			return nil
		}, nil)
		refused(t, err, "test.first")
		want := ledger.Tally{Minute: r.now().Truncate(time.Minute), Exchange: trade.Number, Check: first.Number, Network: "192.0.2.1/32", Count: 1}
		if len(r.tallied) != 1 || r.tallied[0] != want {
			t.Errorf("tallied %+v", r.tallied)
		}
		open := r.store.View(t.Context()).OpenEntries(ledger.Audit, 10)
		if len(open) != 0 {
			t.Errorf("entries %+v", open)
		}
		// An operator is somebody.
		err = r.Run(t.Context(), trade, settle.Caller{Actor: "host:0"}, func(j *settle.Judgement) core.Unit {
			j.Hold(first, false)
			return nil
		}, nil)
		refused(t, err, "test.first")
		if open := r.store.View(t.Context()).OpenEntries(ledger.Audit, 10); len(open) != 1 || len(r.tallied) != 1 {
			t.Errorf("entries %+v, tallies %+v", open, r.tallied)
		}
	})
}

// An exchange that forgets a check issues nothing, commits nothing, and tells
// the operator.
func TestAForgottenCheck(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, err := jose.GenerateKey(jose.ES256)
		if err != nil {
			t.Fatal(err)
		}
		err = r.Run(t.Context(), trade, by, func(j *settle.Judgement) core.Unit {
			j.User = ana
			j.Hold(first, true)
			return person2
		}, func(p check.Passed, j *settle.Judgement) error {
			_, err := token.Issue(p, &key.Ring{}, client.JWT, k, token.Claims{})
			t.Errorf("something was prepared: %v", err)
			return err
		})
		var incomplete *check.ErrIncomplete
		var refusal *check.Refusal
		if !errors.As(err, &incomplete) || errors.As(err, &refusal) || !strings.Contains(err.Error(), "test.other") {
			t.Errorf("Run: %v", err)
		}
		if len(r.alarms) != 1 || r.spy.commits != 0 || r.has2(t) {
			t.Errorf("alarms %v, %d commits", r.alarms, r.spy.commits)
		}
		if _, err := token.Issue(check.Passed{}, &key.Ring{}, client.JWT, k, token.Claims{}); !errors.Is(err, token.ErrNotPassed) {
			t.Errorf("Issue without a proof: %v", err)
		}
	})
}

// A unit that lost is judged again on what is true by then: nothing of the
// first judgement is kept.
func TestALostWriteIsJudgedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.spy.before = func(core.Unit) error {
			if r.spy.commits == 1 {
				r.commit(t, cut(r.user(t), r.now())) // somebody was first
				if err := r.Follow.Read(t.Context()); err != nil {
					t.Error(err)
				}
			}
			return nil
		}
		var revs []uint64
		prepared := 0
		err := r.Run(t.Context(), trade, by, func(j *settle.Judgement) core.Unit {
			j.User = ana
			u := j.View.User(ana)
			j.Hold(first, true)
			j.Hold(other, true, check.Count(int(u.Guard)))
			revs = append(revs, j.Rev)
			return cut(u, j.Now)
		}, func(check.Passed, *settle.Judgement) error { prepared++; return nil })
		if err != nil || len(revs) != 2 || revs[0] != 0 || revs[1] != 1 || prepared != 2 {
			t.Fatalf("%v; judged at %v, prepared %d times", err, revs, prepared)
		}
		if u := r.user(t); u.Guard != 2 || u.Cut != 2 {
			t.Errorf("user %+v", u)
		}
		if e := r.entries(t); len(e) != 1 || e[0].Steps[1].Details[0].String() != "1" {
			t.Errorf("entries %+v, want that of the judgement that committed", e)
		}
	})
}

// A refusal can lose as well, and then it may hold.
func TestARefusalThatLostIsJudgedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := 0
		err := r.Run(t.Context(), trade, by, func(j *settle.Judgement) core.Unit {
			j.User = ana
			n++
			j.Hold(first, true)
			j.Hold(other, n > 1)
			if n == 1 {
				return core.Unit{identity.Cut{ID: ana, Guard: 99}}
			}
			return nil
		}, nil)
		if err != nil || n != 2 {
			t.Errorf("%v after %d judgements", err, n)
		}
		if e := r.entries(t); len(e) != 1 || e[0].Refused {
			t.Errorf("entries %+v", e)
		}
	})
}

// Somebody who loses for ever is told "later", and nothing is kept.
func TestLosingForEver(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		err := r.Run(ctx, trade, by, judged(true, true, core.Unit{person2[0], identity.Cut{ID: ana, Guard: 99}}), nil)
		if !errors.Is(err, core.ErrUnavailable) || r.has2(t) || len(r.entries(t)) != 0 || r.spy.commits < 2 {
			t.Errorf("%v after %d tries", err, r.spy.commits)
		}
	})
}

// A node that reads a cut it has not followed to stamps what it issues from
// the database: else the token would be dead at birth, or a stale one alive.
func TestANodeThatIsBehindStampsAgain(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.commit(t, cut(r.user(t), r.now()))
		r.commit(t, cut(r.user(t), r.now()))
		if at := r.Feed.Position(); at != 0 {
			t.Fatalf("the node is at %d", at)
		}
		var revs []uint64
		err := r.Run(t.Context(), trade, by, func(j *settle.Judgement) core.Unit {
			revs = append(revs, j.Rev)
			j.User = j.View.User(ana).ID
			j.Hold(first, true)
			j.Hold(other, true)
			return nil
		}, nil)
		if err != nil || len(revs) != 2 || revs[1] != 2 || len(r.entries(t)) != 1 {
			t.Errorf("judged at %v, %d entries: %v", revs, len(r.entries(t)), err)
		}
	})
}

// What this node revoked counts here before any answer leaves, though its
// position waits for the read of everything before it.
func TestANodeActsOnItsOwnEvents(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		err := r.Run(t.Context(), trade, by, judged(true, true, cut(r.user(t), r.now())), nil)
		if err != nil {
			t.Fatal(err)
		}
		name := revocation.Name{Unit: revocation.User, ID: ana.String()}
		if !r.Feed.Dead(0, name) || r.Feed.Dead(1, name) || r.Feed.Position() != 0 {
			t.Errorf("dead at 0: %v, at 1: %v, position %d", r.Feed.Dead(0, name), r.Feed.Dead(1, name), r.Feed.Position())
		}
	})
}

// What nobody can say about is never a verdict.
func TestNoVerdictWithoutACommit(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		broken := errors.New("the signer is broken")
		r.spy.before = func(core.Unit) error { return fmt.Errorf("%w: no disk", core.ErrUnavailable) }
		for name, c := range map[string]struct {
			ctx     context.Context
			judge   settle.Judge
			prepare settle.Prepare
			want    error
		}{
			"passed":     {t.Context(), judged(true, true, person2), nil, core.ErrUnavailable},
			"refused":    {t.Context(), judged(false, true, person2), nil, core.ErrUnavailable},
			"cancelled":  {gone, judged(true, true, person2), nil, core.ErrUnavailable},
			"unprepared": {t.Context(), judged(true, true, person2), func(check.Passed, *settle.Judgement) error { return broken }, broken},
		} {
			err := r.Run(c.ctx, trade, by, c.judge, c.prepare)
			var f *check.Refusal
			if !errors.Is(err, c.want) || errors.As(err, &f) || r.has2(t) || len(r.entries(t)) != 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.spy.before = nil
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		err := r.Run(t.Context(), trade, by, func(j *settle.Judgement) core.Unit {
			j.Hold(first, j.View.User(ana).Exists()) // nobody: the read failed
			return nil
		}, nil)
		var f *check.Refusal
		if !errors.Is(err, core.ErrUnavailable) || errors.As(err, &f) {
			t.Errorf("a failed read: %v", err)
		}
	})
}

// What comes often and passes is kept for less long, unless it revokes.
func TestTheTwoChains(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for _, c := range []struct {
			ok    bool
			unit  core.Unit
			chain ledger.Chain
		}{{true, nil, ledger.Rest}, {false, nil, ledger.Audit}, {true, core.Unit{revocation.Next{}}, ledger.Audit}} {
			_ = r.Run(t.Context(), often, by, func(j *settle.Judgement) core.Unit {
				j.User = ana
				j.Hold(first, c.ok)
				return c.unit
			}, nil)
			r.add(time.Second)
			if e := r.entries(t); e[len(e)-1].Chain != c.chain {
				t.Errorf("%+v is in chain %d", c, e[len(e)-1].Chain)
			}
		}
	})
}

// A header of a stranger's is kept within bounds and only as text.
func TestPersonalFieldsAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for i, agent := range []string{strings.Repeat("é", 5000), "bad \xff\x00 text", ""} {
			who := by
			who.UserAgent = agent
			kept := 0
			r.spy.before = func(u core.Unit) error {
				for _, w := range u {
					if k, ok := w.(ledger.Keep); ok {
						kept++
						if len(k.Body) > 600 || !strings.Contains(string(k.Body), "192.0.2.1") {
							t.Errorf("%d: %d bytes kept: %.80s", i, len(k.Body), k.Body)
						}
						e := r.personal(u, k)
						if e.IP != "192.0.2.1" || agent != "" && e.UserAgent == "" {
							t.Errorf("%d: the entry does not know its own fields: %+v", i, e)
						}
					}
				}
				return nil
			}
			if err := r.Run(t.Context(), trade, who, judged(true, true, nil), nil); err != nil || kept != 1 {
				t.Errorf("%d: %v, %d rows", i, err, kept)
			}
		}
	})
}

// personal reads the fields back as an entry would.
func (r *rig) personal(u core.Unit, k ledger.Keep) ledger.Personal {
	for _, w := range u {
		if rec, ok := w.(ledger.Record); ok {
			if e, err := ledger.Unpack(rec.Body); err == nil {
				return e.WithPersonal(k.Salt, k.Body).Personal
			}
		}
	}
	return ledger.Personal{}
}
