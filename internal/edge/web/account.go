package web

import (
	"io"
	"net/url"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	homeTemplate     = ui.Load(files, "parts.html", "account/nav.html", "account/home.html")
	sessionsTemplate = ui.Load(files, "parts.html", "account/nav.html", "account/sessions.html")
	endTemplate      = ui.Load(files, "parts.html", "account/nav.html", "account/end.html")
)

// HomePage is /account. While the account is to be deleted it posts to /account/keep the field csrf.
type HomePage struct {
	ui.Shell
	ui.Form
	Person
	exchange.Facts
	Leaving time.Time // when the account is to be deleted; zero for never
}

// Title heads the page.
func (HomePage) Title() ui.Message { return ui.Say("account.title") }

// Section marks the place in the navigation.
func (HomePage) Section() string { return "home" }

// Render writes the page.
func (p HomePage) Render(w io.Writer) error { return homeTemplate.Render(w, p.Lang, p) }

// SessionsPage is /account/sessions. Each session has its own form, which says the effect before the act.
type SessionsPage struct {
	ui.Shell
	ui.Form
	Now       time.Time // decides who is active
	Sessions  []Session // in the order to show; the current one is shown first, apart
	EndOthers *Effect   // posts to /account/sessions/end-others; nil leaves the form out
	EndAll    *Effect   // posts to /account/sessions/end-all; nil leaves the form out
	Ended     *Effect   // the result of the act that led here
	Unknown   bool      // what ended was nobody the person knows
}

// Session is one row.
type Session struct {
	ID       string
	Device   string // "Firefox on Linux"; empty when unknown
	Method   ui.Message
	Created  time.Time
	LastSeen time.Time
	IP       string
	Place    string // "Madrid, ES"; empty when unknown
	Apps     []string
	Current  bool
	Effect   Effect // of ending it
}

// EndPath is where the form that ends the session posts, and where the page that asks first is.
func (s Session) EndPath() string { return "/account/sessions/" + url.PathEscape(s.ID) + "/end" }

// StoryPath is where the page is that says what happened in the session.
func (s Session) StoryPath() string { return "/account/sessions/" + url.PathEscape(s.ID) }

// UnknownPath is where the form is for a session that its person does not know.
func (s Session) UnknownPath() string { return s.StoryPath() + "/unknown" }

// Short is the front of the id, enough to tell one from another.
func (s Session) Short() string { return s.ID[:min(len(s.ID), 12)] }

// Title heads the page.
func (SessionsPage) Title() ui.Message { return ui.Say("sessions.title") }

// Section marks the place in the navigation.
func (SessionsPage) Section() string { return "sessions" }

// Render writes the page.
func (p SessionsPage) Render(w io.Writer) error { return sessionsTemplate.Render(w, p.Lang, p) }

// Group is sessions under one heading.
type Group struct {
	Heading  ui.Message
	Sessions []Session
}

// Groups puts this browser first.
func (p SessionsPage) Groups() []Group {
	here, elsewhere := Group{Heading: ui.Say("sessions.here")}, Group{Heading: ui.Say("sessions.elsewhere")}
	for _, s := range p.Sessions {
		if s.Current {
			here.Sessions = append(here.Sessions, s)
		} else {
			elsewhere.Sessions = append(elsewhere.Sessions, s)
		}
	}
	return []Group{here, elsewhere}
}

// Activity of a session: last seen is written in batches, so it is true to five minutes.
const (
	activeNow  = 5 * time.Minute
	activeHour = time.Hour
)

// Activity is how long ago a session was used, no finer than we know it.
func (p SessionsPage) Activity(s Session) string {
	switch ago := p.Now.Sub(s.LastSeen); {
	case ago <= activeNow:
		return "now"
	case ago <= activeHour:
		return "hour"
	default:
		return "earlier"
	}
}

// EndPage shows the effect of ending one session or many, and asks. It posts to its own address.
type EndPage struct {
	ui.Shell
	ui.Form
	Asks    ui.Message // AskEndSession, AskEndOthers, AskEndAll
	Device  string     // of the one session; empty for many
	Action  string     // Session.EndPath, /account/sessions/end-others or /account/sessions/end-all
	Effect  Effect
	Explain []string
}

// AskEndSession asks about one device; it may be empty.
func AskEndSession(device string) ui.Message { return ui.Say("end.device", "device", named(device)) }

// AskEndUnknown asks about a session that its person does not know.
func AskEndUnknown(device string) ui.Message { return ui.Say("end.unknown", "device", named(device)) }

// AskEndOthers asks about all but this browser.
func AskEndOthers() ui.Message { return ui.Say("end.others") }

// AskEndAll asks about all, this browser included.
func AskEndAll() ui.Message { return ui.Say("end.all") }

// Title heads the page.
func (p EndPage) Title() ui.Message { return p.Asks }

// Button names the main button.
func (EndPage) Button() ui.Message { return ui.Say("sessions.end") }

// Section marks the place in the navigation.
func (EndPage) Section() string { return "sessions" }

// Render writes the page.
func (p EndPage) Render(w io.Writer) error { return endTemplate.Render(w, p.Lang, p) }
