package storetest

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// awkward is text that a collation, a trim, a normal form or an escape would change.
const awkward = " Zoë \u0065\u0301 İıſß '\";--\\ %_ 東京 👩‍👩‍👧 \u200f\u00a0"

// roundTrip keeps every field of every row at its fullest and at its barest,
// and reads it back as it was.
func roundTrip(t *testing.T, s core.Store) {
	// Later than any of these a clock of the next centuries does not show.
	late := time.Date(2999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	big := uint64(1<<53 + 1) // a float64 would lose it
	w := newWorld(1, 0)
	secret := [32]byte{0, 0xff, 31: 0xfe}

	person := identity.Create{ID: w.ana, Email: awkward, Address: "ana@example.com", Name: awkward, Verified: true, Admin: true, Created: late}
	app := client.Create{ID: "app.1_A-b", Name: awkward, Type: "spa", FirstParty: true, Auth: "client_secret_basic", SecretHash: secret,
		RedirectURIs: []string{"https://a.example/ü?x=1&y=%0A", "http://127.0.0.1:8080/"}, PostLogout: []string{"https://a.example/bye"},
		Origins: []string{"https://a.example"}, Resources: []string{"orders", "notes"}, Scopes: []string{"a:b", "c"}, Grants: []string{"refresh_token"}, Created: late, TokenFormat: client.Opaque,
		AccessLife: 1, Settings: client.Settings{Lifetimes: client.Lifetimes{AccessLife: 3600}, PKCE: client.PKCEOptional, URI: "https://a.example/" + awkward}}
	start := session.Start{ID: w.laptop, User: w.ana, Hash: secret, Rev: big, Created: at, AuthTime: at.Add(1 * time.Microsecond), IdleUntil: at.Add(2 * time.Microsecond),
		MaxUntil: late, Method: "password", IP: "2001:db8::1", UserAgent: awkward}
	open := token.Open{ID: w.family, Client: app.ID, Session: w.laptop, User: w.ana, KeyTag: [4]byte{0, 1, 2, 0xff}, Salt: [16]byte{0xff, 15: 1}, Current: secret,
		Rev: big, Scopes: []string{"openid", "notes:write"}, Created: at, IdleUntil: at.Add(time.Microsecond), MaxUntil: late,
		Consent: w.id(7), Terms: token.Terms{Resources: []string{awkward}, Offline: true, AuthTime: late, ACR: awkward, Confirm: token.Confirm{JKT: "x"}}}
	add := key.Add{Purpose: key.Form, Number: math.MaxInt32, KID: awkward, Alg: "ES256", Wrapped: []byte{0, 1}, Sealed: []byte{0, '\n', 0xff}, Public: []byte{0, 2}, Created: late, Since: at}
	event := revocation.Revoke{Unit: revocation.Client, ID: awkward, At: at, NotBefore: at.Add(time.Second), Until: late, Audience: []string{"orders", "https://api.example.com/ü"}}
	entry := ledger.Record{ID: w.id(1), At: late, Chain: ledger.Audit, User: w.ana, Session: w.laptop, Body: []byte{0, '\n', 0xff}}
	segment := ledger.Append{Chain: ledger.Rest, Number: big, Count: math.MaxInt32, First: at, Last: late, Prev: secret, Body: []byte{0}, Hash: w.hash(1), Signature: []byte{0xff}}
	enrol := factor.Enrol{User: w.ana, PHC: awkward, Changed: late}

	ask := job.Ask{ID: w.id(2), Kind: job.SessionsEnd, Query: awkward, Actor: "host:0", Asked: late, Matched: math.MaxInt32, Cursor: w.id(3), Did: math.MaxInt32, State: job.Stopped, Node: w.id(4), Lease: late}

	full := core.Unit{revocation.Next{}, ask, person, app, enrol, start, open, add, event, entry, segment}
	for _, x := range full[1:] {
		for i := range reflect.ValueOf(x).NumField() {
			if reflect.ValueOf(x).Field(i).IsZero() {
				t.Errorf("%T.%s is at its barest in the full row", x, reflect.TypeOf(x).Field(i).Name)
			}
		}
	}
	commit(t, s, full)

	user := identity.User{ID: w.ana, Email: awkward, Address: person.Address, Name: awkward, Verified: true, Admin: true, State: identity.Active, Created: late}
	same(t, "a person", read(t, s, func(v core.View) any { return v.User(w.ana) }), user)
	same(t, "a password", read(t, s, passwordOf(w.ana)), factor.Password{User: w.ana, PHC: awkward, Version: 1, Changed: late})
	same(t, "an application", read(t, s, func(v core.View) any { return v.Client(app.ID) }), client.Client{ID: app.ID, Name: awkward, Type: app.Type, FirstParty: true,
		Auth: app.Auth, Secret: client.Secret{Hash: secret, Made: late}, RedirectURIs: app.RedirectURIs, PostLogout: app.PostLogout, Origins: app.Origins, Resources: app.Resources,
		Scopes: app.Scopes, Grants: app.Grants, Created: late, TokenFormat: app.TokenFormat, Settings: app.Settings})
	same(t, "a session", read(t, s, sessionAt(w.laptop)), begun(start))
	same(t, "a family", read(t, s, familyAt(w.family)), opened(open))
	same(t, "a key", read(t, s, func(v core.View) any { return v.Keys() }), []key.Key{{Purpose: add.Purpose, Number: add.Number, KID: add.KID, Alg: add.Alg, Wrapped: add.Wrapped, Sealed: add.Sealed, Public: add.Public, Created: late, Since: at}})
	same(t, "an event", read(t, s, func(v core.View) any { return v.Events(0, 9) }),
		[]revocation.Event{{Seq: 1, At: at, Name: revocation.Name{Unit: event.Unit, ID: awkward}, NotBefore: event.NotBefore, Until: late, Audience: event.Audience}})
	same(t, "a job", read(t, s, jobAt(ask.ID)), asked(ask))
	same(t, "an open entry", read(t, s, func(v core.View) any { return v.OpenEntries(ledger.Audit, 9) }), []ledger.Record{entry})
	same(t, "a segment", read(t, s, func(v core.View) any { return v.LastSegment(ledger.Rest) }), ledger.Segment(segment))

	bare(t, s)
}

// bare keeps rows whose every field but the keys is its zero value.
func bare(t *testing.T, s core.Store) {
	w := newWorld(2, 0)
	commit(t, s, core.Unit{identity.Create{ID: w.ana}, client.Create{ID: w.app}, session.Start{ID: w.laptop, User: w.ana}, token.Open{ID: w.family, Session: w.laptop},
		ledger.Append{Chain: 3}, key.Add{}})
	same(t, "a bare person", read(t, s, func(v core.View) any { return v.User(w.ana) }), identity.User{ID: w.ana, State: identity.Active})
	same(t, "a bare application", read(t, s, func(v core.View) any { return v.Client(w.app) }), client.Client{ID: w.app})
	same(t, "a bare session", read(t, s, sessionAt(w.laptop)), session.Session{ID: w.laptop, User: w.ana})
	same(t, "a bare family", read(t, s, familyAt(w.family)), token.Family{ID: w.family, Session: w.laptop})
	same(t, "a bare segment", read(t, s, func(v core.View) any {
		x := v.LastSegment(3)
		return []any{x.Count, x.First, len(x.Body), x.Hash, len(x.Signature)}
	}), []any{0, time.Time{}, 0, [32]byte{}, 0})
	// What is finer than a microsecond is dropped, never rounded up: a
	// lifetime must not grow by being kept.
	commit(t, s, core.Unit{with(w.start(w.phone, 1), func(x *session.Start) { x.MaxUntil = at.Add(999 * time.Nanosecond) })})
	same(t, "an instant finer than a microsecond", read(t, s, func(v core.View) any { return v.Session(w.phone).MaxUntil }), at)
	// A zone changes how an instant is written, not which one it is.
	commit(t, s, core.Unit{session.Seen{ID: w.phone, At: at.Add(time.Hour).In(time.FixedZone("", 5*3600))}})
	same(t, "an instant of another zone", read(t, s, func(v core.View) any { return v.Session(w.phone).LastSeen }), at.Add(time.Hour))
}

// spelling holds that two keys which differ at all are two keys. A database
// that thinks Alice and alice the same has let one person be the other
// (CVE-2026-55170).
func spelling(t *testing.T, s core.Store) {
	w := newWorld(1, 0)
	spellings := []string{"Alice", "alice", "ALICE", "alice ", " alice", "älice", "a\u0308lice", "al\u0131ce", "alıce\u200b", "al_ce", "al%ce"}
	for _, x := range spellings {
		commit(t, s, core.Unit{w.application(x), client.Claim{Origin: x, Client: x}})
	}
	for i, x := range spellings {
		u := with(w.person(w.id(byte(i)+1), "x"), func(c *identity.Create) { c.Address = x })
		commit(t, s, revoking(u, revoke(revocation.Client, x), revoke(revocation.Client, strings.ToUpper(x)+"2")))
		same(t, "the client "+x, read(t, s, func(v core.View) any { return v.Client(x).ID }), x)
		same(t, "the client of "+x, read(t, s, func(v core.View) any { return v.ClientOf(x).ID }), x)
		same(t, "the person "+x, read(t, s, func(v core.View) any { return v.UserByAddress(x).ID }), u.ID)
	}
	for _, x := range []string{"aLICE", "alice  ", "alice\t", "", "al"} {
		same(t, "the client "+x, read(t, s, func(v core.View) any { return v.Client(x).Exists() || v.ClientOf(x).Exists() }), false)
		same(t, "the person "+x, read(t, s, func(v core.View) any { return v.UserByAddress(x).Exists() }), false)
	}
	// Lists have one order on every engine, that of the bytes.
	var ids []string
	for _, c := range read(t, s, core.View.Clients) {
		ids = append(ids, c.ID)
	}
	same(t, "the order of clients", ids, sorted(spellings))
}
