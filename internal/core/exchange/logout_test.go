package exchange_test

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/outbox"
)

// An ear is where applications hear that sessions ended.
type ear struct {
	mu     sync.Mutex
	heard  []url.Values
	at     []string
	status int
}

func (e *ear) Post(_ context.Context, address, media string, body []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v, err := url.ParseQuery(string(body))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return 0, errors.New("no form")
	}
	e.heard, e.at = append(e.heard, v), append(e.at, address)
	return e.status, nil
}

func (e *ear) policy(p *exchange.Policy) { p.Post = e }

// tell looks for notices on every node and delivers what waits, once.
func tell(t *testing.T, nodes ...*node) (failed int) {
	t.Helper()
	for _, n := range nodes {
		n.catchUp(t)
		if _, err := n.Notices(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		if _, err := n.pipe.Deliver(t.Context(), n.keys.Keys.Ring().Mail, n.TellLogout, func(_ outbox.Message, _ error) { failed++ }); err != nil {
			t.Fatal(err)
		}
	}
	return failed
}

func listens(c *manage.NewClient) { c.BackchannelLogout = "https://" + c.ID + ".example.com/ended" }

// OI-17: an application that took part in a session is told that it ended, by a
// token of its own kind, however it ended; others and other sessions are not;
// of two nodes one tells; one that does not answer is told again.
func TestApplicationsHearThatASessionEnded(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		heard := &ear{status: 503}
		n, other := r.open(lifetimes(heard.policy)), r.open(lifetimes(heard.policy))
		p := r.person()
		laptop, phone := n.signIn(t, p), n.signIn(t, p)
		notes, deaf := n.application(t, "notes", listens), n.application(t, "deaf")
		n.given(t, r, laptop, notes, "openid")
		n.given(t, r, laptop, deaf, "openid")
		n.given(t, r, phone, notes, "openid")
		tell(t, n, other)
		if len(heard.heard) != 0 {
			t.Fatal("told while everything stands")
		}
		if _, err := n.SignOut(t.Context(), home, exchange.Credential{Cookie: laptop.Cookie}); err != nil {
			t.Fatal(err)
		}
		if failed := tell(t, other, n); failed != 1 || len(heard.heard) != 1 {
			t.Fatalf("%d tries, %d failed", len(heard.heard), failed)
		}
		heard.status = 204
		r.clock.add(11 * time.Second)
		if failed := tell(t, n, other); failed != 0 || len(heard.heard) != 2 || heard.at[1] != "https://notes.example.com/ended" {
			t.Fatalf("%d tries at %v, %d failed", len(heard.heard), heard.at, failed)
		}
		var claims struct {
			Iss    string              `json:"iss"`
			Aud    string              `json:"aud"`
			Sub    string              `json:"sub"`
			Sid    string              `json:"sid"`
			JTI    string              `json:"jti"`
			Iat    int64               `json:"iat"`
			Exp    int64               `json:"exp"`
			Nonce  string              `json:"nonce"`
			Events map[string]struct{} `json:"events"`
		}
		text := heard.heard[1].Get("logout_token")
		raw, _, err := jose.Verify(text, "logout+jwt", func(kid string) (jose.Key, bool) { k, ok := n.keys.Keys.Ring().Verify[kid]; return k, ok })
		if err != nil || json.Unmarshal(raw, &claims) != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		_, is := claims.Events["http://schemas.openid.net/event/backchannel-logout"]
		if claims.Iss != issuer || claims.Aud != "notes" || claims.Sub != p.id.String() || claims.Sid != laptop.Session.ID.String() || claims.JTI == "" ||
			claims.Exp-claims.Iat != 120 || claims.Nonce != "" || !is {
			t.Errorf("%s", raw)
		}
		// It is no token for anything else (JWT-16).
		if _, err := n.Inspect(t.Context(), text, issuer, "notes"); named(err) != "token.form" {
			t.Errorf("as an access token: %v", err)
		}
		// One write ends all sessions of a person, and everybody is told.
		if _, err := n.EndOthers(t.Context(), home, exchange.Credential{Cookie: phone.Cookie}, true); err != nil {
			t.Fatal(err)
		}
		tell(t, n, other)
		if len(heard.heard) != 3 {
			t.Errorf("%d tries", len(heard.heard))
		}
		tell(t, n, other)
		if len(heard.heard) != 3 {
			t.Error("told again what was heard")
		}
		if got := r.count(`select count(*) from parties`); got != 0 {
			t.Errorf("%d parties are left", got)
		}
	})
}

