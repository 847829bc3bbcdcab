package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// departing deletes the account of a person who wants that, and keeps it for one who does not any more.
type departing interface {
	AskDeletion(ctx context.Context, by settle.Caller, cookie string) (time.Time, error)
	KeepAccount(ctx context.Context, by settle.Caller, cookie string) error
	CancelDeletion(ctx context.Context, by settle.Caller, link string) error
	LookAtDeletion(ctx context.Context, link string) (email string, err error)
	Leaving(context.Context, exchange.Who) (time.Time, error)
}

const (
	deleteAt = "/account/delete"
	keepAt   = "/account/keep"
	cancelAt = "/deletion/cancel"
)

var deletionPages = map[string]pages{
	deleteAt: {"GET": (*visit).showDelete, "POST": (*visit).askDeletion},
	keepAt:   {"POST": (*visit).keepAccount},
	cancelAt: {"GET": (*visit).showCancel, "POST": (*visit).cancelDeletion},
}

var deleteTemplate = ui.Load(files, "parts.html", "account/nav.html", "account/delete.html")

// DeletePage is /account/delete: what goes and when, before the act. It posts to its own address the field csrf.
type DeletePage struct {
	ui.Shell
	ui.Form
	Email   string
	When    time.Time
	Explain []string
}

// Title heads the page.
func (DeletePage) Title() ui.Message { return ui.Say("delete.title") }

// Button names the main button.
func (DeletePage) Button() ui.Message { return ui.Say("delete.submit") }

// Section marks the place in the navigation.
func (DeletePage) Section() string { return "profile" }

// Render writes the page.
func (p DeletePage) Render(w io.Writer) error { return deleteTemplate.Render(w, p.Lang, p) }

// LastAdministrator says why an account stays.
func LastAdministrator(check, ref string) *ui.Alert {
	return &ui.Alert{Title: ui.Say("delete.last"), Detail: ui.Say("delete.last_now"), Check: check, Ref: ref}
}

// AccountKept is an account that stays, by the link of a mail.
func AccountKept(s ui.Shell) MovedPage {
	return MovedPage{Shell: s, What: ui.Say("delete.kept"), Now: ui.Say("delete.kept_now"), On: securityAt, Does: ui.Say("delete.kept_on")}
}

func (v *visit) showDelete() error {
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(deleteAt, err)
	}
	leaving, err := v.exchange.Leaving(v.ctx(), who)
	if err != nil {
		return err
	}
	if !leaving.IsZero() {
		return v.seeOther(home) // which says since when, and lets them keep it
	}
	return v.show(v.deletePage(who))
}

func (v *visit) deletePage(who exchange.Who) DeletePage {
	ask, _ := exchange.DeletionExchanges()
	return DeletePage{Shell: v.shell(), Form: v.blank(""), Email: who.User.Email, When: v.now().Add(identity.DeletedAfter), Explain: ask.Sentences()}
}

func (v *visit) askDeletion() error {
	form, err := v.form()
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(deleteAt, err)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := v.deletePage(who)
		switch c := e.Check(); c {
		case formToken:
			page.Shell = v.spoiled(page.Shell, e)
			return page, http.StatusUnprocessableEntity
		case identity.NotLast:
			page.Alert = LastAdministrator(c.Shown, e.Ref)
			return page, http.StatusConflict
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
	_, err = v.exchange.AskDeletion(v.ctx(), v.caller(), c.Cookie)
	switch faultOf(err) {
	case fault.Stale:
		return v.seeOther(bound("/step-up", deleteAt))
	case fault.Unauthenticated:
		v.forget() // it ended while they read
		return v.toSignIn(deleteAt, nil)
	}
	if err != nil {
		return err
	}
	return v.seeOther(home)
}

func (v *visit) keepAccount() error {
	form, err := v.form()
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(home, err)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		if e.Check() != formToken {
			return nil, 0
		}
		page, err := v.homePage(who)
		page.Shell = v.spoiled(page.Shell, e)
		return pageIf(err == nil, page), http.StatusUnprocessableEntity
	}
	if err := v.ours(form); err != nil {
		return err
	}
	c, _ := v.cookies()
	err = v.exchange.KeepAccount(v.ctx(), v.caller(), c.Cookie)
	if faultOf(err) == fault.Unauthenticated {
		v.forget()
		return v.toSignIn(home, nil)
	}
	if err != nil {
		return err
	}
	return v.seeOther(home + "?kept=1")
}

func (v *visit) canceling() mailedLink {
	return mailedLink{page: func() LinkPage {
		_, cancel := exchange.DeletionExchanges()
		return LinkPage{Shell: v.shell(), Form: v.blank(""), Heading: ui.Say("delete.keep_title"), Does: ui.Say("delete.keep"), Action: cancelAt,
			Again: home, AskAgain: ui.Say("delete.again"), Explain: cancel.Sentences()}
	}, says: func(email string) ui.Message { return ui.Say("delete.keep_says", "email", email) },
		look: v.exchange.LookAtDeletion, act: v.exchange.CancelDeletion, done: AccountKept}
}

func (v *visit) showCancel() error     { return v.showMailed(v.canceling()) }
func (v *visit) cancelDeletion() error { return v.doMailed(v.canceling()) }
