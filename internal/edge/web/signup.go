package web

import (
	"io"

	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

var signUpTemplate = ui.Load(files, "parts.html", "signup/page.html")

// SignUpPage asks for what an account needs, or says who is signed in already. It posts to /sign-up the fields csrf,
// return_to, username, name, password.
type SignUpPage struct {
	ui.Shell
	ui.Form
	Email   string // as typed before
	Name    string
	Least   int // how many characters a password has
	Closed  bool
	Explain []string
	Already *Already // somebody is signed in: no form is shown
}

// Title heads the page.
func (SignUpPage) Title() ui.Message { return ui.Say("signup.title") }

// Button names the main button.
func (SignUpPage) Button() ui.Message { return ui.Say("signup.submit") }

// Render writes the page.
func (p SignUpPage) Render(w io.Writer) error { return signUpTemplate.Render(w, p.Lang, p) }

// SignUpMissing names the fields left empty.
func SignUpMissing(email, password bool) *ui.Alert {
	a := &ui.Alert{Title: ui.Say("missing.title")}
	if email {
		a.Fields = append(a.Fields, ui.FieldAlert{ID: "username", Text: ui.Say("field.email_missing")})
	}
	if password {
		a.Fields = append(a.Fields, ui.FieldAlert{ID: "new-password", Text: ui.Say("field.password_missing")})
	}
	return a
}

// AddressUnreadable is what was typed as an address and is none.
func AddressUnreadable(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("field.email_form"), Check: check, Ref: ref, Fields: []ui.FieldAlert{{ID: "username", Text: ui.Say("field.email_form")}}}
}

// PasswordRefused says what is wrong with a new password.
func PasswordRefused(f factor.Finding, least int, check, ref string) *ui.Alert {
	why := map[factor.Finding]ui.Message{
		factor.TooShort:    ui.Say("password.too_short", "n", least),
		factor.TooLong:     ui.Say("password.too_long"),
		factor.ContextWord: ui.Say("password.context_word"),
		factor.Common:      ui.Say("password.common"),
	}
	words, ok := why[f]
	if !ok {
		words = ui.Say("password.not_text")
	}
	return &ui.Alert{Title: ui.Say("password.title"), Check: check, Ref: ref, Fields: []ui.FieldAlert{{ID: "new-password", Text: words}}}
}

// DomainClosed is an address of a domain that is not let in.
func DomainClosed(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("signup.domain"), Detail: ui.Say("signup.domain_now"), Check: check, Ref: ref, Fields: []ui.FieldAlert{{ID: "username"}}}
}
