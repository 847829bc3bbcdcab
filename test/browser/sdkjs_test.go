package browser

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/go-json-experiment/json"

	sdkjs "github.com/doorward/doorward/sdk-js"
	"github.com/doorward/doorward/test/rig"
)

// An app is the web server of an application whose pages use the browser SDK.
type app struct {
	URL string // http://localhost:PORT
	t   *testing.T

	mu      sync.Mutex
	server  *rig.Server
	asked   []string                                            // METHOD /path [token]
	instead map[string]func(http.ResponseWriter, *http.Request) // of what would answer
	pass    *httputil.ReverseProxy
}

// The strictest policy: scripts of our own, requests to where they must go,
// and no text that becomes code or markup.
const strictest = "default-src 'none'; script-src 'self'; connect-src %s; require-trusted-types-for 'script'; trusted-types 'none'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{t: t, instead: map[string]func(http.ResponseWriter, *http.Request){}}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	a.URL = "http://localhost:" + port
	return a
}

// beside starts a server with an address of its own and registers the app.
func (a *app) beside() *rig.Server {
	a.t.Helper()
	s := rig.Start(a.t, rig.SQLite)
	r := s.CLI("", "clients", "create", "--name", "Notes", "--first-party", "--type", "spa", "--redirect", a.URL+"/", "--scope", "account", "--json")
	if r.Code != 0 {
		a.t.Fatal(r.Stderr)
	}
	a.server = s
	return s
}

// before starts a server behind the app: both have the one origin.
func (a *app) before() *rig.Server {
	a.t.Helper()
	s := rig.New(a.t, rig.SQLite)
	s.URL = a.URL
	s.Run()
	to := &url.URL{Scheme: "http", Host: s.Address()}
	a.pass = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
	}}
	a.server = s
	return s
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := r.Method + " " + r.URL.Path
	if r.Header.Get("Authorization") != "" {
		what += " token"
	}
	a.mu.Lock()
	a.asked = append(a.asked, what)
	instead := a.instead[r.URL.Path]
	a.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	switch r.URL.Path {
	case "/app":
		q := r.URL.Query()
		connect := strings.Join(slices.Concat([]string{"'self'"}, q["issuer"], q["audience"], q["connect"]), " ")
		w.Header().Set("Content-Security-Policy", fmt.Sprintf(strictest, connect))
		http.ServeFile(w, r, "../../sdk-js/testdata/page.html")
	case "/before.js", "/page.js":
		http.ServeFile(w, r, "../../sdk-js/testdata"+r.URL.Path)
	case "/sdk/doorward.js":
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(sdkjs.Source)
	case "/api/echo":
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "authorization")
		_, _ = io.Copy(w, r.Body)
	case "/api/notes":
		// An API that asks the server about the token.
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token == "" || a.server.Bearer("GET", "/session", token).Status != 200 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.Copy(w, io.MultiReader(strings.NewReader("notes "), r.Body))
	default:
		if a.pass == nil {
			http.NotFound(w, r)
			return
		}
		a.pass.ServeHTTP(w, r)
	}
}

// answer has the app answer at a path itself; nil ends that.
func (a *app) answer(path string, h func(http.ResponseWriter, *http.Request)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instead[path] = h
}

// hold keeps the server's next answer at a path back from the browser until it
// is released; release returns when it has been written.
func (a *app) hold(path string) (answered chan bool, release func()) {
	answered, released, written := make(chan bool), make(chan bool), make(chan bool)
	a.answer(path, func(w http.ResponseWriter, r *http.Request) {
		a.answer(path, nil)
		defer close(written)
		kept := httptest.NewRecorder()
		a.pass.ServeHTTP(kept, r)
		close(answered)
		<-released
		maps.Copy(w.Header(), kept.Header())
		w.WriteHeader(kept.Code)
		_, _ = w.Write(kept.Body.Bytes())
	})
	open := sync.OnceFunc(func() { close(released) })
	a.t.Cleanup(open) // a test that failed must not hang
	return answered, func() { open(); <-written }
}