// A server that was away when a session ended tells of it when it starts.
func TestWhatEndedWhileAwayIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		heard := &ear{status: 200}
		n := r.open(lifetimes(heard.policy))
		of := n.signIn(t, r.person())
		n.given(t, r, of, n.application(t, "notes", listens), "openid")
		if _, err := n.SignOut(t.Context(), home, exchange.Credential{Cookie: of.Cookie}); err != nil {
			t.Fatal(err)
		}
		again := r.open(lifetimes(heard.policy))
		tell(t, again)
		if len(heard.heard) != 1 {
			t.Errorf("%d tries", len(heard.heard))
		}
	})
}

// OI-16: an ID token of ours for this session makes asking needless; every
// other wish is asked about, and no address is gone to that was not registered.
func TestAWishToSignOut(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		p := r.person()
		laptop, phone := n.signIn(t, p), n.signIn(t, p)
		bye := func(c *manage.NewClient) { c.PostLogout = []string{"https://" + c.ID + ".example.com/bye"} }
		notes, shop := n.application(t, "notes", bye), n.application(t, "shop", bye)
		g := n.given(t, r, laptop, notes, "openid")
		who, other := n.live(t, laptop.Cookie), n.live(t, phone.Cookie)
		back := "https://notes.example.com/bye"
		r.clock.add(time.Hour) // it has expired: it names, and gives nothing
		for name, c := range map[string]struct {
			who  exchange.Who
			in   exchange.LogoutInput
			sure bool
			back string
			no   string
		}{
			"with its token":            {who, exchange.LogoutInput{Hint: g.IDToken, Redirect: back}, true, back, ""},
			"and its name":              {who, exchange.LogoutInput{Hint: g.IDToken, Client: "notes", Redirect: back}, true, back, ""},
			"nowhere to go":             {who, exchange.LogoutInput{Hint: g.IDToken}, true, "", ""},
			"nobody signed in":          {exchange.Who{}, exchange.LogoutInput{Hint: g.IDToken, Redirect: back}, true, back, ""},
			"another session":           {other, exchange.LogoutInput{Hint: g.IDToken, Redirect: back}, false, back, ""},
			"by name":                   {who, exchange.LogoutInput{Client: "notes", Redirect: back}, false, back, ""},
			"nothing":                   {who, exchange.LogoutInput{}, false, "", ""},
			"a token of nobody":         {who, exchange.LogoutInput{Hint: g.IDToken + "x", Client: "notes"}, false, "", ""},
			"an access token":           {who, exchange.LogoutInput{Hint: g.Access, Client: "notes"}, false, "", ""},
			"nobody's address":          {who, exchange.LogoutInput{Redirect: back}, false, "", "logout.redirect"},
			"another's address":         {who, exchange.LogoutInput{Hint: g.IDToken, Redirect: "https://shop.example.com/bye"}, false, "", "logout.redirect"},
			"a longer address":          {who, exchange.LogoutInput{Hint: g.IDToken, Redirect: back + "/"}, false, "", "logout.redirect"},
			"a sign-in address":         {who, exchange.LogoutInput{Hint: g.IDToken, Redirect: callback}, false, "", "logout.redirect"},
			"another's name":            {who, exchange.LogoutInput{Hint: g.IDToken, Client: shop.ID}, false, "", "logout.client"},
			"an application of nobody":  {who, exchange.LogoutInput{Client: "nobody"}, false, "", "logout.client"},
			"no name of an application": {who, exchange.LogoutInput{Client: "\x00"}, false, "", "logout.client"},
		} {
			got, err := n.AskLogout(t.Context(), elsewhere(7), c.who, c.in)
			if c.no != "" {
				if named(err) != c.no {
					t.Errorf("%s: %v", name, err)
				}
			} else if err != nil || got.Sure != c.sure || got.Back != c.back {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}
