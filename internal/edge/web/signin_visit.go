package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// signing makes sessions, and lets those who have one go on.
type signing interface {
	Password(context.Context, settle.Caller, exchange.PasswordInput) (exchange.Tokens, error)
	Resume(ctx context.Context, by settle.Caller, cookie, origin string) (exchange.Tokens, error)
}

func (v *visit) showSignIn() error {
	q, err := door.Params(v.r, "return_to", "another")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil {
		return err
	}
	to := v.destination(q)
	page := v.signInPage(to)
	if who.Exists() && q.Get("another") == "" {
		page.Already = already(who, to)
	}
	return v.show(page)
}

func (v *visit) signInPage(to string) SignInPage {
	r, _ := v.waits(to)
	page := SignInPage{Shell: v.shellFor(to), Form: v.blank(to), Explain: exchange.PasswordSignIn().Sentences()}
	if _, ok := identity.Canonical(r.Hint); ok { // nobody's sentences stand on our page
		page.Email = r.Hint
	}
	if v.exchange.SignsUp() {
		page.SignUp = bound(signUpAt, to)
	}
	return page
}

func already(who exchange.Who, to string) *Already {
	another := url.Values{"another": {"1"}}
	if to = unlessHome(to); to != "" {
		another.Set("return_to", to)
	}
	return &Already{Person: personOf(who), Another: "/sign-in?" + another.Encode()}
}

func personOf(who exchange.Who) Person { return Person{Name: who.User.Name, Email: who.User.Email} }

func (v *visit) signIn() error {
	form, err := v.form("username", "password")
	if err != nil {
		return err
	}
	to, email, password := v.destination(form), form.Get("username"), form.Get("password")
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.signInPage(to)
		page.Email = email
		switch c := e.Check(); {
		case c == formToken:
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		case c.Fault == fault.Unauthenticated:
			page.Alert = SignInWrong(c.Shown, e.Ref)
			return page, http.StatusUnprocessableEntity
		case c == identity.IsActive:
			page.Alert = Paused(page.Host, c.Shown, e.Ref)
			return page, http.StatusForbidden
		case c == factor.PasswordTrusted:
			page.Alert = Distrusted(c.Shown, e.Ref)
			return page, http.StatusForbidden
		default:
			alert, code := v.later(e)
			page.Alert = alert
			return pageIf(alert != nil, page), code
		}
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if email == "" || password == "" {
		page := v.signInPage(to)
		page.Email, page.Alert = email, SignInMissing(email == "", password == "")
		return ui.Write(v.w, http.StatusUnprocessableEntity, page)
	}
	old, _ := v.cookies()
	t, err := v.exchange.Password(v.ctx(), v.caller(), exchange.PasswordInput{Email: email, Password: password, Origin: v.own(), Replaces: old.Cookie})
	if err != nil {
		return err
	}
	return v.enter(t, to)
}

// slowed are the budgets that are no tries: what there was too much of.
var slowed = map[*check.Check]ui.Message{risk.MailsCalm: ui.Say("mails.calm"), risk.SignUpsCalm: ui.Say("signup.calm")}

// later is what a form says when the same act may be tried again, unchanged: the alert, or nil for other refusals.
func (v *visit) later(e *check.Refusal) (*ui.Alert, int) {
	switch c := e.Check(); c.Fault {
	case fault.Slow:
		alert := Slowed(v.now(), e.RetryAfter, c.Shown, e.Ref)
		if title, ok := slowed[c]; ok {
			alert.Title = title
		}
		return alert, http.StatusTooManyRequests
	case fault.Busy:
		return TryLater(c.Shown, e.Ref), http.StatusServiceUnavailable
	}
	return nil, 0
}

func pageIf(ok bool, p ui.Page) ui.Page {
	if ok {
		return p
	}
	return nil
}

// goOn gives a browser that is signed in a refresh token again, for the applications that share its session.
func (v *visit) goOn() error {
	form, err := v.form()
	if err != nil {
		return err
	}
	to := v.destination(form)
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(to, err)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.signInPage(to)
		page.Already = already(who, to)
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
	c, _ := v.cookies()
	t, err := v.exchange.Resume(v.ctx(), v.caller(), c.Cookie, v.own())
	switch faultOf(err) {
	case fault.Unauthenticated:
		v.forget()
		return v.toSignIn(to, nil)
	case fault.Stale:
		// Proved again, they press Continue again: a step-up gives no refresh token.
		return v.seeOther(bound("/step-up", bound("/sign-in", to)))
	}
	if err != nil {
		return err
	}
	v.remember("", t.Refresh, t.Session.MaxUntil)
	return v.seeOther(to)
}
