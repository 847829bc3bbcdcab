package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var signInTemplate = ui.Load(files, "parts.html", "signin/page.html")

// SignInPage asks for e-mail and password, or says who is signed in already. It posts to /sign-in the fields
// csrf, return_to, username, password.
type SignInPage struct {
	ui.Shell
	ui.Form
	Email   string   // as typed before; a password never comes back
	Explain []string // what the button does, step by step
	SignUp  string   // where an account can be made; empty when there is no such place
	Already *Already // somebody is signed in: no form is shown
}

// Already offers to go on as the person who is signed in. It posts to /sign-in/continue the fields csrf, return_to.
type Already struct {
	Person
	Another string // the address of this page with the form
}

// Title heads the page.
func (SignInPage) Title() ui.Message { return ui.Say("signin.title") }

// Button names the main button.
func (SignInPage) Button() ui.Message { return ui.Say("signin.submit") }

// Lost is where people go who cannot sign in.
func (p SignInPage) Lost() string { return bound(recoverAt, p.ReturnTo) }

// FocusPassword says that the password is the first empty field. After an error the box has the focus.
func (p SignInPage) FocusPassword() bool { return p.Alert == nil && p.Email != "" }

// Render writes the page.
func (p SignInPage) Render(w io.Writer) error { return signInTemplate.Render(w, p.Lang, p) }

// SignInMissing names the fields left empty.
func SignInMissing(email, password bool) *ui.Alert {
	a := &ui.Alert{Title: ui.Say("missing.title")}
	if email {
		a.Fields = append(a.Fields, ui.FieldAlert{ID: "username", Text: ui.Say("field.email_missing")})
	}
	if password {
		a.Fields = append(a.Fields, ui.FieldAlert{ID: "current-password", Text: ui.Say("field.password_missing")})
	}
	return a
}

// SignInWrong is the one answer to a wrong password and to an unknown e-mail (ASVS 6.3.8).
func SignInWrong(check, ref string) *ui.Alert {
	return &ui.Alert{
		Title: ui.Say("signin.wrong"), Detail: ui.Say("signin.wrong_now"), Check: check, Ref: ref,
		Fields: []ui.FieldAlert{{ID: "username"}, {ID: "current-password"}},
	}
}

// Slowed says after which wait the next try counts; for sign-in and step-up. Short waits are said in seconds too,
// since the clock on the page has none.
func Slowed(now time.Time, wait time.Duration, check, ref string) *ui.Alert {
	detail := ui.Say("signin.slowed_now", "time", now.Add(wait+time.Minute-1).Truncate(time.Minute))
	if wait <= 2*time.Minute {
		detail = ui.Say("signin.slowed_soon", "n", int((wait+time.Second-1)/time.Second), "time", now.Add(wait))
	}
	return &ui.Alert{Title: ui.Say("signin.slowed"), Detail: detail, Check: check, Ref: ref}
}

// TryLater is a server that has no room just now; for every form.
func TryLater(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("problem.busy"), Detail: ui.Say("problem.busy_now"), Check: check, Ref: ref}
}

// Paused is told only to somebody who gave the right password.
func Paused(host, check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("signin.paused"), Detail: ui.Say("signin.paused_now", "host", host, "ref", ref), Check: check, Ref: ref}
}

// Distrusted is told only to somebody who gave the right password.
func Distrusted(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("signin.distrusted"), Detail: ui.Say("signin.distrusted_now"), Check: check, Ref: ref}
}

// CookieRefused is for a browser that came back without the cookie it was just given.
func CookieRefused(host, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("signin.cookie"), Detail: ui.Say("signin.cookie_now", "host", host), Ref: ref}
}

// PageWasOld is the Status of a form that was made anew because the old one had expired.
func PageWasOld() ui.Message { return ui.Say("signin.old") }
