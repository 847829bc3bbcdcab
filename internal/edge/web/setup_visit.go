package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// founding makes the first administrator.
type founding interface {
	SetupOpen(context.Context) (bool, error)
	Setup(context.Context, settle.Caller, exchange.SetupInput) (exchange.Tokens, error)
}

// setupWaits is nil while there is an administrator to be made. Afterwards the page is no page.
func (v *visit) setupWaits() error {
	open, err := v.exchange.SetupOpen(v.ctx())
	if err == nil && !open {
		err = check.Refuse(door.Path)
	}
	return err
}

func (v *visit) showSetup() error {
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	if err := v.setupWaits(); err != nil {
		return err
	}
	return v.show(v.setupPage())
}

func (v *visit) setupPage() SetupPage {
	return SetupPage{Shell: v.shell(), Form: v.blank(""), Least: v.exchange.Policy().PasswordMin, Explain: exchange.SetupExchange().Sentences()}
}

func (v *visit) setup() error {
	form, err := v.form("code", "username", "name", "password")
	if err != nil {
		return err
	}
	if err := v.setupWaits(); err != nil {
		return err
	}
	in := exchange.SetupInput{Email: form.Get("username"), Name: form.Get("name")}
	in.Link, in.Password, in.Origin = strings.TrimSpace(form.Get("code")), form.Get("password"), v.own()
	old, _ := v.cookies()
	in.Replaces = old.Cookie
	typed := func() SetupPage {
		page := v.setupPage()
		page.Code, page.Email, page.Name = in.Link, in.Email, in.Name
		return page
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := typed()
		switch c := e.Check(); c {
		case deployment.SetupOpen:
			return nil, 0
		case token.OnceKnown, token.OnceUnspent, token.OnceInTime:
			page.Alert = SetupCodeWrong(c.Shown, e.Ref)
			return page, http.StatusUnprocessableEntity
		}
		var code int
		page.Shell, code = v.unmade(page.Shell, e, in.Email, in.Password)
		return pageIf(code != 0, page), code
	}
	if err := v.ours(form); err != nil {
		return err
	}
	if in.Link == "" || in.Email == "" || in.Password == "" {
		page := typed()
		page.Alert = SetupMissing(in.Link == "", in.Email == "", in.Password == "")
		return ui.Write(v.w, http.StatusUnprocessableEntity, page)
	}
	t, err := v.exchange.Setup(v.ctx(), v.caller(), in)
	if err != nil {
		return err
	}
	return v.enter(t, home)
}
