package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/edge/web"
)

const newPassword = "eleven quiet boats at the pier"

// postOffice is a rig that writes mails, and reads them.
type postOffice struct {
	*rig
	keys *key.Keyring
}

func newPostOffice(t *testing.T, issuer string) postOffice {
	var keys *key.Keyring
	g := newRig(t, issuer, 1000, func(p *exchange.Policy, c *web.Config) {
		p.Mail, p.PasswordMin = true, 15
		keys = c.Keys
	})
	return postOffice{g, keys}
}

// letters are the mails to somebody, the oldest first.
func (m postOffice) letters(to string) (out []outbox.Message) {
	m.t.Helper()
	for _, w := range m.store.View(context.Background()).Outbox(m.clock.Now().Add(24*time.Hour), 1000) {
		msg, err := w.Open(m.keys.Ring().Mail)
		if err != nil {
			m.t.Fatal(err)
		}
		if msg.To == to && w.Expires.After(w.Created) {
			out = append(out, msg)
		}
	}
	return out
}

func (m postOffice) letter(to string, kind outbox.Kind) outbox.Facts {
	m.t.Helper()
	all := m.letters(to)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind == kind {
			return all[i].Facts
		}
	}
	m.t.Fatalf("no mail %v to %s", kind, to)
	return outbox.Facts{}
}

// follow gets the page that an answer leads to.
func (b *browser) follow(a *answer) *answer {
	b.t.Helper()
	return b.get(a.is(http.StatusSeeOther).header.Get("Location"))
}

func TestForgottenPassword(t *testing.T) {
	m := newPostOffice(t, live)
	elsewhere := m.browser().signIn(ana)
	b := m.browser()
	start := b.get("/recover?return_to=%2Foauth%2Fauthorize%3Fx").is(200).form("/recover")
	a := b.post("/recover", with(start, "username", ana))
	at := a.header.Get("Location")
	check := b.follow(a).is(200).says("Check your e-mail", "If there is an account")
	wrong := b.post("/recover/check", with(check.form("/recover/check"), "code", "00000000")).is(422).says("That code does not match.")
	code := m.letter(ana, outbox.Recover).Code
	// SES-02: the proof gives the browser another key.
	planted := b.jar["__Host-doorward_flow"]
	a = b.post("/recover/check", with(wrong.form("/recover/check"), "code", code))
	if b.jar["__Host-doorward_flow"] == planted {
		t.Error("the browser's key is the one from before")
	}
	if b.jar["__Host-doorward_session"] != "" || a.set["__Host-doorward_refresh"] != nil {
		t.Error("PW-23: the proof is a sign-in")
	}
	choose := b.follow(a).is(200).says("Choose a new password")
	form := choose.form("/recover/new")
	if form.Get("username") != ana || form.Get("return_to") != "/oauth/authorize?x" {
		t.Errorf("the form carries %v", form)
	}
	b.post("/recover/new", with(form, "password", "short")).is(422).says("needs at least 15 characters")
	b.post("/recover/new", with(form, "password", ana)).is(422).says("That is your address")
	a = b.post("/recover/new", with(form, "password", newPassword))
	done := b.follow(a).is(200).says("Your password was changed", "We signed out 1 browser:", "Firefox on Linux")
	if !strings.Contains(done.body, `href="/sign-in?return_to=%2Foauth%2Fauthorize%3Fx"`) {
		t.Error("it does not lead on")
	}
	// Pressed twice it is done; nobody else's browser sees it.
	b.post("/recover/new", with(form, "password", "another long enough password")).to(a.header.Get("Location"))
	m.browser().get(a.header.Get("Location")).is(http.StatusSeeOther)
	if b.jar["__Host-doorward_session"] != "" {
		t.Error("PW-23: the reset is a sign-in")
	}
	elsewhere.get("/account").to("/sign-in")
	in := b.get("/sign-in").is(200).form("/sign-in")
	b.post("/sign-in", with(in, "username", ana, "password", password)).is(422)
	m.clock.pass(time.Minute)
	b.post("/sign-in", with(in, "username", ana, "password", newPassword)).is(http.StatusSeeOther)
	// The way there buys nothing any more.
	b.get(at).is(200)
	b.post("/recover/check", with(b.get(at).form("/recover/check"), "code", code)).is(404)
}

