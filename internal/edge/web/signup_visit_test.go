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

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/edge/web"
)

// open lets everybody make an account.
func open(p *exchange.Policy, _ *web.Config) { p.Mail, p.SignUp = true, identity.Admission{Open: true} }

// mailTo is the newest mail to an address.
func (g *rig) mailTo(email string) outbox.Message {
	g.t.Helper()
	v := g.store.View(context.Background())
	g.clock.pass(time.Millisecond) // the next one is newer
	var last outbox.Message
	for _, w := range v.Outbox(g.clock.Now(), 1000) {
		m, err := w.Open(g.keys.Ring().Mail)
		if err != nil {
			g.t.Fatal(err)
		}
		if m.To == email && !m.Created.Before(last.Created) {
			last = m
		}
	}
	if last.To == "" {
		g.t.Fatalf("no mail to %s", email)
	}
	return last
}

const eve = "eve@example.com"

// signUp asks for an account and gives the page that waits for the code.
func (b *browser) signUp(email string) *answer {
	b.t.Helper()
	form := b.get("/sign-up?another=1").is(200).form("/sign-up")
	a := b.post("/sign-up", with(form, "username", email, "name", "Eve", "password", password)).is(303)
	return b.get(a.header.Get("Location")).is(200)
}

func TestSignUpOnPages(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000, open)
	b := g.browser()
	b.get("/sign-in?return_to=/account/sessions").is(200).says("Create an account")
	form := b.get("/sign-up?return_to=/account/sessions").is(200).says("At least 15 characters, spaces too.").form("/sign-up")
	b.post("/sign-up", form).is(422).says("Enter your e-mail.", "Enter your password.")
	b.post("/sign-up", with(form, "username", "a@x.example,v@y.example", "password", password)).is(422).says("name@example.com", "address.form")
	b.post("/sign-up", with(form, "username", eve, "password", "1234567890123456")).is(422).says("This one is in lists of stolen passwords.", "password.good")
	a := b.post("/sign-up", with(form, "username", eve, "password", "short")).is(422).says("Your password needs at least 15 characters.")
	if again := a.form("/sign-up"); again.Get("username") != eve || again.Get("password") != "" {
		t.Errorf("the form comes back as %v", again)
	}
	a = b.post("/sign-up", with(form, "username", eve, "password", password)).is(303)
	a = b.get(a.header.Get("Location")).is(200).says("Check your e-mail", "We sent a code to eve@example.com.")
	form = a.form("/verify")
	b.post("/verify", with(form, "code", "1234 5678")).is(422).says("That code does not match.", "once.fits")
	old := b.jar["__Host-doorward_flow"]
	a = b.post("/verify", with(form, "code", g.mailTo(eve).Facts.Code)).to("/account/sessions")
	if s := a.set["__Host-doorward_session"]; s == nil || s.MaxAge != 30*24*60*60 || b.jar["__Host-doorward_refresh"] == "" || b.jar["__Host-doorward_flow"] == old {
		t.Errorf("sets %v", a.set)
	}
	b.get("/account").is(200).says("You are signed in as", eve)
	b.get("/sign-up").is(200).says("You are signed in as", eve)
	g.browser().signIn(eve)
}

// Attack ENM-01, on pages: known, paused and unknown addresses give the same
// page, status and cookies, and so does every wrong code.
func TestSignUpPagesLookAlike(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000, open)
	varies := regexp.MustCompile(`name="csrf" value="[^"]*"|once_[a-z0-9]+|[0-9A-Z]{4}-[0-9A-Z]{2}`)
	look := func(a *answer, email string) string {
		for name, c := range a.set {
			a.body += "\n" + name + strings.Replace(c.String(), c.Value, "", 1)
		}
		for _, h := range []string{"Location", "Cache-Control", "Set-Cookie"} {
			a.body += "\n" + strings.Join(a.header.Values(h), ";")
		}
		return varies.ReplaceAllString(strings.ReplaceAll(a.body, email, "WHO"), "V")
	}
	var first []string
	for _, email := range []string{eve, ana} {
		b := g.browser()
		form := b.get("/sign-up").form("/sign-up")
		asked := b.post("/sign-up", with(form, "username", email, "password", password)).is(303)
		page := b.get(asked.header.Get("Location")).is(200)
		wrong := b.post("/verify", with(page.form("/verify"), "code", "1234 5678")).is(422)
		again := b.post("/verify/again", page.form("/verify/again")).is(303)
		looks := []string{look(asked, email), look(page, email), look(wrong, email), look(again, email)}
		if first == nil {
			first = looks
		}
		if !slices.Equal(looks, first) {
			t.Errorf("%s is told apart:\n%q\n%q", email, looks, first)
		}
	}
	if m := g.mailTo(ana); m.Kind != outbox.AccountExists {
		t.Errorf("the mail is %+v", m)
	}
}

