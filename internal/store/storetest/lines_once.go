package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/token"
)

func (w world) offer(id token.OnceID, subject, link byte) token.Offer {
	return token.Offer{ID: id, Use: token.ForRecovery, Subject: w.hash(subject), User: w.ana, Link: w.hash(link), Code: w.hash(50), Browser: w.hash(51),
		Rev: 7, Created: at, Expires: at.Add(time.Hour), Body: []byte{1, 0, 0xff}}
}

func offered(o token.Offer) token.Once {
	return token.Once{ID: o.ID, Use: o.Use, Subject: o.Subject, User: o.User, Link: o.Link, Code: o.Code, Browser: o.Browser, Rev: o.Rev,
		Created: o.Created, Expires: o.Expires, Body: o.Body}
}

func onceAt(id token.OnceID) func(core.View) any {
	return func(v core.View) any { return v.Once(id) }
}

func (w world) tell(k byte, created time.Time) outbox.Tell {
	return outbox.Tell{ID: w.id(k), Kind: outbox.Recover, User: w.ana, Created: created, Expires: created.Add(24 * time.Hour), Sealed: []byte{k, 0, 0xff}}
}

func told(m outbox.Tell) outbox.Waiting {
	return outbox.Waiting{ID: m.ID, Kind: m.Kind, User: m.User, Created: m.Created, Due: m.Created, Expires: m.Expires, Sealed: m.Sealed}
}

// mine are this world's messages among those due at an instant.
func (w world) mine(due time.Time) func(core.View) any {
	return func(v core.View) any {
		var out []outbox.Waiting
		for _, m := range v.Outbox(due, plenty) {
			if m.ID[0] == byte(w.n>>8) && m.ID[1] == byte(w.n) {
				out = append(out, m)
			}
		}
		return out
	}
}

// proofs is what a view shows of one-time objects, mails and budgets.
func (w world) proofs(v core.View) any {
	return []any{v.Once(w.id(20)), v.Once(w.id(21)), v.Once(w.id(22)), v.OnceByLink(w.hash(41)), w.mine(at.Add(plenty * time.Hour))(v), v.Budget(w.hash(60)), v.Budget(w.hash(61))}
}

