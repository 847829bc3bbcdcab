package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	checkMailTemplate = ui.Load(files, "parts.html", "verify/code.html")
	confirmTemplate   = ui.Load(files, "parts.html", "verify/link.html")
	overTemplate      = ui.Load(files, "parts.html", "verify/over.html")
)

// CheckMailPage waits for the code of a mail. It posts to /verify the fields csrf, return_to, id, code, and to
// /verify/again csrf, return_to, id. Without an ID there is only the mail to look for.
type CheckMailPage struct {
	ui.Shell
	ui.Form
	ID      string
	Email   string
	Meant   string // the domain that may have been meant
	Again   bool   // the mail can be sent again
	Back    string // where another address can be typed
	Explain []string
}

// Title heads the page.
func (CheckMailPage) Title() ui.Message { return ui.Say("verify.title") }

// Button names the main button.
func (CheckMailPage) Button() ui.Message { return ui.Say("verify.submit") }

// Render writes the page.
func (p CheckMailPage) Render(w io.Writer) error { return checkMailTemplate.Render(w, p.Lang, p) }

// ConfirmPage is behind the link of a mail: it says what the button will do. It posts to At the fields csrf, t, and
// what it asks for: name, password.
type ConfirmPage struct {
	ui.Shell
	ui.Form
	At      string // /verify, /invite
	Link    string // the token of the link
	Email   string
	Name    string
	Invited bool     // an invitation: asks for the name too
	Choose  bool     // asks for a password
	Least   int      // how many characters it has
	Other   *Person  // who is signed in here, and stays so
	Explain []string // what the button does
}

// Title heads the page.
func (p ConfirmPage) Title() ui.Message {
	if p.Invited {
		return ui.Say("invite.title")
	}
	return ui.Say("verify.link_title")
}

// Button names the main button.
func (p ConfirmPage) Button() ui.Message {
	if p.Choose {
		return ui.Say("signup.submit")
	}
	return ui.Say("verify.confirm")
}

// Render writes the page.
func (p ConfirmPage) Render(w io.Writer) error { return confirmTemplate.Render(w, p.Lang, p) }

// LinkOverPage is behind a link that does nothing any more. With Link it posts to /verify/again the fields csrf, t.
type LinkOverPage struct {
	ui.Shell
	ui.Form
	What ui.Message
	Now  ui.Message // the zero Message says nothing
	Link string     // of a link for which a new one can be sent
	On   bool       // there is an account to sign in to
}

// LinkUsed is a link that was used.
func LinkUsed(at time.Time) ui.Message { return ui.Say("verify.used", "time", at) }

// LinkEnded is one that is too old.
func LinkEnded(at time.Time) ui.Message { return ui.Say("verify.ended", "time", at) }

// LinkVoid is one whose code was guessed at.
func LinkVoid() ui.Message { return ui.Say("verify.void") }

// LinkUnknown is no link of ours, or not the newest.
func LinkUnknown() ui.Message { return ui.Say("verify.unknown") }

// AccountMade is an account that was made while somebody else stays signed in.
func AccountMade() ui.Message { return ui.Say("verify.made") }

// Title heads the page.
func (p LinkOverPage) Title() ui.Message { return p.What }

// Render writes the page.
func (p LinkOverPage) Render(w io.Writer) error { return overTemplate.Render(w, p.Lang, p) }

// CodeWrong is a code that is not the one sent.
func CodeWrong(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("verify.wrong"), Detail: ui.Say("verify.wrong_now"), Check: check, Ref: ref, Fields: []ui.FieldAlert{{ID: "code"}}}
}

// CodeOver is a code that is too old, or was guessed at.
func CodeOver(what ui.Message, check, ref string) *ui.Alert {
	return &ui.Alert{Title: what, Detail: ui.Say("verify.over_now"), Check: check, Ref: ref}
}

// AccountThere is for who proved a mailbox that has an account by now.
func AccountThere(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("verify.there"), Detail: ui.Say("verify.there_now"), Check: check, Ref: ref}
}
