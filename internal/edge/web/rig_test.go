package web_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web"
	sqlstore "github.com/doorward/doorward/internal/store/sql"
)

const (
	ana      = "ana@example.com"
	ben      = "ben@example.com"
	password = "correct horse battery staple"
	dev      = "http://localhost:8400"
	live     = "https://auth.example.com"
	firefox  = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A rig is the real pages on the real exchanges and store; only the clock is ours.
type rig struct {
	t       *testing.T
	clock   *clock
	store   *sqlstore.Store
	handler http.Handler
	issuer  *url.URL
	dev     bool
	keys    *key.Keyring
	x       *exchange.Exchanges
	people  map[string]identity.UserID
	away    func() // takes the store away
	log     bytes.Buffer
}

// A tuning changes the policy, or puts something before the exchanges.
type tuning func(*exchange.Policy, *web.Config)

// newRig makes one; scale divides the delays after wrong passwords.
func newRig(t *testing.T, issuer string, scale int, tunings ...tuning) *rig {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	store, err := sqlstore.Open(ctx, "sqlite:///"+strings.TrimPrefix(filepath.ToSlash(filepath.Join(t.TempDir(), "doorward.db")), "/"), func(err error) { t.Error(err) })
	must(err)
	at, err := url.Parse(issuer)
	must(err)
	g := &rig{t: t, clock: &clock{now: time.Date(2026, 11, 22, 9, 0, 30, 0, time.UTC)}, store: store, issuer: at, dev: at.Scheme == "http",
		people: map[string]identity.UserID{}}
	g.away = sync.OnceFunc(func() { _ = store.Close() })
	now := g.clock.Now()
	kek := secret.Random()
	sealer, err := secret.NewSealer(kek[:])
	must(err)
	made, err := key.Make(ctx, nil, sealer, jose.ES256, now)
	must(err)
	unit := core.Unit{deployment.Found{Issuer: issuer, Mode: "production", Created: now}, client.Create{ID: client.BuiltIn, Name: "Doorward", Type: "web", FirstParty: true, Auth: "none", Created: now}}
	for _, k := range made {
		unit = append(unit, k)
	}
	salt := secret.Random16()
	phc := factor.Hash(password, salt[:])
	for _, email := range []string{ana, ben} {
		id := identity.NewUserID(now, secret.Random16())
		g.people[email] = id
		unit = append(unit, identity.Create{ID: id, Email: email, Address: email, Name: strings.ToUpper(email[:1]) + email[1:3], Verified: true, Created: now},
			factor.Enrol{User: id, PHC: phc, Changed: now})
	}
	_, err = store.Commit(ctx, unit)
	must(err)
	ring, err := key.Open(ctx, store.View(ctx).Keys(), sealer, key.Policy{}, now)
	must(err)

	feed := revocation.NewLog()
	follow := settle.NewFollower(store, feed, g.clock.Now)
	must(follow.Read(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		follow.Run(ctx, func(error) {})
	}()
	t.Cleanup(func() {
		stop()
		<-done
		g.away()
	})
	pipe := &settle.Pipeline{Store: store, Feed: feed, Now: g.clock.Now, Follow: follow, Tally: func(ledger.Tally) {}, Alarm: func(err error) { t.Error(err) }}
	policy := exchange.Policy{
		Issuer:  issuer,
		Session: session.Lifetimes{Idle: 14 * 24 * time.Hour, Max: 30 * 24 * time.Hour},
		Token:   token.Lifetimes{Access: 5 * time.Minute, Idle: 15 * 24 * time.Hour, Max: 90 * 24 * time.Hour, Grace: 10 * time.Second, Leeway: 30 * time.Second, Code: time.Minute},
		Scale:   scale, PasswordMin: 15,
	}
	config := web.Config{Keys: key.NewKeyring(ring), Door: &door.Door{Issuer: at, Dev: g.dev, Now: g.clock.Now,
		Log: slog.New(slog.NewTextHandler(&g.log, nil)), Tally: func(ledger.Tally) {}}}
	g.keys = config.Keys
	for _, tune := range tunings {
		tune(&policy, &config)
	}
	x := exchange.New(pipe, config.Keys, policy, factor.NewGate(2, time.After), risk.NewMeters(scale))
	g.x = x
	if first, ok := config.Exchange.(*interposed); ok {
		if first.Exchanges = x; first.got != nil {
			*first.got = x
		}
	} else {
		config.Exchange = x
	}
	mux := http.NewServeMux()
	web.New(config).Routes(mux)
	g.handler = mux
	return g
}

// interposed does something else after a visit was recognised, before the exchange that it asks for.
type interposed struct {
	web.Exchanges
	first func()
	got   **exchange.Exchanges // is told what it stands before
}

func (i *interposed) StepUp(ctx context.Context, by settle.Caller, cookie, password string) (string, error) {
	i.first()
	return i.Exchanges.StepUp(ctx, by, cookie, password)
}

func (i *interposed) EndOthers(ctx context.Context, by settle.Caller, c exchange.Credential, all bool) (int, error) {
	i.first()
	return i.Exchanges.EndOthers(ctx, by, c, all)
}

func (i *interposed) Resume(ctx context.Context, by settle.Caller, cookie, origin string) (exchange.Tokens, error) {
	i.first()
	return i.Exchanges.Resume(ctx, by, cookie, origin)
}

// sessions are the ids of a person's sessions that stand.
func (g *rig) sessions(email string) (ids []string) {
	g.t.Helper()
	v := g.store.View(context.Background())
	u := v.User(g.people[email])
	for _, s := range v.Sessions(session.Query{User: u.ID, Limit: 100}) {
		if session.Judge(s, u, g.clock.Now()) == session.Live {
			ids = append(ids, s.ID.String())
		}
	}
	if err := v.Err(); err != nil {
		g.t.Fatal(err)
	}
	return ids
}

// name is a cookie's full name here.
func (g *rig) name(cookie string) string {
	if g.dev {
		return cookie
	}
	return "__Host-" + cookie
}

// A browser keeps cookies and says where its forms come from, as browsers do.
type browser struct {
	*rig
	jar   map[string]string
	agent string
}

func (g *rig) browser() *browser { return &browser{rig: g, jar: map[string]string{}, agent: firefox} }

// An answer is what came back.
type answer struct {
	t      *testing.T
	code   int
	header http.Header
	body   string
	set    map[string]*http.Cookie
}

type edit func(*http.Request)

func header(name, value string) edit {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func without(name string) edit { return func(r *http.Request) { r.Header.Del(name) } }

func (b *browser) get(at string, edits ...edit) *answer {
	b.t.Helper()
	return b.send(httptest.NewRequest("GET", at, nil), edits)
}

func (b *browser) post(at string, form url.Values, edits ...edit) *answer {
	b.t.Helper()
	r := httptest.NewRequest("POST", at, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "null") // what Referrer-Policy: no-referrer makes of it
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r, edits)
}

func (b *browser) send(r *http.Request, edits []edit) *answer {
	b.t.Helper()
	r.Host, r.RemoteAddr = b.issuer.Host, "203.0.113.7:4711"
	r.Header.Set("User-Agent", b.agent)
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, e := range edits {
		e(r)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	res := w.Result()
	a := &answer{t: b.t, code: res.StatusCode, header: res.Header, body: w.Body.String(), set: map[string]*http.Cookie{}}
	for _, c := range res.Cookies() {
		a.set[c.Name] = c
		if b.jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	return a
}

// is demands a status.
func (a *answer) is(code int) *answer {
	a.t.Helper()
	if a.code != code {
		a.t.Fatalf("status %d, want %d; Location %q\n%s", a.code, code, a.header.Get("Location"), a.body)
	}
	return a
}

// to demands a 303 to an address.
func (a *answer) to(where string) *answer {
	a.t.Helper()
	if got := a.is(http.StatusSeeOther).header.Get("Location"); got != where {
		a.t.Fatalf("goes to %q, want %q", got, where)
	}
	return a
}

// says demands a sentence, as read.
func (a *answer) says(words ...string) *answer {
	a.t.Helper()
	read := read(a.t, a.body)
	for _, w := range words {
		if !strings.Contains(read, w) {
			a.t.Fatalf("the page does not say %q:\n%s", w, read)
		}
	}
	return a
}

// lacks holds that a page does not say something.
func (a *answer) lacks(words string) *answer {
	a.t.Helper()
	if strings.Contains(read(a.t, a.body), words) {
		a.t.Errorf("the page says %q", words)
	}
	return a
}

// read is the text of a page's body, blocks apart.
func read(t *testing.T, page string) string {
	t.Helper()
	var b strings.Builder
	for _, body := range elements(t, page) {
		if body.Data != "body" {
			continue
		}
		for n := range body.Descendants() {
			switch {
			case n.Type == html.TextNode:
				b.WriteString(n.Data)
			case slices.Contains([]string{"p", "h1", "h2", "h3", "li", "dt", "dd", "br"}, n.Data):
				b.WriteByte(' ')
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// form is what the form that posts to an address carries.
func (a *answer) form(action string) url.Values {
	a.t.Helper()
	for _, n := range elements(a.t, a.body) {
		if at, _ := attr(n, "action"); n.Data != "form" || at != action {
			continue
		}
		v := url.Values{}
		for c := range n.Descendants() {
			if name, ok := attr(c, "name"); c.Type == html.ElementNode && c.Data == "input" && ok {
				value, _ := attr(c, "value")
				v.Set(name, value)
			}
		}
		return v
	}
	a.t.Fatalf("no form to %s in\n%s", action, a.body)
	return nil
}

// with is a form filled in.
func with(form url.Values, pairs ...string) url.Values {
	form = maps.Clone(form)
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// signIn signs somebody in by the page.
func (b *browser) signIn(email string) *browser {
	b.t.Helper()
	form := b.get("/sign-in?another=1").is(200).form("/sign-in")
	b.post("/sign-in", with(form, "username", email, "password", password)).to("/account")
	return b
}

// parallel because each password costs tens of milliseconds.
func parallel(t *testing.T, name string, f func(*testing.T)) {
	t.Run(name, func(t *testing.T) { t.Parallel(); f(t) })
}
