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
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// joining makes accounts.
type joining interface {
	invited
	founding
	SignsUp() bool
	Weigh(password, address string) factor.Finding
	SignUp(context.Context, settle.Caller, exchange.SignUpInput) (token.OnceID, error)
	SignUpAgain(context.Context, settle.Caller, exchange.OnceRef) (token.OnceID, error)
	Waiting(context.Context, token.Use, exchange.OnceRef) (exchange.Waiting, error)
	ConfirmCode(context.Context, settle.Caller, exchange.ConfirmInput) (exchange.Tokens, error)
	ConfirmLink(context.Context, settle.Caller, exchange.ConfirmInput) (exchange.Tokens, error)
}

const signUpAt = "/sign-up"

// joiningPages are those by which somebody becomes a person here.
var joiningPages = map[string]pages{
	signUpAt:        {"GET": (*visit).showSignUp, "POST": (*visit).signUp},
	"/verify":       {"GET": (*visit).showVerify, "POST": (*visit).verify},
	"/verify/again": {"POST": (*visit).sendAgain},
	"/invite":       {"GET": (*visit).showInvitation, "POST": (*visit).acceptInvitation},
	"/setup":        {"GET": (*visit).showSetup, "POST": (*visit).setup},
}

func (v *visit) showSignUp() error {
	q, err := door.Params(v.r, "return_to", "another")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil {
		return err
	}
	to := v.destination(q)
	page := v.signUpPage(to)
	if who.Exists() && q.Get("another") == "" {
		page.Already = already(who, to)
		page.Already.Another = signUpAt + page.Already.Another[len("/sign-in"):]
	}
	return v.show(page)
}

func (v *visit) signUpPage(to string) SignUpPage {
	return SignUpPage{Shell: v.shellFor(to), Form: v.blank(to), Least: v.exchange.Policy().PasswordMin, Closed: !v.exchange.SignsUp(),
		Explain: exchange.SignUpExchange().Sentences()}
}

// SignInAt is where people go who have an account.
func (p SignUpPage) SignInAt() string { return bound("/sign-in", p.ReturnTo) }