// heard counts the requests since the last call that begin so.
func (a *app) heard(what string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, asked := range a.asked {
		if strings.HasPrefix(asked, what) {
			n++
		}
	}
	a.asked = nil
	return n
}

// at is the address of the page, for a server, with more of a query.
func (a *app) at(s *rig.Server, more ...string) string {
	return a.URL + "/app?issuer=" + url.QueryEscape(s.URL) + strings.Join(append([]string{""}, more...), "&")
}

// ask evaluates an expression, or waits for the promise that it is.
func (t *Tab) ask(expression string) string {
	t.t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string]("Promise.resolve("+expression+").then(String)", chromedp.EvalAwaitPromise))
	if err != nil {
		t.t.Fatalf("%s: %v", expression, err)
	}
	return s
}

func (t *Tab) want(expression, value string) {
	t.t.Helper()
	if got := t.ask(expression); got != value {
		t.t.Errorf("%s is %q, not %q", expression, got, value)
	}
}

// open opens a page of the app and waits until it has started.
func (t *Tab) open(address, state string) {
	t.t.Helper()
	t.Go(address)
	t.Until("start", `window.page && page.started`)
	t.want(`page.auth.state`, state)
}

// enter signs a person in from the page, and starts it anew.
func (t *Tab) enter(address string, u rig.User) {
	t.t.Helper()
	t.open(address, "out")
	t.want(fmt.Sprintf(`page.enter(%q, %q)`, u.Email, u.Password), "201")
	t.open(address, "in")
}

// refreshes counts the refreshes of a person's only live session, as the
// ledger tells them: passed, refused.
func refreshes(t *testing.T, s *rig.Server) (passed, refused int) {
	t.Helper()
	var all struct {
		Sessions []struct{ ID, State string }
	}
	r := s.CLI("", "sessions", "list", "--json")
	if err := json.Unmarshal([]byte(r.Stdout), &all, json.MatchCaseInsensitiveNames(true)); err != nil || len(all.Sessions) != 1 {
		t.Fatalf("sessions: %v %s %s", err, r.Stdout, r.Stderr)
	}
	var one struct {
		Exchanges []struct{ Exchange, Outcome string }
	}
	r = s.CLI("", "sessions", "show", all.Sessions[0].ID, "--json")
	if err := json.Unmarshal([]byte(r.Stdout), &one, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err, r.Stdout)
	}
	for _, x := range one.Exchanges {
		switch {
		case x.Exchange != "refresh":
		case x.Outcome == "passed":
			passed++
		default:
			refused++
		}
	}
	return passed, refused
}

func (t *Tab) clean() {
	t.t.Helper()
	t.want(`violations.join()`, "")
	if c := t.Complaints(); len(c) > 0 {
		t.t.Errorf("the browser complained: %s", strings.Join(c, "; "))
	}
}

// From another first-party origin: a silent start, a token that no script can
// find, the next refresh at 80 % of its life and only where somebody looks.
func TestSDKStart(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	tab := New(t).Tab()
	tab.enter(a.at(s), s.User("ana"))
	tab.want(`page.auth.user.email`, "ana@example.com")
	tab.want(`page.seen.join("; ")`, "in ana@example.com")
	tab.want(`page.refreshes()`, "1")
	found := tab.ask(`JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, page, page.auth, page.auth.explain(), String(page.auth.fetch),
		Object.getOwnPropertyNames(window).filter(n => typeof window[n] === "string").map(n => window[n])])`)
	if strings.Contains(found, "eyJ") || strings.Contains(found, "dw_") {
		t.Errorf("a script can find a token: %s", found)
	}

	tab.want(`page.next()`, "240") // 80 % of five minutes; chance says the middle
	tab.want(`(page.pass(238), page.settled().then(page.refreshes))`, "1")
	tab.ask(`page.pass(2)`)
	tab.Until("a refresh when it is due", `page.refreshes() === 2 && page.next() > 200`)
	tab.ask(`Object.defineProperty(document, "hidden", { value: true, configurable: true })`)
	tab.want(`(page.pass(3600), page.settled().then(page.refreshes))`, "2")
	tab.want(`page.auth.state`, "in")
	tab.ask(`(delete document.hidden, document.dispatchEvent(new Event("visibilitychange")))`)
	tab.Until("a refresh when the tab is seen again", `page.refreshes() === 3 && page.next() > 200`)
	tab.want(`page.seen.length`, "1") // nothing changed for the page
	tab.clean()
}

