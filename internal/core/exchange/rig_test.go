package exchange_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	sqlstore "github.com/doorward/doorward/internal/store/sql"
	"github.com/doorward/doorward/internal/store/storetest/postgres"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	issuer   = "https://auth.example.com"
	password = "seven green bottles on a wall"
)

// phc is the hash of password, made once.
var phc = sync.OnceValue(func() string { return factor.Hash(password, make([]byte, factor.SaltSize)) })

// patience bounds a test that would otherwise hang; nothing waits for it.
const patience = 60 * time.Second

// A clock is set by its test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A rig is one deployment: a database, its keys, a clock, and its first node.
type rig struct {
	*node
	t       testing.TB
	engine  string
	address string
	clock   *clock
	ring    *key.Ring
	kek     *heldKEK
	people  int
}

// onEach runs a test on a deployment of each engine.
func onEach(t *testing.T, test func(t *testing.T, r *rig), with ...option) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, newRig(t, engine, with...))
		})
	}
}

func newRig(t testing.TB, engine string, with ...option) *rig {
	r := &rig{t: t, engine: engine, clock: &clock{at: time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC)}}
	if r.address = "sqlite://" + filepath.Join(t.TempDir(), "doorward.db"); engine == "postgres" {
		r.address = postgres.Start(t)
	}
	r.found()
	r.node = r.open(with...)
	return r
}

// found gives the empty database its keys and its built-in client.
func (r *rig) found() {
	s, err := sqlstore.Open(r.t.Context(), r.address, func(err error) { panic(err) })
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	r.kek = newKEK(r.t)
	made, err := key.Make(r.t.Context(), nil, r.kek, jose.ES256, r.clock.now())
	if err != nil {
		r.t.Fatal(err)
	}
	u := core.Unit{deployment.Found{Issuer: issuer, Mode: "production", Created: r.clock.now()}}
	for _, k := range made {
		u = append(u, k)
	}
	if _, err := s.Commit(r.t.Context(), append(u, manage.BuiltIn(r.clock.now())...)); err != nil {
		r.t.Fatal(err)
	}
	if r.ring, err = key.Open(r.t.Context(), s.View(r.t.Context()).Keys(), r.kek, keyPolicy, r.clock.now()); err != nil {
		r.t.Fatal(err)
	}
}

// A node is one server of a deployment, everything in it real.
type node struct {
	*exchange.Exchanges
	store   *sqlstore.Store
	spy     *spy
	pipe    *settle.Pipeline
	manage  *manage.Manage
	keys    *settle.KeyFollower
	tallies *tallied
	alarms  chan error
	closing chan struct{}
	close   func() error
}

// A setup is what tests vary in a node.
type setup struct {
	policy exchange.Policy
	gate   *factor.Gate
	behind bool
}

type option func(*setup)

// behind is a node whose follower does not run: it sees what it reads itself.
func behind(s *setup) { s.behind = true }

func lifetimes(f func(p *exchange.Policy)) option { return func(s *setup) { f(&s.policy) } }

func (r *rig) open(with ...option) *node {
	r.t.Helper()
	store, err := sqlstore.Open(r.t.Context(), r.address, func(err error) { panic(err) })
	if err != nil {
		r.t.Fatal(err)
	}
	n := r.on(store, with...)
	n.close = sync.OnceValue(store.Close)
	r.t.Cleanup(func() { n.close() })
	return n
}

// on makes a node on an open store: another server, or the same one started again.
func (r *rig) on(store *sqlstore.Store, with ...option) *node {
	r.t.Helper()
	s := setup{policy: exchange.Policy{
		Issuer:  issuer,
		Session: session.Lifetimes{Idle: 14 * day, Max: 30 * day},
		Admin:   exchange.AdminLifetimes{Idle: 15 * time.Minute, Max: 8 * time.Hour},
		Token:   token.Lifetimes{Access: 5 * time.Minute, Idle: 15 * day, Max: 90 * day, Grace: 10 * time.Second, Leeway: 30 * time.Second, Code: time.Minute},
		Scale:   1,
	}, gate: factor.NewGate(0, time.After)}
	for _, o := range with {
		o(&s)
	}
	n := &node{store: store, spy: &spy{Store: store}, tallies: &tallied{}, alarms: make(chan error, 64), closing: make(chan struct{})}
	feed := revocation.NewLog()
	n.pipe = &settle.Pipeline{Store: n.spy, Feed: feed, Now: r.clock.now, Follow: settle.NewFollower(store, feed, r.clock.now),
		Tally: n.tallies.add, Alarm: func(err error) { n.alarms <- err }, Closing: n.closing}
	n.keys = &settle.KeyFollower{Store: store, Feed: feed, Now: r.clock.now, Keys: key.NewKeyring(r.ring), Open: func(ctx context.Context, keys []key.Key, now time.Time) (*key.Ring, error) {
		return key.Open(ctx, keys, r.kek, keyPolicy, now)
	}}
	n.Exchanges = exchange.New(n.pipe, n.keys.Keys, s.policy, s.gate, risk.NewMeters(s.policy.Scale))
	n.manage = manage.New(n.pipe, s.gate, manage.Keys{Follow: n.keys, KEK: r.kek, Policy: keyPolicy}, manage.Policy{Issuer: issuer, PasswordMin: 15, Token: s.policy.Token})
	if err := n.pipe.Follow.Read(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if !s.behind {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { n.pipe.Follow.Run(ctx, func(error) {}) })
		wg.Go(func() { n.keys.Run(ctx, func(error) {}) })
		r.t.Cleanup(func() { cancel(); wg.Wait() })
	}
	return n
}

