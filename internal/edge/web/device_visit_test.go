package web_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/web"
)

// television is a device that begins from somewhere, and asks what came of it.
type television struct {
	t *testing.T
	x *exchange.Exchanges
	exchange.DeviceWaiting
}

var livingRoom = settle.Caller{Addr: netip.MustParseAddr("203.0.113.88"), UserAgent: "FilmsTV/2.1 <script>alert(1)</script>"}

func (g *rig) television(x *exchange.Exchanges) *television {
	g.t.Helper()
	if !g.store.View(g.t.Context()).Client("films").Exists() {
		u := core.Unit{client.Create{ID: "films", Name: "Films", Type: "native", Auth: "none", Scopes: []string{"openid", "films:watch"}, Grants: []string{client.GrantDevice}, TokenFormat: client.JWT, Created: g.clock.Now()}}
		if _, err := g.store.Commit(g.t.Context(), u); err != nil {
			g.t.Fatal(err)
		}
	}
	w, err := x.DeviceBegin(g.t.Context(), livingRoom, exchange.ClientProof{ID: "films"}, exchange.Asked{Scope: "openid films:watch"})
	if err != nil {
		g.t.Fatal(err)
	}
	return &television{g.t, x, w}
}

func (tv *television) asks() error {
	_, err := tv.x.DeviceRedeem(tv.t.Context(), livingRoom, exchange.ClientProof{ID: "films"}, tv.DeviceCode, exchange.Asked{})
	return err
}

func where(a netip.Addr) risk.Place {
	switch a {
	case livingRoom.Addr:
		return risk.Place{City: "Hanoi", Country: "VN", Land: "Vietnam", Lat: 21, Lon: 105.8}
	case netip.MustParseAddr("203.0.113.7"):
		return risk.Place{City: "Madrid", Country: "ES", Land: "Spain", Lat: 40.4, Lon: -3.7}
	}
	return risk.Place{}
}

func deviceRig(t *testing.T, scale int) (*rig, *exchange.Exchanges) {
	var x *exchange.Exchanges
	g := newRig(t, live, scale, func(p *exchange.Policy, c *web.Config) {
		p.Where = where
		c.Exchange = &interposed{first: func() {}, got: &x}
	})
	return g, x
}

// DV-04: the code is shown again, with who asks, from where and since when; nothing is allowed before a button of that
// page was pressed.
func TestADeviceIsComparedAndAllowed(t *testing.T) {
	t.Parallel()
	g, x := deviceRig(t, 1000)
	tv := g.television(x)
	b := g.browser()
	b.get("/device?user_code=" + tv.UserCode).to("/sign-in?return_to=" + url.QueryEscape("/device?user_code="+tv.UserCode))
	b.signIn(ana)
	// A link fills the code in, and goes no further.
	form := b.get("/device?user_code="+tv.UserCode).is(200).says("Connect a device", "Eight letters").form("/device")
	if form.Get("user_code") != tv.UserCode {
		t.Errorf("the form holds %v", form)
	}
	g.clock.pass(20 * time.Second)
	typed := strings.ToLower(strings.ReplaceAll(tv.UserCode, "-", " "))
	to := b.post("/device", with(form, "user_code", typed)).is(303).header.Get("Location")
	var page *answer
	for range 5 { // looking is not allowing
		page = b.get(to).is(200)
	}
	page.says("Does your device show this code? "+tv.UserCode, "for the app Films", "It asked 20 seconds ago, near Hanoi, VN (approximate), from 203.0.113.88.", "You are near Madrid, ES.", "You and the device seem to be far apart.",
		"You are Ana", "know that it is you whenever you come back", "If someone sent you the code or the link, it is a trick.")
	if page.header.Get("X-Frame-Options") != "DENY" || !strings.Contains(page.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("AS-16: the page can be framed")
	}
	if strings.Contains(page.body, "<script>alert") {
		t.Error("OAU-27: the device's name is markup")
	}
	if err := tv.asks(); !refusedAs(err, "device.answered") {
		t.Errorf("before anybody answered: %v", err)
	}
	done := b.post("/device/confirm", page.form("/device/confirm")).is(303).header.Get("Location")
	b.get(done).is(200).says("Your device is connected")
	g.clock.pass(6 * time.Second)
	if err := tv.asks(); err != nil {
		t.Errorf("the device gets nothing: %v", err)
	}
	b.get("/account/apps").says("Films", "know that it is you whenever you come back")
	b.get("/account/activity").says("You allowed a device to use your account")
	// Once.
	b.post("/device/confirm", page.form("/device/confirm")).is(422).says("No device is waiting with this code.")
}