// From the server's own origin: to the hosted page and back, and out.
func TestSDKHosted(t *testing.T) {
	a := newApp(t)
	s := a.before()
	u := s.User("ana")
	tab := New(t).Tab()
	tab.open(a.at(s), "out")
	tab.clean()
	if got := tab.Eval(`(() => { try { page.auth.signIn({ returnTo: "https://elsewhere.example/" }) } catch (e) { return e.code } })()`); got != "return.own" {
		t.Errorf("a foreign returnTo is %q", got)
	}
	tab.Eval(`(page.auth.signIn({ returnTo: location.href + "&x=1#here" }), "")`)
	tab.Until("the sign-in page", `location.pathname === "/sign-in"`)
	signIn(tab, u.Email, u.Password)
	tab.Until("the page again", `location.hash === "#here" && location.search.endsWith("&x=1") && window.page && page.started`)
	tab.want(`page.auth.state`, "in")
	tab.want(`page.get("/api/notes")`, "200 notes")
	tab.want(`page.out()`, "done")
	tab.want(`page.auth.state + page.auth.user`, "outnull")
	tab.open(a.at(s), "out")
	tab.clean()
}

// From another first-party origin: to the hosted page, and back to where it was.
func TestSDKHostedElsewhere(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	u := s.User("ana")
	tab := New(t).Tab()
	tab.open(a.at(s), "out")
	tab.Eval(`(page.auth.signIn({ returnTo: location.href + "&x=1#here" }), "")`)
	tab.Until("the sign-in page", `location.pathname === "/sign-in"`)
	tab.want(`location.origin`, s.URL)
	signIn(tab, u.Email, u.Password)
	tab.Until("the page again", `location.hash === "#here" && location.search.endsWith("&x=1") && window.page && page.started`)
	tab.want(`location.origin`, a.URL)
	tab.want(`page.auth.state`, "in")
	tab.want(`page.get("/api/notes")`, "200 notes")
	// Signed in there already, it is one click.
	tab.Eval(`(page.auth.signIn(), "")`)
	tab.Until("the sign-in page", `location.pathname === "/sign-in"`)
	tab.Eval(`(document.querySelector("form[action='/sign-in/continue'] button").click(), "")`)
	tab.Until("the page again", fmt.Sprintf(`location.origin === %q && window.page && page.started`, a.URL))
	tab.clean()
}

