package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var accountsTemplate = ui.Load(files, "parts.html", "choose/page.html")

// ChoosePage asks as whom to go on (prompt=select_account): a browser has one session, so there is one card. It posts
// to /choose-account the fields csrf, flow.
type ChoosePage struct {
	ui.Shell
	ui.Form
	Flow string // the sealed request
	Person
	Used    time.Time // when the session was last used
	Another string    // where to sign in as somebody else: a path of ours
}

// Title heads the page.
func (ChoosePage) Title() ui.Message { return ui.Say("choose.title") }

// Lead is true where a button would be the first to have the focus.
func (p ChoosePage) Lead() bool { return p.Alert == nil }

// Render writes the page.
func (p ChoosePage) Render(w io.Writer) error { return accountsTemplate.Render(w, p.Lang, p) }
