package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/edge/web"
)

func TestSigningInSetsBothCookiesOfOneSession(t *testing.T) {
	for name, c := range map[string]struct {
		issuer, prefix string
		secure         bool
	}{"development": {dev, "", false}, "https": {live, "__Host-", true}} {
		parallel(t, name, func(t *testing.T) {
			b := newRig(t, c.issuer, 1000).browser()
			page := b.get("/sign-in?return_to=/account/sessions").is(200)
			form := page.form("/sign-in")
			if flow := page.set[c.prefix+"doorward_flow"]; flow == nil || flow.MaxAge != 12*60*60 {
				t.Fatalf("the key of the browser: %v", flow)
			}
			a := b.post("/sign-in", with(form, "username", " "+ana, "password", password)).is(422) // spaces are no part of an address
			a = b.post("/sign-in", with(a.form("/sign-in"), "username", "Ana@Example.com", "password", password)).to("/account/sessions")
			for _, cookie := range []string{"doorward_session", "doorward_refresh", "doorward_flow"} {
				got := a.set[c.prefix+cookie]
				if got == nil || got.Value == "" || !got.HttpOnly || got.Secure != c.secure || got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Domain != "" {
					t.Fatalf("%s: %+v", cookie, got)
				}
				if want := 30 * 24 * 60 * 60; cookie != "doorward_flow" && got.MaxAge != want {
					t.Errorf("%s lives for %d s, want the session's %d", cookie, got.MaxAge, want)
				}
			}
			if hsts := a.header.Get("Strict-Transport-Security"); (hsts == "max-age=31536000; includeSubDomains") != c.secure {
				t.Errorf("Strict-Transport-Security %q", hsts)
			}
			if strings.Contains(a.body, "dw_") {
				t.Error("SE-11: a secret is in the page")
			}
			if got := b.sessions(ana); len(got) != 1 {
				t.Errorf("sessions %v", got)
			}
			b.get("/account").is(200).says("You are signed in as Ana (ana@example.com).", "You have 1 session.")
		})
	}
}

func TestTheRefreshCookieEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000, func(p *exchange.Policy, _ *web.Config) { p.Token.Max = 48 * time.Hour }).browser()
	a := b.post("/sign-in", with(b.get("/sign-in").form("/sign-in"), "username", ana, "password", password)).is(303)
	if s, r := a.set["doorward_session"].MaxAge, a.set["doorward_refresh"].MaxAge; s != 30*24*60*60 || r != 48*60*60 {
		t.Errorf("the session lives for %d s, its refresh token for %d", s, r)
	}
}

// Attack ENM-01: a wrong password, an unknown address and none at all look alike.
func TestWrongPasswordsLookAlike(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	ref := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{2}`)
	csrf := regexp.MustCompile(`name="csrf" value="[^"]*"`)
	var first string
	var headers http.Header
	for _, email := range []string{ana, "eve@example.com", "not an address!", `"><b>@x.example`} {
		b := g.browser()
		form := b.get("/sign-in").form("/sign-in")
		a := b.post("/sign-in", with(form, "username", email, "password", "wrong horse battery staple")).is(422)
		a.says("That e-mail and password do not match.", "signin.failed")
		again := a.form("/sign-in")
		if again.Get("username") != email || again.Get("password") != "" {
			t.Errorf("the form comes back with %q and %q", again.Get("username"), again.Get("password"))
		}
		if strings.Contains(a.body, "horse") {
			t.Error("the password came back")
		}
		all := elements(t, a.body)
		for _, n := range all {
			if n.Data == "b" {
				t.Error("OAU-27: what was typed became an element")
			}
		}
		body := strings.Replace(a.body, `value="`+email+`"`, `value=""`, 1)
		if email == `"><b>@x.example` {
			body = strings.Replace(body, `value="&#34;&gt;&lt;b&gt;@x.example"`, `value=""`, 1)
		}
		body = csrf.ReplaceAllString(ref.ReplaceAllString(body, "REF"), "CSRF")
		a.header.Del("Content-Length") // the address is in the page
		if first == "" {
			first, headers = body, a.header
		}
		if body != first {
			t.Errorf("%s: another page:\n%s\nwant\n%s", email, body, first)
		}
		for name := range headers {
			if !slices.Equal(headers[name], a.header[name]) {
				t.Errorf("%s: %s %q, want %q", email, name, a.header[name], headers[name])
			}
		}
	}
}

