package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var consentTemplate = ui.Load(files, "parts.html", "permissions.html", "consent/page.html")

// ConsentPage asks whether an application may use the person's account (ASVS 10.7.1, 10.7.2). It posts to /consent the
// fields csrf, flow, and scope for each optional permission that is ticked; to /consent/cancel csrf and flow. App must
// be set.
type ConsentPage struct {
	ui.Shell
	ui.Form
	Flow string // the sealed request
	Person
	Change     string       // where another account can be chosen: a path of ours
	Asked      []Permission // what is new, and goes with Allow
	Optional   []Permission // what is new, and may be left out
	Before     []Permission // what was allowed at Since
	Since      time.Time
	Details    []Detailed    // what the request says beyond scopes (RFC 9396)
	At         []string      // the resources (RFC 8707); empty where the application has but one
	Lasts      ui.Message    // LastsWhileIn, LastsWhenAway
	Registered time.Duration // since the application registered itself; zero when somebody here did it
	Explain    []string
}

// A Permission is one thing that an application may do.
type Permission struct {
	Scope string
	Says  ui.Message
	Own   string // the operator's own sentence, instead of Says
	// Ticked is an optional one that is allowed already.
	Ticked bool
}

// Detailed is an authorization detail in words: what its type is for, and what it holds.
type Detailed struct {
	Type  string
	Says  string // the operator's sentence for the type
	Holds []Detail
}

// Title heads the page.
func (p ConsentPage) Title() ui.Message { return ui.Say("consent.title", "app", p.App.Name) }

// Lead is true: what is asked is read first, and no key says yes before a button was gone to.
func (p ConsentPage) Lead() bool { return p.Alert == nil }

// Button names the main button.
func (ConsentPage) Button() ui.Message { return ui.Say("consent.submit") }

// Ago is since when a self-registered application is known.
func (p ConsentPage) Ago() ui.Message { return Ago(p.Registered) }

// Exact are the scopes as they were sent.
func (p ConsentPage) Exact() (all []string) {
	for _, list := range [][]Permission{p.Asked, p.Optional, p.Before} {
		for _, one := range list {
			all = append(all, one.Scope)
		}
	}
	return all
}

// Render writes the page.
func (p ConsentPage) Render(w io.Writer) error { return consentTemplate.Render(w, p.Lang, p) }

// LastsWhileIn is an application that loses its tokens when the person signs out here.
func LastsWhileIn(most time.Duration) ui.Message {
	return ui.Say("consent.lasts_in", "time", Span(most))
}

// LastsWhenAway is one that keeps them.
func LastsWhenAway(idle, most time.Duration) ui.Message {
	return ui.Say("consent.lasts_away", "idle", Span(idle), "time", Span(most))
}

// Ago is how long ago something was, in one unit.
func Ago(d time.Duration) ui.Message { return ui.Say("time.ago", "time", Span(d)) }

// Span is a duration in the largest unit that it fills.
func Span(d time.Duration) ui.Message {
	switch d = max(d, 0); {
	case d < time.Minute:
		return ui.Say("time.seconds", "n", int(d/time.Second))
	case d < time.Hour:
		return ui.Say("time.minutes", "n", int(d/time.Minute))
	case d < 24*time.Hour:
		return ui.Say("time.hours", "n", int(d/time.Hour))
	}
	return ui.Say("time.days", "n", int(d/(24*time.Hour)))
}
