package storetest

import (
	"math"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// begun is the session that a Start leaves.
func begun(s session.Start) session.Session {
	return session.Session{ID: s.ID, User: s.User, Hash: s.Hash, Rev: s.Rev, Created: s.Created, AuthTime: s.AuthTime, IdleUntil: s.IdleUntil,
		MaxUntil: s.MaxUntil, LastSeen: s.Created, Method: s.Method, IP: s.IP, UserAgent: s.UserAgent}
}

// with changes a copy.
func with[T any](x T, change func(*T)) T {
	change(&x)
	return x
}

func sessionAt(id session.ID) func(core.View) any {
	return func(v core.View) any { return v.Session(id) }
}

func familyAt(id token.FamilyID) func(core.View) any {
	return func(v core.View) any { return v.Family(id) }
}

var sessionLines = []line{
	{session.Start{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{w.start(w.laptop, 1)},
			read:  func(v core.View) any { return []session.Session{v.Session(w.laptop), v.SessionByHash(w.hash(1))} },
			want:  []session.Session{begun(w.start(w.laptop, 1)), begun(w.start(w.laptop, 1))},
			lost: []core.Unit{
				{w.start(w.laptop, 2)},
				{w.start(w.phone, 1)}, // another session, the same secret
				{with(w.start(w.phone, 2), func(s *session.Start) { s.User = w.id(9) })},
			}}
	}},
	{session.Finish{}, func(w world) steps {
		return steps{
			given: w.signedIn(),
			unit:  revoking(session.Finish{ID: w.laptop, At: at.Add(time.Minute), Why: session.EndedAfar}),
			read:  sessionAt(w.laptop),
			want: with(begun(w.start(w.laptop, 1)), func(s *session.Session) {
				s.Cut, s.Ended, s.Why = w.base+1, at.Add(time.Minute), session.EndedAfar
			}),
			lost: []core.Unit{
				revoking(session.Finish{ID: w.laptop, At: at, Why: session.TokenReuse}), // ends once
				revoking(session.Finish{ID: w.id(9), At: at, Why: session.SignedOut}),
			}}
	}},
	{session.Spare{}, func(w world) steps {
		return steps{
			given: w.phoneOver(),
			unit:  revoking(session.Spare{ID: w.laptop}),
			read:  sessionAt(w.laptop),
			want:  with(begun(w.start(w.laptop, 1)), func(s *session.Session) { s.Rev = w.base + 2 }),
			lost: []core.Unit{
				revoking(session.Spare{ID: w.phone}), // an ended session is not raised
				revoking(session.Spare{ID: w.id(9)}),
			}}
	}},
	{session.Renew{}, func(w world) steps {
		later := at.Add(time.Minute)
		return steps{
			given: append(w.phoneOver(), w.start(w.id(8), 8)),
			unit:  core.Unit{session.Renew{ID: w.laptop, Old: w.hash(1), New: w.hash(5), AuthTime: later, Method: "another"}},
			read: func(v core.View) any {
				return []session.Session{v.SessionByHash(w.hash(1)), v.SessionByHash(w.hash(5))}
			},
			want: []session.Session{{}, with(begun(w.start(w.laptop, 5)), func(s *session.Session) { s.AuthTime, s.Method = later, "another" })},
			lost: []core.Unit{
				{session.Renew{ID: w.laptop, Old: w.hash(1), New: w.hash(6), AuthTime: later}}, // the old secret
				{session.Renew{ID: w.laptop, Old: w.hash(5), New: w.hash(8), AuthTime: later}}, // another session's
				{session.Renew{ID: w.phone, Old: w.hash(2), New: w.hash(7), AuthTime: later}},  // has ended
			}}
	}},
	{session.Doubt{}, func(w world) steps {
		return steps{
			given: w.phoneOver(),
			unit:  core.Unit{session.Doubt{ID: w.laptop}},
			read:  sessionAt(w.laptop),
			want:  with(begun(w.start(w.laptop, 1)), func(s *session.Session) { s.AuthTime = time.Time{} }), // fresh at no instant
			still: []core.Unit{{session.Doubt{ID: w.phone}}, {session.Doubt{ID: w.id(9)}}}}
	}},
	{session.Extend{}, func(w world) steps {
		end := at.Add(time.Hour)
		return steps{
			given: w.phoneOver(),
			unit:  core.Unit{session.Extend{ID: w.laptop, IdleUntil: end.Add(time.Hour), Now: end.Add(-time.Microsecond)}},
			read:  sessionAt(w.laptop),
			want:  with(begun(w.start(w.laptop, 1)), func(s *session.Session) { s.IdleUntil = end.Add(time.Hour) }),
			still: []core.Unit{
				{session.Extend{ID: w.laptop, IdleUntil: end, Now: at}},                                    // backwards
				{session.Extend{ID: w.laptop, IdleUntil: end.Add(9 * time.Hour), Now: end.Add(time.Hour)}}, // lapsed
				{session.Extend{ID: w.phone, IdleUntil: end.Add(time.Hour), Now: at}},                      // ended
				{session.Extend{ID: w.id(9), IdleUntil: end, Now: at}},
			}}
	}},
	{session.Seen{}, func(w world) steps {
		return steps{
			given: w.signedIn(),
			unit:  core.Unit{session.Seen{ID: w.laptop, At: at.Add(time.Minute)}},
			read:  sessionAt(w.laptop),
			want:  with(begun(w.start(w.laptop, 1)), func(s *session.Session) { s.LastSeen = at.Add(time.Minute) }),
			still: []core.Unit{
				{session.Seen{ID: w.laptop, At: at.Add(time.Second)}}, // only forward
				{session.Seen{ID: w.id(9), At: at.Add(time.Hour)}},
			}}
	}},
}

