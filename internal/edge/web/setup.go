package web

import (
	"io"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var setupTemplate = ui.Load(files, "parts.html", "setup/page.html")

// SetupPage makes the first administrator. It posts to /setup the fields csrf, code, username, name, password. The code
// comes in the fragment of the address, which the script puts into its field; without one it is pasted.
type SetupPage struct {
	ui.Shell
	ui.Form
	Code    string // as typed before
	Email   string
	Name    string
	Least   int
	Explain []string
}

// Title heads the page.
func (SetupPage) Title() ui.Message { return ui.Say("setup.title") }

// Button names the main button.
func (SetupPage) Button() ui.Message { return ui.Say("setup.submit") }

// Render writes the page.
func (p SetupPage) Render(w io.Writer) error { return setupTemplate.Render(w, p.Lang, p) }

// SetupMissing names the fields left empty.
func SetupMissing(code, email, password bool) *ui.Alert {
	a := SignUpMissing(email, password)
	if code {
		a.Fields = append([]ui.FieldAlert{{ID: "code", Text: ui.Say("setup.code_missing")}}, a.Fields...)
	}
	return a
}

// SetupCodeWrong is a code that is not the newest, or ended.
func SetupCodeWrong(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("setup.wrong"), Detail: ui.Say("setup.wrong_now"), Check: check, Ref: ref, Fields: []ui.FieldAlert{{ID: "code"}}}
}
