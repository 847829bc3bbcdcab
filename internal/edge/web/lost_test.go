package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
)

// AS-02: who is not known, or names an address that is not registered, gets no redirect but a page of ours. What is
// registered is told to those who run the server, and to nobody else.
func TestARequestThatNobodyMayHearOf(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid")
	b := g.browser().signIn(ana)
	page := func(at string) *answer {
		a := b.get(at).is(400)
		if a.header.Get("Location") != "" || strings.Contains(a.body, "http-equiv") {
			t.Errorf("%s leads on", at)
		}
		return a
	}
	wrong := callback + "/"
	page(ask("redirect_uri", wrong)).says("Notes sent you here with a wrong address", "Nothing is wrong with your account.", "redirect.exact").lacks(callback)
	page(ask("client_id", "nobody")).says("The app that sent you here is not known", "request.client").lacks("nobody")
	page(ask()+"&state=twice").says("An app sent you here with a request we cannot follow", "request.query")
	if _, err := g.store.Commit(t.Context(), core.Unit{identity.Appoint{ID: g.people[ana], Guard: g.store.View(t.Context()).User(g.people[ana]).Guard}}); err != nil {
		t.Fatal(err)
	}
	b.signIn(ana)
	page(ask("redirect_uri", wrong)).says("redirect_uri sent "+wrong, "registered "+callback+` ← nearest: one "/" more at the end of the path`, "doorward clients edit notes --add-redirect "+wrong)
	page(ask("client_id", "nobody")).says("client_id sent nobody")
	at := newRig(t, dev, 1000)
	ask = at.asker(false, "openid")
	b = at.browser()
	page(ask("redirect_uri", wrong)).says("registered " + callback)
}

// corpus is what strangers send to become markup.
var corpus = []string{`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, "</title><script>alert(1)</script>", "javascript:alert(1)", "\u2028alert(1)", "</script><svg/onload=alert(1)>",
	"data:text/html,<script>alert(1)</script>", "{{.}}", "%3Cscript%3E", "&lt;script&gt;", "\" autofocus onfocus=alert(1) x=\"", "`${alert(1)}`", "<!--", "]]>"}

// Attack OAU-27: what is in a request, and what an application is called, is text on every page that shows it.
func TestRequestsStayText(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	ask := g.asker(false, "openid")
	b := g.browser()
	b.agent = `<script>alert(1)</script>`
	hold := func(a *answer) {
		t.Helper()
		for _, n := range elements(t, a.body) {
			if n.Data == "script" && n.FirstChild != nil || n.Data == "svg" || n.Data == "img" && !strings.HasPrefix(src(n), "/s/") {
				t.Errorf("%s is in the page", n.Data)
			}
			for _, at := range n.Attr {
				if strings.HasPrefix(at.Key, "on") || strings.HasPrefix(at.Val, "javascript:") || strings.HasPrefix(at.Val, "data:") {
					t.Errorf("<%s %s=%q>", n.Data, at.Key, at.Val)
				}
			}
		}
		if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("the policy is %s", csp)
		}
	}
	for _, evil := range corpus {
		for _, param := range []string{"redirect_uri", "client_id", "state", "scope", "prompt", "response_mode", "response_type", "login_hint", "ui_locales", "nonce", "resource", "max_age"} {
			if a := b.onwards(b.get(ask(param, evil))); a.code != 303 {
				hold(a)
			}
		}
		hold(b.get("/consent?flow=" + url.QueryEscape(evil)))
		hold(b.get("/error?ref=" + url.QueryEscape(evil)))
	}
	b.agent = firefox
	b.signIn(ana)
	for _, evil := range corpus {
		page := b.onwards(b.get(ask("state", evil))).is(200)
		hold(page)
		out := b.onwards(b.post("/consent/cancel", page.form("/consent/cancel"))).is(200)
		hold(out)
		to, _ := ways(t, out.body)
		if u, err := url.Parse(to); err != nil || u.Query().Get("state") != evil || u.Query().Get("error") != "access_denied" || u.Host != "notes.example.com" {
			t.Errorf("%q goes back as %q", evil, to)
		}
	}
}

// "Cookie not found" does not exist: signing in in one tab leaves the request of another one good, and a request that
// is opened in another browser begins anew there.
func TestAnyTabCanGoOn(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid")
	b := g.browser()
	first := b.onwards(b.get(ask("prompt", "login"))).is(200).says("Sign in")
	// The other tab.
	g.clock.pass(time.Second)
	b.signIn(ana)
	// The first one goes on: its form is made anew, then the request is good.
	g.clock.pass(time.Second)
	again := b.post("/sign-in", with(first.form("/sign-in"), "username", ana, "password", password)).is(422)
	in := b.onwards(b.post("/sign-in", with(again.form("/sign-in"), "username", ana, "password", password)))
	if strings.Contains(in.body, `action="/step-up"`) { // begun anew, it wants the proof that came before again
		g.clock.pass(time.Second)
		in = b.onwards(b.post("/step-up", with(in.form("/step-up"), "password", password)))
	}
	in.is(200).says("Let Notes use your account?")
	flow := in.form("/consent").Get("flow")
	b.onwards(b.post("/consent", in.form("/consent"))).left()

	other := g.browser().signIn(ben)
	page := other.onwards(other.get("/return?flow=" + flow)) // it was answered: in whatever browser
	page.says("This sign-in already finished")
	g.clock.pass(time.Second)
	waits := b.onwards(b.get(ask("prompt", "consent"))).form("/consent")
	g.clock.pass(time.Second)
	other.post("/consent", with(other.get("/sign-out").form("/sign-out"), "flow", waits.Get("flow"))).is(303)
	if g.store.View(t.Context()).Consent(g.people[ben], "notes").Exists() {
		t.Error("a request of another browser was decided on without its page")
	}
	page = other.onwards(other.get("/consent?flow=" + waits.Get("flow"))).is(200).says("You are Ben")
	other.onwards(other.post("/consent", page.form("/consent"))).left()
	g.clock.pass(2 * time.Hour)
	b.get("/consent?flow=" + waits.Get("flow")).is(404).says("request.ours")
}

func src(n *html.Node) string {
	s, _ := attr(n, "src")
	return s
}
