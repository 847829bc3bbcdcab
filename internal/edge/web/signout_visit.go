package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// What ended, as the address of the next page says it: a closed list, so that a link can say nothing else.
const (
	endedHere    = "here"   // this browser's session
	endedOne     = "1"      // another session
	endedOthers  = "others" // all but this browser's
	endedAll     = "all"
	endedUnknown = "unknown" // another session, that its person does not know
)

func (v *visit) showSignOut() error {
	q, err := door.Params(v.r, "return_to", "flow")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil {
		return err
	}
	// A browser may have kept one of the two cookies only.
	to := v.destination(q)
	wish, wished := v.wishOf(q.Get("flow"))
	if wished {
		to = "/return?flow=" + q.Get("flow")
	}
	if c, _ := v.cookies(); !who.Exists() && c.Refresh == "" {
		if wished && wish.Redirect != "" {
			return v.seeOther(to)
		}
		return v.seeOther("/signed-out")
	}
	return v.show(v.signOutPage(to))
}

func (v *visit) signOutPage(to string) SignOutPage {
	page := SignOutPage{Shell: v.shell(), Form: v.blank(to), Back: to, Explain: exchange.SignOutExchange().Sentences(),
		Effect: v.effect(EndsBrowser(v.door.Issuer.Host))}
	page.Effect.Tells = v.told()
	if wish, ok := v.wishOf(flowOf(to)); ok {
		// Who wishes it may be anybody: "stay" goes nowhere but home.
		page.Back = home
		if c, err := v.exchange.App(v.ctx(), wish.Client); err == nil && c.Exists() {
			if !slices.Contains(c.PostLogout, wish.Redirect) {
				wish.Redirect = "" // it stands for nobody
			}
			page.App, page.Asked = &ui.App{Name: nameOf(c), Domain: domainOf(c, wish.Redirect)}, true
		}
	}
	return page
}

func (v *visit) signOut() error {
	form, err := v.form()
	if err != nil {
		return err
	}
	to := v.destination(form)
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.signOutPage(to)
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
	ended := endedHere
	c, _ := v.cookies()
	if _, err := v.exchange.SignOut(v.ctx(), v.caller(), c); faultOf(err) == fault.Unauthenticated {
		ended = "" // nobody was signed in: that is what was wanted
	} else if err != nil {
		return err
	}
	wish, wished := v.wishOf(flowOf(to))
	v.leave()
	if wished && wish.Redirect != "" {
		return v.seeOther(to)
	}
	if wished {
		to = home
	}
	return v.seeOther(signedOutAt(ended, to))
}

// flowOf is the sealed request in an address of ours.
func flowOf(to string) string {
	_, flow, _ := strings.Cut(to, "/return?flow=")
	return flow
}

func signedOutAt(ended, to string) string {
	q := url.Values{}
	if ended != "" {
		q.Set("ended", ended)
	}
	if to = unlessHome(to); to != "" {
		q.Set("return_to", to)
	}
	if len(q) == 0 {
		return "/signed-out"
	}
	return "/signed-out?" + q.Encode()
}

func (v *visit) showSignedOut() error {
	q, err := door.Params(v.r, "ended", "return_to")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil {
		return err
	}
	if who.Exists() { // the page would not be true
		return v.seeOther(home)
	}
	page := SignedOutPage{Shell: v.shell(), SignIn: bound("/sign-in", v.destination(q))}
	here := EndsBrowser(v.door.Issuer.Host)
	switch q.Get("ended") {
	case endedHere:
		page.Effect = v.ended(here)
	case endedAll:
		page.Effect = v.ended(here, EndedOthers())
	}
	return v.show(page)
}