// A page that states the file's hash runs that file or none, and the server
// states the same hash.
func TestSDKPinned(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	res, err := http.Get(s.URL + "/sdk/doorward.js")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	stated := "sha256-" + strings.TrimSuffix(strings.TrimPrefix(res.Header.Get("Repr-Digest"), "sha-256=:"), ":")
	if stated != sdkjs.Integrity() {
		t.Errorf("the server states %q, the file is %q", stated, sdkjs.Integrity())
	}
	a.answer("/pinned", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><link rel="modulepreload" href="%s/sdk/doorward.js" crossorigin integrity="%s"><script type="module" src="/pinned.js"></script>`, s.URL, r.URL.Query().Get("hash"))
	})
	a.answer("/pinned.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprintf(w, `window.ran = await import("%s/sdk/doorward.js").then((m) => typeof m.createAuth, () => "refused")`, s.URL)
	})
	tab := New(t).Tab()
	for hash, want := range map[string]string{stated: "function", "sha256-" + strings.Repeat("A", 43) + "=": "refused"} {
		tab.Go(a.URL + "/pinned?hash=" + url.QueryEscape(hash))
		tab.Until("the import", `window.ran`)
		tab.want(`ran`, want)
	}
}

// Twenty tabs whose token is due at the same moment: all stay signed in, with
// one rotation where the tabs can talk, and with whatever the browser lacks.
func TestSDKTabs(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	b := New(t)
	first := b.Tab()
	first.enter(a.at(s), s.User("ana"))
	tabs := []*Tab{first}
	for range 19 {
		tabs = append(tabs, b.Tab())
	}
	clock := 0
	for _, lacking := range []struct {
		query          string
		tabs, rotating int // at most, of each round
	}{{"", 20, 2}, {"no=BroadcastChannel", 20, 20}, {"no=locks", 20, 5}, {"no=locks&no=BroadcastChannel", 5, 5}} {
		t.Run(lacking.query, func(t *testing.T) {
			for i, tab := range tabs {
				if i >= lacking.tabs {
					tab.Go("about:blank")
					continue
				}
				tab.open(a.at(s, lacking.query, fmt.Sprintf("chance=%.3f", (float64(i)+0.5)/float64(lacking.tabs))), "in")
			}
			tabs := tabs[:lacking.tabs]
			for round := range 2 {
				// Past the grace of the round before: only the newest token counts.
				clock++
				s.Clock(fmt.Sprintf("+%dm", clock))
				before, _ := refreshes(t, s)
				first.ask(`page.all(290)`)
				for _, tab := range tabs {
					tab.Until("the refresh", fmt.Sprintf(`page.passes === %d && page.next() > 200`, round+1))
					tab.want(`page.auth.state`, "in")
					tab.want(`page.get("/api/notes")`, "200 notes")
				}
				after, refused := refreshes(t, s)
				t.Logf("%d tabs, %d rotations", len(tabs), after-before)
				if got := after - before; got < 1 || got > lacking.rotating || refused > 0 {
					t.Errorf("round %d: %d refreshes, %d refused", round, got, refused)
				}
			}
		})
	}
}

// A tab that hangs with the lock is waited for three seconds; callbacks run
// when the lock is free.
func TestSDKLock(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	b := New(t)
	tab, other := b.Tab(), b.Tab()
	tab.enter(a.at(s), s.User("ana"))
	tab.Until("the lock asked for", `page.free.length === 1`)
	tab.want(`page.free.join()`, "true")
	other.Go(a.URL + "/app?issuer=" + s.URL + "&no=BroadcastChannel")
	other.Until("start", `window.page && page.started`)
	other.ask(`new Promise(held => { navigator.locks.request(page.lock, () => { held(); return new Promise(() => {}) }).catch(() => {}) })`)
	tab.ask(`page.pass(241)`)
	tab.Until("the wait for the lock", `page.next() === 3`)
	tab.want(`(page.pass(2), page.refreshes())`, "1")
	tab.ask(`page.pass(1)`)
	tab.Until("the lock taken over", `page.refreshes() === 2 && page.next() > 200`)
	tab.want(`page.auth.state`, "in")
}

// The server goes away and comes back: nobody is signed out by that.
func TestSDKOffline(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	b := New(t)
	tab, late := b.Tab(), b.Tab()
	tab.enter(a.at(s), s.User("ana"))
	s.Stop()
	tab.ask(`page.pass(241)`)
	tab.Until("offline", `page.auth.state === "offline"`)
	tab.want(`page.auth.user.email`, "ana@example.com")
	tab.want(`page.get("/api/echo", { method: "POST", body: "still with a token" })`, "200 still with a token")
	tab.want(`page.out()`, "server.reached")
	late.open(a.at(s), "offline")
	late.want(`page.started`, "yes")
	// At least a second; then 75 % of 2 s, 4 s and so on, rounded up here.
	for _, wait := range []int{1, 2, 3, 6, 12, 24} {
		tab.want(`page.settled()`, "settled")
		tab.Until("a pause", fmt.Sprintf(`page.next() === %d`, wait))
		tab.ask(fmt.Sprintf(`page.pass(%d)`, wait))
	}
	tab.ask(`page.pass(60)`)
	tab.want(`page.get("/api/notes")`, "server.reached") // the token is over
	s.Run()
	tab.ask(`dispatchEvent(new Event("online"))`)
	tab.Until("in again", `page.auth.state === "in"`)
	late.Until("in at last", `page.auth.state === "in"`)
	tab.want(`page.seen.join("; ")`, "in ana@example.com; offline ana@example.com server.reached; in ana@example.com")
	tab.want(`page.get("/api/notes")`, "200 notes")
}

// Signing out in one tab tells the others, and no answer that was on its way
// meanwhile undoes it.
func TestSDKSignOut(t *testing.T) {
	a := newApp(t)
	s := a.before()
	b := New(t)
	tab, other := b.Tab(), b.Tab()
	tab.enter(a.at(s), s.User("ana"))
	other.open(a.at(s), "in")
	answered, release := a.hold("/session/refresh")
	tab.ask(`Object.defineProperty(document, "hidden", { value: true })`)
	other.ask(`page.all(241)`)
	<-answered
	tab.want(`page.out()`, "done")
	other.Until("the word of the first", `page.auth.state === "out"`)
	release()
	other.Until("the end of the refresh", `page.seen.length === 2`)
	other.want(`page.get("/api/notes")`, "401")
	other.want(`page.auth.state`, "out")
	other.want(`page.seen.join("; ")`, "in ana@example.com; out")
	tab.want(`page.auth.state`, "out")
}

// A page that goes while its refresh is on the way keeps the new cookie.
func TestSDKLeave(t *testing.T) {
	a := newApp(t)
	s := a.before()
	tab := New(t).Tab()
	tab.enter(a.at(s), s.User("ana"))
	answered, release := a.hold("/session/refresh")
	tab.ask(`addEventListener("unload", () => {})`) // a page that goes for good
	tab.ask(`page.pass(241)`)
	<-answered
	tab.Go(a.URL + "/api/echo")
	release()
	s.Clock("+1m") // past the grace: the old cookie would end the session
	tab.open(a.at(s), "in")
}

// A 401 is tried once more after one refresh, whoever asks and how often.
func TestSDKOnce(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	tab := New(t).Tab()
	tab.enter(a.at(s), s.User("ana"))
	s.Clock("+6m") // the token is over, and the page's clock does not know
	a.heard("")
	tab.want(`page.get("/api/notes", { method: "POST", body: "a body sent twice" })`, "200 notes a body sent twice")
	if n := a.heard("POST /api/notes token"); n != 2 {
		t.Errorf("%d requests", n)
	}
	tab.want(`page.refreshes()`, "2")

	s.Clock("+12m")
	tab.want(`Promise.all(Array.from({ length: 8 }, () => page.get("/api/notes")))`, strings.TrimSuffix(strings.Repeat("200 notes,", 8), ","))
	tab.want(`page.refreshes()`, "3")

	a.answer("/api/never", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	a.heard("")
	tab.want(`page.get("/api/never")`, "401")
	if n := a.heard("GET /api/never"); n != 2 {
		t.Errorf("%d requests to what never answers", n)
	}
	tab.want(`page.refreshes()`, "4")
	tab.want(`page.auth.state`, "in")
}

// Asking for fresh proof signs nobody out.
func TestSDKStepUp(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	tab := New(t).Tab()
	tab.enter(a.at(s, "audience="+s.URL), s.User("ana"))
	s.Clock("+26m")
	tab.want(fmt.Sprintf(`page.auth.fetch("%s/sessions/end-others", { method: "POST" }).catch(e => [e.name, e.code, e.ref.length, e.fix].join(" "))`, s.URL),
		"DoorwardError insufficient_user_authentication 7 Lead the person to "+s.URL+"/step-up?return_to="+tab.ask(`encodeURIComponent(location.href)`))
	tab.want(`page.auth.state`, "in")
	tab.want(`page.refreshes()`, "2")
	tab.want(`page.get("/api/notes")`, "200 notes")
}

// A refresh that is refused for want of fresh proof keeps the state; it stands
// at start as an error, since no waiting cures it.
func TestSDKStepUpRefresh(t *testing.T) {
	a := newApp(t)
	s := a.before()
	tab := New(t).Tab()
	tab.enter(a.at(s), s.User("ana"))
	a.answer("/session/refresh", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication", max_age=600`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"title":"Please confirm that it is you.","check":"session.trusted","ref":"7KQ2-M4"}`)
	})
	tab.ask(`page.pass(241)`)
	tab.Until("the error", `page.seen.length === 2`)
	tab.want(`page.seen[1]`, "in ana@example.com insufficient_user_authentication")
	tab.want(`page.auth.explain().at(-1).outcome`, "session.trusted")
	tab.open(a.at(s), "offline")
	tab.want(`page.started`, "insufficient_user_authentication")
	a.answer("/session/refresh", nil)
	tab.ask(`document.dispatchEvent(new Event("visibilitychange"))`)
	tab.Until("in after the proof", `page.auth.state === "in"`)
}

// The token goes to the page's origin and to the origins named, and nowhere
// else, not even by a redirect.
func TestSDKAudience(t *testing.T) {
	a, friend, stranger := newApp(t), newApp(t), newApp(t)
	s := a.beside()
	a.answer("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, stranger.URL+"/api/echo", http.StatusTemporaryRedirect)
	})
	tab := New(t).Tab()
	tab.enter(a.at(s, "audience="+friend.URL, "connect="+stranger.URL), s.User("ana"))
	a.heard("")
	tab.want(`page.get("/api/echo")`, "200")
	tab.want(fmt.Sprintf(`page.get("%s/api/echo")`, friend.URL), "200")
	if a.heard("GET /api/echo token") != 1 || friend.heard("GET /api/echo token") != 1 {
		t.Error("the token did not go where it should")
	}
	tab.want(fmt.Sprintf(`page.get("%s/api/echo")`, stranger.URL), "200")
	tab.ask(`page.get("/away")`)
	if a.heard("GET /away token") != 1 || stranger.heard("GET /api/echo") == 0 {
		t.Error("the stranger was not asked")
	}
	tab.want(fmt.Sprintf(`page.get("%s/api/echo")`, stranger.URL), "200")
	tab.ask(`page.get("/away")`)
	if stranger.heard("GET /api/echo token") != 0 {
		t.Error("a stranger has the token")
	}
}

// A page of another site cannot have the cookie, and learns it at start. What
// a site is, the browser says: localhost is a public suffix to it.
func TestSDKSite(t *testing.T) {
	a := newApp(t)
	s := a.beside()
	_, port, _ := strings.Cut(strings.TrimPrefix(a.URL, "http://"), ":")
	tab := New(t).Tab()
	for _, c := range []struct{ page, issuer, started string }{
		{"127.0.0.1", s.URL, "cookie.site"},
		{"app.localhost", s.URL, "cookie.site"},
		{"app.localhost", "http://auth.localhost:" + port, "cookie.site"},
		{"app.site.localhost", "https://auth.site.localhost:" + port, "cookie.site"},
		{"app.site.localhost", "http://auth.site.localhost:" + port, "yes"},
		{"site.localhost", "http://auth.site.localhost:" + port, "yes"},
	} {
		tab.Go("http://" + c.page + ":" + port + "/app?issuer=" + url.QueryEscape(c.issuer))
		tab.Until("start", `window.page && page.started`)
		if got := tab.ask(`page.started`); got != c.started {
			t.Errorf("from %s to %s: %q", c.page, c.issuer, got)
		}
		tab.want(`document.cookie`, "")
	}
}
