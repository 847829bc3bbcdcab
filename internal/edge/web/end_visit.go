package web

import (
	"context"
	"net/http"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// ending lists and ends sessions of the caller's own.
type ending interface {
	Sessions(context.Context, exchange.Who) ([]session.Session, error)
	Facts(context.Context, exchange.Who) (exchange.Facts, error)
	Story(context.Context, exchange.Who, session.ID) (session.Session, []ledger.Entry, error)
	Activity(ctx context.Context, who exchange.Who, before ledger.ID, keep func(ledger.Entry) bool) ([]ledger.Entry, ledger.ID, error)
	SignOut(context.Context, settle.Caller, exchange.Credential) (session.Session, error)
	End(context.Context, settle.Caller, exchange.Credential, session.ID) error
	EndOthers(ctx context.Context, by settle.Caller, c exchange.Credential, all bool) (others int, err error)
}

// An end is one of the ways to end sessions from the account: the page that asks and the act, at one address.
type end struct {
	at   string
	page func(exchange.Who) (EndPage, error)
	act  func(exchange.Credential) error
	done func(exchange.Who) string // what ended
}

// one ends the session that the address names. An id that cannot be read is judged like one that nobody has.
func (v *visit) one() end {
	target, _ := session.ParseID(v.r.PathValue("id"))
	at := Session{ID: v.r.PathValue("id")}.EndPath()
	return end{
		at: at,
		page: func(who exchange.Who) (EndPage, error) {
			all, err := v.exchange.Sessions(v.ctx(), who)
			if err != nil {
				return EndPage{}, err
			}
			for _, s := range all {
				if s.ID == target {
					row := v.row(who, s)
					return EndPage{Device: row.Device, Asks: AskEndSession(row.Device), Effect: row.Effect, Explain: exchange.EndExchange().Sentences()}, nil
				}
			}
			return EndPage{}, check.Refuse(session.Own)
		},
		act: func(c exchange.Credential) error { return v.exchange.End(v.ctx(), v.caller(), c, target) },
		done: func(who exchange.Who) string {
			if who.Session.ID == target {
				return endedHere
			}
			return endedOne
		},
	}
}

// stranger is one for a session that its person does not know: what comes next is said afterwards.
func (v *visit) stranger() end {
	e := v.one()
	row := Session{ID: v.r.PathValue("id")}
	page := e.page
	e.at = row.UnknownPath()
	e.page = func(who exchange.Who) (EndPage, error) {
		p, err := page(who)
		p.Asks = AskEndUnknown(p.Device)
		return p, err
	}
	done := e.done
	e.done = func(who exchange.Who) string {
		if done(who) == endedHere {
			return endedHere
		}
		return endedUnknown
	}
	return e
}

// many ends all sessions but this browser's, or that one too.
func (v *visit) many(all bool) end {
	e := end{at: sessionsAt + "/end-others", done: func(exchange.Who) string { return endedOthers }}
	asks, here := AskEndOthers(), []ui.Message(nil)
	if all {
		e.at, e.done = sessionsAt+"/end-all", func(exchange.Who) string { return endedAll }
		asks, here = AskEndAll(), []ui.Message{EndsBrowser(v.door.Issuer.Host)}
	}
	e.page = func(who exchange.Who) (EndPage, error) {
		list, err := v.exchange.Sessions(v.ctx(), who)
		return EndPage{Asks: asks, Effect: v.effect(append(here, EndsSessions(others(who, list)))...), Explain: exchange.EndExchange().Sentences()}, err
	}
	e.act = func(c exchange.Credential) error {
		_, err := v.exchange.EndOthers(v.ctx(), v.caller(), c, all)
		return err
	}
	return e
}

func (v *visit) askEndOne() error    { return v.askEnd(v.one()) }
func (v *visit) askUnknown() error   { return v.askEnd(v.stranger()) }
func (v *visit) askEndOthers() error { return v.askEnd(v.many(false)) }
func (v *visit) askEndAll() error    { return v.askEnd(v.many(true)) }
func (v *visit) endOne() error       { return v.end(v.one()) }
func (v *visit) endUnknown() error   { return v.end(v.stranger()) }
func (v *visit) endOthers() error    { return v.end(v.many(false)) }
func (v *visit) endAll() error       { return v.end(v.many(true)) }

func (v *visit) askEnd(e end) error {
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(e.at, err)
	}
	page, err := v.endPage(e, who)
	if err != nil {
		return err
	}
	return v.show(page)
}

func (v *visit) endPage(e end, who exchange.Who) (EndPage, error) {
	page, err := e.page(who)
	page.Shell, page.Form, page.Action = v.shell(), v.blank(""), e.at
	return page, err
}

func (v *visit) end(e end) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(e.at, err)
	}
	v.again = func(r *check.Refusal) (ui.Page, int) {
		if r.Check() != formToken {
			return nil, 0
		}
		page, err := v.endPage(e, who)
		page.Shell = v.spoiled(page.Shell, r)
		return pageIf(err == nil, page), http.StatusUnprocessableEntity
	}
	if err := v.ours(form); err != nil {
		return err
	}
	c, _ := v.cookies()
	err = e.act(exchange.Credential{Cookie: c.Cookie})
	switch faultOf(err) {
	case fault.Stale:
		return v.seeOther(bound("/step-up", e.at))
	case fault.Unauthenticated:
		v.forget() // it ended while they read
		return v.toSignIn(e.at, nil)
	}
	if err != nil {
		return err
	}
	switch done := e.done(who); done {
	case endedHere, endedAll:
		v.leave()
		return v.seeOther(signedOutAt(done, home))
	default:
		return v.seeOther(sessionsAt + "?ended=" + done)
	}
}
