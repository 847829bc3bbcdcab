package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/web"
)

const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"

func TestTheListOfSessions(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	g.clock.pass(2 * time.Hour)
	phone := g.browser()
	phone.agent = safari
	phone.signIn(ana)
	g.browser().signIn(ben)
	a := b.get("/account/sessions").is(200)
	a.says("This browser Firefox on Linux 203.0.113.7 since 22 Nov 2026, 09:00 UTC password active now")
	a.says("Elsewhere Safari on iOS 203.0.113.7 since 22 Nov 2026, 11:00 UTC password active now")
	// What outlasts the act: tokens at APIs that check alone, for an access token's life.
	a.says("Refresh tokens at once; access tokens within a second, at APIs that follow our revocations.",
		"Can still work Access tokens at APIs that check tokens by themselves: until 11:05 UTC at the latest, if you do it now.")
	var forms []string
	for _, n := range elements(t, a.body) {
		if at, _ := attr(n, "action"); n.Data == "form" {
			forms = append(forms, at)
		}
	}
	if len(forms) != 4 {
		t.Errorf("forms %v", forms)
	}
	for _, id := range g.sessions(ben) {
		if strings.Contains(a.body, id) {
			t.Error("somebody else's session is listed")
		}
	}
	b.get("/account").is(200).says("You have 2 sessions.")
	if a := g.browser().signIn(ben).get("/account/sessions?ended=free+text").is(200); strings.Contains(a.body, "Done.") || strings.Contains(a.body, "free") {
		t.Error("a link says what it likes on the page")
	}
}

func TestEndingOneSession(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	phone := g.browser()
	phone.agent = safari
	phone.signIn(ana)
	at := elsewhere(t, b.get("/account/sessions"))
	ask := b.get(at).is(200).says("Sign out Safari on iOS?", "Ends now Safari on iOS at localhost:8400.")
	b.post(at, ask.form(at)).to("/account/sessions?ended=1")
	b.get("/account/sessions?ended=1").is(200).says("Done.", "Ended now The session you chose.", "for at most 5 more minutes", "You are signed in nowhere else.")
	phone.get("/account").to("/sign-in")
	b.get(at).is(404)
}

// elsewhere is where the page ends the one session that is not this browser's.
func elsewhere(t *testing.T, page *answer) string {
	t.Helper()
	all := regexp.MustCompile(`/account/sessions/ses_[0-9a-z]+/end`).FindAllString(page.body, -1)
	if len(all) != 2 {
		t.Fatalf("forms %v", all)
	}
	return all[1]
}

func TestEndingThisSessionIsSigningOut(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	at := "/account/sessions/" + g.sessions(ana)[0] + "/end"
	signedOut(t, b, b.post(at, b.get(at).form(at)).to("/signed-out?ended=here"))
}

func signedOut(t *testing.T, b *browser, a *answer) {
	t.Helper()
	for _, name := range []string{"doorward_session", "doorward_refresh"} {
		if c := a.set[name]; c == nil || c.MaxAge >= 0 {
			t.Errorf("%s stays", name)
		}
	}
	if got := a.header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data %s", got)
	}
	if got := b.sessions(ana); len(got) != 0 {
		t.Errorf("sessions %v still stand", got)
	}
	b.get(a.header.Get("Location")).is(200).says("You are signed out", "This browser at localhost:8400.", "for at most 5 more minutes")
	b.get("/account").to("/sign-in")
}

func TestEndingMany(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	others := []*browser{g.browser().signIn(ana), g.browser().signIn(ana)}
	bens := g.browser().signIn(ben)

	const at = "/account/sessions/end-others"
	b.get(at).is(200).says("Sign out everywhere else?", "2 other sessions.")
	b.post(at, b.get("/account/sessions").form(at)).to("/account/sessions?ended=others")
	b.get("/account/sessions?ended=others").is(200).says("Every other session of yours.", "You are signed in nowhere else.")
	for _, o := range others {
		o.get("/account").to("/sign-in")
	}
	g.browser().signIn(ana)
	const all = "/account/sessions/end-all"
	a := b.post(all, b.get(all).is(200).says("Sign out everywhere, this one too?").form(all)).to("/signed-out?ended=all")
	signedOut(t, b, a)
	bens.get("/account").is(200)
}

