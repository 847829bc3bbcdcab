package web

import (
	"io"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	signOutTemplate   = ui.Load(files, "parts.html", "signout/page.html")
	signedOutTemplate = ui.Load(files, "parts.html", "signout/done.html")
)

// SignOutPage is the one question before this browser's session ends. It posts to /sign-out the fields csrf, return_to.
type SignOutPage struct {
	ui.Shell
	ui.Form
	Effect  Effect // with the applications that follow
	Asked   bool   // the App asks for it (OpenID Connect RP-Initiated Logout section 2)
	Back    string // where "Stay signed in" leads: a path of ours
	Explain []string
}

// Title heads the page.
func (SignOutPage) Title() ui.Message { return ui.Say("signout.title") }

// Button names the main button.
func (SignOutPage) Button() ui.Message { return ui.Say("signout.submit") }

// Render writes the page.
func (p SignOutPage) Render(w io.Writer) error { return signOutTemplate.Render(w, p.Lang, p) }

// SignedOutPage says what ended and what works on. Without an effect, nobody was signed in.
type SignedOutPage struct {
	ui.Shell
	Effect *Effect
	SignIn string // where "Sign in again" leads: a path of ours
}

// Title heads the page.
func (SignedOutPage) Title() ui.Message { return ui.Say("signout.done") }

// Render writes the page.
func (p SignedOutPage) Render(w io.Writer) error { return signedOutTemplate.Render(w, p.Lang, p) }
