package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// recovering is the way back into an account, in three steps.
type recovering interface {
	Recover(ctx context.Context, by settle.Caller, email string, browserKey []byte) (token.OnceID, error)
	RecoverByCode(ctx context.Context, by settle.Caller, id token.OnceID, typed string, browserKey, nextKey []byte) (token.OnceID, error)
	RecoverByLink(ctx context.Context, by settle.Caller, link string, nextKey []byte) (token.OnceID, error)
	LookAtRecovery(ctx context.Context, link string) (identity.User, error)
	Recovering(ctx context.Context, id token.OnceID, browserKey []byte) (identity.User, error)
	ChoosePassword(ctx context.Context, by settle.Caller, id token.OnceID, browserKey []byte, password string) error
	Recovered(ctx context.Context, id token.OnceID, browserKey []byte) (identity.User, []session.Session, error)
}

// The addresses of recovery.
const (
	recoverAt      = "/recover"
	recoverCheckAt = "/recover/check"
	recoverLinkAt  = "/recover/link"
	recoverNewAt   = "/recover/new"
	recoverDoneAt  = "/recover/done"
)

var recoveryPages = map[string]pages{
	recoverAt:      {"GET": (*visit).showRecover, "POST": (*visit).recover},
	recoverCheckAt: {"GET": (*visit).showRecoverCheck, "POST": (*visit).recoverCheck},
	recoverLinkAt:  {"GET": (*visit).showRecoverLink, "POST": (*visit).recoverLink},
	recoverNewAt:   {"GET": (*visit).showRecoverNew, "POST": (*visit).recoverNew},
	recoverDoneAt:  {"GET": (*visit).showRecoverDone},
}

// step is the address of a later step: which object it is about, and where it leads in the end. Neither gives power.
func step(at string, id token.OnceID, to string) string {
	q := url.Values{"id": {id.String()}}
	if to = unlessHome(to); to != "" {
		q.Set("return_to", to)
	}
	return at + "?" + q.Encode()
}

func (v *visit) showRecover() error {
	q, err := door.Params(v.r, "return_to")
	if err != nil {
		return err
	}
	return v.show(v.recoverPage(v.destination(q)))
}

func (v *visit) recoverPage(to string) RecoverPage {
	ask, _, _, _ := exchange.RecoverExchanges()
	return RecoverPage{Shell: v.shell(), Form: v.blank(to), Explain: ask.Sentences()}
}

func (v *visit) recover() error {
	form, err := v.form("username")
	if err != nil {
		return err
	}
	to, email := v.destination(form), form.Get("username")
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.recoverPage(to)
		page.Email = email
		switch c := e.Check(); c {
		case formToken:
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		case identity.AddressForm:
			page.Alert = AddressUnreadable(c.Shown, e.Ref)
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
	key, _ := v.browserKey()
	id, err := v.exchange.Recover(v.ctx(), v.caller(), email, key)
	if err != nil {
		return err
	}
	return v.seeOther(step(recoverCheckAt, id, to))
}

func (v *visit) showRecoverCheck() error {
	q, err := door.Params(v.r, "id", "return_to")
	if err != nil {
		return err
	}
	id, err := token.ParseOnceID(q.Get("id"))
	if err != nil {
		return v.seeOther(bound(recoverAt, v.destination(q)))
	}
	return v.show(v.recoverCheckPage(id, v.destination(q)))
}

func (v *visit) recoverCheckPage(id token.OnceID, to string) CodePage {
	_, code, _, _ := exchange.RecoverExchanges()
	return CodePage{Shell: v.shell(), Form: v.blank(to), ID: id.String(), Lead: CodeSent(), Action: recoverCheckAt, Again: bound(recoverAt, to), Explain: code.Sentences()}
}

func (v *visit) recoverCheck() error {
	form, err := v.form("id", "code")
	if err != nil {
		return err
	}
	to := v.destination(form)
	id, err := token.ParseOnceID(form.Get("id"))
	if err != nil {
		return check.Refuse(token.OnceKnown)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		return v.codeRefused(v.recoverCheckPage(id, to), e)
	}
	if err := v.ours(form); err != nil {
		return err
	}
	key, _ := v.browserKey()
	next := secret.Random()
	id2, err := v.exchange.RecoverByCode(v.ctx(), v.caller(), id, form.Get("code"), key, next[:])
	if err != nil {
		return err
	}
	v.keep(next[:])
	return v.seeOther(step(recoverNewAt, id2, to))
}

// codeRefused is the page of a code, with why it buys nothing.
func (v *visit) codeRefused(page CodePage, e *check.Refusal) (ui.Page, int) {
	c := e.Check()
	if c == formToken {
		page.Shell = v.spoiled(page.Shell, e)
		return page, http.StatusUnprocessableEntity
	}
	if c == token.OnceFits {
		page.Alert = CodeWrong(c.Shown, e.Ref)
		return page, http.StatusUnprocessableEntity
	}
	if page.Alert = OnceRefused(c, e.Ref); page.Alert != nil {
		return page, door.Status(c.Fault)
	}
	alert, code := v.later(e)
	page.Alert = alert
	return pageIf(alert != nil, page), code
}

func (v *visit) showRecoverLink() error {
	q, err := door.Params(v.r, "t")
	if err != nil {
		return err
	}
	page := v.recoverLinkPage()
	v.again = func(e *check.Refusal) (ui.Page, int) { return v.linkRefused(page, e) }
	u, err := v.exchange.LookAtRecovery(v.ctx(), q.Get("t"))
	if err != nil {
		return err
	}
	if page.Shell, err = v.besideOthers(page.Shell, u); err != nil {
		return err
	}
	page.Token, page.Says = q.Get("t"), ui.Say("recover.link_says", "email", u.Email)
	return v.show(page)
}

func (v *visit) recoverLinkPage() LinkPage {
	_, _, link, _ := exchange.RecoverExchanges()
	return LinkPage{Shell: v.shell(), Form: v.blank(""), Heading: ui.Say("recover.title"), Does: ui.Say("recover.link_submit"), Action: recoverLinkAt,
		Again: recoverAt, AskAgain: ui.Say("once.again"), Explain: link.Sentences()}
}

// linkRefused is the page of a link, with why it buys nothing.
func (v *visit) linkRefused(page LinkPage, e *check.Refusal) (ui.Page, int) {
	c := e.Check()
	if c == formToken {
		// The link is still in the address bar of nobody: it is opened again from the mail.
		page.Token, page.Shell = "", v.spoiled(page.Shell, e)
		return page, http.StatusUnprocessableEntity
	}
	if page.Alert = OnceRefused(c, e.Ref); page.Alert != nil {
		page.Token = ""
		return page, door.Status(c.Fault)
	}
	alert, code := v.later(e)
	page.Alert = alert
	return pageIf(alert != nil, page), code
}

// besideOthers says on a page about one person that another stays signed in in this browser.
func (v *visit) besideOthers(s ui.Shell, about identity.User) (ui.Shell, error) {
	who, err := v.who()
	if who.Exists() && who.User.ID != about.ID {
		s.Status = ui.Say("recover.beside", "about", about.Email, "email", who.User.Email)
	}
	return s, err
}

func (v *visit) recoverLink() error {
	form, err := v.form("t")
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.recoverLinkPage()
		page.Token, page.Says = form.Get("t"), ui.Say("recover.link_again")
		return v.linkRefused(page, e)
	}
	if err := v.ours(form); err != nil {
		return err
	}
	next := secret.Random()
	id, err := v.exchange.RecoverByLink(v.ctx(), v.caller(), form.Get("t"), next[:])
	if err != nil {
		return err
	}
	v.keep(next[:])
	return v.seeOther(step(recoverNewAt, id, home))
}

