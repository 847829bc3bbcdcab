package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// allow is what Ana allows this world's application.
func (w world) allow() client.Allow {
	return client.Allow{ID: w.id(40), User: w.ana, Client: w.app, Scopes: []string{"openid", "notes:read"}, Terms: client.Terms{Policy: true}, Rev: w.base, Created: at}
}

func (w world) allowed() client.Consent {
	a := w.allow()
	return client.Consent{ID: a.ID, User: a.User, Client: a.Client, Scopes: a.Scopes, Terms: a.Terms, Rev: a.Rev, Created: at, Changed: at}
}

func (w world) consents(v core.View) any {
	return []any{v.Consent(w.ana, w.app), v.Granted(w.id(40)), v.Consents(w.ana), v.Consents(w.ben), v.Spent(token.AsCode, w.hash(40)), v.Spent(token.AsDPoP, w.hash(40)), v.Parties(w.laptop), v.Parties(w.phone)}
}

var oauthLines = []line{
	{client.Allow{}, func(w world) steps {
		return steps{
			given: w.people(),
			unit:  core.Unit{w.allow()},
			read:  func(v core.View) any { return []any{v.Consent(w.ana, w.app), v.Granted(w.id(40)), v.Consents(w.ana)} },
			want:  []any{w.allowed(), w.allowed(), []client.Consent{w.allowed()}},
			lost: []core.Unit{
				{with(w.allow(), func(a *client.Allow) { a.ID = w.id(41) })}, // one for both of them
				{with(w.allow(), func(a *client.Allow) { a.Client = "another" })},
				{with(w.allow(), func(a *client.Allow) { a.ID, a.User = w.id(42), w.id(9) })},
			}}
	}},
	{client.Widen{}, func(w world) steps {
		of := client.Widen{ID: w.id(40), From: at, Scopes: []string{"openid", "notes:read", "notes:write"}, Changed: at.Add(time.Minute)}
		return steps{
			given: append(w.people(), w.allow()),
			unit:  core.Unit{of},
			read:  func(v core.View) any { return v.Consent(w.ana, w.app) },
			want: with(w.allowed(), func(c *client.Consent) {
				c.Scopes, c.Terms, c.Changed = of.Scopes, client.Terms{}, of.Changed
			}),
			lost: []core.Unit{
				{of}, // judged before the first
				{with(of, func(x *client.Widen) { x.ID = w.id(41) })},
			}}
	}},
	{client.Disallow{}, func(w world) steps {
		of := client.Disallow{ID: w.id(40), Changed: at.Add(time.Minute)}
		family := with(w.open(w.id(6)), func(o *token.Open) { o.Client, o.Consent = w.app, w.id(40) })
		return steps{
			given: append(w.signedIn(), w.application(w.app), w.allow(), family),
			unit:  revoking(of),
			read: func(v core.View) any {
				return []any{v.Consent(w.ana, w.app), v.Consents(w.ana), v.Lineage(w.id(6)).Granted}
			},
			want: []any{with(w.allowed(), func(c *client.Consent) {
				c.Scopes, c.Terms, c.Changed, c.Cut = nil, client.Terms{}, of.Changed, w.base+1
			}), []client.Consent(nil), w.base + 1},
			lost: []core.Unit{
				revoking(of), // it is taken back
				revoking(client.Disallow{ID: w.id(41)}),
			}}
	}},
	{client.Sever{}, func(w world) steps {
		family := with(w.open(w.id(6)), func(o *token.Open) { o.Client, o.Consent = w.app, w.id(40) })
		later := with(w.open(w.id(7)), func(o *token.Open) { o.Client, o.Consent, o.Created = w.app, w.id(40), at.Add(time.Hour) })
		over := with(w.open(w.id(8)), func(o *token.Open) { o.Client, o.Consent, o.Created = w.app, w.id(40), at.Add(2*time.Hour) })
		return steps{
			given: append(w.signedIn(), w.application(w.app), w.allow(), family, later, over, token.Burn{ID: w.id(8), At: at}),
			unit:  revoking(client.Sever{ID: w.id(40)}),
			read: func(v core.View) any {
				return []any{v.Consent(w.ana, w.app), v.Lineage(w.id(6)).Granted, v.GrantUses(w.ana), v.GrantUses(w.ben)}
			},
			want: []any{with(w.allowed(), func(c *client.Consent) { c.Cut = w.base + 1 }), w.base + 1, map[client.GrantID]time.Time{w.id(40): at.Add(time.Hour)}, map[client.GrantID]time.Time{}},
			lost: []core.Unit{
				revoking(client.Disallow{ID: w.id(40), Changed: at}, client.Sever{ID: w.id(40)}), // nothing stands
				revoking(client.Sever{ID: w.id(41)}),
			}}
	}},
	{client.Unallow{}, func(w world) steps {
		his := with(w.allow(), func(a *client.Allow) { a.ID, a.User = w.id(41), w.ben })
		return steps{
			given: append(append(core.Unit{}, w.people()...), append(core.Unit{w.allow(), his}, revoking(w.delete())...)...),
			unit:  core.Unit{client.Unallow{User: w.ana}},
			read:  func(v core.View) any { return []any{v.Granted(w.id(40)).Exists(), v.Granted(w.id(41)).Exists()} },
			want:  []any{false, true},
			still: []core.Unit{{client.Unallow{User: w.ana}}, {client.Unallow{User: w.ben}}}} // who is there, keeps it
	}},
	{token.SpendOnce{}, func(w world) steps {
		of := token.SpendOnce{Use: token.AsCode, Hash: w.hash(40), Until: at.Add(time.Hour), Bought: []byte{0, 0xff}}
		return steps{
			unit: core.Unit{of},
			read: func(v core.View) any { return v.Spent(token.AsCode, w.hash(40)) },
			want: token.Spent{Hash: of.Hash, Until: of.Until, Bought: of.Bought},
			lost: []core.Unit{{of}, {with(of, func(s *token.SpendOnce) { s.Bought = nil })}}}
	}},
	{token.Outlive{}, func(w world) steps {
		// Older than any other line's.
		limit := at.Add(-24 * time.Hour)
		spent := func(k byte, until time.Time) token.SpendOnce {
			return token.SpendOnce{Use: token.AsDPoP, Hash: w.hash(k), Until: until}
		}
		return steps{
			given: core.Unit{spent(41, limit.Add(-time.Microsecond)), spent(42, limit)},
			unit:  core.Unit{token.Outlive{Before: limit}},
			read: func(v core.View) any {
				return []any{v.Spent(token.AsDPoP, w.hash(41)).Exists(), v.Spent(token.AsDPoP, w.hash(42)).Exists(), v.Outlived(limit)}
			},
			want:  []any{false, true, false},
			still: []core.Unit{{token.Outlive{Before: limit}}}}
	}},
}

