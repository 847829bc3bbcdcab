package web

import (
	"io"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	recoverTemplate   = ui.Load(files, "parts.html", "recover/ask.html")
	codeTemplate      = ui.Load(files, "parts.html", "recover/check.html")
	linkTemplate      = ui.Load(files, "parts.html", "recover/link.html")
	chooseTemplate    = ui.Load(files, "parts.html", "recover/new.html")
	recoveredTemplate = ui.Load(files, "parts.html", "recover/done.html")
)

// RecoverPage asks whose account it is. It posts to /recover the fields csrf, return_to, username.
type RecoverPage struct {
	ui.Shell
	ui.Form
	Email   string // as typed before
	Explain []string
}

// Title heads the page.
func (RecoverPage) Title() ui.Message { return ui.Say("recover.title") }

// Button names the main button.
func (RecoverPage) Button() ui.Message { return ui.Say("recover.submit") }

// Render writes the page.
func (p RecoverPage) Render(w io.Writer) error { return recoverTemplate.Render(w, p.Lang, p) }

// CodePage asks for the code of a mail. It posts to its own address the fields csrf, return_to, id, code.
type CodePage struct {
	ui.Shell
	ui.Form
	ID      string
	Lead    ui.Message // CodeSent
	Action  string
	Again   string // where another mail is asked for
	Explain []string
}

// CodeSent says no more than that a mail goes to whoever has an account.
func CodeSent() ui.Message { return ui.Say("recover.sent") }

// Title heads the page.
func (CodePage) Title() ui.Message { return ui.Say("code.title") }

// Button names the main button.
func (CodePage) Button() ui.Message { return ui.Say("code.submit") }

// Render writes the page.
func (p CodePage) Render(w io.Writer) error { return codeTemplate.Render(w, p.Lang, p) }

// LinkPage is what a link in a mail opens: it says what the one button does, which posts the fields csrf, t to Action.
// Without a Token it only says why not.
type LinkPage struct {
	ui.Shell
	ui.Form
	Heading  ui.Message
	Says     ui.Message
	Does     ui.Message // the words of the button
	Action   string
	Token    string
	Again    string // where another is asked for
	AskAgain ui.Message
	Explain  []string
}

// Title heads the page.
func (p LinkPage) Title() ui.Message { return p.Heading }

// Button names the main button.
func (p LinkPage) Button() ui.Message { return p.Does }

// Render writes the page.
func (p LinkPage) Render(w io.Writer) error { return linkTemplate.Render(w, p.Lang, p) }

// NewPasswordPage lets somebody who proved their mailbox choose a password. It posts to /recover/new the fields csrf,
// return_to, id, username (for password managers), password.
type NewPasswordPage struct {
	ui.Shell
	ui.Form
	ID      string
	Email   string
	Least   int // how many characters
	Explain []string
}

// Title heads the page.
func (NewPasswordPage) Title() ui.Message { return ui.Say("recover.new") }

// Button names the main button.
func (NewPasswordPage) Button() ui.Message { return ui.Say("recover.new_submit") }

// Render writes the page.
func (p NewPasswordPage) Render(w io.Writer) error { return chooseTemplate.Render(w, p.Lang, p) }

// RecoveredPage says what ended when a password was chosen.
type RecoveredPage struct {
	ui.Shell
	Email  string
	Ended  []Session
	SignIn string // where "Sign in" leads
}

// Title heads the page.
func (RecoveredPage) Title() ui.Message { return ui.Say("recover.done") }

// Render writes the page.
func (p RecoveredPage) Render(w io.Writer) error { return recoveredTemplate.Render(w, p.Lang, p) }

// onceRefusals are the words for what is the matter with a link or code.
var onceRefusals = map[*check.Check]ui.Message{
	token.OnceKnown: ui.Say("once.unknown"), token.OnceStands: ui.Say("once.over"), token.OnceUnspent: ui.Say("once.spent"), token.OnceInTime: ui.Say("once.over"),
	token.OnceTries: ui.Say("once.void"), token.OnceBrowser: ui.Say("once.elsewhere"), identity.IsActive: ui.Say("signin.paused"),
}

// OnceRefused says why a link or code buys nothing; nil when something else is the matter.
func OnceRefused(c *check.Check, ref string) *ui.Alert {
	words, ok := onceRefusals[c]
	if !ok {
		return nil
	}
	return &ui.Alert{Title: words, Check: c.Shown, Ref: ref}
}