// Attack SES-10: somebody else's session, one that never was, and no id at all are the same answer.
func TestForeignSessionsAreUnknown(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	g.browser().signIn(ben)
	foreign := g.sessions(ben)[0]
	unknown := foreign[:len(foreign)-8] + "00000000"
	ref := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{2}`)
	var pages []string
	csrf := url.Values{"csrf": b.get("/sign-out").form("/sign-out")["csrf"]}
	for _, id := range []string{foreign, unknown, "nonsense", "user_" + foreign[4:], "%3Cscript%3E"} {
		at := "/account/sessions/" + id + "/end"
		for _, a := range []*answer{b.get(at), b.post(at, csrf)} {
			a.is(404).says("There is no such page", "session.own")
			pages = append(pages, ref.ReplaceAllString(a.body, "REF"))
		}
	}
	if len(slices.Compact(pages)) != 1 {
		t.Errorf("the answers differ:\n%s", strings.Join(slices.Compact(pages), "\n"))
	}
	if len(g.sessions(ben)) != 1 {
		t.Error("a foreign session was ended")
	}
}

// A session proved ten minutes ago must be proved again before it ends others (ASVS 7.5.2).
// Attack MFA-10.
func TestEndingAsksForFreshProof(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	g.browser().signIn(ana)
	g.clock.pass(10*time.Minute + time.Second)
	list := b.get("/account/sessions")
	for _, at := range []string{elsewhere(t, list), "/account/sessions/end-others", "/account/sessions/end-all"} {
		b.post(at, list.form(at)).to("/step-up?return_to=" + url.QueryEscape(at))
	}
	if len(g.sessions(ana)) != 2 {
		t.Fatal("a session was ended without fresh proof")
	}
	const at = "/account/sessions/end-others"
	page := b.get("/step-up?return_to=" + url.QueryEscape(at)).is(200)
	page.says("Is it still you?", "Before other sessions are ended", "You last proved it on 22 Nov 2026, 09:00 UTC")
	form := page.form("/step-up")
	if form.Get("username") != ana {
		t.Errorf("asks %q", form.Get("username"))
	}
	wrong := b.post("/step-up", with(form, "password", "wrong horse battery staple")).is(422).says("That password does not match.", "signin.failed")
	if strings.Contains(wrong.body, "horse") {
		t.Error("the password came back")
	}
	b.post("/step-up", form).is(422).says("Enter your password.")
	g.clock.pass(time.Second) // the wrong try is over
	old := map[string]string{"doorward_session": b.jar["doorward_session"], "doorward_flow": b.jar["doorward_flow"]}
	a := b.post("/step-up", with(wrong.form("/step-up"), "password", password)).to(at)
	for name, value := range old {
		if a.set[name] == nil || a.set[name].Value == value {
			t.Errorf("%s stays the same", name)
		}
	}
	if c := a.set["doorward_session"]; c.MaxAge != 30*24*60*60-602 {
		t.Errorf("the new cookie lives for %d s: longer than the session", c.MaxAge)
	}
	b.post(at, b.get(at).is(200).form(at)).to("/account/sessions?ended=others")
	thief := g.browser()
	thief.jar["doorward_session"] = old["doorward_session"]
	thief.get("/account").to("/sign-in")
}

func TestAStepUpNeedsTheSession(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	form := with(b.get("/step-up").is(200).says("Before you go on").form("/step-up"), "password", password)
	other := g.browser().signIn(ana)
	const all = "/account/sessions/end-all"
	other.post(all, other.get(all).form(all)).is(303)
	a := b.post("/step-up", form).to("/sign-in")
	if c := a.set["doorward_session"]; c == nil || c.MaxAge >= 0 {
		t.Error("the cookie of the ended session stays")
	}
}

func TestSigningOut(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	page := b.get("/sign-out?return_to=/account/sessions").is(200).says("Sign out of this browser?")
	stolen := g.browser()
	stolen.jar["doorward_session"] = b.jar["doorward_session"]
	a := b.post("/sign-out", with(page.form("/sign-out"), "return_to", "/account"))
	signedOut(t, b, a.to("/signed-out?ended=here"))
	stolen.get("/account").to("/sign-in")
	// Twice is signing out, too.
	b.get("/sign-out").to("/signed-out")
	b.post("/sign-out", url.Values{"csrf": b.get("/sign-in").form("/sign-in")["csrf"]}).to("/signed-out")

	// Nobody is told that they are signed out who is not.
	b.signIn(ana)
	b.get("/signed-out?ended=here").to("/account")
	// A browser that lost one cookie signs out with the other.
	delete(b.jar, "doorward_session")
	b.post("/sign-out", b.get("/sign-out").is(200).form("/sign-out")).to("/signed-out?ended=here")
	if len(g.sessions(ana)) != 0 {
		t.Error("the session still stands")
	}
	// Cookies sent twice are nobody's.
	b.signIn(ana)
	b.post("/sign-out", b.get("/sign-out").form("/sign-out"), func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "doorward_session", Value: "x"}) }).to("/signed-out")
	if len(g.sessions(ana)) != 1 {
		t.Error("a session was ended by a cookie that counts for nothing")
	}
}

// A session that ends between two looks at it is over, and no page of errors.
func TestASessionThatEndsInBetween(t *testing.T) {
	t.Parallel()
	x := &interposed{}
	g := newRig(t, dev, 1000, func(_ *exchange.Policy, c *web.Config) { c.Exchange = x })
	for at, to := range map[string]string{"/step-up": "/sign-in", "/account/sessions/end-others": "/sign-in?return_to=%2Faccount%2Fsessions%2Fend-others", "/sign-in/continue": "/sign-in"} {
		b := g.browser().signIn(ana)
		page := map[bool]string{true: "/sign-in", false: at}[at == "/sign-in/continue"]
		form := b.get(page).is(200).form(at)
		if at == "/step-up" {
			form = with(form, "password", password)
		}
		x.first = func() {
			twin := g.browser()
			twin.jar = maps.Clone(b.jar)
			twin.post("/sign-out", url.Values{"csrf": form["csrf"]}).is(303)
		}
		a := b.post(at, form).to(to)
		if c := a.set["doorward_session"]; c == nil || c.MaxAge >= 0 {
			t.Errorf("%s: the cookie of the ended session stays", at)
		}
	}
}

func TestFormsThatOutliveTheirSessionLeadToSignIn(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	const at = "/account/sessions/end-others"
	form := b.get(at).form(at)
	g.clock.pass(15 * 24 * time.Hour)
	b.post(at, form).to("/sign-in?return_to=" + url.QueryEscape(at))
}