// OAU-23, DV-05: a device of an application that asks nobody again costs the proof that it is its person; then the code is
// compared again.
func TestADeviceOfOurOwnCostsAProof(t *testing.T) {
	t.Parallel()
	g, x := deviceRig(t, 1000)
	u := core.Unit{client.Create{ID: "films", Name: "Films", Type: "native", FirstParty: true, Auth: "none", Scopes: []string{"openid", "films:watch"}, Grants: []string{client.GrantDevice}, TokenFormat: client.JWT, Created: g.clock.Now()}}
	if _, err := g.store.Commit(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	b := g.browser().signIn(ana)
	g.clock.pass(2 * time.Hour)
	tv := g.television(x)
	confirm := func() *answer {
		page := b.get(b.post("/device", with(b.get("/device").form("/device"), "user_code", tv.UserCode)).is(303).header.Get("Location")).is(200)
		return b.post("/device/confirm", page.form("/device/confirm")).is(303)
	}
	back := "/device?user_code=" + tv.UserCode
	a := confirm().to("/step-up?return_to=" + url.QueryEscape(back))
	if err := tv.asks(); !refusedAs(err, "device.answered") {
		t.Errorf("without a proof: %v", err)
	}
	page := b.get(a.header.Get("Location")).is(200)
	b.post("/step-up", with(page.form("/step-up"), "password", password)).to(back)
	confirm().to("/device/done?was=allowed")
}

func TestADeviceIsDenied(t *testing.T) {
	t.Parallel()
	g, x := deviceRig(t, 1000)
	tv := g.television(x)
	b := g.browser().signIn(ana)
	page := b.get(b.post("/device", with(b.get("/device").form("/device"), "user_code", tv.UserCode)).is(303).header.Get("Location")).is(200)
	done := b.post("/device/deny", page.form("/device/deny")).is(303).header.Get("Location")
	b.get(done).is(200).says("The device was not connected", "See where you are signed in")
	if err := tv.asks(); !refusedAs(err, "device.allowed") {
		t.Errorf("the device is told %v", err)
	}
	if g.store.View(t.Context()).Consent(g.people[ana], "films").Exists() {
		t.Error("something was allowed")
	}
}

// Attack OAU-23: nobody answers who did not type the code, and no link, no GET and no other site answers for somebody.
func TestNobodyElseAnswersADevice(t *testing.T) {
	t.Parallel()
	g, x := deviceRig(t, 1000)
	tv := g.television(x)
	b, other := g.browser().signIn(ana), g.browser().signIn(ben)
	to := b.post("/device", with(b.get("/device").form("/device"), "user_code", tv.UserCode)).is(303).header.Get("Location")
	form := b.get(to).form("/device/confirm")
	its := other.get("/device").form("/device")
	other.get(to).to("/device")
	del := with(its, "flow", form.Get("flow"))
	del.Del("user_code")
	other.post("/device/confirm", del).to("/device")
	b.post("/device/confirm", form, header("Sec-Fetch-Site", "cross-site")).is(403)
	b.post("/device/confirm", with(form, "csrf", "x")).is(422).says("Does your device show this code?")
	b.post("/device/confirm?flow="+form.Get("flow"), form).is(400)
	b.get("/device/confirm?" + form.Encode()).is(400)
	b.get("/device/deny").is(405)
	// The other one types it too: then the first one's page is no answer any more.
	other.post("/device", with(its, "user_code", tv.UserCode)).is(303)
	b.post("/device/confirm", form).is(422)
	if err := tv.asks(); !refusedAs(err, "device.answered") {
		t.Errorf("the device is told %v", err)
	}
	g.clock.pass(11 * time.Minute)
	b.get(to).to("/device")
}

// Attack OAU-24: five wrong codes, then a pause, in which a right one does not work either.
func TestWrongCodesOfDevices(t *testing.T) {
	t.Parallel()
	g, x := deviceRig(t, 1)
	tv := g.television(x)
	b := g.browser().signIn(ana)
	form := b.get("/device").form("/device")
	b.post("/device", form).is(422).says("Enter the code that your device shows.")
	for _, wrong := range []string{"BBBB-BBBB", "1234", "<script>alert(1)</script>", "ÄÖÜß", "BCDF-GHJK"} {
		a := b.post("/device", with(form, "user_code", wrong)).is(422).says("No device is waiting with this code.")
		if strings.Contains(a.body, "<script>alert") {
			t.Error("OAU-27: a typed code is markup")
		}
	}
	a := b.post("/device", with(form, "user_code", tv.UserCode)).is(429).says("Too many tries.")
	if a.header.Get("Retry-After") == "" {
		t.Log("the form says when; the header does not")
	}
}

func refusedAs(err error, id string) bool {
	var e *check.Refusal
	return errors.As(err, &e) && e.Check().ID == id
}
