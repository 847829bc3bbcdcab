package web

import (
	"context"
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// pairing lets a person answer a device.
type pairing interface {
	DeviceLook(ctx context.Context, by settle.Caller, cookie, typed string) (exchange.DeviceAsk, error)
	DeviceAllow(ctx context.Context, by settle.Caller, cookie, typed string) error
	DeviceDeny(ctx context.Context, by settle.Caller, cookie, typed string) error
}

const deviceAt = "/device"

var devicePages = map[string]pages{
	deviceAt:              {"GET": (*visit).showDevice, "POST": (*visit).findDevice},
	deviceAt + "/confirm": {"GET": (*visit).showConfirmDevice, "POST": (*visit).allowDevice},
	deviceAt + "/deny":    {"POST": (*visit).denyDevice},
	deviceAt + "/done":    {"GET": (*visit).showDeviceDone},
}

// farApart is from how many kilometres on the page warns: networks are not placed more exactly.
const farApart = 100

// comparing is the use of what was found of a device, while its person compares the codes.
const comparing = "device"

// compared is what the page of the comparison shows, as it was found when the code was typed. It is sealed for the
// browser in which it was typed: a link leads nobody past the first page (attack OAU-23; RFC 8628 section 5.4).
type compared struct {
	Code   string    `json:"c"`
	Client string    `json:"n"`
	Scopes []string  `json:"s,omitempty"`
	IP     string    `json:"i,omitzero"`
	Agent  string    `json:"u,omitzero"`
	At     time.Time `json:"a"`
}

func (v *visit) showDevice() error {
	q, err := door.Params(v.r, "user_code")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(v.r.URL.RequestURI(), err)
	}
	return v.show(v.devicePage(q.Get("user_code")))
}

// devicePage has the code filled in that a device's link brought: the comparison follows all the same.
func (v *visit) devicePage(code string) DevicePage {
	if len(code) > 32 {
		code = ""
	}
	return DevicePage{Shell: v.shell(), Form: v.blank(""), Code: code, Explain: exchange.DeviceExchange().Sentences()}
}

func (v *visit) findDevice() error {
	form, err := v.form("user_code")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(deviceAt, err)
	}
	code := form.Get("user_code")
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.devicePage(code)
		switch c := e.Check(); {
		case c == formToken:
			page.Shell = v.spoiled(page.Shell, e)
		case c == token.DeviceKnown:
			page.Alert = DeviceUnknown(c.Shown, e.Ref)
		default:
			alert, status := v.later(e)
			page.Alert = alert
			return pageIf(alert != nil, page), status
		}
		return page, http.StatusUnprocessableEntity
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if code == "" {
		page := v.devicePage("")
		page.Alert = DeviceMissing()
		return ui.Write(v.w, http.StatusUnprocessableEntity, page)
	}
	c, _ := v.cookies()
	ask, err := v.exchange.DeviceLook(v.ctx(), v.caller(), c.Cookie, code)
	if faultOf(err) == fault.Unauthenticated {
		v.forget()
		return v.toSignIn(deviceAt, nil)
	}
	if err != nil {
		return err
	}
	v.csrf()
	flow, fits := token.SealState(v.keys.Ring().State, comparing, v.key, compared{Code: ask.Code, Client: ask.Client.ID, Scopes: ask.Scopes,
		IP: ask.IP, Agent: ask.Agent, At: ask.At})
	if !fits {
		return check.Refuse(door.Body)
	}
	return v.seeOther(deviceAt + "/confirm?flow=" + flow)
}

// comparison opens what findDevice found, in the same browser and as long as a device can wait.
func (v *visit) comparison(flow string) (d compared, ok bool) {
	key, has := v.browserKey()
	return d, has && token.OpenState(v.keys.Ring().State, comparing, key, flow, &d) && v.now().Sub(d.At) < token.DeviceFor
}

func (v *visit) showConfirmDevice() error {
	q, err := door.Params(v.r, "flow")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(deviceAt, err)
	}
	d, ok := v.comparison(q.Get("flow"))
	if !ok {
		return v.seeOther(deviceAt)
	}
	page, err := v.confirmDevicePage(who, d, q.Get("flow"))
	if err != nil {
		return err
	}
	return v.show(page)
}

func (v *visit) confirmDevicePage(who exchange.Who, d compared, flow string) (DeviceConfirmPage, error) {
	words, err := v.exchange.Permissions(v.ctx())
	if err != nil {
		return DeviceConfirmPage{}, err
	}
	c, err := v.exchange.App(v.ctx(), d.Client)
	if err != nil {
		return DeviceConfirmPage{}, err
	}
	here, there := v.exchange.Policy().Place(v.caller().Addr.String()), v.exchange.Policy().Place(d.IP)
	shell := v.shell()
	shell.App = &ui.App{Name: nameOf(c), Domain: domainOf(c, "")}
	return DeviceConfirmPage{Shell: shell, Form: v.blank(""), Flow: flow, Code: d.Code, Person: personOf(who), Change: bound("/sign-in?another=1", deviceAt),
		Device: session.Named(d.Agent), Ago: v.now().Sub(d.At), Place: there.String(), IP: d.IP, Here: here.String(), Far: here.Known() && there.Known() && risk.Apart(here, there) > farApart,
		Asked: inWords(d.Scopes, words), Lasts: v.lasts(c, d.Scopes), Explain: exchange.DeviceExchange().Sentences()}, nil
}

func (v *visit) allowDevice() error { return v.answerDevice(v.exchange.DeviceAllow, "allowed") }
func (v *visit) denyDevice() error  { return v.answerDevice(v.exchange.DeviceDeny, "denied") }

func (v *visit) answerDevice(answer func(context.Context, settle.Caller, string, string) error, said string) error {
	form, err := v.form("flow")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(deviceAt, err)
	}
	d, ok := v.comparison(form.Get("flow"))
	if !ok {
		return v.seeOther(deviceAt)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		if c := e.Check(); c == token.DeviceKnown || c == token.DeviceEntered {
			page := v.devicePage("")
			page.Alert = DeviceUnknown(c.Shown, e.Ref)
			return page, http.StatusUnprocessableEntity
		}
		page, err := v.confirmDevicePage(who, d, form.Get("flow"))
		if e.Check() == formToken {
			page.Shell = v.spoiled(page.Shell, e)
			return pageIf(err == nil, page), http.StatusUnprocessableEntity
		}
		alert, status := v.later(e)
		page.Alert = alert
		return pageIf(alert != nil && err == nil, page), status
	}
	if err := v.ours(form); err != nil {
		return err
	}
	c, _ := v.cookies()
	err = answer(v.ctx(), v.caller(), c.Cookie, d.Code)
	switch faultOf(err) {
	case fault.Stale:
		return v.seeOther(bound("/step-up", deviceAt+"?user_code="+d.Code)) // it is compared again
	case fault.Unauthenticated:
		v.forget()
		return v.toSignIn(deviceAt, nil)
	}
	if err != nil {
		return err
	}
	return v.seeOther(deviceAt + "/done?was=" + said)
}

func (v *visit) showDeviceDone() error {
	q, err := door.Params(v.r, "was")
	if err != nil {
		return err
	}
	switch q.Get("was") {
	case "allowed", "denied":
		return v.show(DeviceDonePage{Shell: v.shell(), Allowed: q.Get("was") == "allowed"})
	}
	return v.seeOther(deviceAt)
}
