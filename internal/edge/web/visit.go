package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// presenting finds whose session a cookie is.
type presenting interface {
	Cookie(ctx context.Context, cookie string) (exchange.Who, error)
}

// A visit is one request of a browser to a page.
type visit struct {
	*Web
	w http.ResponseWriter
	r *http.Request
	// again makes the form anew after a refusal: as it was sent, never with the password. Without it, or when it
	// gives no page, the refusal has a page of its own.
	again func(*check.Refusal) (ui.Page, int)
	// key is this browser's, once it was asked for.
	key []byte
	// locales are the languages that a request which waits asked for, the best first.
	locales string
	// apps are the names of applications that were looked up on this visit.
	apps map[string]string
	// former is the key that key took the place of on this visit.
	former []byte
}

func (v *visit) now() time.Time        { return v.door.Now() }
func (v *visit) caller() settle.Caller { return v.door.Caller(v.r) }
func (v *visit) ctx() context.Context  { return v.r.Context() }
func (v *visit) shell() ui.Shell {
	return ui.Shell{Host: v.door.Issuer.Host, Lang: ui.Language(v.locales + v.r.Header.Get("Accept-Language"))}
}
func (v *visit) show(p ui.Page) error    { return ui.Write(v.w, http.StatusOK, p) }
func (v *visit) blank(to string) ui.Form { return ui.Form{CSRF: v.csrf(), ReturnTo: unlessHome(to)} }

// cookies are the two cookies of one session. One that was sent twice was planted by a sibling: then neither counts
// (attack SES-05).
func (v *visit) cookies() (c exchange.Credential, twice bool) {
	cookie, a := v.door.Cookie(v.r, door.SessionCookie)
	refresh, b := v.door.Cookie(v.r, door.RefreshCookie)
	if a || b {
		return exchange.Credential{}, true
	}
	return exchange.Credential{Cookie: cookie, Refresh: refresh}, false
}

// who finds who is signed in; nobody is no error. Cookies that stand for nothing are taken away (attack SES-07),
// but only when the store said so.
func (v *visit) who() (exchange.Who, error) {
	c, twice := v.cookies()
	if twice {
		v.forget()
		return exchange.Who{}, nil
	}
	if c.Cookie == "" {
		return exchange.Who{}, nil
	}
	who, err := v.exchange.Cookie(v.ctx(), c.Cookie)
	if faultOf(err) == fault.Unauthenticated {
		v.forget()
		return exchange.Who{}, nil
	}
	return who, err
}

// remember gives the browser the cookies of a session until its end. An empty one stays as it is.
func (v *visit) remember(cookie, refresh string, until time.Time) {
	now := v.now()
	if cookie != "" {
		v.door.SetCookie(v.w, door.SessionCookie, cookie, int(until.Sub(now).Seconds()))
	}
	if refresh != "" {
		if end := now.Add(v.exchange.Policy().Token.Max); end.Before(until) {
			until = end
		}
		v.door.SetCookie(v.w, door.RefreshCookie, refresh, int(until.Sub(now).Seconds()))
	}
}

// enter gives the browser a new session, and what it is known by the next time.
func (v *visit) enter(t exchange.Tokens, to string) error {
	v.remember(t.Cookie, t.Refresh, t.Session.MaxUntil)
	v.door.KeepDevice(v.w, t.Device)
	v.newKey()
	return v.seeOther(to)
}

// forget takes both cookies of the session away.
func (v *visit) forget() {
	v.door.SetCookie(v.w, door.SessionCookie, "", 0)
	v.door.SetCookie(v.w, door.RefreshCookie, "", 0)
}

// leave is forget, with all else that this browser kept of us but cookies: the mark of a known device stays
// (ASVS 14.3.1).
func (v *visit) leave() {
	v.forget()
	v.newKey()
	v.w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
}

// form reads the form of a page of ours. Its token is judged by [visit.ours], when the page can be made anew.
func (v *visit) form(fields ...string) (url.Values, error) {
	if err := v.door.FromOwn(v.r); err != nil {
		return nil, err
	}
	if _, err := door.Params(v.r); err != nil {
		return nil, err
	}
	return door.Form(v.w, v.r, append(fields, "csrf", "return_to")...)
}

// seeOther sends the browser on to an address of ours, always with GET: 307 and 308 would carry a password along
// (RFC 9700 section 4.12).
func (v *visit) seeOther(to string) error {
	if v.former != nil {
		to = v.rebound(to, v.former, v.key)
	}
	return v.location(to)
}

func (v *visit) location(to string) error {
	h := v.w.Header()
	ui.Headers(h)
	h.Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// toSignIn sends somebody who is not signed in to where they can be, and back. An error comes first: who could not
// be recognised is not signed out.
func (v *visit) toSignIn(back string, err error) error {
	if err != nil {
		return err
	}
	return v.seeOther(bound("/sign-in", back))
}

// bound is an address of ours that leads on to another.
func bound(at, to string) string {
	if to = unlessHome(to); to == "" {
		return at
	}
	return at + "?return_to=" + url.QueryEscape(to)
}

func unlessHome(to string) string {
	if to == home {
		return ""
	}
	return to
}

// refusedBy says whether an error is the refusal of a check.
func refusedBy(err error, c *check.Check) bool {
	var e *check.Refusal
	return errors.As(err, &e) && e.Check() == c
}

// faultOf is what kind of refusal an error is; Internal when it is none.
func faultOf(err error) fault.Kind {
	var e *check.Refusal
	if errors.As(err, &e) {
		return e.Check().Fault
	}
	return fault.Internal
}
