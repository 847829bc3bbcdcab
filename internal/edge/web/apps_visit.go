package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// connecting lists and ends what the caller allowed applications.
type connecting interface {
	Connected(context.Context, exchange.Who) ([]exchange.Connected, error)
	App(ctx context.Context, id string) (client.Client, error)
	Permissions(context.Context) (map[string]client.Scope, error)
	RemoveApp(ctx context.Context, by settle.Caller, cookie, app string) error
	SignOutApp(ctx context.Context, by settle.Caller, cookie, app string) error
}

var appsPages = map[string]pages{
	appsAt:                        {"GET": (*visit).showApps},
	appsAt + "/{client}/remove":   {"GET": (*visit).askRemoveApp, "POST": (*visit).removeApp},
	appsAt + "/{client}/sign-out": {"GET": (*visit).askSignOutApp, "POST": (*visit).signOutApp},
}

// What ended, as the address of the list says it.
const (
	goneApp    = "app"
	goneTokens = "tokens"
)

func (v *visit) showApps() error {
	q, err := door.Params(v.r, "gone")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(appsAt, err)
	}
	page := AppsPage{Shell: v.shell(), Form: v.blank("")}
	if page.Apps, err = v.connected(who); err != nil {
		return err
	}
	switch q.Get("gone") {
	case goneApp:
		page.Gone = v.ended(EndedPermission())
	case goneTokens:
		page.Gone = v.ended()
	}
	return v.show(page)
}

func (v *visit) connected(who exchange.Who) ([]Connected, error) {
	all, err := v.exchange.Connected(v.ctx(), who)
	if err != nil {
		return nil, err
	}
	words, err := v.exchange.Permissions(v.ctx())
	out := make([]Connected, len(all))
	for i, c := range all {
		out[i] = Connected{ID: c.Client.ID, Name: nameOf(c.Client), Domain: domainOf(c.Client, ""), Since: c.Consent.Changed, Used: c.Used, Policy: c.Consent.Terms.Policy,
			May: inWords(c.Consent.Scopes, words), Lasts: v.lasts(c.Client, c.Consent.Scopes),
			Effect: Effect{Ends: []ui.Message{EndsPermission(nameOf(c.Client)), EndsTokens()}, Lasts: []ui.Message{LastsAlone(v.now().Add(v.exchange.Policy().Token.For(c.Client).Access))}}}
	}
	return out, err
}

// inWords are scopes as people read them.
func inWords(scopes []string, words map[string]client.Scope) []Permission {
	out := make([]Permission, len(scopes))
	for i, s := range scopes {
		out[i] = MayUse(s, words[s].Says)
	}
	return out
}

// lasts is for how long an application may do what it is allowed.
func (v *visit) lasts(c client.Client, scopes []string) ui.Message {
	p := v.exchange.Policy()
	if own := p.Token.For(c); slices.Contains(scopes, "offline_access") {
		return LastsWhenAway(own.Idle, own.Max)
	}
	return LastsWhileIn(p.Session.Max)
}

// nameOf is what an application is called: one without a name has its id.
func nameOf(c client.Client) string {
	if c.Name == "" {
		return c.ID
	}
	return c.Name
}

// domainOf is the host that an application goes back to: of an address, or of the first that it registered. A
// private-use scheme stands for itself.
func domainOf(c client.Client, back string) string {
	if back == "" && len(c.RedirectURIs) > 0 {
		back = c.RedirectURIs[0]
	}
	u, err := url.Parse(back)
	switch {
	case err != nil || back == "":
		return ""
	case u.Scheme != "https" && u.Scheme != "http":
		return u.Scheme
	}
	return u.Host
}

// A leave is one of the ways to end what an application has: the page that asks and the act, at one address.
type leave struct {
	only bool // its tokens only
	act  func(ctx context.Context, by settle.Caller, cookie, app string) error
	gone string
	of   *check.Exchange
}

func (v *visit) removal() leave {
	return leave{act: v.exchange.RemoveApp, gone: goneApp, of: exchange.RemoveAppExchange()}
}

func (v *visit) signingOutApp() leave {
	return leave{only: true, act: v.exchange.SignOutApp, gone: goneTokens, of: exchange.SignOutAppExchange()}
}

func (v *visit) askRemoveApp() error  { return v.askLeave(v.removal()) }
func (v *visit) removeApp() error     { return v.leaveApp(v.removal()) }
func (v *visit) askSignOutApp() error { return v.askLeave(v.signingOutApp()) }
func (v *visit) signOutApp() error    { return v.leaveApp(v.signingOutApp()) }

func (v *visit) askLeave(l leave) error {
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(appsAt, err)
	}
	page, err := v.appPage(l, who)
	if err != nil {
		return err
	}
	return v.show(page)
}

// appPage asks about the application that the address names. One that was not allowed is like one that nobody has.
func (v *visit) appPage(l leave, who exchange.Who) (AppPage, error) {
	all, err := v.connected(who)
	if err != nil {
		return AppPage{}, err
	}
	for _, c := range all {
		if c.ID == v.r.PathValue("client") {
			if l.only {
				c.Effect.Ends = c.Effect.Ends[1:]
			}
			return AppPage{Shell: v.shell(), Form: v.blank(""), Connected: c, Only: l.only, Explain: l.of.Sentences()}, nil
		}
	}
	return AppPage{}, check.Refuse(exchange.AllowedHere)
}

func (v *visit) leaveApp(l leave) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(appsAt, err)
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		if e.Check() != formToken {
			return nil, 0
		}
		page, err := v.appPage(l, who)
		page.Shell = v.spoiled(page.Shell, e)
		return pageIf(err == nil, page), http.StatusUnprocessableEntity
	}
	if err := v.ours(form); err != nil {
		return err
	}
	c, _ := v.cookies()
	err = l.act(v.ctx(), v.caller(), c.Cookie, v.r.PathValue("client"))
	if faultOf(err) == fault.Unauthenticated {
		v.forget() // it ended while they read
		return v.toSignIn(appsAt, nil)
	}
	if err != nil {
		return err
	}
	return v.seeOther(appsAt + "?gone=" + l.gone)
}
