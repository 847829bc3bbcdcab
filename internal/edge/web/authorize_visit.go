package web

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// authorizing answers the requests of applications.
type authorizing interface {
	Authorize(ctx context.Context, by settle.Caller, cookie string, r client.Request) (exchange.Authorization, error)
	Look(ctx context.Context, by settle.Caller, cookie string, r client.Request) (exchange.Authorization, error)
	// Receive reads what a request points to.
	Receive(ctx context.Context, r client.Request) (client.Request, error)
	// Recall reads one that waits, from where it is kept, and says whether it does.
	Recall(ctx context.Context, r client.Request) (client.Request, bool, error)
	Asking(ctx context.Context, r client.Request) (exchange.Authorization, error)
}

// authorizeAt is the authorization endpoint (RFC 6749 section 3.1).
const authorizeAt = "/oauth/authorize"

var authorizePages = map[string]pages{authorizeAt: {"GET": (*visit).authorize, "POST": (*visit).takeAuthorize}}

// waiting is the use of a sealed request that waits for its person.
const waiting = "authorization request"

// authorize answers an application's request, or one of ours that waited for
// its person.
func (v *visit) authorize() error {
	if flow := v.r.URL.Query().Get("flow"); flow != "" {
		// The last page of ours is the one that leaves.
		return v.seeOther("/return?flow=" + url.QueryEscape(flow))
	}
	q, err := door.OAuthValues(v.r.URL.RawQuery, door.Query, client.RequestFields...)
	if err != nil {
		return v.lost(exchange.Authorization{}, client.Request{}, err)
	}
	r, err := v.exchange.Receive(v.ctx(), client.ReadRequest(q, v.now()))
	if err != nil {
		return err
	}
	c, _ := v.cookies()
	a, err := v.exchange.Authorize(v.ctx(), v.caller(), c.Cookie, r)
	switch {
	case exchange.Finished(err):
		return v.show(ReturnPage{Shell: v.shellOf(a), To: a.Client.URI, Finished: true})
	case err != nil && a.Back != "":
		return v.reply(a, r, refusalAnswer(err), true)
	case err != nil:
		return v.lost(a, r, err)
	case a.Missing != exchange.Nothing:
		return v.ask(a, r)
	}
	return v.reply(a, r, url.Values{"code": {a.Code}}, true)
}

// takeAuthorize takes a request that was posted (OpenID Connect Core section
// 3.1.2.1). Browsers send no cookie with a post from elsewhere, so it is
// judged by the GET that follows.
func (v *visit) takeAuthorize() error {
	f, err := door.OAuthForm(v.w, v.r, client.RequestFields...)
	if err != nil {
		return err
	}
	r, err := v.exchange.Receive(v.ctx(), client.ReadRequest(f, v.now()))
	if err != nil {
		return err
	}
	if r.Trouble != nil {
		a, err := v.exchange.Look(v.ctx(), v.caller(), "", r)
		if a.Back == "" {
			return err
		}
		return v.reply(a, r, refusalAnswer(err), true)
	}
	flow, err := v.hold(r)
	if err != nil {
		return err
	}
	return v.seeOther(authorizeAt + "?flow=" + flow)
}

// proceed goes on with a request that waited: to the next page that is
// missing, or back to the application.
func (v *visit) proceed(flow string) error {
	r, _, err := v.pending(flow)
	if err != nil {
		return err
	}
	if r.Type == afterLogout {
		return v.goOnFrom(r)
	}
	c, _ := v.cookies()
	a, err := v.exchange.Authorize(v.ctx(), v.caller(), c.Cookie, r)
	var refusal *check.Refusal
	switch {
	case a.Missing != exchange.Nothing:
		return v.ask(a, r)
	case exchange.Finished(err):
		return v.show(ReturnPage{Shell: v.shellOf(a), To: a.Client.URI, Finished: true})
	case errors.As(err, &refusal) && a.Back != "":
		return v.reply(a, r, refusalAnswer(err), false)
	case err != nil:
		return v.lost(a, r, err)
	}
	return v.reply(a, r, url.Values{"code": {a.Code}}, false)
}

// ask leads to the page that can get what is missing, and from there back to
// the request.
func (v *visit) ask(a exchange.Authorization, r client.Request) error {
	flow, err := v.hold(r)
	if err != nil {
		return err
	}
	back := authorizeAt + "?flow=" + flow
	switch a.Missing {
	case exchange.ASignIn:
		return v.seeOther(bound("/sign-in", back))
	case exchange.Another:
		return v.seeOther("/sign-in?another=1&return_to=" + url.QueryEscape(back))
	case exchange.AProof:
		return v.seeOther(bound("/step-up", back))
	case exchange.AChoice:
		return v.seeOther(chooseAt + "?flow=" + flow)
	}
	return v.seeOther(consentAt + "?flow=" + flow)
}

