package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var stepUpTemplate = ui.Load(files, "parts.html", "stepup/page.html")

// StepUpPage asks for the password again before a risky act. It posts to /step-up the fields csrf, return_to,
// username (for password managers), password.
type StepUpPage struct {
	ui.Shell
	ui.Form
	Email   string
	Why     ui.Message // who asks and why: AskedByApp, AskedToEnd
	Proved  time.Time  // the last proof of this session; zero shows nothing
	Back    string     // where "Not now" leads: a path of ours
	Explain []string
}

// AskedByApp is an application that asked for fresh proof (max_age, acr_values).
func AskedByApp(app string) ui.Message { return ui.Say("stepup.why_app", "app", app) }

// AskedToEnd is the account page, before it ends sessions (ASVS 7.5.2).
func AskedToEnd() ui.Message { return ui.Say("stepup.why_end") }

// AskedToDelete is our own wish, before an account is to be deleted.
func AskedToDelete() ui.Message { return ui.Say("stepup.why_delete") }

// AskedToExport is our own wish, before a copy of what is known of somebody leaves.
func AskedToExport() ui.Message { return ui.Say("stepup.why_export") }

// AskedToMove is the account page, before the address changes (ASVS 7.5.1).
func AskedToMove() ui.Message { return ui.Say("stepup.why_address") }

// AskedToGoOn is any other page of ours.
func AskedToGoOn() ui.Message { return ui.Say("stepup.why") }

// Title heads the page.
func (StepUpPage) Title() ui.Message { return ui.Say("stepup.title") }

// Button names the main button.
func (StepUpPage) Button() ui.Message { return ui.Say("stepup.submit") }

// FocusPassword is false after an error: then the box has the focus.
func (p StepUpPage) FocusPassword() bool { return p.Alert == nil }

// Render writes the page.
func (p StepUpPage) Render(w io.Writer) error { return stepUpTemplate.Render(w, p.Lang, p) }

// StepUpWrong is a password that is not this person's.
func StepUpWrong(check, ref string) *ui.Alert {
	return &ui.Alert{
		Title: ui.Say("stepup.wrong"), Detail: ui.Say("stepup.wrong_now"), Check: check, Ref: ref,
		Fields: []ui.FieldAlert{{ID: "current-password"}},
	}
}

// StepUpMissing is an empty password.
func StepUpMissing() *ui.Alert { return SignInMissing(false, true) }
