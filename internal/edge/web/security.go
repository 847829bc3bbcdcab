package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

var securityTemplate = ui.Load(files, "parts.html", "account/nav.html", "account/security.html")

// SecurityPage is /account/security. It posts to its own address the fields csrf, username (for password managers),
// password, new_password.
type SecurityPage struct {
	ui.Shell
	ui.Form
	Email   string
	Changed time.Time // when the password was chosen; zero when there is none
	Least   int       // how many characters a new one has
	Explain []string
}

// Title heads the page.
func (SecurityPage) Title() ui.Message { return ui.Say("security.title") }

// Button names the main button.
func (SecurityPage) Button() ui.Message { return ui.Say("security.submit") }

// Section marks the place in the navigation.
func (SecurityPage) Section() string { return "security" }

// Render writes the page.
func (p SecurityPage) Render(w io.Writer) error { return securityTemplate.Render(w, p.Lang, p) }

// PasswordChanged is the Status after the act.
func PasswordChanged() ui.Message { return ui.Say("security.changed") }

// securing shows and changes the ways to sign in.
type securing interface {
	Methods(context.Context, exchange.Who) (factor.Password, error)
	ChangePassword(ctx context.Context, by settle.Caller, cookie, current, chosen string) (newCookie string, err error)
}

const securityAt = "/account/security"

var securityPages = map[string]pages{
	securityAt: {"GET": (*visit).showSecurity, "POST": (*visit).changePassword},
	// W3C, A Well-Known URL for Changing Passwords.
	"/.well-known/change-password": {"GET": func(v *visit) error { return v.seeOther(securityAt + "#password") }},
}

func (v *visit) showSecurity() error {
	q, err := door.Params(v.r, "changed")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(securityAt, err)
	}
	page, err := v.securityPage(who)
	if err != nil {
		return err
	}
	if q.Get("changed") != "" {
		page.Status = PasswordChanged()
	}
	return v.show(page)
}

func (v *visit) securityPage(who exchange.Who) (SecurityPage, error) {
	pw, err := v.exchange.Methods(v.ctx(), who)
	return SecurityPage{Shell: v.shell(), Form: v.blank(""), Email: who.User.Email, Changed: pw.Changed, Least: v.exchange.Policy().PasswordMin,
		Explain: exchange.ChangePasswordExchange().Sentences()}, err
}

func (v *visit) changePassword() error {
	form, err := v.form("username", "password", "new_password")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(securityAt, err)
	}
	page, err := v.securityPage(who)
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		switch c := e.Check(); c {
		case formToken:
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		case factor.PasswordFits:
			page.Alert = StepUpWrong(c.Shown, e.Ref)
			return page, http.StatusUnprocessableEntity
		case factor.PasswordGood:
			page.Alert = PasswordRefused(v.exchange.Weigh(form.Get("new_password"), who.User.Address), page.Least, c.Shown, e.Ref)
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
	c, _ := v.cookies()
	cookie, err := v.exchange.ChangePassword(v.ctx(), v.caller(), c.Cookie, form.Get("password"), form.Get("new_password"))
	if faultOf(err) == fault.Unauthenticated && !refusedBy(err, factor.PasswordFits) {
		v.forget() // it ended while they typed
		return v.toSignIn(securityAt, nil)
	}
	if err != nil {
		return err
	}
	v.remember(cookie, "", who.Session.MaxUntil)
	v.newKey()
	return v.seeOther(securityAt + "?changed=1")
}