func (v *visit) signUp() error {
	form, err := v.form("username", "name", "password")
	if err != nil {
		return err
	}
	to, in := v.destination(form), exchange.SignUpInput{Email: form.Get("username"), Name: form.Get("name"), Password: form.Get("password")}
	typed := func() SignUpPage {
		page := v.signUpPage(to)
		page.Email, page.Name = in.Email, in.Name
		return page
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := typed()
		if e.Check() == identity.SignUpOpen {
			return page, http.StatusForbidden
		}
		var code int
		page.Shell, code = v.unmade(page.Shell, e, in.Email, in.Password)
		return pageIf(code != 0, page), code
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if v.exchange.SignsUp() && (in.Email == "" || in.Password == "") {
		page := typed()
		page.Alert = SignUpMissing(in.Email == "", in.Password == "")
		return ui.Write(v.w, http.StatusUnprocessableEntity, page)
	}
	in.Browser, _ = v.browserKey()
	id, err := v.exchange.SignUp(v.ctx(), v.caller(), in)
	if err != nil {
		return err
	}
	return v.seeOther(verifyAt(id, to))
}

// unmade is what a form says that asked for an account and got none; a code of 0 says nothing.
func (v *visit) unmade(s ui.Shell, e *check.Refusal, email, password string) (ui.Shell, int) {
	c := e.Check()
	switch c {
	case formToken:
		return v.spoiled(s, e), http.StatusUnprocessableEntity
	case identity.AddressForm:
		s.Alert = AddressUnreadable(c.Shown, e.Ref)
		return s, http.StatusUnprocessableEntity
	case identity.SignUpDomain:
		s.Alert = DomainClosed(c.Shown, e.Ref)
		return s, http.StatusForbidden
	case identity.AddressFree:
		s.Alert = AccountThere(c.Shown, e.Ref)
		return s, http.StatusConflict
	case factor.PasswordGood:
		address, _ := identity.Canonical(email)
		s.Alert = PasswordRefused(v.exchange.Weigh(password, address), v.exchange.Policy().PasswordMin, c.Shown, e.Ref)
		return s, http.StatusUnprocessableEntity
	}
	alert, code := v.later(e)
	s.Alert = alert
	return s, code
}

// verifyAt is the page that waits for the code of a one-time object.
func verifyAt(id token.OnceID, to string) string {
	q := url.Values{"id": {id.String()}}
	if to = unlessHome(to); to != "" {
		q.Set("return_to", to)
	}
	return "/verify?" + q.Encode()
}

// onceRef reads which one-time object a page or a form means.
func (v *visit) onceRef(q url.Values) exchange.OnceRef {
	ref := exchange.OnceRef{Link: q.Get("t")}
	ref.ID, _ = token.ParseOnceID(q.Get("id")) // the zero id names nothing
	ref.Browser, _ = v.browserKey()
	return ref
}

func (v *visit) showVerify() error {
	q, err := door.Params(v.r, "t", "id", "sent", "made", "return_to")
	if err != nil {
		return err
	}
	if q.Get("made") != "" {
		return v.show(LinkOverPage{Shell: v.shell(), Form: v.blank(""), What: AccountMade(), Now: ui.Say("verify.made_now"), On: true})
	}
	ref := v.onceRef(q)
	w, err := v.exchange.Waiting(v.ctx(), token.ForSignUp, ref)
	if err != nil {
		return err
	}
	if ref.Link == "" {
		page := v.checkMailPage(ref.ID, w, v.destination(q))
		if q.Get("sent") != "" {
			page.Status = ui.Say("verify.resent")
		}
		return v.show(page)
	}
	return v.showLink(ref.Link, w)
}

// checkMailPage asks for the code where it was asked for, and nowhere else.
func (v *visit) checkMailPage(id token.OnceID, w exchange.Waiting, to string) CheckMailPage {
	page := CheckMailPage{Shell: v.shell(), Form: v.blank(to)}
	if w.Here {
		page.ID, page.Email, page.Meant, page.Back, page.Explain = id.String(), w.Email, meant(w.Email), bound(signUpAt, to), exchange.SignUpCodeExchange().Sentences()
	}
	return page
}

// showLink is the page behind the link of a mail. Looking at it changes nothing.
func (v *visit) showLink(link string, w exchange.Waiting) error {
	who, err := v.who()
	if err != nil {
		return err
	}
	if w.State == token.OnceGood {
		return v.show(v.confirmPage(link, w, who))
	}
	return v.show(v.linkOver(link, w))
}

func (v *visit) confirmPage(link string, w exchange.Waiting, who exchange.Who) ConfirmPage {
	page := ConfirmPage{Shell: v.shell(), Form: v.blank(""), At: "/verify", Link: link, Email: w.Email, Choose: !w.Here,
		Least: v.exchange.Policy().PasswordMin, Explain: exchange.SignUpLinkExchange().Sentences()}
	if who.Exists() {
		p := personOf(who)
		page.Other = &p
	}
	return page
}

func (v *visit) linkOver(link string, w exchange.Waiting) LinkOverPage {
	page := LinkOverPage{Shell: v.shell(), Form: v.blank("")}
	switch w.State {
	case token.OnceSpent:
		page.What, page.Now, page.On = LinkUsed(w.Spent), ui.Say("verify.used_now"), true
	case token.OnceOver:
		page.What, page.Now, page.Link = LinkEnded(w.Until), ui.Say("verify.ended_now"), link
	case token.OnceVoid:
		page.What, page.Now, page.Link = LinkVoid(), ui.Say("verify.ended_now"), link
	default:
		page.What, page.Now = LinkUnknown(), ui.Say("verify.unknown_now")
	}
	return page
}

func (v *visit) verify() error {
	form, err := v.form("id", "code", "t", "username", "password")
	if err != nil {
		return err
	}
	ref := v.onceRef(form)
	w, err := v.exchange.Waiting(v.ctx(), token.ForSignUp, ref)
	if err != nil {
		return err
	}
	old, _ := v.cookies()
	in := exchange.ConfirmInput{OnceRef: ref, Code: form.Get("code"), Password: form.Get("password"), Origin: v.own(), Replaces: old.Cookie}
	if ref.Link != "" {
		return v.confirmLink(form, w, in)
	}
	to := v.destination(form)
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.checkMailPage(ref.ID, w, to)
		c := e.Check()
		switch c {
		case token.OnceFits:
			page.Alert = CodeWrong(c.Shown, e.Ref)
			return page, http.StatusUnprocessableEntity
		case token.OnceInTime:
			page.Alert = CodeOver(ui.Say("verify.code_over"), c.Shown, e.Ref)
			return page, http.StatusNotFound
		case token.OnceTries:
			page.Alert = CodeOver(ui.Say("verify.code_void"), c.Shown, e.Ref)
			return page, http.StatusTooManyRequests
		case token.OnceKnown, token.OnceBrowser:
			page.Alert = CodeOver(ui.Say("verify.code_elsewhere"), c.Shown, e.Ref)
			return page, http.StatusNotFound
		case token.OnceUnspent:
			return v.linkOver("", v.waiting(w, ref)), http.StatusConflict
		}
		var code int
		page.Shell, code = v.unmade(page.Shell, e, w.Email, "")
		return pageIf(code != 0, page), code
	}
	if err := v.ours(form); err != nil {
		return err
	}
	t, err := v.exchange.ConfirmCode(v.ctx(), v.caller(), in)
	if err != nil {
		return err
	}
	return v.enter(t, to)
}

