package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// disowning takes back a sign-in that a person was told of by mail.
type disowning interface {
	Disowned(ctx context.Context, link string) (exchange.Disowning, error)
	NotMe(ctx context.Context, by settle.Caller, link string) error
}

var notMeTemplate = ui.Load(files, "parts.html", "notme/page.html")

// NotMePage is /not-me/{token}: what the button does, and afterwards what comes next. It posts to its own address.
type NotMePage struct {
	ui.Shell
	ui.Form
	Action  string
	Device  string // "Firefox on Linux"; empty when unknown
	When    time.Time
	Done    time.Time // when it was pressed; zero until then
	Explain []string
}

// Title heads the page.
func (p NotMePage) Title() ui.Message {
	if !p.Done.IsZero() {
		return ui.Say("notme.title_done")
	}
	return ui.Say("notme.title")
}

// Button names the main button.
func (NotMePage) Button() ui.Message { return ui.Say("notme.submit") }

// DeviceName is the device as the sentence says it.
func (p NotMePage) DeviceName() any { return named(p.Device) }

// Render writes the page.
func (p NotMePage) Render(w io.Writer) error { return notMeTemplate.Render(w, p.Lang, p) }

func (v *visit) notMePage() (NotMePage, error) {
	link := v.r.PathValue("token")
	d, err := v.exchange.Disowned(v.ctx(), link)
	if err != nil {
		return NotMePage{}, err
	}
	page := NotMePage{Shell: v.shell(), Action: "/not-me/" + url.PathEscape(link), When: d.Session.Created, Done: d.Done}
	if d.Session.Exists() {
		page.Device = session.Named(d.Session.UserAgent)
	}
	if page.Done.IsZero() {
		page.Form, page.Explain = v.blank(""), exchange.NotMeExchange().Sentences()
	}
	return page, nil
}

// showNotMe changes nothing, however often scanners of mail follow the link (attack REC-02).
func (v *visit) showNotMe() error {
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	page, err := v.notMePage()
	if err != nil {
		return err
	}
	return v.show(page)
}

func (v *visit) notMe() error {
	form, err := v.form()
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page, err := v.notMePage()
		if err != nil {
			return nil, 0
		}
		if e.Check() == formToken {
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		}
		alert, code := v.later(e)
		page.Alert = alert
		return pageIf(alert != nil, page), code
	}
	if err := v.ours(form); err != nil {
		return err
	}
	link := v.r.PathValue("token")
	// Pressed twice is pressed: the page says since when.
	if err := v.exchange.NotMe(v.ctx(), v.caller(), link); err != nil && !refusedBy(err, token.OnceUnspent) {
		return err
	}
	return v.seeOther("/not-me/" + url.PathEscape(link))
}
