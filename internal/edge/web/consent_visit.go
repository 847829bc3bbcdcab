package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// consenting writes down what a person allows.
type consenting interface {
	// Spoken are authorization details in the sentences of their types.
	Spoken(ctx context.Context, details []client.Detail) ([]string, error)
	Allow(ctx context.Context, by settle.Caller, cookie string, r client.Request, chosen []string) error
}

const (
	consentAt = "/consent"
	chooseAt  = "/choose-account"
)

var consentPages = map[string]pages{
	consentAt:             {"GET": (*visit).showConsent, "POST": (*visit).allow},
	consentAt + "/cancel": {"POST": (*visit).cancel},
	chooseAt:              {"GET": (*visit).showChoose, "POST": (*visit).choose},
}

// stands says how a request that waits stands, and uses nothing up: of what this browser sends twice the second is
// answered like the first.
func (v *visit) stands(r client.Request) (exchange.Authorization, error) {
	c, _ := v.cookies()
	return v.exchange.Look(v.ctx(), v.caller(), c.Cookie, r)
}

func (v *visit) showConsent() error {
	q, err := door.Params(v.r, "flow")
	if err != nil {
		return err
	}
	r, _, err := v.pending(q.Get("flow"))
	if err != nil {
		return err
	}
	a, err := v.stands(r)
	if a.Missing != exchange.AConsent {
		return v.onwards(r, unavailable(err))
	}
	page, _, err := v.consentPage(a, r)
	if err != nil {
		return err
	}
	return v.show(page)
}

// consentPage asks for what a request is not allowed yet, and says which scopes go with Allow whatever is ticked.
func (v *visit) consentPage(a exchange.Authorization, r client.Request) (page ConsentPage, always []string, err error) {
	words, err := v.exchange.Permissions(v.ctx())
	if err != nil {
		return page, nil, err
	}
	flow, err := v.hold(r)
	if err != nil {
		return page, nil, err
	}
	page = ConsentPage{Shell: v.shellOf(a), Form: v.blank(""), Flow: flow, Person: Person{Name: a.User.Name, Email: a.User.Email}, Change: chooseAt + "?flow=" + flow,
		Lasts: v.lasts(a.Client, a.Scopes), At: resourcesOf(a, r), Explain: exchange.AllowExchange().Sentences()}
	if a.Client.SelfRegistered {
		page.Registered = max(v.now().Sub(a.Client.Created), time.Second)
	}
	again := a.Consent.Settles(a.Scopes) && a.Consent.Agrees(a.Details) // the application wants it asked again (prompt=consent)
	if page.Details, err = v.detailed(a, again); err != nil {
		return page, nil, err
	}
	for _, s := range a.Scopes {
		may := MayUse(s, words[s].Says)
		switch known := slices.Contains(a.Consent.Scopes, s); {
		case known && !again:
			page.Before = append(page.Before, may)
		case words[s].Optional:
			may.Ticked = known
			page.Optional = append(page.Optional, may)
			continue
		default:
			page.Asked = append(page.Asked, may)
		}
		always = append(always, s)
	}
	if len(always) == 0 { // to allow nothing of it is to cancel
		page.Asked, page.Optional, always = page.Optional, nil, a.Scopes
	}
	if len(page.Before) > 0 {
		page.Since = a.Consent.Changed
	}
	return page, always, nil
}

// detailed are the authorization details that are asked for in words: those that are new, or all of them again.
func (v *visit) detailed(a exchange.Authorization, again bool) (out []Detailed, err error) {
	if len(a.Details) == 0 {
		return nil, nil
	}
	says, err := v.exchange.Spoken(v.ctx(), a.Details)
	for i, d := range a.Details {
		if !again && a.Consent.Agrees([]client.Detail{d}) {
			continue
		}
		one := Detailed{Type: d.Type, Says: says[i]}
		names, values := d.Members()
		for k, name := range names {
			one.Holds = append(one.Holds, Detail{Name: name, Value: values[k]})
		}
		out = append(out, one)
	}
	return out, err
}

// resourcesOf are where an application would use what it is allowed.
func resourcesOf(a exchange.Authorization, r client.Request) []string {
	if len(r.Resources) > 0 {
		return r.Resources
	}
	return a.Client.Resources
}

