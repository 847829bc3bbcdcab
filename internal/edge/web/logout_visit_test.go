package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/session"
)

const bye = "https://notes.example.com/bye"

// leaver registers an application that sends people to sign out, and gives the address of its wish.
func (g *rig) leaver() func(pairs ...string) string {
	g.t.Helper()
	u := core.Unit{client.Create{ID: "notes", Name: "Notes", Type: "web", Auth: "none", RedirectURIs: []string{callback}, PostLogout: []string{bye, bye + "?a=b"},
		Scopes: []string{"openid"}, TokenFormat: client.JWT, Created: g.clock.Now()}}
	if _, err := g.store.Commit(g.t.Context(), u); err != nil {
		g.t.Fatal(err)
	}
	return func(pairs ...string) string {
		q := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return "/oauth/logout?" + q.Encode()
	}
}

// hintOf is an ID token for Notes of a session, which has expired.
func (g *rig) hintOf(sid string) string {
	g.t.Helper()
	text, err := g.keys.Ring().Signer.Sign("JWT", fmt.Appendf(nil, `{"iss":%q,"aud":"notes","sub":%q,"sid":%q,"iat":1700000000,"exp":1700000300}`, live, g.people[ana], sid))
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}

// session is the id of the one session that there is.
func (g *rig) session() string {
	g.t.Helper()
	for _, s := range g.store.View(g.t.Context()).Sessions(session.Query{Limit: 9}) {
		if s.Ended.IsZero() {
			return s.ID.String()
		}
	}
	g.t.Fatal("nobody is signed in")
	return ""
}

// OI-16: with its own ID token an application signs its person out at once, and they go on to the address it registered, with
// the state it sent.
func TestAnApplicationSignsItsPersonOut(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	wish := g.leaver()
	b := g.browser()
	b.signIn(ana)
	hint := g.hintOf(g.session())
	a := b.get(wish("id_token_hint", hint, "post_logout_redirect_uri", bye+"?a=b", "state", "s 1&x")).is(303)
	if to := a.header.Get("Location"); to != bye+"?a=b&state=s+1%26x" {
		t.Errorf("leads to %q", to)
	}
	if a := b.onwards(b.get("/account")); !strings.Contains(read(t, a.body), "Sign in") {
		t.Error("still signed in")
	}
	// Again, with nobody signed in: the same way on.
	if to := b.get(wish("id_token_hint", hint, "post_logout_redirect_uri", bye)).is(303).header.Get("Location"); to != bye {
		t.Errorf("leads to %q", to)
	}
	b.signIn(ana)
	b.onwards(b.get(wish("id_token_hint", g.hintOf(g.session())))).is(200).says("You are signed out")
}

// Without its token one question is asked: anybody can send people here.
func TestAWishToSignOutIsAskedAbout(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	wish := g.leaver()
	b := g.browser()
	b.signIn(ana)
	for name, q := range map[string][]string{
		"by name":             {"client_id", "notes", "post_logout_redirect_uri", bye, "state", "s1"},
		"with another's hint": {"id_token_hint", g.hintOf("ses_06h04yypzdwcv4hmx434hqrb40"), "post_logout_redirect_uri", bye, "state", "s1"},
	} {
		page := b.onwards(b.get(wish(q...))).is(200).says("Notes", "Sign out")
		b.get("/account").is(200) // nothing happened yet
		out := b.onwards(b.post("/sign-out", page.form("/sign-out"))).is(200).says("You are signed out. Going back to notes.example.com.")
		if to, _ := ways(t, out.body); to != bye+"?state=s1" {
			t.Errorf("%s: leads to %q", name, to)
		}
		b.signIn(ana)
	}
	page := b.onwards(b.get(wish())).is(200)
	b.onwards(b.post("/sign-out", page.form("/sign-out"))).is(200).says("You are signed out")
}

// OAU-07: an address that was not registered for it is gone to by no way.
func TestAWishForAnAddressOfNobodyEndsNothing(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	wish := g.leaver()
	b := g.browser()
	b.signIn(ana)
	hint := g.hintOf(g.session())
	for _, to := range []string{"https://evil.example/", bye + "/", bye + "#x", "https://notes.example.com@evil.example/bye", callback, "/\\evil.example", "javascript:alert(1)"} {
		a := b.get(wish("id_token_hint", hint, "post_logout_redirect_uri", to))
		if a.code != 422 && a.code != 400 || a.header.Get("Location") != "" {
			t.Errorf("%q: %d to %q", to, a.code, a.header.Get("Location"))
		}
	}
	b.get(wish("id_token_hint", hint, "post_logout_redirect_uri", bye+"/")).is(422).says("Nobody was signed out")
	b.get("/oauth/logout?client_id=client_of_nobody").is(404).says("The app that sent you here is not known")
	if a := b.get("/oauth/logout?state=a&state=b"); a.code != 400 {
		t.Errorf("a parameter twice: %d", a.code)
	}
	b.get("/account").is(200)
}

// OAU-07: an authorization request that calls itself a wish to sign out is sealed by whoever posts it; it leads nowhere
// that was not registered for that.
func TestARequestThatCallsItselfAWishLeadsNowhere(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	g.leaver()
	evil := g.browser().post("/oauth/authorize", url.Values{"client_id": {"notes"}, "response_type": {"logout"}, "redirect_uri": {"https://evil.example/"}}).is(303)
	flow := strings.TrimPrefix(evil.header.Get("Location"), "/oauth/authorize?flow=")
	b := g.browser()
	for _, to := range []string{"/return?flow=" + flow, "/sign-out?flow=" + flow} {
		if a := b.onwards(b.get(to)); strings.Contains(a.body, "evil.example") || strings.Contains(a.header.Get("Location"), "evil.example") {
			t.Errorf("%s leads to evil.example", to)
		}
	}
	b.signIn(ana)
	page := b.get("/sign-out?flow=" + flow).is(200)
	if strings.Contains(page.body, "evil.example") {
		t.Error("the page that asks names evil.example as the application's")
	}
	if a := b.onwards(b.post("/sign-out", page.form("/sign-out"))); strings.Contains(a.body, "evil.example") {
		t.Error("signing out leads to evil.example")
	}
}