func TestTheLinkOfARecovery(t *testing.T) {
	m := newPostOffice(t, live)
	asking := m.browser()
	asking.post("/recover", with(asking.get("/recover").form("/recover"), "username", ana)).is(http.StatusSeeOther)
	link := m.letter(ana, outbox.Recover).Link
	// A scanner of mail follows it fifty times, and a person elsewhere, who is signed in as somebody else, presses the button.
	scanner := m.browser()
	for range 50 {
		scanner.get(link).is(200)
	}
	b := m.browser().signIn(ben)
	page := b.get(link).is(200).says("Choose a new password for ana@example.com?", "This is for ana@example.com. You stay signed in as ben@example.com in this browser.")
	a := b.post("/recover/link", page.form("/recover/link"))
	if strings.Contains(a.header.Get("Location"), page.form("/recover/link").Get("t")) {
		t.Error("REC-12: the link's token is in an address")
	}
	form := b.follow(a).is(200).says("You stay signed in as ben@example.com").form("/recover/new")
	b.follow(b.post("/recover/new", with(form, "password", newPassword))).is(200).says("You were signed in nowhere.")
	b.get("/account").is(200).says(ben)
	b.get(link).is(404)
	asking.get("/recover/link?t=nonsense").is(404).says("not one of ours")
	asking.get("/recover/link").is(404)
}

// REC-02: the last step without the one before it.
func TestTheLastStepOfARecoveryAlone(t *testing.T) {
	m := newPostOffice(t, live)
	b := m.browser()
	a := b.post("/recover", with(b.get("/recover").form("/recover"), "username", ana))
	at, _ := url.Parse(a.header.Get("Location"))
	id := at.Query().Get("id")
	b.get("/recover/new?id=" + id).is(403).says("Prove first that the mailbox is yours.")
	form := url.Values{"csrf": b.get("/recover").form("/recover")["csrf"], "id": {id}, "username": {ana}, "password": {newPassword}}
	b.post("/recover/new", form).is(403)
	b.get("/recover/new").is(403)
	b.get("/recover/done?id=" + id).to("/sign-in")
	m.browser().signIn(ana)
}

// REC-01, REC-06, REC-11, and forms of other sites.
func TestWhatRecoveryDoesNotRead(t *testing.T) {
	m := newPostOffice(t, live)
	b := m.browser()
	form := b.get("/recover").is(200).form("/recover")
	two := with(form, "username", ana)
	two.Add("username", "evil@example.org")
	b.post("/recover", two).is(400)
	b.post("/recover", with(form, "username[]", ana)).is(400)
	b.post("/recover", with(form, "email", ana)).is(400)
	b.post("/recover", with(form, "username", ana+",evil@example.org")).is(422)
	b.post("/recover", with(form, "username", ana), header("Sec-Fetch-Site", "cross-site")).is(403)
	b.post("/recover", with(form, "username", ana, "csrf", "x")).is(422)
	b.get("/recover", header("X-Forwarded-Host", "evil.example")).is(200)
	b.get("/recover", func(r *http.Request) { r.Host = "evil.example" }).is(421)
	if n := len(m.letters(ana)); n != 0 {
		t.Errorf("%d mails", n)
	}
	// REC-03: what a request says of hosts is in no mail: links are paths until they are sent.
	b.post("/recover", with(form, "username", ana), header("X-Forwarded-Host", "evil.example"), header("Forwarded", "host=evil.example;proto=http")).is(http.StatusSeeOther)
	if link := m.letter(ana, outbox.Recover).Link; !strings.HasPrefix(link, "/recover/link?t=") {
		t.Errorf("the link is %s", link)
	}
	for _, to := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "/%2fevil.example"} {
		a := b.post("/recover", with(form, "username", ben, "return_to", to)).is(http.StatusSeeOther)
		if at := a.header.Get("Location"); strings.Contains(at, "evil") || !strings.HasPrefix(at, "/recover/check?id=once_") {
			t.Errorf("REC-11: %s leads to %s", to, at)
		}
	}
}

// ENM-01: the same answer, whoever is asked about.
func TestRecoveryPagesAnswerAlike(t *testing.T) {
	m := newPostOffice(t, live)
	seen := ""
	for _, email := range []string{ana, "nobody@example.com", "mıke@example.com"} {
		b := m.browser()
		a := b.post("/recover", with(b.get("/recover").form("/recover"), "username", email)).is(http.StatusSeeOther)
		at, _ := url.Parse(a.header.Get("Location"))
		page := b.follow(a).is(200)
		wrong := b.post("/recover/check", with(page.form("/recover/check"), "code", "00000000")).is(422)
		got := at.Path + strings.Join(cookieNames(a), " ") + read(t, page.body) + reference.ReplaceAllString(read(t, wrong.body), "")
		if seen == "" {
			seen = got
		}
		if got != seen {
			t.Errorf("%s:\n%s\nwant\n%s", email, got, seen)
		}
	}
}

var reference = regexp.MustCompile(`[2-9A-Z]{4}-[2-9A-Z]{2}`)

func cookieNames(a *answer) (names []string) {
	for name := range a.set {
		names = append(names, name)
	}
	return names
}