// opened is the family that an Open leaves.
func opened(o token.Open) token.Family {
	return token.Family{ID: o.ID, Client: o.Client, Session: o.Session, User: o.User, KeyTag: o.KeyTag, Salt: o.Salt, Current: o.Current, Rev: o.Rev,
		Scopes: o.Scopes, Created: o.Created, RotatedAt: o.Created, IdleUntil: o.IdleUntil, MaxUntil: o.MaxUntil, Consent: o.Consent, Terms: o.Terms}
}

var tokenLines = []line{
	{token.Open{}, func(w world) steps {
		return steps{
			given: w.signedIn(),
			unit:  core.Unit{w.open(w.id(6))},
			read:  familyAt(w.id(6)),
			want:  opened(w.open(w.id(6))),
			lost: []core.Unit{
				{w.open(w.family)},
				{with(w.open(w.id(7)), func(o *token.Open) { o.Session = w.id(9) })},
			}}
	}},
	{token.Advance{}, func(w world) steps {
		over := w.open(w.id(6))
		from := func(id token.FamilyID, n uint32) token.Advance {
			return token.Advance{ID: id, From: n, Next: w.hash(11), At: at.Add(time.Minute), IdleUntil: at.Add(2 * time.Hour)}
		}
		return steps{
			given: append(w.signedIn(), over, token.Burn{ID: over.ID, At: at}),
			unit:  core.Unit{from(w.family, 0)},
			read:  familyAt(w.family),
			want: with(opened(w.open(w.family)), func(f *token.Family) {
				f.Generation, f.Current, f.RotatedAt, f.IdleUntil = 1, w.hash(11), at.Add(time.Minute), at.Add(2*time.Hour)
			}),
			lost: []core.Unit{
				{from(w.family, 0)}, // spent
				{from(w.family, 2)},
				{from(w.family, math.MaxUint32)},
				{from(over.ID, 0)}, // burnt
				{from(w.id(9), 0)},
			}}
	}},
	{token.Tie{}, func(w world) steps {
		over := w.open(w.id(6))
		tie := token.Tie{ID: w.family, Terms: token.Terms{Resources: []string{"notes-api"}, Offline: true, Confirm: token.Confirm{JKT: "thumbprint"}}}
		return steps{
			given: append(w.signedIn(), over, token.Burn{ID: over.ID, At: at}),
			unit:  core.Unit{tie},
			read:  familyAt(w.family),
			want:  with(opened(w.open(w.family)), func(f *token.Family) { f.Terms = tie.Terms }),
			lost: []core.Unit{
				{with(tie, func(t *token.Tie) { t.From = 1 })},
				{with(tie, func(t *token.Tie) { t.ID = over.ID })}, // burnt
				{with(tie, func(t *token.Tie) { t.ID = w.id(9) })},
			}}
	}},
	{token.Burn{}, func(w world) steps {
		return steps{
			given: w.signedIn(),
			unit:  core.Unit{token.Burn{ID: w.family, At: at.Add(time.Minute)}},
			read:  familyAt(w.family),
			want:  with(opened(w.open(w.family)), func(f *token.Family) { f.Ended = at.Add(time.Minute) }),
			lost: []core.Unit{
				{token.Burn{ID: w.family, At: at.Add(time.Hour)}},
				{token.Burn{ID: w.id(9), At: at}},
			}}
	}},
	{token.Spare{}, func(w world) steps {
		over, elsewhere, severed := w.open(w.id(6)), w.open(w.id(7)), w.open(w.id(8))
		elsewhere.Session = w.phone
		allow := client.Allow{ID: w.id(40), User: w.ana, Client: w.app, Scopes: []string{"openid"}, Rev: w.base, Created: at}
		severed.Consent = allow.ID
		return steps{
			given: append(w.signedIn(), over, elsewhere, severed, token.Burn{ID: over.ID, At: at}, revocation.Next{}, allow, client.Sever{ID: allow.ID}),
			unit:  core.Unit{revocation.Next{}, token.Spare{Session: w.laptop}},
			read: func(v core.View) any {
				return []uint64{v.Family(w.family).Rev, v.Family(over.ID).Rev, v.Family(elsewhere.ID).Rev, v.Family(severed.ID).Rev}
			},
			want:  []uint64{w.base + 2, 0, 0, 0}, // neither the burnt one, nor another session's, nor one whose grant was cut
			still: []core.Unit{{token.Spare{Session: w.id(9)}}}}
	}},
}