// Attack SES-02: what was planted before a sign-in is worth nothing after it.
func TestPlantedCookiesAreReplaced(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	mallory := g.browser().signIn(ben)
	b := g.browser()
	for name, value := range mallory.jar {
		b.jar[name] = value
	}
	planted := b.get("/sign-in?another=1").is(200).form("/sign-in")
	a := b.post("/sign-in", with(planted, "username", ana, "password", password)).to("/account")
	for _, name := range []string{"doorward_session", "doorward_refresh", "doorward_flow"} {
		if a.set[name] == nil || a.set[name].Value == mallory.jar[name] {
			t.Errorf("%s stays as it was planted", name)
		}
	}
	if got := b.sessions(ben); len(got) != 0 {
		t.Errorf("the planted session still stands: %v", got)
	}
	// The token that Mallory could read fits no form of Ana's.
	b.post("/sign-out", url.Values{"csrf": planted["csrf"]}).is(422)
	if len(b.sessions(ana)) != 1 {
		t.Error("a form with the old token changed something")
	}
	mallory.get("/account").to("/sign-in")
}

func TestSlowedTriesSayWhen(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1).browser()
	try := func() *answer {
		return b.post("/sign-in", with(b.get("/sign-in").form("/sign-in"), "username", ana, "password", "wrong horse battery staple"))
	}
	try().is(422)
	a := try().is(429).says("Too many tries.", "You can try again in 1 second, at 09:00 UTC.", "limit.address")
	if got := a.header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
	if got := a.form("/sign-in").Get("username"); got != ana {
		t.Errorf("the e-mail comes back as %q", got)
	}
	b.clock.pass(2 * time.Second)
	try().is(422)
}

// Attack MFA-11.
func TestEmptyFieldsAreNamed(t *testing.T) {
	b := newRig(t, dev, 1000).browser()
	a := b.post("/sign-in", b.get("/sign-in").form("/sign-in")).is(422)
	a.says("Something is missing.", "Enter your e-mail.", "Enter your password.")
}

func TestWhoIsSignedInGoesOn(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000).browser().signIn(ana)
	old := b.jar["doorward_refresh"]
	delete(b.jar, "doorward_refresh")
	a := b.get("/sign-in?return_to=/account/sessions").is(200).says("You are signed in as Ana (ana@example.com).")
	a = b.post("/sign-in/continue", a.form("/sign-in/continue")).to("/account/sessions")
	got := a.set["doorward_refresh"]
	if got == nil || got.Value == "" || got.Value == old || got.MaxAge != 30*24*60*60 || a.set["doorward_session"] != nil {
		t.Errorf("cookies %v", a.set)
	}
	b.get("/sign-in?another=1&return_to=/account/sessions").is(200).form("/sign-in")

	form := b.get("/sign-in").form("/sign-in/continue")
	b.clock.pass(31 * 24 * time.Hour)
	a = b.post("/sign-in/continue", form).to("/sign-in")
	if c := a.set["doorward_session"]; c == nil || c.MaxAge >= 0 {
		t.Error("the dead session's cookie stays")
	}
}