var onceLines = []line{
	{token.Offer{}, func(w world) steps {
		newer := w.offer(w.id(21), 40, 42)
		return steps{
			given: core.Unit{w.offer(w.id(20), 40, 41), token.Try{ID: w.id(20)}, token.Spend{ID: w.id(20), At: at}},
			unit:  core.Unit{newer}, // takes the row of the older, unspent and untried
			read: func(v core.View) any {
				return []token.Once{v.Once(w.id(20)), v.Once(w.id(21)), v.OnceByLink(w.hash(41)), v.OnceByLink(w.hash(42))}
			},
			want: []token.Once{{}, offered(newer), {}, offered(newer)},
			lost: []core.Unit{{w.offer(w.id(22), 43, 42)}}, // one link, one object
		}
	}},
	{token.Try{}, func(w world) steps {
		return steps{
			given: core.Unit{w.offer(w.id(20), 40, 41), w.offer(w.id(21), 43, 42), token.Spend{ID: w.id(21), At: at}},
			unit:  core.Unit{token.Try{ID: w.id(20), From: 0}},
			read:  onceAt(w.id(20)),
			want:  with(offered(w.offer(w.id(20), 40, 41)), func(o *token.Once) { o.Tries = 1 }),
			lost: []core.Unit{
				{token.Try{ID: w.id(20), From: 0}}, // judged before the first
				{token.Try{ID: w.id(22), From: 0}},
				{token.Try{ID: w.id(21), From: 0}}, // spent
			}}
	}},
	{token.Spend{}, func(w world) steps {
		return steps{
			given: core.Unit{w.offer(w.id(20), 40, 41)},
			unit:  core.Unit{token.Spend{ID: w.id(20), At: at.Add(time.Minute)}},
			read:  onceAt(w.id(20)),
			want:  with(offered(w.offer(w.id(20), 40, 41)), func(o *token.Once) { o.Spent = at.Add(time.Minute) }),
			lost: []core.Unit{
				{token.Spend{ID: w.id(20), At: at}},
				{token.Spend{ID: w.id(22), At: at}},
			}}
	}},
	{token.Void{}, func(w world) steps {
		return steps{
			given: core.Unit{w.offer(w.id(20), 40, 41), w.offer(w.id(21), 43, 42)},
			unit:  core.Unit{token.Void{Use: token.ForRecovery, Subject: w.hash(40), At: at.Add(time.Minute)}},
			read:  onceAt(w.id(20)),
			want:  with(offered(w.offer(w.id(20), 40, 41)), func(o *token.Once) { o.Spent = at.Add(time.Minute) }),
			still: []core.Unit{
				{token.Void{Use: token.ForRecovery, Subject: w.hash(40), At: at.Add(time.Hour)}}, // keeps its first end
				{token.Void{Use: token.ForSignUp, Subject: w.hash(43), At: at}},
				{token.Void{Use: token.ForRecovery, Subject: w.hash(44), At: at}},
			}}
	}},
	{token.Lapse{}, func(w world) steps {
		// A year of its own, so that no other line's objects are swept.
		ended := at.Add(-time.Duration(w.n) * 24 * time.Hour)
		old := with(w.offer(w.id(20), 40, 41), func(o *token.Offer) { o.Expires = ended })
		return steps{
			given: core.Unit{old, with(w.offer(w.id(21), 43, 42), func(o *token.Offer) { o.Expires = ended.Add(time.Microsecond) })},
			unit:  core.Unit{token.Lapse{Before: ended.Add(time.Microsecond)}},
			read:  func(v core.View) any { return []bool{v.Once(w.id(20)).Exists(), v.Once(w.id(21)).Exists()} },
			want:  []bool{false, true},
			still: []core.Unit{{token.Lapse{Before: ended.Add(time.Microsecond)}}},
		}
	}},
	{risk.Pay{}, func(w world) steps {
		return steps{
			given: core.Unit{risk.Pay{Key: w.hash(60), Next: at}},
			unit:  core.Unit{risk.Pay{Key: w.hash(60), Was: at, Next: at.Add(time.Hour)}, risk.Pay{Key: w.hash(61), Next: at}},
			read: func(v core.View) any {
				return []time.Time{v.Budget(w.hash(60)), v.Budget(w.hash(61)), v.Budget(w.hash(62))}
			},
			want: []time.Time{at.Add(time.Hour), at, {}},
			lost: []core.Unit{
				{risk.Pay{Key: w.hash(60), Was: at, Next: at.Add(2 * time.Hour)}}, // somebody else paid since
				{risk.Pay{Key: w.hash(61), Next: at.Add(time.Hour)}},
			}}
	}},
	{risk.Share{}, func(w world) steps {
		second := time.Second.Microseconds()
		return steps{
			given: core.Unit{risk.Pay{Key: w.hash(60), Next: at.Add(time.Minute)}, risk.Pay{Key: w.hash(61), Next: at.Add(-time.Minute)}},
			unit:  core.Unit{risk.Share{Key: w.hash(60), By: second, Now: at}, risk.Share{Key: w.hash(61), By: second, Now: at}, risk.Share{Key: w.hash(62), By: -second, Now: at}},
			read: func(v core.View) any {
				return []time.Time{v.Budget(w.hash(60)), v.Budget(w.hash(61)), v.Budget(w.hash(62))}
			},
			// What was full again counts from now on.
			want: []time.Time{at.Add(time.Minute + time.Second), at.Add(time.Second), at.Add(-time.Second)},
		}
	}},
	{risk.Earn{}, func(w world) steps {
		full := at.Add(-time.Duration(w.n) * 24 * time.Hour)
		return steps{
			given: core.Unit{risk.Pay{Key: w.hash(60), Next: full}},
			unit:  core.Unit{risk.Earn{Before: full.Add(time.Microsecond)}},
			read:  func(v core.View) any { return v.Budget(w.hash(60)) },
			want:  time.Time{},
		}
	}},
	{outbox.Tell{}, func(w world) steps {
		return steps{
			unit: core.Unit{w.tell(30, at), w.tell(31, at.Add(time.Second))},
			read: w.mine(at), // the second is not due yet
			want: []outbox.Waiting{told(w.tell(30, at))},
			lost: []core.Unit{{w.tell(30, at)}},
		}
	}},
	{outbox.Claim{}, func(w world) steps {
		return steps{
			given: core.Unit{w.tell(30, at)},
			unit:  core.Unit{outbox.Claim{ID: w.id(30), Due: at, Until: at.Add(time.Minute)}},
			read:  w.mine(at.Add(time.Minute)),
			want:  []outbox.Waiting{with(told(w.tell(30, at)), func(m *outbox.Waiting) { m.Due = at.Add(time.Minute) })},
			lost: []core.Unit{
				{outbox.Claim{ID: w.id(30), Due: at, Until: at.Add(time.Hour)}}, // another node has it
				{outbox.Claim{ID: w.id(39), Due: at}},
			}}
	}},
	{outbox.Failed{}, func(w world) steps {
		return steps{
			given: core.Unit{w.tell(30, at)},
			unit:  core.Unit{outbox.Failed{ID: w.id(30), Due: at, Until: at.Add(time.Minute)}},
			read:  w.mine(at.Add(time.Minute)),
			want:  []outbox.Waiting{with(told(w.tell(30, at)), func(m *outbox.Waiting) { m.Due, m.Tries = at.Add(time.Minute), 1 })},
			lost: []core.Unit{
				{outbox.Failed{ID: w.id(30), Due: at, Until: at.Add(time.Hour)}},
				{outbox.Failed{ID: w.id(39), Due: at}},
			}}
	}},
	{outbox.Done{}, func(w world) steps {
		return steps{
			given: core.Unit{w.tell(30, at), w.tell(31, at)},
			unit:  core.Unit{outbox.Done{ID: w.id(30)}},
			read:  w.mine(at),
			want:  []outbox.Waiting{told(w.tell(31, at))},
			still: []core.Unit{{outbox.Done{ID: w.id(30)}}},
		}
	}},
	{outbox.Drop{}, func(w world) steps {
		over := at.Add(-time.Duration(w.n) * 24 * time.Hour)
		return steps{
			given: core.Unit{w.tell(30, over.Add(-24*time.Hour)), w.tell(31, over)},
			unit:  core.Unit{outbox.Drop{Now: over.Add(time.Microsecond)}},
			read:  w.mine(at),
			want:  []outbox.Waiting{told(w.tell(31, over))},
		}
	}},
}
