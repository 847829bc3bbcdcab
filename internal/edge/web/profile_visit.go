package web

import (
	"context"
	"net/http"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// moving changes the address of a person.
type moving interface {
	AskAddress(ctx context.Context, by settle.Caller, cookie, email string, browserKey []byte) (token.OnceID, error)
	AddressByCode(ctx context.Context, by settle.Caller, cookie string, id token.OnceID, typed string, browserKey []byte) error
	AddressByLink(ctx context.Context, by settle.Caller, link string) error
	UndoAddress(ctx context.Context, by settle.Caller, link string) error
	LookAtAddress(ctx context.Context, link string) (email string, err error)
	LookAtUndo(ctx context.Context, link string) (email string, err error)
}

const (
	profileAt    = "/account/profile"
	emailAt      = "/account/email"
	emailCheckAt = "/account/email/check"
	confirmAt    = "/address/confirm"
	undoAt       = "/address/undo"
)

var profilePages = map[string]pages{
	profileAt:    {"GET": (*visit).showProfile},
	emailAt:      {"POST": (*visit).askAddress},
	emailCheckAt: {"GET": (*visit).showAddressCheck, "POST": (*visit).addressCheck},
	confirmAt:    {"GET": (*visit).showAddressLink, "POST": (*visit).addressLink},
	undoAt:       {"GET": (*visit).showAddressUndo, "POST": (*visit).addressUndo},
}

func (v *visit) showProfile() error {
	q, err := door.Params(v.r, "changed")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(profileAt, err)
	}
	page, err := v.profilePage(who)
	if err != nil {
		return err
	}
	if q.Get("changed") != "" {
		page.Status = ui.Say("profile.changed")
	}
	return v.show(page)
}

func (v *visit) profilePage(who exchange.Who) (ProfilePage, error) {
	ask, _, _, _ := exchange.AddressExchanges()
	leaving, err := v.exchange.Leaving(v.ctx(), who)
	return ProfilePage{Shell: v.shell(), Form: v.blank(""), Person: personOf(who), Leaving: leaving, Explain: ask.Sentences()}, err
}

func (v *visit) askAddress() error {
	form, err := v.form("email")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(profileAt, err)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page, err := v.profilePage(who)
		if err != nil {
			return nil, 0
		}
		page.Typed = form.Get("email")
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
	c, _ := v.cookies()
	key, _ := v.browserKey()
	id, err := v.exchange.AskAddress(v.ctx(), v.caller(), c.Cookie, form.Get("email"), key)
	switch faultOf(err) {
	case fault.Stale:
		return v.seeOther(bound("/step-up", profileAt))
	case fault.Unauthenticated:
		v.forget() // it ended while they typed
		return v.toSignIn(profileAt, nil)
	}
	if err != nil {
		return err
	}
	return v.seeOther(step(emailCheckAt, id, home))
}

func (v *visit) showAddressCheck() error {
	q, err := door.Params(v.r, "id")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(profileAt, err)
	}
	id, err := token.ParseOnceID(q.Get("id"))
	if err != nil {
		return v.seeOther(profileAt)
	}
	return v.show(v.addressCheckPage(id))
}

func (v *visit) addressCheckPage(id token.OnceID) CodePage {
	_, code, _, _ := exchange.AddressExchanges()
	return CodePage{Shell: v.shell(), Form: v.blank(""), ID: id.String(), Lead: ui.Say("code.sent_new"), Action: emailCheckAt, Again: profileAt, Explain: code.Sentences()}
}

func (v *visit) addressCheck() error {
	form, err := v.form("id", "code")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(profileAt, err)
	}
	id, err := token.ParseOnceID(form.Get("id"))
	if err != nil {
		return check.Refuse(token.OnceKnown)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.addressCheckPage(id)
		if c := e.Check(); c == identity.AddressFree {
			page.Alert = &ui.Alert{Title: ui.Say("profile.taken"), Check: c.Shown, Ref: e.Ref}
			return page, http.StatusConflict
		}
		return v.codeRefused(page, e)
	}
	if err := v.ours(form); err != nil {
		return err
	}
	c, _ := v.cookies()
	key, _ := v.browserKey()
	err = v.exchange.AddressByCode(v.ctx(), v.caller(), c.Cookie, id, form.Get("code"), key)
	if faultOf(err) == fault.Unauthenticated {
		v.forget()
		return v.toSignIn(profileAt, nil)
	}
	if err != nil {
		return err
	}
	return v.seeOther(profileAt + "?changed=1")
}

// A mailedLink is what a link of a mail about an address does: looked at, and done.
type mailedLink struct {
	page func() LinkPage
	says func(email string) ui.Message
	look func(ctx context.Context, link string) (string, error)
	act  func(ctx context.Context, by settle.Caller, link string) error
	done func(ui.Shell) MovedPage
}

func (v *visit) confirming() mailedLink {
	return mailedLink{page: func() LinkPage {
		_, _, link, _ := exchange.AddressExchanges()
		return LinkPage{Shell: v.shell(), Form: v.blank(""), Heading: ui.Say("profile.confirm_title"), Does: ui.Say("profile.confirm_submit"), Action: confirmAt,
			Again: profileAt, AskAgain: ui.Say("profile.again"), Explain: link.Sentences()}
	}, says: func(email string) ui.Message { return ui.Say("profile.confirm_says", "email", email) },
		look: v.exchange.LookAtAddress, act: v.exchange.AddressByLink, done: AddressMoved}
}

func (v *visit) undoing() mailedLink {
	return mailedLink{page: func() LinkPage {
		_, _, _, undo := exchange.AddressExchanges()
		return LinkPage{Shell: v.shell(), Form: v.blank(""), Heading: ui.Say("profile.undo_title"), Does: ui.Say("profile.undo_submit"), Action: undoAt,
			Again: recoverAt, AskAgain: ui.Say("profile.undo_again"), Explain: undo.Sentences()}
	}, says: func(email string) ui.Message { return ui.Say("profile.undo_says", "email", email) },
		look: v.exchange.LookAtUndo, act: v.exchange.UndoAddress, done: AddressBack}
}

func (v *visit) showAddressLink() error { return v.showMailed(v.confirming()) }
func (v *visit) addressLink() error     { return v.doMailed(v.confirming()) }
func (v *visit) showAddressUndo() error { return v.showMailed(v.undoing()) }
func (v *visit) addressUndo() error     { return v.doMailed(v.undoing()) }

func (v *visit) showMailed(m mailedLink) error {
	q, err := door.Params(v.r, "t", "done")
	if err != nil {
		return err
	}
	if q.Get("done") != "" {
		return v.show(m.done(v.shell()))
	}
	page := m.page()
	v.again = func(e *check.Refusal) (ui.Page, int) { return v.linkRefused(page, e) }
	email, err := m.look(v.ctx(), q.Get("t"))
	if err != nil {
		return err
	}
	page.Token, page.Says = q.Get("t"), m.says(email)
	return v.show(page)
}

func (v *visit) doMailed(m mailedLink) error {
	form, err := v.form("t")
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := m.page()
		page.Token, page.Says = form.Get("t"), ui.Say("profile.link_again")
		if c := e.Check(); c == identity.AddressFree {
			page.Token, page.Alert = "", &ui.Alert{Title: ui.Say("profile.taken"), Check: c.Shown, Ref: e.Ref}
			return page, http.StatusConflict
		}
		return v.linkRefused(page, e)
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if err := m.act(v.ctx(), v.caller(), form.Get("t")); err != nil {
		return err
	}
	return v.seeOther(m.page().Action + "?done=1")
}
