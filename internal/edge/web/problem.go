package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var problemTemplate = ui.Load(files, "parts.html", "problem/page.html")

// ErrorPage is a refusal that has no form to go back to.
type ErrorPage struct {
	ui.Shell
	Refusal
	Check   string // where it may be told
	Ref     string // empty leaves it out
	At      time.Time
	Back    string   // the application's home, https; empty leads to the account. Needs App
	Details []Detail // for the people who run the application; shown opened
}

// A Refusal is what happened and what to do now.
type Refusal struct{ What, Now ui.Message }

// Detail is one line for developers.
type Detail struct {
	Name, Value string
	Mark        string // what is to be said beside it; may be empty
}

// Title heads the page.
func (p ErrorPage) Title() ui.Message { return p.What }

// Failed marks the title.
func (ErrorPage) Failed() bool { return true }

// Render writes the page.
func (p ErrorPage) Render(w io.Writer) error { return problemTemplate.Render(w, p.Lang, p) }

// AppUnknown is a client_id nobody registered.
func AppUnknown() Refusal {
	return Refusal{ui.Say("problem.app_unknown"), ui.Say("problem.app_unknown_now")}
}

// WrongAddress is a redirect that is not registered exactly so.
func WrongAddress(app string) Refusal {
	return Refusal{ui.Say("problem.address", "app", app), ui.Say("problem.address_now", "app", app)}
}

// WrongRequest is any other fault in what an application sent.
func WrongRequest() Refusal {
	return Refusal{ui.Say("problem.request"), ui.Say("problem.request_now")}
}

// WrongGoodbye is a place to go on to after signing out that is not registered
// exactly so.
func WrongGoodbye() Refusal {
	return Refusal{ui.Say("problem.goodbye"), ui.Say("problem.goodbye_now")}
}

// NotFound is the same for what never was and for what is somebody else's.
func NotFound() Refusal {
	return Refusal{ui.Say("problem.not_found"), ui.Say("problem.not_found_now")}
}

// Forged is a form that another site sent, or whose token is not this session's.
func Forged() Refusal { return Refusal{ui.Say("problem.forged"), ui.Say("problem.forged_now")} }

// NotAllowed is a person who may not.
func NotAllowed() Refusal {
	return Refusal{ui.Say("problem.not_allowed"), ui.Say("problem.not_allowed_now")}
}

// Broken is our own fault; the reference is in the log.
func Broken() Refusal { return Refusal{ui.Say("problem.broken"), ui.Say("problem.broken_now")} }

// WrongMethod is an address that does not do what was asked of it.
func WrongMethod() Refusal { return Refusal{ui.Say("problem.method"), ui.Say("problem.method_now")} }

// Unreadable is a request that can be read in no way, or in more than one.
func Unreadable() Refusal {
	return Refusal{ui.Say("problem.unreadable"), ui.Say("problem.unreadable_now")}
}

// WrongHost is a request under another name than ours.
func WrongHost(host string) Refusal {
	return Refusal{ui.Say("problem.host"), ui.Say("problem.host_now", "host", host)}
}

// Unsaid is a refusal of which this page knows no more.
func Unsaid() Refusal { return Refusal{ui.Say("problem.unsaid"), ui.Say("problem.unsaid_now")} }

// Busy is 429 and 503 without a form: try again later.
func Busy() Refusal { return Refusal{ui.Say("problem.busy"), ui.Say("problem.busy_now")} }
