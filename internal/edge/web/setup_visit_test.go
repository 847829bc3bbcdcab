package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/web"
)

// asOperator keeps hold of the exchanges, for what operators do with them.
func asOperator(x **exchange.Exchanges) tuning {
	return func(p *exchange.Policy, c *web.Config) {
		open(p, c)
		c.Exchange = &interposed{first: func() {}, got: x}
	}
}

var host = settle.Caller{Actor: "host:0"}

func TestSetupOnItsPage(t *testing.T) {
	t.Parallel()
	var x *exchange.Exchanges
	g := newRig(t, live, 1000, asOperator(&x))
	b := g.browser()
	form := b.get("/setup").is(200).says("This server has no administrator yet.", "doorward setup-link").form("/setup")
	b.post("/setup", form).is(422).says("Enter the setup code.", "Enter your e-mail.", "Enter your password.")
	filled := with(form, "username", "root@example.com", "name", "Root", "password", password)
	a := b.post("/setup", with(filled, "code", "guessed")).is(422).says("That setup code does not work.", "once.known")
	if again := a.form("/setup"); again.Get("username") != "root@example.com" || again.Get("password") != "" {
		t.Errorf("the form comes back as %v", again)
	}
	o, err := x.OfferSetup(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	b.post("/setup", with(filled, "code", o.Code, "username", ana)).is(409).says("There is an account with this address already.")
	b.post("/setup", with(filled, "code", " "+o.Code+"\n")).to("/account")
	b.get("/account").is(200).says("You are signed in as Root (root@example.com).")

	// TEN-15: afterwards there is no such page, for anybody.
	for _, who := range []*browser{b, g.browser()} {
		who.get("/setup").is(404).says("There is no such page")
		who.post("/setup", with(filled, "code", o.Code)).is(404)
	}
}

func TestInvitationOnItsPage(t *testing.T) {
	t.Parallel()
	var x *exchange.Exchanges
	g := newRig(t, dev, 1000, asOperator(&x))
	invite := func(email string) string {
		i, err := x.Invite(context.Background(), host, email, "Eve Adler")
		if err != nil {
			t.Fatal(err)
		}
		return i.Link
	}
	link := invite(eve)
	for range 50 {
		g.browser().get(link).is(200)
	}
	b := g.browser()
	form := b.get(link).is(200).says("You are invited", "the account of eve@example.com at localhost:8400 is made").form("/invite")
	if form.Get("name") != "Eve Adler" || form.Get("username") != eve {
		t.Errorf("the form holds %v", form)
	}
	b.post("/invite", form).is(422).says("Enter your password.")
	a := b.post("/invite", with(form, "password", "short", "name", "Eve A.")).is(422).says("at least 15 characters")
	// What else the form says of the address counts for nothing (attack IDN-13).
	b.post("/invite", with(a.form("/invite"), "password", password, "username", "mallory@example.com")).to("/account")
	b.get("/account").is(200).says("You are signed in as Eve A. (eve@example.com).")
	g.browser().get(link).is(200).says("This was already confirmed at")
	b.post("/invite", with(form, "password", password)).is(422) // the form of a browser before its sign-in

	late := invite("late@example.com")
	form = g.browser().get(late).form("/invite")
	g.clock.pass(72 * time.Hour)
	a = g.browser().get(late).is(200).says("This link ended at", "Ask whoever invited you")
	if strings.Contains(a.body, "<form") {
		t.Error("an invitation that ended can be renewed by whoever has it")
	}
	for _, bad := range []string{"/invite", "/invite?t=nonsense"} {
		g.browser().get(bad).is(200).says("This link does nothing any more")
	}

	// Who is signed in stays so.
	c := g.browser().signIn(ben)
	form = c.get(invite("dave@example.com")).is(200).says("This is for dave@example.com, and you are signed in as ben@example.com.").form("/invite")
	c.post("/invite", with(form, "password", password)).to("/verify?made=1")
	c.get("/account").is(200).says(ben)
}
