package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// loggingOut ends sessions because an application wishes it.
type loggingOut interface {
	AskLogout(context.Context, settle.Caller, exchange.Who, exchange.LogoutInput) (exchange.Logout, error)
	PartiesOf(context.Context, session.ID) ([]client.Client, error)
}

var logoutPages = map[string]pages{"/oauth/logout": {"GET": (*visit).logout, "POST": (*visit).takeLogout}}

// logoutFields are the parameters of a wish; others mean nothing.
var logoutFields = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales"}

// afterLogout is the type of a request that goes on to an application once its
// person has signed out. Like any other it waits sealed.
const afterLogout = "logout"

// logout ends this browser's session for an application (OpenID Connect
// RP-Initiated Logout section 2). With an ID token of ours for this session
// that is done at once; otherwise the person is asked, since anybody can send
// them here.
func (v *visit) logout() error {
	q, err := door.OAuthValues(v.r.URL.RawQuery, door.Query, logoutFields...)
	if err != nil {
		return err
	}
	return v.endFor(q)
}

// takeLogout takes a wish that was posted. Browsers send no session with a post
// from elsewhere, so what it says is said again by a GET of our own.
func (v *visit) takeLogout() error {
	f, err := door.OAuthForm(v.w, v.r, logoutFields...)
	if err != nil {
		return err
	}
	if c, _ := v.cookies(); c.Cookie != "" {
		return v.endFor(f)
	}
	return v.seeOther("/oauth/logout?" + f.Encode())
}

func (v *visit) endFor(in url.Values) error {
	who, err := v.who()
	if err != nil {
		return err
	}
	wish, err := v.exchange.AskLogout(v.ctx(), v.caller(), who, exchange.LogoutInput{Hint: in.Get("id_token_hint"), Client: in.Get("client_id"), Redirect: in.Get("post_logout_redirect_uri")})
	if err != nil {
		return err
	}
	r := client.Request{Client: wish.Client.ID, Type: afterLogout, Redirect: wish.Back, State: in.Get("state"), Asked: v.now()}
	if !r.Carried() {
		r.State = ""
	}
	if !wish.Sure {
		flow, err := v.hold(r)
		if err != nil {
			return err
		}
		return v.seeOther("/sign-out?flow=" + flow)
	}
	ended := ""
	if c, _ := v.cookies(); who.Exists() {
		if _, err := v.exchange.SignOut(v.ctx(), v.caller(), c); err == nil {
			ended = endedHere
		} else if faultOf(err) != fault.Unauthenticated {
			return err
		}
		v.leave()
	}
	if wish.Back == "" {
		return v.seeOther(signedOutAt(ended, home))
	}
	return v.location(afterwards(r))
}

// afterwards is where an application wants somebody to go who signed out.
func afterwards(r client.Request) string {
	if r.State == "" {
		return r.Redirect
	}
	join := "?"
	if strings.Contains(r.Redirect, "?") {
		join = "&"
	}
	return r.Redirect + join + url.Values{"state": {r.State}}.Encode()
}

// wishOf opens the wish that a sign-out page was asked with; none is no error.
func (v *visit) wishOf(flow string) (client.Request, bool) {
	if flow == "" {
		return client.Request{}, false
	}
	r, _, err := v.pending(flow)
	return r, err == nil && r.Type == afterLogout
}

// told are the applications that will hear that this browser's session ended.
func (v *visit) told() []ui.Message {
	who, err := v.who()
	if err != nil || !who.Exists() {
		return nil
	}
	apps, err := v.exchange.PartiesOf(v.ctx(), who.Session.ID)
	if err != nil {
		return nil // it is for show
	}
	var out []ui.Message
	for _, c := range apps {
		if c.BackchannelLogout != "" {
			out = append(out, TellsApp(nameOf(c)))
		}
	}
	return out
}

// goOnFrom leaves for the application that wished a sign-out, once there was
// one.
func (v *visit) goOnFrom(r client.Request) error {
	who, err := v.who()
	if err != nil {
		return err
	}
	if who.Exists() || r.Redirect == "" {
		return v.seeOther(home)
	}
	c, err := v.exchange.App(v.ctx(), r.Client)
	if err != nil {
		return err
	}
	// What was sealed need not be a wish: any request may call itself one (attack
	// OAU-07).
	if !slices.Contains(c.PostLogout, r.Redirect) {
		return v.seeOther(home)
	}
	shell := v.shell()
	shell.App = &ui.App{Name: nameOf(c), Domain: domainOf(c, r.Redirect)}
	return v.show(ReturnPage{Shell: shell, To: afterwards(r), Out: true})
}
