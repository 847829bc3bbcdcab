package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// copying gives people what is known of them.
type copying interface {
	Export(ctx context.Context, by settle.Caller, cookie string) (exchange.Copy, error)
}

const exportAt = "/account/export"

var exportPages = map[string]pages{exportAt: {"GET": (*visit).showExport, "POST": (*visit).export}}

var exportTemplate = ui.Load(files, "parts.html", "account/nav.html", "account/export.html")

// ExportPage is /account/export. It posts to its own address the field csrf, which answers with a file.
type ExportPage struct {
	ui.Shell
	ui.Form
	Explain []string
}

// Title heads the page.
func (ExportPage) Title() ui.Message { return ui.Say("export.title") }

// Button names the main button.
func (ExportPage) Button() ui.Message { return ui.Say("export.submit") }

// Section marks the place in the navigation.
func (ExportPage) Section() string { return "profile" }

// Render writes the page.
func (p ExportPage) Render(w io.Writer) error { return exportTemplate.Render(w, p.Lang, p) }

// The file, for people and programs: names as in the API.
type (
	copyOut struct {
		Made     time.Time     `json:"made"`
		Issuer   string        `json:"issuer"`
		Account  accountOut    `json:"account"`
		Sessions []sessionOut  `json:"sessions"`
		Browsers []browserOut  `json:"browsers"`
		Activity []activityOut `json:"activity"`
		Older    bool          `json:"older_activity_left_out"`
	}
	accountOut struct {
		ID       string    `json:"id"`
		Email    string    `json:"email"`
		Verified bool      `json:"verified"`
		Name     string    `json:"name"`
		Admin    bool      `json:"admin"`
		Created  time.Time `json:"created"`
		DeleteAt time.Time `json:"delete_at,omitzero"`
		Password time.Time `json:"password_changed,omitzero"`
	}
	sessionOut struct {
		ID       string    `json:"id"`
		Created  time.Time `json:"created"`
		LastSeen time.Time `json:"last_seen"`
		Method   string    `json:"method"`
		IP       string    `json:"ip"`
		Browser  string    `json:"user_agent"`
		Ended    time.Time `json:"ended,omitzero"`
	}
	browserOut struct {
		Created time.Time `json:"created"`
		Seen    time.Time `json:"last_seen"`
	}
	activityOut struct {
		ID       string    `json:"id"`
		At       time.Time `json:"at"`
		Exchange string    `json:"exchange"`
		Outcome  string    `json:"outcome"`
		Ref      string    `json:"ref,omitzero"`
		Session  string    `json:"session,omitzero"`
		Client   string    `json:"client,omitzero"`
		Other    bool      `json:"by_somebody_else,omitzero"`
		IP       string    `json:"ip,omitzero"`
		Browser  string    `json:"user_agent,omitzero"`
	}
)

func copyOf(issuer string, c exchange.Copy) copyOut {
	u := c.User
	out := copyOut{Made: c.Made, Issuer: issuer, Older: c.More, Sessions: []sessionOut{}, Browsers: []browserOut{}, Activity: []activityOut{},
		Account: accountOut{u.ID.String(), u.Email, u.Verified, u.Name, u.Admin, u.Created, u.DeleteAt, c.PasswordChanged}}
	for _, s := range c.Sessions {
		out.Sessions = append(out.Sessions, sessionOut{s.ID.String(), s.Created, s.LastSeen, s.Method, s.IP, s.UserAgent, s.Ended})
	}
	for _, d := range c.Browsers {
		out.Browsers = append(out.Browsers, browserOut{d.Created, d.Seen})
	}
	for _, e := range c.Entries {
		a := activityOut{ID: e.ID.String(), At: e.At, Exchange: "unknown", Outcome: "passed", Ref: e.Ref, Client: e.Client, Other: e.Actor != "", IP: e.Personal.IP, Browser: e.Personal.UserAgent}
		if e.Exchange != nil {
			a.Exchange = e.Exchange.Name
		}
		if e.Refused {
			a.Outcome = "refused"
		}
		if !e.Session.IsZero() {
			a.Session = e.Session.String()
		}
		out.Activity = append(out.Activity, a)
	}
	return out
}

func (v *visit) exportPage() ExportPage {
	return ExportPage{Shell: v.shell(), Form: v.blank(""), Explain: exchange.ExportExchange().Sentences()}
}

func (v *visit) showExport() error {
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(exportAt, err)
	}
	return v.show(v.exportPage())
}

// export answers with a file. It is asked for by a form of ours, so that no page elsewhere makes a browser fetch it.
func (v *visit) export() error {
	form, err := v.form()
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.exportPage()
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
	c, _ := v.cookies()
	out, err := v.exchange.Export(v.ctx(), v.caller(), c.Cookie)
	switch faultOf(err) {
	case fault.Stale:
		return v.seeOther(bound("/step-up", exportAt))
	case fault.Unauthenticated:
		v.forget()
		return v.toSignIn(exportAt, nil)
	}
	if err != nil {
		return err
	}
	ui.Headers(v.w.Header())
	v.w.Header().Set("Content-Disposition", `attachment; filename="account.json"`)
	door.WriteJSON(v.w, "application/json", http.StatusOK, copyOf(v.exchange.Policy().Issuer, out))
	return nil
}
