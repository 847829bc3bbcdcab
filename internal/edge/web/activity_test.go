package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// People read what happened to their account, and nothing of anybody else's.
func TestActivityIsOnesOwnInSentences(t *testing.T) {
	g := newRig(t, dev, 1000)
	a, phone, b := g.browser(), g.browser(), g.browser()
	phone.agent = safari
	a.get("/account/activity").to("/sign-in?return_to=%2Faccount%2Factivity")
	a.signIn(ana)
	g.clock.pass(time.Minute)
	b.signIn(ben)
	wrong := b.get("/sign-in?another=1").is(200).form("/sign-in")
	b.post("/sign-in", with(wrong, "username", ana, "password", "not hers at all"))
	g.clock.pass(time.Minute)
	phone.signIn(ana)

	page := a.get("/account/activity").is(200).says("You signed in with your password from Firefox on Linux.", "You signed in with your password from Safari on iOS.",
		"A sign-in with your password was refused, from Firefox on Linux.", "That e-mail and password do not match.", "password.fits", "203.0.113.7", "22 Nov 2026, 09:02 UTC")
	if first, second := strings.Index(page.body, "Safari on iOS"), strings.Index(page.body, "Firefox on Linux"); first > second {
		t.Error("the newest is not first")
	}
	if n := strings.Count(page.body, "This was not me"); n != 1 || !strings.Contains(page.body, "/account/sessions/"+g.other(a, ana)+"/unknown") {
		t.Errorf("%d rows say that it was not her, want that of the phone's session alone", n)
	}
	refused := read(t, a.get("/account/activity?kind=refused").is(200).body)
	if strings.Contains(refused, "You signed in") || !strings.Contains(refused, "was refused") {
		t.Errorf("the filter shows\n%s", refused)
	}
	if mine := read(t, b.get("/account/activity").is(200).body); strings.Contains(mine, "refused,") || strings.Contains(mine, "iOS") {
		t.Errorf("Ben reads of Ana:\n%s", mine)
	}
	a.get("/account/activity?kind=admin").is(200).says("Nothing in the last 90 days.")
	for _, bad := range []string{"?kind=nothing", "?before=led_x", "?before=" + g.other(a, ana), "?kind=refused&kind=admin", "?page=2"} {
		a.get("/account/activity" + bad).is(400)
	}
	g.clock.pass(13 * 24 * time.Hour)
	a.get("/account/activity").is(200)
}

// other is the id of a person's one session that is not this browser's.
func (g *rig) other(b *browser, email string) string {
	g.t.Helper()
	for _, id := range g.sessions(email) {
		if !strings.Contains(b.get("/account/sessions/"+id).body, "This browser") {
			return id
		}
	}
	g.t.Fatal("there is no other session")
	return ""
}

// A session's page tells its story to its person; to others it does not exist (attack SES-10).
func TestTheStoryOfASessionIsItsPersons(t *testing.T) {
	g := newRig(t, dev, 1000)
	a, phone, b := g.browser(), g.browser(), g.browser()
	phone.agent = safari
	a.signIn(ana)
	phone.signIn(ana)
	b.signIn(ben)
	id := g.other(a, ana)
	at := "/account/sessions/" + id
	a.get(at).is(200).says("Session: Safari on iOS", "You signed in with your password from Safari on iOS.", "The account is active, not paused.")
	if body := a.get(at).body; strings.Count(body, id) > 3 { // the two links, and nothing else of it
		t.Errorf("the whole id is told %d times", strings.Count(body, id))
	}
	unknown := b.get("/account/sessions/ses_01aaaaaaaaaaaaaaaaaaaaaaaa").is(404)
	foreign := b.get(at).is(404)
	strip := func(page string) string { // references are of one refusal each
		before, after, _ := strings.Cut(page, "<code>")
		_, after, _ = strings.Cut(after, "</code>")
		return before + after
	}
	if strip(unknown.body) != strip(foreign.body) {
		t.Error("a foreign session and an unknown one look different")
	}
	phone.post("/sign-out", phone.get("/sign-out").form("/sign-out")).is(303)
	a.get(at).is(200).says("ended", "You signed out of Safari on iOS.")
	if body := a.get(at).body; strings.Contains(body, at+"/end") {
		t.Error("an ended session can be ended")
	}
}

// "I do not know this one" ends the session and says what to look at next.
func TestASessionThatNobodyKnows(t *testing.T) {
	g := newRig(t, dev, 1000)
	a, phone := g.browser(), g.browser()
	phone.agent = safari
	a.signIn(ana)
	phone.signIn(ana)
	at := "/account/sessions/" + g.other(a, ana) + "/unknown"
	if body := a.get("/account/sessions").is(200).body; strings.Count(body, at) != 1 || strings.Count(body, "I do not know this one") != 1 {
		t.Error("the list does not offer it for the other session, and for that alone")
	}
	form := a.get(at).is(200).says("Sign out Safari on iOS, which you do not know?").form(at)
	for range 3 {
		a.get(at).is(200) // asking changes nothing
	}
	phone.get("/account").is(200)
	a.post(at, url.Values{}).is(422)
	phone.get("/account").is(200)
	a.post(at, form).to("/account/sessions?ended=unknown")
	a.get("/account/sessions?ended=unknown").is(200).says("Look through what was done")
	phone.get("/account").is(303)
	g.clock.pass(11 * time.Minute) // past what counts as fresh
	phone.signIn(ana)
	at = "/account/sessions/" + g.other(a, ana) + "/unknown"
	a.post(at, a.get(at).form(at)).to("/step-up?return_to=" + url.QueryEscape(at))
	phone.get("/account").is(200)
}
