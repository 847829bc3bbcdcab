package web_test

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/edge/web"
)

func mailing(p *exchange.Policy, _ *web.Config) { p.Mail = true }

// Where there is a file of places, sessions and activity say where, roughly.
func TestPlacesAreSaid(t *testing.T) {
	g := newRig(t, dev, 1000, func(p *exchange.Policy, _ *web.Config) {
		p.Where = func(netip.Addr) risk.Place { return risk.Place{City: "Madrid", Country: "ES"} }
	})
	b := g.browser().signIn(ana)
	b.get("/account/sessions").is(200).says("near Madrid, ES (approximate)")
	b.get("/account/activity").is(200).says("You signed in with your password from Firefox on Linux, near Madrid, ES (approximate).")
}

// mails are those that wait, the oldest first.
func (g *rig) mails() (out []outbox.Message) {
	g.t.Helper()
	v := g.store.View(context.Background())
	for _, w := range v.Outbox(g.clock.Now(), 1000) {
		m, err := w.Open(g.keys.Ring().Mail)
		if err != nil {
			g.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// The browser keeps a mark that outlives its session, and no script reads it.
func TestTheMarkOfABrowser(t *testing.T) {
	for issuer, name := range map[string]string{dev: "doorward_device", live: "__Host-doorward_device"} {
		g := newRig(t, issuer, 1000, mailing)
		b := g.browser()
		form := b.get("/sign-in").form("/sign-in")
		in := b.post("/sign-in", with(form, "username", ana, "password", password)).to("/account")
		c := in.set[name]
		if c == nil || !c.HttpOnly || c.Secure != (issuer == live) || c.Path != "/" || c.Domain != "" || c.MaxAge != 400*24*3600 || len(c.Value) != 43 {
			t.Fatalf("the mark is %+v", c)
		}
		b.post("/sign-out", b.get("/sign-out").form("/sign-out")).is(303)
		if b.jar[name] != c.Value {
			t.Error("it went with the session")
		}
		again := b.post("/sign-in", with(b.get("/sign-in").form("/sign-in"), "username", ana, "password", password)).to("/account")
		if again.set[name] != nil || len(g.mails()) != 0 {
			t.Errorf("a known browser: cookie %v, %d mails", again.set[name], len(g.mails()))
		}
	}
}

// From the mail about a new browser to the end of its session: a look changes nothing, the button once.
func TestNotMeByPage(t *testing.T) {
	g := newRig(t, dev, 1000, mailing)
	a, thief, post := g.browser(), g.browser(), g.browser()
	a.signIn(ana)
	g.clock.pass(time.Minute)
	thief.agent = safari
	thief.signIn(ana)
	mails := g.mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	at := mails[0].Facts.Link
	for range 50 { // scanners of mail follow links (attack REC-02)
		post.get(at).is(200)
	}
	form := post.get(at).is(200).says("Was this not you?", "Safari on iOS signed in to your account on 22 Nov 2026, 09:01 UTC.", "Every session of your account ends now").form(at)
	thief.get("/account").is(200)
	g.browser().post(at, form).is(422) // a form of another browser
	post.post(at, form, header("Sec-Fetch-Site", "cross-site")).is(403)
	post.post(at, url.Values{}).is(422)
	thief.get("/account").is(200)
	post.post(at, form).to(at)
	thief.get("/account").is(303)
	a.get("/account").is(303)
	post.get(at).is(200).says("Nobody is signed in any more", "Make sure that nobody else can read your mail.")
	post.post(at, form).to(at) // pressed twice

	back := a.get("/sign-in").form("/sign-in")
	a.post("/sign-in", with(back, "username", ana, "password", password)).is(403).says("This password does not open your account any more.", "password.trusted")
	a.post("/sign-in", with(back, "username", ana, "password", "not hers at all")).is(422).says("That e-mail and password do not match.")

	for _, bad := range []string{"/not-me/x", "/not-me/" + strings.Repeat("A", 43), "/not-me/"} {
		post.get(bad).is(404)
	}
	post.get(at + "?x=1").is(400)
	g.clock.pass(8 * 24 * time.Hour)
	post.get(at).is(200) // it says what was done
}

// The log says where, not which link.
func TestALinkIsNotLogged(t *testing.T) {
	g := newRig(t, dev, 1000, mailing)
	a, b := g.browser(), g.browser()
	a.signIn(ana)
	b.signIn(ana)
	at := g.mails()[0].Facts.Link
	b.post(at, url.Values{}, header("Sec-Fetch-Site", "cross-site")).is(403)
	if said := g.log.String(); !strings.Contains(said, "/not-me/{token}") || strings.Contains(said, strings.TrimPrefix(at, "/not-me/")) {
		t.Errorf("the log says\n%s", said)
	}
}