func (v *visit) showRecoverNew() error {
	q, err := door.Params(v.r, "id", "return_to")
	if err != nil {
		return err
	}
	page, _, err := v.recoverNewPage(q)
	if err != nil {
		return err
	}
	return v.show(page)
}

// recoverNewPage is the last step, for whom the server's own state says that it is theirs (attack REC-02).
func (v *visit) recoverNewPage(q url.Values) (NewPasswordPage, token.OnceID, error) {
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.recoverPage(v.destination(q))
		page.Alert = &ui.Alert{Title: ui.Say("recover.unproved"), Check: e.Check().Shown, Ref: e.Ref}
		return page, http.StatusForbidden
	}
	id, _ := token.ParseOnceID(q.Get("id"))
	key, _ := v.browserKey()
	u, err := v.exchange.Recovering(v.ctx(), id, key)
	if err != nil {
		return NewPasswordPage{}, id, err
	}
	_, _, _, choose := exchange.RecoverExchanges()
	page := NewPasswordPage{Form: v.blank(v.destination(q)), ID: id.String(), Email: u.Email, Least: v.exchange.Policy().PasswordMin, Explain: choose.Sentences()}
	page.Shell, err = v.besideOthers(v.shell(), u)
	return page, id, err
}

func (v *visit) recoverNew() error {
	// The name is there for password managers: whose it is, the server knows.
	form, err := v.form("id", "username", "password")
	if err != nil {
		return err
	}
	to := v.destination(form)
	if id, err := token.ParseOnceID(form.Get("id")); err == nil {
		// Pressed twice: the first press did it.
		if key, ok := v.browserKey(); ok {
			if _, _, err := v.exchange.Recovered(v.ctx(), id, key); err == nil {
				return v.seeOther(step(recoverDoneAt, id, to))
			}
		}
	}
	page, id, err := v.recoverNewPage(form)
	if err != nil {
		return err
	}
	unproved := v.again
	v.again = func(e *check.Refusal) (ui.Page, int) {
		switch c := e.Check(); c {
		case formToken:
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		case factor.PasswordGood:
			page.Alert = PasswordRefused(v.exchange.Weigh(form.Get("password"), page.Email), page.Least, c.Shown, e.Ref)
			return page, http.StatusUnprocessableEntity
		case identity.IsActive:
			page.Alert = Paused(page.Host, c.Shown, e.Ref)
			return page, http.StatusForbidden
		default:
			if alert, code := v.later(e); alert != nil {
				page.Alert = alert
				return page, code
			}
			return unproved(e)
		}
	}
	if err := v.ours(form); err != nil {
		return err
	}
	key, _ := v.browserKey()
	if err := v.exchange.ChoosePassword(v.ctx(), v.caller(), id, key, form.Get("password")); err != nil {
		return err
	}
	return v.seeOther(step(recoverDoneAt, id, to))
}

func (v *visit) showRecoverDone() error {
	q, err := door.Params(v.r, "id", "return_to")
	if err != nil {
		return err
	}
	to := v.destination(q)
	id, _ := token.ParseOnceID(q.Get("id"))
	key, _ := v.browserKey()
	u, ended, err := v.exchange.Recovered(v.ctx(), id, key)
	if faultOf(err) == fault.Denied {
		return v.seeOther(bound("/sign-in", to))
	}
	if err != nil {
		return err
	}
	page := RecoveredPage{Email: u.Email, SignIn: bound("/sign-in", to)}
	if page.Shell, err = v.besideOthers(v.shell(), u); err != nil {
		return err
	}
	for _, s := range ended {
		page.Ended = append(page.Ended, Session{ID: s.ID.String(), Device: session.Named(s.UserAgent), Created: s.Created, IP: s.IP})
	}
	return v.show(page)
}
