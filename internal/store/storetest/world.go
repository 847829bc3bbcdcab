package storetest

import (
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// A world is people and things of its own, told from those of every other
// world by a number, so that many tests share one database.
type world struct {
	n             uint16
	base          uint64 // the head of the feed when the world began
	ana, ben      identity.UserID
	laptop, phone session.ID // both Ana's
	family        token.FamilyID
	app           string
	chain         ledger.Chain
}

func newWorld(n int, base uint64) world {
	w := world{n: uint16(n), base: base, app: fmt.Sprintf("app-%d", n), chain: ledger.Chain(n)}
	w.ana, w.ben, w.laptop, w.phone, w.family = w.id(1), w.id(2), w.id(3), w.id(4), w.id(5)
	return w
}

// id is the k-th identifier of this world.
func (w world) id(k byte) [16]byte { return [16]byte{byte(w.n >> 8), byte(w.n), 15: k} }

// hash is the k-th hash.
func (w world) hash(k byte) [32]byte { return [32]byte{byte(w.n >> 8), byte(w.n), 31: k} }

func (w world) address(name string) string { return fmt.Sprintf("%s.%d@example.com", name, w.n) }

func (w world) person(id identity.UserID, name string) identity.Create {
	return identity.Create{ID: id, Email: w.address(name), Address: w.address(name), Name: name, Created: at}
}

func (w world) application(id string) client.Create {
	return client.Create{ID: id, Name: id, Type: "web", Auth: "none", Created: at}
}

func (w world) start(id session.ID, hash byte) session.Start {
	return session.Start{ID: id, User: w.ana, Hash: w.hash(hash), Created: at, AuthTime: at,
		IdleUntil: at.Add(time.Hour), MaxUntil: at.Add(24 * time.Hour), Method: "password"}
}

func (w world) open(id token.FamilyID) token.Open {
	return token.Open{ID: id, Client: client.BuiltIn, Session: w.laptop, User: w.ana, Current: w.hash(10), Created: at,
		IdleUntil: at.Add(time.Hour), MaxUntil: at.Add(24 * time.Hour)}
}

// people are Ana, who has a password, and Ben, who has none.
func (w world) people() core.Unit {
	return core.Unit{w.person(w.ana, "ana"), w.person(w.ben, "ben"), factor.Enrol{User: w.ana, PHC: "first", Changed: at}}
}

// signedIn adds Ana's two sessions and the laptop's refresh family.
func (w world) signedIn() core.Unit {
	return append(w.people(), w.start(w.laptop, 1), w.start(w.phone, 2), w.open(w.family))
}

// phoneOver adds the end of the phone's session, at the position base+1.
func (w world) phoneOver() core.Unit {
	return append(w.signedIn(), revocation.Next{}, session.Finish{ID: w.phone, At: at, Why: session.SignedOut})
}

func revoke(unit revocation.Unit, name string) revocation.Revoke {
	return revocation.Revoke{Unit: unit, ID: name, At: at, NotBefore: at.Add(time.Second), Until: at.Add(10 * time.Minute)}
}

// revoking makes a unit one that takes a position.
func revoking(ws ...core.Write) core.Unit { return append(core.Unit{revocation.Next{}}, ws...) }

// record is an unsealed entry of this world's chain.
func (w world) record(k byte) ledger.Record {
	return ledger.Record{ID: w.id(k), At: at.Add(time.Duration(k) * time.Second), Chain: w.chain, User: w.ana, Session: w.laptop, Body: []byte{k, 0, 0xff}}
}

const plenty = 10_000

// everything is what a view can show of this world and of what all share.
func (w world) everything(v core.View) any {
	out := []any{v.Head(), v.Events(0, plenty), v.Users(identity.UserID{}, plenty), v.Sessions(session.Query{Limit: plenty}), v.Clients(), v.Keys(),
		v.OpenEntries(w.chain, plenty), v.Segments(w.chain, 0, plenty), v.LastSegment(w.chain),
		v.PastPrivate(at.Add(time.Hour), plenty), v.PastTallies(at.Add(time.Hour), plenty), v.Jobs(plenty),
		v.Leaving(at.Add(plenty*time.Hour), plenty), v.Deleted(plenty)}
	for _, family := range []token.FamilyID{w.family, w.id(6), w.id(7)} {
		out = append(out, v.Family(family))
	}
	out = append(out, v.Client(w.app), v.HasPages(w.origin("a")), v.HasPages(w.origin("b")))
	for k := range byte(4) {
		out = append(out, v.Failures(w.hash(k)), v.Knows(w.hash(k), at))
	}
	return append(out, w.browsers(v), w.proofs(v), w.consents(v), w.requests(v), v.DetailTypes(), w.registrations(v), w.grants(v), w.shared(v), v.Scopes(), v.Password(w.ana), v.Password(w.ben), v.Password(w.id(9)), v.ClientOf(w.origin("a")).ID, v.ClientOf(w.origin("b")).ID, v.Deployment())
}

func (w world) origin(name string) string { return fmt.Sprintf("https://%s-%d.example.com", name, w.n) }
