package exchange

import (
	"context"
	"slices"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// LogoutClient and LogoutRedirect are what a person reads whom an application
// sends to sign out by mistake.
var (
	LogoutClient = check.New(check.Check{Number: 1082, ID: "logout.client", Fault: fault.Missing, Shown: "logout.client",
		Says: "The application that sends somebody to sign out is registered, and is the one that its ID token names.", Source: "OpenID Connect RP-Initiated Logout section 2",
		Title: "The application that sent you here is not known to us. You are still signed in."})
	LogoutRedirect = check.New(check.Check{Number: 1083, ID: "logout.redirect", Fault: fault.Unacceptable, Shown: "logout.redirect",
		Says: "The address to go on to is, character by character, one that the application registered for that.", Source: "OpenID Connect RP-Initiated Logout section 3; RFC 9700 section 4.11",
		Title: "The application wants you to go on to an address that it did not register. You are still signed in.", Stops: []string{"OAU-07"}})
)

// askLogout concerns nobody yet: who signs out is found by their cookie.
var askLogout = check.Declare(382, "return.logout", risk.NetworkCalm, LogoutClient, LogoutRedirect)

// LogoutInput is what an application sends somebody to sign out with (OpenID
// Connect RP-Initiated Logout section 2).
type LogoutInput struct {
	Hint     string // id_token_hint
	Client   string // client_id
	Redirect string // post_logout_redirect_uri
}

// A Logout is an application's wish that somebody signs out.
type Logout struct {
	Client client.Client // that wishes it; it need not be named
	Back   string        // the registered address to go on to; empty when there is none
	// Sure says that the ID token is ours and of the session, or the person, of
	// the browser that brings it: nobody need be asked.
	Sure bool
}

// AskLogout judges an application's wish. It ends nothing.
func (x *Exchanges) AskLogout(ctx context.Context, by settle.Caller, who Who, in LogoutInput) (Logout, error) {
	wait := x.meters.Take("authorize", risk.Network(by.Addr).String(), x.pipe.Now(), authorizePace)
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: askLogout.Begin(), Now: x.pipe.Now(), Rev: x.pipe.Feed.Position()}
	hint, ours := token.ReadHint(x.keys.Ring(), x.policy.Issuer, in.Hint)
	var out Logout
	id := in.Client
	if ours && id == "" {
		id = hint.Client
	}
	if client.ValidID(id) {
		out.Client = j.View.Client(id)
	}
	if j.Hold(risk.NetworkCalm, wait == 0, check.Wait(wait)) &&
		j.Hold(LogoutClient, (id == "" || out.Client.Exists()) && (!ours || hint.Client == id)) &&
		j.Hold(LogoutRedirect, in.Redirect == "" || slices.Contains(out.Client.PostLogout, in.Redirect)) {
		out.Back = in.Redirect
	}
	if err := j.Err(); err != nil {
		return Logout{}, err
	}
	if _, err := j.Close(); err != nil {
		return Logout{}, err
	}
	if ours && who.Exists() {
		out.Sure = hint.Session == who.Session.ID.String() || hint.Session == "" && hint.Subject == x.subject(out.Client, who.User)
	}
	// With nobody signed in there is nothing to ask, when the token is ours.
	out.Sure = out.Sure || ours && !who.Exists()
	return out, nil
}

// PartiesOf are the applications that take part in a session, for pages that
// say who will hear of its end.
func (x *Exchanges) PartiesOf(ctx context.Context, s session.ID) ([]client.Client, error) {
	v := x.pipe.Store.View(ctx)
	var out []client.Client
	for _, p := range v.Parties(s) {
		if c := v.Client(p.Client); c.Exists() {
			out = append(out, c)
		}
	}
	return out, v.Err()
}