var partyLines = []line{
	{session.Join{}, func(w world) steps {
		of := session.Join{Session: w.laptop, Client: w.app, User: w.ana, At: at}
		return steps{
			given: w.signedIn(),
			unit:  core.Unit{of},
			read:  func(v core.View) any { return v.Parties(w.laptop) },
			want:  []session.Party{session.Party(of)},
			still: []core.Unit{{of}, {with(of, func(j *session.Join) { j.At = at.Add(time.Hour) })}}}
	}},
	{session.Part{}, func(w world) steps {
		join := func(s session.ID, app string) session.Join {
			return session.Join{Session: s, Client: app, User: w.ana, At: at}
		}
		return steps{
			given: append(w.phoneOver(), join(w.phone, w.app), join(w.phone, "b"), join(w.laptop, "b")),
			unit:  core.Unit{session.Part{Session: w.phone, Client: w.app}},
			read: func(v core.View) any {
				return []any{v.Parties(w.phone), v.PartiesOf(w.ana, plenty), v.Parties(w.laptop)}
			},
			want: []any{[]session.Party{session.Party(join(w.phone, "b"))}, []session.Party{session.Party(join(w.phone, "b"))},
				[]session.Party{session.Party(join(w.laptop, "b"))}}, // only one of them is over
			lost: []core.Unit{{session.Part{Session: w.phone, Client: w.app}}, {session.Part{Session: w.id(9), Client: "b"}}}}
	}},
	{session.Outstay{}, func(w world) steps {
		limit := at.Add(-48 * time.Hour)
		join := func(app string, of time.Time) session.Join {
			return session.Join{Session: w.laptop, Client: app, User: w.ana, At: of}
		}
		return steps{
			given: append(w.signedIn(), join("a", limit.Add(-time.Microsecond)), join("b", limit)),
			unit:  core.Unit{session.Outstay{Before: limit}},
			read:  func(v core.View) any { return v.Parties(w.laptop) },
			want:  []session.Party{session.Party(join("b", limit))},
			still: []core.Unit{{session.Outstay{Before: limit}}}}
	}},
}