// A session on which doubt fell gives no new tokens before it is proved again.
func TestADoubtedSessionIsProvedFirst(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	id, err := session.ParseID(g.sessions(ana)[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.store.Commit(context.Background(), core.Unit{session.Doubt{ID: id}}); err != nil {
		t.Fatal(err)
	}
	page := "/sign-in?return_to=%2Faccount%2Fsessions"
	prove := "/step-up?return_to=" + url.QueryEscape(page)
	a := b.post("/sign-in/continue", b.get(page).form("/sign-in/continue")).to(prove)
	if len(a.set) != 0 {
		t.Errorf("sets %v", a.set)
	}
	b.post("/step-up", with(b.get(prove).is(200).form("/step-up"), "password", password)).to(page)
	b.post("/sign-in/continue", b.get(page).form("/sign-in/continue")).to("/account/sessions")
}

// Attack OAU-07, by each page that takes the parameter.
func TestReturnToElsewhereGoesHome(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000).browser()
	for _, bad := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "/%2f%2fevil.example", `"><script>alert(1)</script>`, "javascript:alert(1)"} {
		q := "?return_to=" + url.QueryEscape(bad)
		delete(b.jar, "doorward_session")
		a := b.get("/sign-in" + q).is(200)
		if strings.Contains(a.body, "evil") || strings.Contains(a.body, "alert(1)") {
			t.Errorf("%q is in the page", bad)
		}
		b.post("/sign-in", with(a.form("/sign-in"), "username", ana, "password", password, "return_to", bad)).to("/account")
		for _, at := range []string{"/sign-in", "/step-up", "/sign-out", "/signed-out"} {
			if a := b.get(at + q); strings.Contains(a.body, "evil") || strings.Contains(a.header.Get("Location"), "evil") || strings.Contains(a.body, "alert(1)") {
				t.Errorf("%s: %q is in the answer", at, bad)
			}
		}
	}
}

// Attack SES-05: a sibling's cookie of our name beside ours.
func TestCookiesSentTwiceAreNoSession(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	for _, name := range []string{"__Host-doorward_session", "__Host-doorward_refresh"} {
		b := g.browser().signIn(ana)
		a := b.get("/account", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: "dw_st_other"}) }).to("/sign-in")
		for _, c := range []string{"__Host-doorward_session", "__Host-doorward_refresh"} {
			if a.set[c] == nil || a.set[c].MaxAge >= 0 || !a.set[c].Secure {
				t.Errorf("%s twice: %s is not taken away", name, c)
			}
		}
	}
	// Without its prefix, the name is not ours.
	b := g.browser().signIn(ana)
	b.get("/account", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "doorward_session", Value: "x"}) }).is(200)
}

// Attack SES-07, and I-13: only who knows that a session is over takes its cookie.
func TestDeadCookiesGoUnlessTheStoreIsAway(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	cookie := b.jar["doorward_session"]
	b.clock.pass(15 * 24 * time.Hour) // idle
	for _, at := range []string{"/sign-in", "/account"} {
		b.jar["doorward_session"] = cookie
		if c := b.get(at).set["doorward_session"]; c == nil || c.MaxAge >= 0 {
			t.Errorf("%s: the dead cookie stays", at)
		}
	}
	b.jar["doorward_session"] = "nonsense"
	if c := b.get("/sign-in").is(200).set["doorward_session"]; c == nil || c.MaxAge >= 0 {
		t.Error("a cookie that is no cookie of ours stays")
	}

	b.signIn(ana)
	form := b.get("/sign-in?another=1").form("/sign-in")
	g.away()
	fresh := g.browser()
	fresh.jar = map[string]string{"doorward_session": cookie, "doorward_flow": b.jar["doorward_flow"]}
	for at, a := range map[string]*answer{
		"GET /account":  fresh.get("/account"),
		"GET /sign-in":  fresh.get("/sign-in"),
		"POST /sign-in": fresh.post("/sign-in", with(form, "username", ana, "password", password)),
	} {
		a.is(503).says("We cannot do this for a moment", "server.available")
		if a.header.Get("Retry-After") == "" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: Retry-After %q, Set-Cookie %q", at, a.header.Get("Retry-After"), a.header.Get("Set-Cookie"))
		}
	}
}
