package web

import (
	"context"
	"net/http"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// invited makes the accounts of people who were invited.
type invited interface {
	AcceptInvitation(ctx context.Context, by settle.Caller, in exchange.ConfirmInput, name string) (exchange.Tokens, error)
}

func (v *visit) showInvitation() error {
	q, err := door.Params(v.r, "t")
	if err != nil {
		return err
	}
	w, who, err := v.invitation(q.Get("t"))
	if err != nil {
		return err
	}
	if w.State == token.OnceGood {
		return v.show(v.invitePage(q.Get("t"), w, who))
	}
	return v.show(v.inviteOver(w))
}

// invitation looks at an invitation, and at who is signed in here.
func (v *visit) invitation(link string) (w exchange.Waiting, who exchange.Who, err error) {
	if link != "" {
		if w, err = v.exchange.Waiting(v.ctx(), token.ForInvitation, exchange.OnceRef{Link: link}); err != nil {
			return w, who, err
		}
	}
	who, err = v.who()
	return w, who, err
}

func (v *visit) invitePage(link string, w exchange.Waiting, who exchange.Who) ConfirmPage {
	page := v.confirmPage(link, w, who)
	page.At, page.Invited, page.Choose, page.Name, page.Explain = "/invite", true, true, w.Name, exchange.InvitationExchange().Sentences()
	return page
}

// inviteOver is an invitation that does nothing any more: only who invited can send another.
func (v *visit) inviteOver(w exchange.Waiting) LinkOverPage {
	page := v.linkOver("", w)
	if w.State == token.OnceOver {
		page.Now = ui.Say("invite.ended_now")
	}
	return page
}

func (v *visit) acceptInvitation() error {
	form, err := v.form("t", "username", "name", "password")
	if err != nil {
		return err
	}
	link := form.Get("t")
	w, who, err := v.invitation(link)
	if err != nil {
		return err
	}
	if form.Has("name") {
		w.Name = form.Get("name")
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		switch c := e.Check(); c {
		case token.OnceKnown, token.OnceUnspent, token.OnceInTime:
			if now, _, err := v.invitation(link); err == nil {
				w = now
			}
			return v.inviteOver(w), door.Status(c.Fault)
		}
		page := v.invitePage(link, w, who)
		var code int
		page.Shell, code = v.unmade(page.Shell, e, w.Email, form.Get("password"))
		return pageIf(code != 0, page), code
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if w.State == token.OnceGood && form.Get("password") == "" {
		page := v.invitePage(link, w, who)
		page.Alert = SignUpMissing(false, true)
		return ui.Write(v.w, http.StatusUnprocessableEntity, page)
	}
	old, _ := v.cookies()
	in := exchange.ConfirmInput{OnceRef: exchange.OnceRef{Link: link}, Password: form.Get("password"), Origin: v.own(), Replaces: old.Cookie, Apart: who.Exists()}
	t, err := v.exchange.AcceptInvitation(v.ctx(), v.caller(), in, form.Get("name"))
	if err != nil {
		return err
	}
	if in.Apart {
		return v.seeOther("/verify?made=1")
	}
	return v.enter(t, home)
}