const day = 24 * time.Hour

// catchUp is the read of the feed that a node makes every quarter of a second.
func (n *node) catchUp(t *testing.T) {
	t.Helper()
	if err := n.pipe.Follow.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// tallied keeps the refusals of nobody known.
type tallied struct {
	mu  sync.Mutex
	ids []string
}

// A person with an account.
type person struct {
	id    identity.UserID
	email string
}

// person makes one, with password as their password.
func (r *rig) person() person {
	r.t.Helper()
	r.people++
	p := person{identity.NewUserID(r.clock.now(), secret.Random16()), fmt.Sprintf("person%d@example.com", r.people)}
	u := core.Unit{identity.Create{ID: p.id, Email: p.email, Address: p.email, Created: r.clock.now()},
		factor.Enrol{User: p.id, PHC: phc(), Changed: r.clock.now()}}
	if _, err := r.store.Commit(r.t.Context(), u); err != nil {
		r.t.Fatal(err)
	}
	return p
}

// pause stops a person, as an operator does.
func (n *node) pause(t *testing.T, p person) {
	t.Helper()
	if err := n.manage.PauseUser(t.Context(), settle.Caller{Actor: "host:0"}, p.id); err != nil {
		t.Fatal(err)
	}
}

// signIn signs a person in, which must succeed.
func (n *node) signIn(t *testing.T, p person) exchange.Tokens {
	t.Helper()
	return n.signInFrom(t, p, "")
}

func (n *node) signInFrom(t *testing.T, p person, origin string) exchange.Tokens {
	t.Helper()
	out, err := n.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: password, Origin: origin})
	if err != nil {
		t.Fatalf("sign-in: %v", err)
	}
	return out
}

// seat gives a person a session without the cost of a password.
func (r *rig) seat(p person) exchange.Tokens {
	r.t.Helper()
	now, cookie, k := r.clock.now(), secret.Random(), r.ring.Refresh[0]
	f := token.NewFamilyID(now, secret.Random16())
	refresh, current := token.First(k, f, secret.Random())
	head := r.store.View(r.t.Context()).Head()
	s := session.Start{ID: session.NewID(now, secret.Random16()), User: p.id, Hash: session.HashOf(cookie[:]), Rev: head, Created: now, AuthTime: now,
		IdleUntil: now.Add(14 * day), MaxUntil: now.Add(30 * day), Method: "password"}
	u := core.Unit{s, token.Open{ID: f, Client: client.BuiltIn, Session: s.ID, User: p.id, KeyTag: k.Tag, Salt: secret.Random16(), Current: current, Rev: head,
		Scopes: []string{"account"}, Created: now, IdleUntil: now.Add(15 * day), MaxUntil: now.Add(90 * day)}}
	if _, err := r.store.Commit(r.t.Context(), u); err != nil {
		r.t.Fatal(err)
	}
	return exchange.Tokens{Cookie: token.NewSession(cookie), Refresh: refresh, Session: session.Session{ID: s.ID, User: p.id}}
}

// refresh trades a refresh token, which must succeed.
func (n *node) refresh(t *testing.T, text string) exchange.Tokens {
	t.Helper()
	out, err := n.Refresh(t.Context(), home, exchange.RefreshInput{Token: text})
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	return out
}

// refreshRefused trades a refresh token, which must be refused by a check.
func (n *node) refreshRefused(t *testing.T, text, id string) *check.Refusal {
	t.Helper()
	out, err := n.Refresh(t.Context(), home, exchange.RefreshInput{Token: text})
	if out != (exchange.Tokens{}) && err != nil {
		t.Errorf("a refused refresh gave %+v", out)
	}
	return refused(t, err, id)
}