// A decision is what a form says about a request that waits for one.
type decision struct {
	client.Request
	chosen []string // scopes: what goes with Allow, and what was ticked
	late   bool     // the request waits for something else by now, or for nothing
}

// decide reads a form of the consent page, and holds that it was made for this browser.
func (v *visit) decide() (d decision, err error) {
	if err = v.door.FromOwn(v.r); err != nil {
		return d, err
	}
	if _, err = door.Params(v.r); err != nil {
		return d, err
	}
	form, ticked, err := door.Boxes(v.w, v.r, "scope", "csrf", "flow")
	if err != nil {
		return d, err
	}
	if d.Request, d.late, err = v.pending(form.Get("flow")); err != nil || d.late {
		return d, err
	}
	a, err := v.stands(d.Request)
	if a.Missing != exchange.AConsent {
		d.late = true
		return d, unavailable(err)
	}
	page, always, err := v.consentPage(a, d.Request)
	if err != nil {
		return d, err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		if e.Check() == formToken {
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		}
		alert, code := v.later(e)
		page.Alert = alert
		return pageIf(alert != nil, page), code
	}
	d.chosen = slices.Compact(slices.Sorted(slices.Values(append(always, ticked...))))
	return d, v.ours(form)
}

// unavailable passes errors that are no refusal of a check.
func unavailable(err error) error {
	var e *check.Refusal
	if errors.As(err, &e) {
		return nil
	}
	return err
}

func (v *visit) allow() error {
	d, err := v.decide()
	if err != nil || d.late {
		return v.onwards(d.Request, err)
	}
	c, _ := v.cookies()
	err = v.exchange.Allow(v.ctx(), v.caller(), c.Cookie, d.Request, d.chosen)
	if faultOf(err) == fault.Unauthenticated {
		v.forget() // it ended while they read
		err = nil
	}
	return v.onwards(d.Request, err)
}

func (v *visit) cancel() error {
	d, err := v.decide()
	d.Request.Refused = !d.late
	return v.onwards(d.Request, err)
}

// onwards leads to the last page of ours, which knows what a request waits for.
func (v *visit) onwards(r client.Request, err error) error {
	if err != nil {
		return err
	}
	flow, err := v.hold(r)
	if err != nil {
		return err
	}
	return v.seeOther("/return?flow=" + flow)
}

func (v *visit) showChoose() error {
	q, err := door.Params(v.r, "flow")
	if err != nil {
		return err
	}
	r, _, err := v.pending(q.Get("flow"))
	if err != nil {
		return err
	}
	page, in, err := v.choosePage(r)
	if err != nil || !in {
		return v.toSignIn(page.Another, err)
	}
	return v.show(page)
}

// choosePage is the card of whoever is signed in. Without anybody there is nothing to choose: Another is the request.
func (v *visit) choosePage(r client.Request) (page ChoosePage, in bool, err error) {
	flow, err := v.hold(r)
	if err != nil {
		return page, false, err
	}
	back := authorizeAt + "?flow=" + flow
	who, err := v.who()
	if err != nil || !who.Exists() {
		return ChoosePage{Another: back}, false, err
	}
	shell := v.shell()
	if a, err := v.exchange.Asking(v.ctx(), r); err == nil {
		shell = v.shellOf(a)
	}
	return ChoosePage{Shell: shell, Form: v.blank(""), Flow: flow, Person: personOf(who), Used: v.now(),
		Another: "/sign-in?another=1&return_to=" + url.QueryEscape(back)}, true, nil
}

// choose goes on as whoever is signed in.
func (v *visit) choose() error {
	form, err := v.form("flow")
	if err != nil {
		return err
	}
	r, _, err := v.pending(form.Get("flow"))
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page, in, err := v.choosePage(r)
		if e.Check() != formToken || err != nil || !in {
			return nil, 0
		}
		page.Shell = v.spoiled(page.Shell, e)
		return page, http.StatusUnprocessableEntity
	}
	if err := v.ours(form); err != nil {
		return err
	}
	r.Chosen = v.now()
	return v.onwards(r, nil)
}