// GET of a mail's link changes nothing, however often it is fetched.
func TestTheLinkOfASignUp(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000, open)
	b := g.browser()
	b.signUp(eve)
	link := g.mailTo(eve).Facts.Link
	for range 50 {
		g.browser().get(link).is(200)
		b.get(link).is(200)
	}
	a := b.get(link).says("Confirm eve@example.com and make your account")
	if form := a.form("/verify"); form.Has("password") {
		t.Error("the browser that asked is asked for a password again")
	}
	b.post("/verify", a.form("/verify")).to("/account")
	b.get("/account").is(200)
	c := g.browser()
	c.get(link).is(200).says("This was already confirmed at 09:00 UTC", "Go on")
	c.get("/verify?t=nonsense").is(200).says("This link does nothing any more")
	c.get("/verify").is(200).says("Open the link in the newest mail")
	c.get("/verify?t=a&t=b").is(400)
}

// Attack IDN-01, on pages: another browser than the one that asked chooses the
// password, and who is signed in there stays so.
func TestTheLinkInAnotherBrowser(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000, open)
	mallory := g.browser()
	waiting := mallory.signUp(eve).form("/verify")
	m := g.mailTo(eve)
	c := g.browser().signIn(ben)
	a := c.get(m.Facts.Link).is(200).says("This is for eve@example.com, and you are signed in as ben@example.com.", "perhaps not by you")
	form := a.form("/verify")
	c.post("/verify", form).is(422).says("Enter your password.")
	c.post("/verify", with(form, "password", "eve@example.com")).is(422).says("it is tried first")
	c.post("/verify", with(form, "password", "a boat under the bridge")).to("/verify?made=1")
	c.get("/verify?made=1").is(200).says("The account is made")
	c.get("/account").is(200).says(ben)
	mallory.post("/verify", with(waiting, "code", m.Facts.Code)).is(409).says("already confirmed")
	mallory.post("/sign-in", with(mallory.get("/sign-in").form("/sign-in"), "username", eve, "password", password)).is(422)

	// SES-01: the id of another browser's page shows nothing.
	dave := g.browser()
	dave.signUp("dave@example.com")
	id := dave.signUp("dave@example.com").form("/verify").Get("id")
	a = g.browser().get("/verify?id=" + id).is(200).says("Open the link in the newest mail")
	if strings.Contains(a.body, "dave@") {
		t.Error("the address is shown to another browser")
	}
}

func TestALinkThatEndedIsSentAgain(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000, open)
	b, c := g.browser(), g.browser()
	waiting := b.signUp(eve)
	g.clock.pass(15 * time.Minute)
	b.post("/verify", with(waiting.form("/verify"), "code", g.mailTo(eve).Facts.Code)).is(404).says("This code has ended.")
	g.clock.pass(10 * time.Minute)
	link := g.mailTo(eve).Facts.Link
	a := c.get(link).is(200).says("This link ended at 09:20 UTC", "Send again")
	c.post("/verify/again", a.form("/verify/again")).to("/verify?sent=1")
	c.get("/verify?sent=1").is(200).says("We sent it again.")
	if next := g.mailTo(eve).Facts.Link; next == link {
		t.Error("the same link again")
	}
	c.post("/verify", with(a.form("/verify/again"), "t", strings.TrimPrefix(link, "/verify?t="), "password", "a boat under the bridge")).is(404).says("a newer mail was sent")
	c.get(g.mailTo(eve).Facts.Link).is(200).says("Confirm your e-mail")
}

// Attack MFA-18: hiding the page is not the policy.
func TestSignUpClosed(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000).browser()
	if strings.Contains(b.get("/sign-in").body, "/sign-up") {
		t.Error("the sign-in page leads to a sign-up that there is not")
	}
	a := b.get("/sign-up").is(200).says("Accounts here are made by invitation.")
	if strings.Contains(a.body, "<form") {
		t.Error("a form is shown")
	}
	csrf := b.get("/sign-in").form("/sign-in").Get("csrf")
	b.post("/sign-up", url.Values{"csrf": {csrf}, "username": {eve}, "password": {password}}).is(403).says("Accounts here are made by invitation.")

	staff := newRig(t, dev, 1000, open, func(p *exchange.Policy, _ *web.Config) {
		p.SignUp = identity.Admission{Domains: []string{"example.org"}}
	}).browser()
	staff.post("/sign-up", with(staff.get("/sign-up").form("/sign-up"), "username", eve, "password", password)).is(403).says("certain domains only", "signup.domain")
}

// Attack SES-15: forms from elsewhere make nothing.
func TestSignUpFormsAreOurs(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000, open)
	b := g.browser()
	filled := url.Values{"username": {eve}, "password": {password}}
	b.post("/sign-up", filled, header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")).is(403)
	b.post("/sign-up", filled).is(422).says("Your browser refused our cookie")
	b.post("/verify", url.Values{"t": {"x"}}).is(422)
	b.get("/verify/again").is(http.StatusMethodNotAllowed)
	for _, at := range []string{"/sign-up", "/verify", "/verify/again"} {
		b.post(at, url.Values{"more": {"x"}}).is(400)
	}
}

func TestSignUpIsSlowed(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1, open).browser()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		b.signUp(name + "@example.com")
	}
	form := b.get("/sign-up").form("/sign-up")
	a := b.post("/sign-up", with(form, "username", eve, "password", password)).is(429).says("Too many accounts were asked for from your network.", "You can try again at")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestATypoIsAsked(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000, open).browser()
	b.signUp("eve@gmial.com").says("Did you mean gmail.com?", "If eve@gmial.com is right, there is nothing to do.")
}