// live holds that a session cookie is one, and says whose.
func (n *node) live(t *testing.T, cookie string) exchange.Who {
	t.Helper()
	who, err := n.Cookie(t.Context(), cookie)
	if err != nil || !who.Exists() {
		t.Fatalf("the session does not live: %v", err)
	}
	return who
}

func (n *node) cookieRefused(t *testing.T, cookie, id string) {
	t.Helper()
	_, err := n.Cookie(t.Context(), cookie)
	refused(t, err, id)
}

func (n *node) accessRefused(t *testing.T, text, id string) {
	t.Helper()
	_, err := n.Inspect(t.Context(), text, issuer)
	refused(t, err, id)
}

func (n *node) inspected(t *testing.T, text string) token.Claims {
	t.Helper()
	c, err := n.Inspect(t.Context(), text, issuer)
	if err != nil {
		t.Fatalf("the access token is refused: %v", err)
	}
	return c
}

// dead holds that nothing of a sign-in works any more.
func (n *node) dead(t *testing.T, of exchange.Tokens) {
	t.Helper()
	n.cookieRefused(t, of.Cookie, "session.alive")
	n.accessRefused(t, of.Access, "token.alive")
	n.refreshRefused(t, of.Refresh, "refresh.alive")
	_, err := n.Resume(t.Context(), home, of.Cookie, "")
	refused(t, err, "session.alive")
}

// refused holds that an error is the refusal of one check.
func refused(t *testing.T, err error, id string) *check.Refusal {
	t.Helper()
	var r *check.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("%v, want the refusal of %s", err, id)
	}
	if r.Check().ID != id {
		t.Fatalf("refused by %s, want %s", r.Check().ID, id)
	}
	return r
}

// named is the check that an error is the refusal of, or what else it is.
func named(err error) string {
	var r *check.Refusal
	switch {
	case err == nil:
		return "passed"
	case errors.As(err, &r):
		return r.Check().ID
	case errors.Is(err, core.ErrUnavailable):
		return "unavailable"
	}
	return err.Error()
}

// from is a caller at an address.
func from(ip string) settle.Caller {
	return settle.Caller{Addr: netip.MustParseAddr(ip), UserAgent: userAgent}
}

// elsewhere is the i-th caller from a network of their own.
func elsewhere(i int) settle.Caller { return from(fmt.Sprintf("198.51.%d.%d", 100+i/250, i%250)) }

const userAgent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/147.0"

var home = from("192.0.2.10")

// family is a refresh token's family as the database has it.
func (r *rig) family(text string) token.Family {
	r.t.Helper()
	w, ok := token.ParseRefresh(text)
	if !ok {
		r.t.Fatal("not a refresh token")
	}
	return read(r.t, r.store, func(v core.View) token.Family { return v.Family(w.Family) })
}

func (r *rig) session(id session.ID) session.Session {
	r.t.Helper()
	return read(r.t, r.store, func(v core.View) session.Session { return v.Session(id) })
}

// events lists the losses of trust in the database's feed, oldest first.
func (r *rig) events() []revocation.Event {
	r.t.Helper()
	all := read(r.t, r.store, func(v core.View) []revocation.Event { return v.Events(0, 10000) })
	return slices.DeleteFunc(all, func(e revocation.Event) bool { return e.Name.Unit == revocation.Changed })
}

func read[T any](t testing.TB, s core.Store, f func(core.View) T) T {
	t.Helper()
	v := s.View(t.Context())
	out := f(v)
	if err := v.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// raw is a connection of the test's own to the database.
func (r *rig) raw() *sql.DB {
	r.t.Helper()
	driver, name := "pgx", r.address
	if path, ok := strings.CutPrefix(r.address, "sqlite://"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { db.Close() })
	return db
}

// exec runs SQL of the test's own.
func (r *rig) exec(text string, args ...any) {
	r.t.Helper()
	if _, err := r.raw().ExecContext(r.t.Context(), text, args...); err != nil {
		r.t.Fatal(err)
	}
}

// count reads a number with SQL of the test's own.
func (r *rig) count(text string, args ...any) (n int) {
	r.t.Helper()
	if err := r.raw().QueryRowContext(r.t.Context(), text, args...).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// together runs n callers at the same moment and waits for all of them.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// warm opens as many connections as the store will use: a race whose callers
// still have to connect is over before the second one arrives.
func (n *node) warm(t *testing.T) {
	t.Helper()
	together(32, func(int) {
		if v := n.store.View(t.Context()); v.Head() == 0 && v.Err() != nil {
			t.Error(v.Err())
		}
	})
}
