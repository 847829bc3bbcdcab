package web

import (
	"net/url"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// formToken is the second line behind door.Site: it does not rest on what the browser says of itself.
var formToken = check.New(check.Check{Number: 151, ID: "form.token", Fault: fault.Denied, Shown: "form.token",
	Says: "The form was made for this browser, since it last signed in.", Source: "ASVS 3.5.1",
	Title: "This page was open for a long time. Nothing was changed.", Stops: []string{"SES-15", "SES-01"}})

var requestOurs = check.New(check.Check{Number: 924, ID: "request.ours", Fault: fault.Missing, Shown: "request.ours",
	Says: "The request that waits was made in this browser, within the last hour.", Source: "RFC 9700 section 4.7; OIDC Core section 3.1.2.3",
	Title: "This sign-in cannot go on here. Go back to the application and start again.", Stops: []string{"OAU-17", "SES-01"}})

// keyFor is how long a browser keeps its key: a form left open for longer is made anew.
const keyFor = 12 * time.Hour

// formVersion is what the form's token covers beside the browser's key; another meaning of the token has another.
var formVersion = []byte{1}

// browserKey reads the key that this browser's forms are bound to.
func (v *visit) browserKey() ([]byte, bool) {
	text, twice := v.door.Cookie(v.r, door.FormCookie)
	key, ok := secret.Decode(text)
	return key, ok && !twice && len(key) == secret.Size
}

// newKey gives the browser another key: one planted before a sign-in is worth nothing after it (attack SES-02).
func (v *visit) newKey() {
	v.former, _ = v.browserKey()
	key := secret.Random()
	v.keep(key[:])
}

// keep gives the browser a key that something else was bound to already.
func (v *visit) keep(key []byte) {
	v.key = key
	v.door.SetCookie(v.w, door.FormCookie, secret.Encode(v.key), int(keyFor.Seconds()))
}

// csrf is the token of the forms on this answer. A browser without a key is given one.
func (v *visit) csrf() string {
	if v.key == nil {
		if key, ok := v.browserKey(); ok {
			v.key = key
		} else {
			v.newKey()
		}
	}
	return secret.Encode(v.token(v.key))
}

func (v *visit) token(key []byte) []byte {
	mac := secret.MAC(v.keys.Ring().Form, "form", formVersion, key)
	return mac[:]
}

// ours holds that a form was made for this browser.
func (v *visit) ours(form url.Values) error {
	key, ok := v.browserKey()
	sent, readable := secret.Decode(form.Get("csrf"))
	if !ok || !readable || !secret.Equal(sent, v.token(key)) {
		return check.Refuse(formToken)
	}
	return nil
}

// spoiled says on a page made anew why it was. A browser that brings no cookie at all keeps none.
func (v *visit) spoiled(s ui.Shell, e *check.Refusal) ui.Shell {
	for _, name := range []string{door.FormCookie, door.SessionCookie, door.RefreshCookie} {
		if value, twice := v.door.Cookie(v.r, name); value != "" || twice {
			s.Status = PageWasOld()
			return s
		}
	}
	s.Alert = CookieRefused(s.Host, e.Ref)
	return s
}
