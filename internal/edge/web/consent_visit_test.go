package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

const callback = "https://notes.example.com/cb"

// asker registers somebody else's application, and gives the address of its request for scopes.
func (g *rig) asker(first bool, may string) func(pairs ...string) string {
	g.t.Helper()
	u := core.Unit{client.Create{ID: "notes", Name: "Notes", Type: "web", FirstParty: first, Auth: "none", RedirectURIs: []string{callback}, Resources: []string{"https://api.notes.example.com"},
		Scopes: strings.Fields(may), TokenFormat: client.JWT, Created: g.clock.Now()},
		client.Describe{Name: "notes:read", Says: "read your notes", Changed: g.clock.Now()},
		client.Describe{Name: "notes:write", Says: "write your notes", Optional: true, Changed: g.clock.Now()}}
	if _, err := g.store.Commit(g.t.Context(), u); err != nil {
		g.t.Fatal(err)
	}
	return func(pairs ...string) string {
		q := url.Values{"client_id": {"notes"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {may}, "state": {"s1"},
			"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return "/oauth/authorize?" + q.Encode()
	}
}

// onwards follows our own redirects to the page that they end at, or to the application.
func (b *browser) onwards(a *answer) *answer {
	b.t.Helper()
	for range 10 {
		at := a.header.Get("Location")
		if a.code != 303 || !strings.HasPrefix(at, "/") {
			return a
		}
		a = b.get(at)
	}
	b.t.Fatal("the redirects do not end")
	return nil
}

// left is what an application reads that a browser was led to.
func (a *answer) left() url.Values {
	a.t.Helper()
	to := a.header.Get("Location")
	if a.code == 200 {
		to, _ = ways(a.t, a.body)
	}
	rest, ok := strings.CutPrefix(to, callback+"?")
	q, err := url.ParseQuery(rest)
	if !ok || err != nil || q.Get("iss") != live || q.Get("state") != "s1" {
		a.t.Fatalf("%d leads to %q\n%s", a.code, to, read(a.t, a.body))
	}
	return q
}

// AS-33: what a person allows is asked once, then known; a request for more asks for that alone.
func TestConsent(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid email notes:read notes:write offline_access")
	b := g.browser()
	page := b.onwards(b.get(ask("scope", "openid notes:read"))).is(200).says("Notes notes.example.com Sign in")
	page = b.onwards(b.post("/sign-in", with(page.form("/sign-in"), "username", ana, "password", password))).is(200)
	page.says("Let Notes use your account?", "You are Ana (ana@example.com).", "read your notes", "https://api.notes.example.com", "It can do this until you sign out here", "You will go back to notes.example.com.").lacks("write your notes")
	out := b.onwards(b.post("/consent", page.form("/consent"))).is(200).says("You are signed in. Going back to notes.example.com.")
	if code := out.left().Get("code"); !strings.HasPrefix(code, "dw_ac_") {
		t.Errorf("the answer is %v", out.left())
	}
	// It is known now, for the same and for less.
	for _, scope := range []string{"openid notes:read", "openid"} {
		if q := b.get(ask("scope", scope)).is(303).left(); q.Get("code") == "" {
			t.Errorf("asked again: %v", q)
		}
	}
	b.get("/account/apps").says("Notes", "read your notes")
	// More: only that is new.
	g.clock.pass(time.Hour)
	page = b.onwards(b.get(ask("scope", "openid notes:read email offline_access")))
	page.says("Notes asks for more than before. It will also be able to: know your e-mail address", "You allowed the rest on 22 Nov 2026, 09:00 UTC", "When it was not used for 15 days")
	b.onwards(b.post("/consent", page.form("/consent"))).left()
	// prompt=consent asks for all of it.
	g.clock.pass(time.Second)
	page = b.onwards(b.get(ask("scope", "openid notes:read", "prompt", "consent"))).says("It will be able to: know that it is you whenever you come back read your notes").lacks("You allowed the rest")
	b.onwards(b.post("/consent", page.form("/consent"))).left()
}

// An optional permission may be left out: the application gets the rest, and does not ask for it each time.
func TestOptionalScopesAreTicked(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid notes:read notes:write")
	b := g.browser().signIn(ana)
	scopes := func() string {
		return strings.Join(g.store.View(t.Context()).Consent(g.people[ana], "notes").Scopes, " ")
	}
	page := b.onwards(b.get(ask())).says("also write your notes (optional)")
	form := page.form("/consent")
	form.Del("scope") // the box as it is: not ticked
	b.onwards(b.post("/consent", form)).left()
	if got := scopes(); got != "openid notes:read" {
		t.Errorf("allowed: %s", got)
	}
	if q := b.get(ask()).is(303).left(); q.Get("code") == "" {
		t.Errorf("asked again for what was declined: %v", q)
	}
	g.clock.pass(time.Minute)
	page = b.onwards(b.get(ask("prompt", "consent")))
	form = with(page.form("/consent"), "scope", "notes:write")
	b.onwards(b.post("/consent", form)).left()
	if got := scopes(); got != "openid notes:read notes:write" {
		t.Errorf("allowed: %s", got)
	}
	// What was not asked for cannot be slipped in.
	g.clock.pass(time.Minute)
	page = b.onwards(b.get(ask("scope", "openid", "prompt", "consent")))
	b.post("/consent", with(page.form("/consent"), "scope", "notes:read")).is(422).says("client.scope")
}

// Cancel tells the application so; Back and reload find that it is over.
func TestCancelTellsTheApplication(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid")
	b := g.browser().signIn(ana)
	page := b.onwards(b.get(ask()))
	to := b.post("/consent/cancel", page.form("/consent/cancel")).is(303).header.Get("Location")
	out := b.get(to).is(200)
	if q := out.left(); q.Get("error") != "access_denied" || q.Get("code") != "" {
		t.Errorf("the answer is %v", q)
	}
	again := b.get(to).is(200).says("This sign-in already finished")
	if refresh, _ := ways(t, again.body); refresh != "" {
		t.Errorf("a second visit refreshes to %s", refresh)
	}
	if g.store.View(t.Context()).Consent(g.people[ana], "notes").Exists() {
		t.Error("something was allowed")
	}
	// The request that was cancelled is over in its other tab too.
	b.onwards(b.post("/consent", page.form("/consent"))).says("This sign-in already finished")
}

// SES-15, OAU-23: consent is given by a form of this browser's own, and by nothing else.
func TestConsentNeedsItsForm(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid")
	b := g.browser().signIn(ana)
	page := b.onwards(b.get(ask()))
	form := page.form("/consent")
	b.post("/consent", form, header("Sec-Fetch-Site", "cross-site")).is(403)
	b.post("/consent", with(form, "csrf", "x")).is(422).says("This page was open for a long time, so we made a new one.", "Let Notes use your account?")
	b.post("/consent", with(form, "flow", "x")).is(404).says("request.ours")
	b.post("/consent?flow=x", form).is(400)
	b.get("/consent?" + form.Encode()).is(400)
	// Another browser's request, and nobody's session.
	other := g.browser().signIn(ben)
	its := other.onwards(other.get(ask())).form("/consent")
	b.post("/consent", with(form, "flow", its.Get("flow"))).is(303)
	g.browser().post("/consent", form).is(303)
	if g.store.View(t.Context()).Consent(g.people[ana], "notes").Exists() {
		t.Error("something was allowed")
	}
	for range 5 { // looking is not allowing
		b.get("/consent?flow=" + url.QueryEscape(form.Get("flow"))).is(200)
	}
	if g.store.View(t.Context()).Consent(g.people[ana], "notes").Exists() {
		t.Error("something was allowed")
	}
}

// A first-party application asks nobody; the ledger says who decided.
func TestPolicyAllowsFirstPartyApplications(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(true, "openid notes:read")
	b := g.browser().signIn(ana)
	b.get(ask()).is(303).left()
	c := g.store.View(t.Context()).Consent(g.people[ana], "notes")
	if !c.Stands() || !c.Terms.Policy {
		t.Errorf("the consent is %+v", c)
	}
	b.get("/account/apps").says("Notes", "The people who run this server allowed it.")
	b.get("/account/activity").says("You went to an application with your account")
}

// Every page on the way shows who asks, by name and registered domain, and never what was sent instead.
func TestThePagesOnTheWayNameTheApplication(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid")
	b := g.browser()
	to := b.get(ask("prompt", "login")).is(303).header.Get("Location")
	b.get(to).is(200).says("Notes notes.example.com Sign in")
	b.get(strings.Replace(to, "/sign-in?", "/sign-up?", 1)).says("Notes notes.example.com")
	b.get(strings.Replace(to, "flow%3D", "flow%3Dx", 1)).is(200).lacks("Notes")
	b.signIn(ana)
	g.clock.pass(time.Second)
	b.onwards(b.get(ask("prompt", "login"))).is(200).says("Notes wants to be sure it is still you.", "You last proved it on")
}

// prompt=select_account shows who is signed in; "Change" leads there too.
func TestChoosingAnAccount(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ask := g.asker(false, "openid")
	b := g.browser().signIn(ana)
	page := b.onwards(b.get(ask("prompt", "select_account"))).is(200).says("Choose an account", "Notes", "Ana ana@example.com")
	b.post("/choose-account", with(page.form("/choose-account"), "csrf", "x")).is(422)
	asked := b.onwards(b.post("/choose-account", page.form("/choose-account"))).says("Let Notes use your account?", "You are Ana")
	b.onwards(b.post("/consent", asked.form("/consent"))).left()
	// As somebody else: the new session is the choice.
	g.clock.pass(time.Minute)
	page = b.onwards(b.get(ask("prompt", "select_account")))
	var another string
	for _, n := range elements(t, page.body) {
		if href, _ := attr(n, "href"); n.Data == "a" && strings.HasPrefix(href, "/sign-in?another=1") {
			another = href
		}
	}
	g.clock.pass(time.Second)
	form := b.get(another).is(200).form("/sign-in")
	b.onwards(b.post("/sign-in", with(form, "username", ben, "password", password))).is(200).says("Let Notes use your account?", "You are Ben")
}
