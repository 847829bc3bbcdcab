package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	deviceTemplate        = ui.Load(files, "parts.html", "device/page.html")
	deviceConfirmTemplate = ui.Load(files, "parts.html", "permissions.html", "device/confirm.html")
	deviceDoneTemplate    = ui.Load(files, "parts.html", "device/done.html")
)

// DevicePage asks for the code that a device shows (RFC 8628 section 3.3). It posts to /device the fields csrf,
// user_code.
type DevicePage struct {
	ui.Shell
	ui.Form
	Code    string // as typed, or as the device's link has it
	Explain []string
}

// Title heads the page.
func (DevicePage) Title() ui.Message { return ui.Say("device.title") }

// Button names the main button.
func (DevicePage) Button() ui.Message { return ui.Say("device.submit") }

// Render writes the page.
func (p DevicePage) Render(w io.Writer) error { return deviceTemplate.Render(w, p.Lang, p) }

// DeviceUnknown is a code that no device waits with.
func DeviceUnknown(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("device.unknown"), Detail: ui.Say("device.unknown_now"), Check: check, Ref: ref, Fields: []ui.FieldAlert{{ID: "user-code"}}}
}

// DeviceMissing is an empty field.
func DeviceMissing() *ui.Alert {
	return &ui.Alert{Title: ui.Say("missing.title"), Fields: []ui.FieldAlert{{ID: "user-code", Text: ui.Say("device.missing")}}}
}

// DeviceConfirmPage shows the code again with what is known of the device (RFC 8628 section 5.4), and asks. It posts
// to /device/confirm, or to /device/deny, the fields csrf, flow. App must be set.
type DeviceConfirmPage struct {
	ui.Shell
	ui.Form
	Flow string // what was found, sealed
	Code string // in two groups
	Person
	Change  string // where another account can be chosen: a path of ours
	Device  string // what asked, by its user agent: "curl"; empty when unknown
	Ago     time.Duration
	Place   string // of the device: "Hanoi, VN"; empty when unknown
	IP      string
	Here    string // of this browser; empty when unknown
	Far     bool   // the two are far apart
	Asked   []Permission
	Lasts   ui.Message
	Explain []string
}

// Title heads the page.
func (DeviceConfirmPage) Title() ui.Message { return ui.Say("device.compare") }

// Lead is true: the code is compared before a button is reached.
func (p DeviceConfirmPage) Lead() bool { return p.Alert == nil }

// Button names the main button.
func (DeviceConfirmPage) Button() ui.Message { return ui.Say("consent.submit") }

// Started is how long ago the device asked.
func (p DeviceConfirmPage) Started() ui.Message { return Ago(p.Ago) }

// Asks is what asked, for which application.
func (p DeviceConfirmPage) Asks() ui.Message {
	return ui.Say("device.asks", "device", named(p.Device), "app", p.App.Name)
}

// Render writes the page.
func (p DeviceConfirmPage) Render(w io.Writer) error {
	return deviceConfirmTemplate.Render(w, p.Lang, p)
}

// DeviceDonePage is what came of it.
type DeviceDonePage struct {
	ui.Shell
	Allowed bool
}

// Title heads the page.
func (p DeviceDonePage) Title() ui.Message {
	if p.Allowed {
		return ui.Say("device.allowed")
	}
	return ui.Say("device.denied")
}

// Render writes the page.
func (p DeviceDonePage) Render(w io.Writer) error { return deviceDoneTemplate.Render(w, p.Lang, p) }
