// Package web is what people see in the browser: sign-in, step-up, sign-out, the account pages and the page that
// says why not. A page is a folder with its templates; the struct of the same name beside it holds what it shows.
package web

import (
	"embed"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

//go:embed */*.html *.html
var files embed.FS

// A Person is who is signed in, as they know themselves.
type Person struct {
	Name  string // may be empty
	Email string
}

// An Effect is what an ending takes away and what it cannot take back at once: said before the act and after it.
type Effect struct {
	Ends  []ui.Message // at once: EndsBrowser, EndsSession, EndsSessions, EndsPermission, EndsTokens
	Tells []ui.Message // applications that will be told: TellsApp
	Lasts []ui.Message // what works on for a while: LastsAlone before, LastedAlone after
}

// EndsBrowser is this browser's own session at host.
func EndsBrowser(host string) ui.Message { return ui.Say("effect.browser", "host", host) }

// EndsSession is the session of a device at host; the device may be empty.
func EndsSession(device, host string) ui.Message {
	return ui.Say("effect.session", "device", named(device), "host", host)
}

// named is a device as an argument of a message.
func named(device string) any {
	if device == "" {
		return ui.Say("sessions.unknown_device")
	}
	return device
}

// EndsSessions is a number of sessions other than this browser's.
func EndsSessions(n int) ui.Message { return ui.Say("effect.sessions", "n", n) }

// TellsApp is an application that will be told.
func TellsApp(app string) ui.Message { return ui.Say("effect.told_app", "app", app) }

// EndsTokens is what is cut from the sessions that end: refresh tokens at once, access tokens where revocations are
// followed.
func EndsTokens() ui.Message { return ui.Say("effect.tokens") }

// EndedOne is another session, and EndedOthers all others, on the page after the act.
func EndedOne() ui.Message { return ui.Say("effect.ended_one") }

// EndedOthers see EndedOne.
func EndedOthers() ui.Message { return ui.Say("effect.ended_others") }

// LastsAlone is access tokens at APIs that check tokens by themselves, until the last of them expires.
func LastsAlone(until time.Time) ui.Message { return ui.Say("effect.alone", "until", until) }

// LastedAlone is LastsAlone after the act, in minutes from it.
func LastedAlone(minutes int) ui.Message { return ui.Say("effect.alone_for", "n", minutes) }

// ByPassword names the password among the ways to sign in.
func ByPassword() ui.Message { return ui.Say("method.password") }
