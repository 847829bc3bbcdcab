package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// proving takes a fresh proof for a session.
type proving interface {
	StepUp(ctx context.Context, by settle.Caller, cookie, password string) (newCookie string, err error)
}

func (v *visit) showStepUp() error {
	q, err := door.Params(v.r, "return_to")
	if err != nil {
		return err
	}
	to := v.destination(q)
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(to, err)
	}
	return v.show(v.stepUpPage(who, to))
}

func (v *visit) stepUpPage(who exchange.Who, to string) StepUpPage {
	page := StepUpPage{Shell: v.shellFor(to), Form: v.blank(to), Email: who.User.Email, Why: AskedToGoOn(),
		Proved: who.Session.AuthTime, Back: home, Explain: exchange.StepUpExchange().Sentences()}
	if page.App != nil {
		page.Why = AskedByApp(page.App.Name)
	} else if strings.HasPrefix(to, sessionsAt+"/") {
		page.Why, page.Back = AskedToEnd(), sessionsAt
	} else if strings.HasPrefix(to, profileAt) {
		page.Why, page.Back = AskedToMove(), profileAt
	} else if to == exportAt {
		page.Why, page.Back = AskedToExport(), profileAt
	} else if to == deleteAt {
		page.Why, page.Back = AskedToDelete(), profileAt
	}
	return page
}

func (v *visit) stepUp() error {
	// The name is there for password managers: who must prove it is the session's person.
	form, err := v.form("username", "password")
	if err != nil {
		return err
	}
	to := v.destination(form)
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(to, err)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.stepUpPage(who, to)
		switch c := e.Check(); c {
		case formToken:
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		case factor.PasswordFits:
			page.Alert = StepUpWrong(c.Shown, e.Ref)
			return page, http.StatusUnprocessableEntity
		default:
			alert, code := v.later(e)
			page.Alert = alert
			return pageIf(alert != nil, page), code
		}
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if form.Get("password") == "" {
		page := v.stepUpPage(who, to)
		page.Alert = StepUpMissing()
		return ui.Write(v.w, http.StatusUnprocessableEntity, page)
	}
	c, _ := v.cookies()
	cookie, err := v.exchange.StepUp(v.ctx(), v.caller(), c.Cookie, form.Get("password"))
	if faultOf(err) == fault.Unauthenticated && !refusedBy(err, factor.PasswordFits) {
		v.forget() // it ended while they typed
		return v.toSignIn(to, nil)
	}
	if err != nil {
		return err
	}
	v.remember(cookie, "", who.Session.MaxUntil)
	v.newKey()
	return v.seeOther(to)
}
