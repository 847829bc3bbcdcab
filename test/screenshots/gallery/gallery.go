// Package gallery is every page of the hosted surface in every state, with made-up people: what the tests of the
// templates render and the screenshots show.
package gallery

import (
	"bytes"
	"reflect"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// A State is one page as somebody may see it.
type State struct {
	Name string // a file name
	Page ui.Page
}

// In is the state in another language.
func (s State) In(lang string) State {
	page := reflect.New(reflect.TypeOf(s.Page)).Elem()
	page.Set(reflect.ValueOf(s.Page))
	page.FieldByName("Shell").FieldByName("Lang").SetString(lang)
	return State{s.Name, page.Interface().(ui.Page)}
}

// Still is a page that stays: what leaves by itself would leave before it was looked at.
func Still(page []byte) []byte {
	page = bytes.ReplaceAll(page, []byte(`http-equiv="refresh"`), []byte(`name="refresh"`))
	return bytes.ReplaceAll(page, []byte(" data-leaves"), nil)
}

const (
	host = "auth.example.com"
	ref  = "7KQ2-M4"
	mail = "ana@example.com"
)

var (
	now   = time.Date(2026, time.November, 3, 14, 2, 11, 0, time.UTC)
	notes = &ui.App{Name: "Notes", Domain: "app.notes.example"}
	form  = ui.Form{CSRF: "pT3nQm0Vw9yKf2sLr8aXcZ1uHbJe6dGi", ReturnTo: "/oauth/authorize?client_id=notes&state=x"}
	ana   = web.Person{Name: "Ana", Email: mail}

	explain = []string{
		"Your browser sends your e-mail and password to this server, over TLS.",
		"The server compares the password with its stored hash. It does not keep the password.",
		"If they match, it makes a session for this browser and sets one cookie.",
		"You go back to Notes with a code that works once, for one minute.",
	}
)

func shell(app *ui.App, alert *ui.Alert) ui.Shell {
	return ui.Shell{Host: host, App: app, Alert: alert}
}

// States lists them all, in the order a person meets them.
func States() []State {
	return slices.Concat(signingIn(), joining(), recovering(), securing(), profile(), signingOut(), account(), applications(), leaving())
}

func signingIn() []State {
	signIn := func(name string, app *ui.App, email string, alert *ui.Alert) State {
		return State{"signin" + name, web.SignInPage{Shell: shell(app, alert), Form: form, Email: email, Explain: explain}}
	}
	already := func(name string, app *ui.App, who web.Person) State {
		return State{"signin-already" + name, web.SignInPage{Shell: shell(app, nil), Form: form,
			Already: &web.Already{Person: who, Another: "/sign-in?another=1"}}}
	}
	old := signIn("-old", notes, mail, nil)
	page := old.Page.(web.SignInPage)
	page.Status = web.PageWasOld()
	old.Page = page
	stepUp := func(name string, app *ui.App, why ui.Message, alert *ui.Alert) State {
		return State{"stepup" + name, web.StepUpPage{Shell: shell(app, alert), Form: form, Email: mail, Why: why,
			Proved: now.Add(-3 * time.Hour), Back: "/account", Explain: explain[:2]}}
	}
	return []State{
		signIn("", notes, "", nil),
		signIn("-direct", nil, "", nil),
		signIn("-email", notes, mail, nil),
		signIn("-missing", notes, "", web.SignInMissing(true, true)),
		signIn("-wrong", notes, mail, web.SignInWrong("signin.failed", ref)),
		signIn("-slowed", notes, mail, web.Slowed(now, 5*time.Minute, "limit.address", ref)),
		signIn("-soon", notes, mail, web.Slowed(now, 3*time.Second, "limit.address", ref)),
		signIn("-busy", notes, mail, web.TryLater("password.capacity", ref)),
		signIn("-paused", notes, mail, web.Paused(host, "user.active", ref)),
		signIn("-cookie", notes, mail, web.CookieRefused(host, ref)),
		old,
		already("", notes, ana),
		already("-direct", nil, web.Person{Email: mail}),
		stepUp("", notes, web.AskedByApp("Notes"), nil),
		stepUp("-end", nil, web.AskedToEnd(), nil),
		stepUp("-direct", nil, web.AskedToGoOn(), nil),
		stepUp("-wrong", nil, web.AskedToEnd(), web.StepUpWrong("signin.failed", ref)),
		stepUp("-missing", nil, web.AskedToEnd(), web.StepUpMissing()),
	}
}

// own is the effect at APIs we know nothing of.
func own(ends ...ui.Message) web.Effect {
	return web.Effect{Ends: append(ends, web.EndsTokens()), Lasts: []ui.Message{web.LastsAlone(now.Add(5 * time.Minute))}}
}

func effect() web.Effect {
	return web.Effect{
		Ends:  []ui.Message{web.EndsSession("Firefox on Linux", host), web.EndsTokens()},
		Lasts: []ui.Message{web.LastsAlone(now.Add(4 * time.Minute))},
	}
}

func signingOut() []State {
	here := effect()
	here.Ends[0] = web.EndsBrowser(host)
	here.Tells = []ui.Message{web.TellsApp("Notes")}
	after := here
	after.Lasts = []ui.Message{web.LastedAlone(5)}
	clean := web.Effect{Ends: here.Ends[:1]}
	return []State{
		{"signout", web.SignOutPage{Shell: shell(nil, nil), Form: form, Effect: here,
			Back: "/account", Explain: explain[2:]}},
		{"signout-app", web.SignOutPage{Shell: shell(notes, nil), Form: form, Effect: here, Asked: true, Back: "/account"}},
		{"signout-plain", web.SignOutPage{Shell: shell(nil, nil), Form: form, Effect: clean, Back: "/account"}},
		{"signedout", web.SignedOutPage{Shell: shell(nil, nil), Effect: &after, SignIn: "/sign-in"}},
		{"signedout-clean", web.SignedOutPage{Shell: shell(nil, nil), Effect: &clean, SignIn: "/sign-in"}},
		{"signedout-nobody", web.SignedOutPage{Shell: shell(nil, nil), SignIn: "/sign-in"}},
	}
}

func account() []State {
	all := web.Effect{Ends: []ui.Message{web.EndsBrowser(host), web.EndsSessions(3)}, Lasts: effect().Lasts}
	others := web.Effect{Ends: []ui.Message{web.EndsSessions(3)}}
	one := web.Effect{Ends: []ui.Message{web.EndsSessions(1)}}
	phone := web.Session{ID: "ses_01a", Device: "Safari on iPhone", Method: web.ByPassword(), Created: now.Add(-60 * 24 * time.Hour),
		LastSeen: now.Add(-40 * time.Minute), IP: "198.51.100.23", Place: "Madrid, ES", Apps: []string{"Notes"},
		Effect: web.Effect{Ends: []ui.Message{web.EndsSession("Safari on iPhone", host), web.EndsTokens()}}}
	here := web.Session{ID: "ses_02b", Device: "Firefox on Linux", Method: web.ByPassword(), Created: now.Add(-29 * time.Hour),
		LastSeen: now, IP: "203.0.113.7", Place: "Madrid, ES", Apps: []string{"Notes", "Films"}, Current: true, Effect: effect()}
	unknown := web.Session{ID: "ses_03c", Method: web.ByPassword(), Created: now.Add(-9 * 24 * time.Hour), LastSeen: now.Add(-50 * time.Hour),
		IP: "2001:db8:85a3:1234:5678:8a2e:370:7334", Effect: web.Effect{Ends: []ui.Message{web.EndsSession("", host)}}}
	ended := effect()
	sessions := func(list []web.Session, others *web.Effect, ended *web.Effect) web.SessionsPage {
		return web.SessionsPage{Shell: shell(nil, nil), Form: ui.Form{CSRF: form.CSRF}, Now: now, Sessions: list,
			EndOthers: others, EndAll: &all, Ended: ended}
	}
	end := func(asks ui.Message, action string, e web.Effect) web.EndPage {
		return web.EndPage{Shell: shell(nil, nil), Form: form, Asks: asks, Action: action, Effect: e, Explain: explain[2:]}
	}
	return []State{
		{"account", web.HomePage{Shell: shell(nil, nil), Person: ana, Facts: exchange.Facts{Sessions: 4, Browsers: 3, PasswordChanged: now.Add(-180 * 24 * time.Hour), Refused: 2}}},
		{"account-one", web.HomePage{Shell: shell(nil, nil), Person: web.Person{Email: mail}, Facts: exchange.Facts{Sessions: 1}}},
		{"sessions", sessions([]web.Session{phone, here, unknown}, &others, nil)},
		{"sessions-alone", sessions([]web.Session{here}, nil, nil)},
		{"sessions-ended-one", sessions([]web.Session{here, phone}, &one, &web.Effect{Ends: []ui.Message{web.EndedOne(), web.EndsTokens()},
			Lasts: []ui.Message{web.LastedAlone(5)}})},
		{"end-own", end(web.AskEndSession("Safari on iPhone"), phone.EndPath(), own(web.EndsSession("Safari on iPhone", host)))},
		{"sessions-ended", sessions([]web.Session{here, phone}, &one, &ended)},
		{"end-session", end(web.AskEndSession("Firefox on Linux"), here.EndPath(), effect())},
		{"end-unknown", end(web.AskEndSession(""), unknown.EndPath(), unknown.Effect)},
		{"end-stranger", end(web.AskEndUnknown("Firefox on Linux"), here.UnknownPath(), effect())},
		{"sessions-unknown", func() web.SessionsPage {
			p := sessions([]web.Session{here, phone}, &one, &ended)
			p.Unknown = true
			return p
		}()},
		{"activity", web.ActivityPage{Shell: shell(nil, nil), Deeds: deeds(), Older: "/account/activity?before=led_01"}},
		{"activity-none", web.ActivityPage{Shell: shell(nil, nil), Kind: "admin"}},
		{"story", web.StoryPage{Shell: shell(nil, nil), Form: form, Session: phone, Now: now, Deeds: deeds()}},
		{"story-over", web.StoryPage{Shell: shell(nil, nil), Form: form, Session: unknown, Now: now, Over: true}},
		{"notme", web.NotMePage{Shell: shell(nil, nil), Form: form, Action: "/not-me/pT3nQm0Vw9", Device: "Chrome on Windows", When: now, Explain: explain}},
		{"notme-done", web.NotMePage{Shell: shell(nil, nil), Device: "Chrome on Windows", When: now, Done: now.Add(time.Minute)}},
		{"signin-distrusted", web.SignInPage{Shell: shell(notes, web.Distrusted("password.trusted", ref)), Form: form, Email: mail, Explain: explain}},
		{"end-others", end(web.AskEndOthers(), "/account/sessions/end-others", others)},
		{"end-all", end(web.AskEndAll(), "/account/sessions/end-all", all)},
	}
}

// deeds are what activity and the story of a session are made of.
func deeds() []web.Deed {
	from := ui.Say("activity.device", "device", "Firefox on Linux")
	checked := []string{"The application that asks is one of our own.", "The password is the one of this account."}
	return []web.Deed{
		{At: now, Says: ui.Say("did.signin.password", "from", from), IP: "203.0.113.7", Held: checked},
		{At: now.Add(-time.Hour), Until: now.Add(-time.Minute), Says: ui.Say("story.renewed", "n", 12)},
		{At: now.Add(-2 * time.Hour), Says: ui.Say("refused.signin.password", "from", from), Refused: true, IP: "2001:db8:85a3:1234:5678:8a2e:370:7334",
			Why: "That e-mail and password do not match.", Check: "password.fits", Ref: ref, Held: checked[:1]},
		{At: now.Add(-50 * time.Hour), Says: ui.Say("did.user.pause")},
		{At: now.Add(-70 * time.Hour), Says: ui.Say("did.signin.password", "from", from), IP: "198.51.100.23", Story: "/account/sessions/ses_01a", NotMe: "/account/sessions/ses_01a/unknown", Held: checked},
	}
}

func leaving() []State {
	back := func(name, to string, finished bool) State {
		return State{"return" + name, web.ReturnPage{Shell: shell(notes, nil), To: to, Finished: finished}}
	}
	problem := func(name string, app *ui.App, r web.Refusal, check string) State {
		return State{"error-" + name, web.ErrorPage{Shell: shell(app, nil), Refusal: r, Check: check, Ref: ref, At: now}}
	}
	address := problem("address", notes, web.WrongAddress("Notes"), "redirect.exact")
	page := address.Page.(web.ErrorPage)
	page.Back = "https://app.notes.example/"
	page.Details = web.RedirectDetails("notes", "https://app.notes.example/callback/", []string{"https://app.notes.example/callback", "http://localhost:5173/callback"})
	address.Page = page
	return []State{
		back("", "https://app.notes.example/callback?code=c_9F&state=a%3Bb'c&iss=https%3A%2F%2Fauth.example.com", false),
		back("-scheme", "com.example.notes:/callback?code=c_9F&state=x", false),
		{"return-out", web.ReturnPage{Shell: shell(notes, nil), To: "https://app.notes.example/bye?state=x", Out: true}},
		{"return-without", web.ReturnPage{Shell: shell(notes, nil), To: "https://app.notes.example/callback?error=access_denied", Without: true}},
		back("-finished", "https://app.notes.example/", true),
		back("-nowhere", "", true),
		address,
		problem("app", nil, web.AppUnknown(), "client.known"),
		problem("request", nil, web.WrongRequest(), "request.form"),
		problem("not-found", nil, web.NotFound(), ""),
		problem("forged", nil, web.Forged(), "form.own"),
		problem("not-allowed", nil, web.NotAllowed(), ""),
		problem("broken", nil, web.Broken(), ""),
		problem("busy", nil, web.Busy(), ""),
		problem("method", nil, web.WrongMethod(), "request.method"),
		problem("unreadable", nil, web.Unreadable(), "request.body"),
		problem("host", nil, web.WrongHost(host), "request.host"),
		{"error-unsaid", web.ErrorPage{Shell: shell(nil, nil), Refusal: web.Unsaid()}},
	}
}