// waiting looks again at what has just been refused.
func (v *visit) waiting(w exchange.Waiting, ref exchange.OnceRef) exchange.Waiting {
	if now, err := v.exchange.Waiting(v.ctx(), token.ForSignUp, ref); err == nil {
		return now
	}
	return w
}

// confirmLink presses the button of a link's page. Who is signed in already stays so.
func (v *visit) confirmLink(form url.Values, w exchange.Waiting, in exchange.ConfirmInput) error {
	who, err := v.who()
	if err != nil {
		return err
	}
	in.Apart = who.Exists()
	v.again = func(e *check.Refusal) (ui.Page, int) {
		if c := e.Check(); c == token.OnceKnown || c == token.OnceUnspent || c == token.OnceInTime || c == token.OnceTries {
			return v.linkOver(in.Link, v.waiting(w, in.OnceRef)), door.Status(c.Fault)
		}
		page := v.confirmPage(in.Link, w, who)
		var code int
		page.Shell, code = v.unmade(page.Shell, e, w.Email, in.Password)
		return pageIf(code != 0, page), code
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if w.State == token.OnceGood && !w.Here && in.Password == "" {
		page := v.confirmPage(in.Link, w, who)
		page.Alert = SignUpMissing(false, true)
		return ui.Write(v.w, http.StatusUnprocessableEntity, page)
	}
	t, err := v.exchange.ConfirmLink(v.ctx(), v.caller(), in)
	if err != nil {
		return err
	}
	if in.Apart {
		return v.seeOther("/verify?made=1")
	}
	return v.enter(t, home)
}

func (v *visit) sendAgain() error {
	form, err := v.form("id", "t")
	if err != nil {
		return err
	}
	ref, to := v.onceRef(form), v.destination(form)
	w, err := v.exchange.Waiting(v.ctx(), token.ForSignUp, ref)
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		var code int
		if ref.Link != "" {
			page := v.linkOver(ref.Link, w)
			page.Shell, code = v.unmade(page.Shell, e, "", "")
			return pageIf(code != 0, page), code
		}
		page := v.checkMailPage(ref.ID, w, to)
		page.Shell, code = v.unmade(page.Shell, e, "", "")
		if f := e.Check().Fault; code == 0 && (f == fault.Missing || f == fault.Conflict) {
			page.Alert, code = CodeOver(ui.Say("verify.code_elsewhere"), e.Check().Shown, e.Ref), door.Status(f)
		}
		return pageIf(code != 0, page), code
	}
	if err := v.ours(form); err != nil {
		return err
	}
	id, err := v.exchange.SignUpAgain(v.ctx(), v.caller(), ref)
	if err != nil {
		return err
	}
	if ref.Link != "" && !w.Here {
		return v.seeOther("/verify?sent=1")
	}
	return v.seeOther(verifyAt(id, to) + "&sent=1")
}