// reply carries an answer to its application. The state is the application's
// own, and the issuer is in every answer (RFC 9207). A browser that no form of
// ours sent here may be redirected at once.
func (v *visit) reply(a exchange.Authorization, r client.Request, params url.Values, direct bool) error {
	params.Set("iss", v.exchange.Policy().Issuer)
	if r.State != "" {
		params.Set("state", r.State)
	}
	if a.Client.ByForm(r) {
		page := FormPostPage{Shell: v.shellOf(a), To: a.Back}
		for _, name := range slices.Sorted(maps.Keys(params)) {
			page.Answer = append(page.Answer, Detail{Name: name, Value: params.Get(name)})
		}
		return v.show(page)
	}
	to := answerAt(a, params)
	if direct {
		return v.location(to)
	}
	return v.show(ReturnPage{Shell: v.shellOf(a), To: to, Without: params.Has("error")})
}

// answerAt is the address of an application with an answer in it.
func answerAt(a exchange.Authorization, params url.Values) string {
	join := "?"
	if strings.Contains(a.Back, "?") {
		join = "&"
	}
	return a.Back + join + params.Encode()
}

// refusalAnswer is what an application reads of a refusal (RFC 6749 section
// 4.1.2.1).
func refusalAnswer(err error) url.Values {
	var e *check.Refusal
	if !errors.As(err, &e) {
		return url.Values{"error": {"temporarily_unavailable"}}
	}
	return url.Values{"error": {door.OAuthCode(e.Check())}, "error_description": {door.OAuthSays(e)}}
}

func (v *visit) shellOf(a exchange.Authorization) ui.Shell {
	shell := v.shell()
	shell.App = &ui.App{Name: nameOf(a.Client), Domain: domainOf(a.Client, a.Back)}
	return shell
}

// A held request waits for its person, in the browser that it was made in.
type held struct {
	Request client.Request `json:"r"`
	Browser []byte         `json:"b"` // of the browser's key
}

func browserOf(key []byte) []byte {
	h := token.BrowserHash(key)
	return h[:16]
}

// shellFor is the shell of a page on the way to an address: with the application at its head whose request waits there.
func (v *visit) shellFor(to string) ui.Shell {
	if r, ok := v.waits(to); ok {
		if a, err := v.exchange.Asking(v.ctx(), r); err == nil {
			return v.shellOf(a)
		}
	}
	return v.shell()
}

// hold seals a request for this browser, while its person does something
// about it. From then on it can be answered once.
func (v *visit) hold(r client.Request) (string, error) {
	if r.ID == nil {
		id := secret.Random16()
		r.ID = id[:]
	}
	v.csrf() // the browser has a key from now on
	flow, fits := token.SealState(v.keys.Ring().State, waiting, nil, held{r.Kept(), browserOf(v.key)})
	if !fits {
		return "", check.Refuse(client.RequestForm)
	}
	return flow, nil
}

// pending opens what hold sealed. In another browser, or in this one after
// somebody signed in in another tab, the request begins anew, as if it had just
// come from the application: nothing that a person did about it counts.
func (v *visit) pending(flow string) (r client.Request, anew bool, err error) {
	var h held
	if !token.OpenState(v.keys.Ring().State, waiting, nil, flow, &h) || v.now().Sub(h.Request.Asked) > exchange.RequestFor {
		return r, false, check.Refuse(requestOurs)
	}
	r, waits, err := v.exchange.Recall(v.ctx(), h.Request)
	if err == nil && !waits {
		err = check.Refuse(requestOurs)
	}
	if err != nil {
		return r, false, err
	}
	v.locales = localesOf(r)
	if key, ok := v.browserKey(); !ok || !secret.Equal(h.Browser, browserOf(key)) {
		r.Asked, r.Chosen, r.Refused = v.now(), time.Time{}, false
		return r, true, nil
	}
	return r, false, nil
}

// localesOf are the languages that a request asks for (ui_locales), as browsers
// write them before their own; one that is no language means nothing.
func localesOf(r client.Request) string {
	var out strings.Builder
	for _, tag := range strings.Fields(r.Locales) {
		if !strings.ContainsFunc(tag, func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-'
		}) && len(tag) <= 35 {
			out.WriteString(tag + ",")
		}
	}
	return out.String()
}

// waits is the request that a page leads back to, when it is one that waits in
// this browser.
func (v *visit) waits(to string) (client.Request, bool) {
	flow, ours := strings.CutPrefix(to, authorizeAt+"?flow=")
	if !ours {
		return client.Request{}, false
	}
	r, _, err := v.pending(flow)
	return r, err == nil
}

// flows finds sealed requests in an address of ours, at any depth of quoting.
var flows = regexp.MustCompile(`(flow(?:=|%3D|%253D))([A-Za-z0-9_-]{64,})`)

// rebound seals the requests in an address for a browser's new key.
func (v *visit) rebound(to string, old, new []byte) string {
	return flows.ReplaceAllStringFunc(to, func(s string) string {
		m := flows.FindStringSubmatch(s)
		var h held
		if !token.OpenState(v.keys.Ring().State, waiting, nil, m[2], &h) || !secret.Equal(h.Browser, browserOf(old)) {
			return s
		}
		h.Browser = browserOf(new)
		text, _ := token.SealState(v.keys.Ring().State, waiting, nil, h)
		return m[1] + text
	})
}
