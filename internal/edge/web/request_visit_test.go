package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

const back = "https://app.example/cb"

// app registers an application of the operator's own, which nobody is asked
// about.
func (g *rig) app(change func(*client.Client)) client.Client {
	g.t.Helper()
	c := client.Client{ID: "notes", Name: "Notes", Type: "web", FirstParty: true, Auth: client.AuthBasic, RedirectURIs: []string{back}, Scopes: []string{"openid", "email", "profile", "offline_access"},
		TokenFormat: client.JWT, Settings: client.Settings{PKCE: client.PKCEOptional}}
	if change != nil {
		change(&c)
	}
	_, err := g.store.Commit(context.Background(), core.Unit{client.Create{ID: c.ID, Name: c.Name, Type: c.Type, FirstParty: c.FirstParty, Auth: c.Auth, RedirectURIs: c.RedirectURIs,
		Scopes: c.Scopes, TokenFormat: c.TokenFormat, Settings: c.Settings, Created: g.clock.Now()}})
	if err != nil {
		g.t.Fatal(err)
	}
	return c
}

// asks is an authorization request of the application; an empty value leaves a
// parameter out.
func asks(more ...string) string {
	q := url.Values{"client_id": {"notes"}, "response_type": {"code"}, "redirect_uri": {back}, "scope": {"openid"}, "state": {"s"}}
	for i := 0; i < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return "/oauth/authorize?" + q.Encode()
}

// told is what the application was told in its address.
func (a *answer) told() url.Values {
	a.t.Helper()
	to := a.is(http.StatusSeeOther).header.Get("Location")
	if !strings.HasPrefix(to, back+"?") {
		a.t.Fatalf("goes to %q", to)
	}
	u, err := url.Parse(to)
	if err != nil {
		a.t.Fatal(err)
	}
	return u.Query()
}

// arrive goes where an answer leads, as long as that is ours.
func (b *browser) arrive(a *answer) *answer {
	b.t.Helper()
	for range 10 {
		to := a.header.Get("Location")
		if a.code != http.StatusSeeOther || !strings.HasPrefix(to, "/") {
			return a
		}
		a = b.get(to)
	}
	b.t.Fatal("it does not end")
	return a
}

// AS-30, OAU-27: an answer travels in a form when that was asked for, to the
// registered address and nowhere else, refusals too, with the issuer (AS-14).
func TestAnswersTravelInForms(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(nil)
	posted := func(a *answer) url.Values {
		t.Helper()
		form := a.is(200).form(back)
		policy := a.header.Get("Content-Security-Policy")
		if form.Get("iss") != dev || form.Get("state") != "s" || !strings.Contains(policy, "form-action 'self' https://app.example;") || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the form holds %v under %s", form, policy)
		}
		return form
	}
	b := g.browser()
	if got := posted(b.get(asks("response_mode", "form_post", "prompt", "none"))); got.Get("error") != "login_required" || got.Has("code") {
		t.Errorf("told %v", got)
	}
	// Behind a form of ours.
	a := b.arrive(b.get(asks("response_mode", "form_post"))).is(200)
	a = b.post("/sign-in", with(a.form("/sign-in"), "username", ana, "password", password)).is(303)
	if got := posted(b.arrive(a)); !strings.HasPrefix(got.Get("code"), "dw_ac_") {
		t.Errorf("told %v", got)
	}
	// And at once.
	if got := posted(b.get(asks("response_mode", "form_post"))); !strings.HasPrefix(got.Get("code"), "dw_ac_") {
		t.Errorf("told %v", got)
	}
	for _, mode := range []string{"fragment", "query.jwt", "web_message", "FORM_POST"} {
		if got := b.get(asks("response_mode", mode)).told(); got.Get("error") != "invalid_request" || got.Get("iss") != dev {
			t.Errorf("%s: told %v", mode, got)
		}
	}
}

// AS-30: an application may be held to some of the ways; nothing is posted to
// what is not the web.
func TestWaysOfAnswering(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	g.app(func(c *client.Client) { c.ResponseModes = []string{client.ByQuery} })
	g.app(func(c *client.Client) {
		c.ID, c.RedirectURIs, c.ResponseModes = "forms", []string{back, "com.example.notes:/cb"}, []string{client.ByForm}
	})
	b := g.browser().signIn(ana)
	if got := b.get(asks("response_mode", "form_post")).told(); got.Get("error") != "invalid_request" {
		t.Errorf("told %v", got)
	}
	b.get(asks("client_id", "forms", "response_mode", "form_post")).is(200).form(back)
	for _, more := range [][]string{{"response_mode", "query"}, {"response_mode", ""}} {
		if got := b.get(asks(append(more, "client_id", "forms")...)).told(); got.Get("error") != "invalid_request" {
			t.Errorf("%v: told %v", more, got)
		}
	}
	a := b.get(asks("client_id", "forms", "response_mode", "form_post", "redirect_uri", "com.example.notes:/cb")).is(303)
	if to := a.header.Get("Location"); !strings.HasPrefix(to, "com.example.notes:/cb?error=invalid_request") {
		t.Errorf("goes to %s", to)
	}
}
