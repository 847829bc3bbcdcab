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
	Ends  []ui.Message // at once: EndsBrowser, EndsSession, EndsSessions, EndsRefresh
	Tells []ui.Message // applications informed: TellsApp before; AnsweredBy, SilentApp after
	Lasts []ui.Message // what works on for a while: LastsAccess
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

// EndsRefresh is what lets an application get new access tokens.
func EndsRefresh(app string) ui.Message { return ui.Say("effect.refresh", "app", app) }

// TellsApp is an application that will be told.
func TellsApp(app string) ui.Message { return ui.Say("effect.told_app", "app", app) }

// AnsweredBy is an application that was told and confirmed.
func AnsweredBy(app string) ui.Message { return ui.Say("effect.answered", "app", app) }

// SilentApp is an application that was told and has not confirmed.
func SilentApp(app string) ui.Message { return ui.Say("effect.silent", "app", app) }

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

// LastsAccess is a number of access tokens at an API that does not ask us, with the instant the last of them ends.
func LastsAccess(n int, api string, until time.Time) ui.Message {
	return ui.Say("effect.access", "n", n, "api", api, "until", until)
}

// ByPassword names the password among the ways to sign in.
func ByPassword() ui.Message { return ui.Say("method.password") }
