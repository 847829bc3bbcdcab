package exchange_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
)

const (
	notesOrigin = "https://notes.example.com"
	shopOrigin  = "https://shop.example.com"
	appSecret   = "dw_cs_a secret of the test's own"
)

// apps registers two first-party applications and one that is not.
func (r *rig) apps() {
	r.t.Helper()
	app := func(id, origin string, first bool, scopes ...string) manage.NewClient {
		return manage.NewClient{Secret: appSecret + id, Client: client.Client{ID: id, Name: id, Type: "web", Auth: "client_secret_basic", FirstParty: first,
			Origins: []string{origin}, Resources: []string{"https://api." + id + ".example"}, Scopes: scopes}}
	}
	_, err := r.manage.CreateClients(r.t.Context(), settle.Caller{Actor: "host:0"}, []manage.NewClient{
		app("notes", notesOrigin, true, "notes:read", "notes:write", "profile"),
		app("shop", shopOrigin, true, "shop:buy", "profile", exchange.FeedScope),
		app("partner", "https://partner.example.net", false, "profile", exchange.FeedScope),
		app("paused", "https://paused.example.com", true, "profile", exchange.FeedScope),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.exec(`update clients set paused = 1 where id = 'paused'`)
}

func TestTheOriginChoosesTheClient(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p := r.person()
		for _, c := range []struct {
			origin, client, scope string
			audience              []string
		}{
			{"", "doorward", "account", []string{issuer}},
			{issuer, "doorward", "account", []string{issuer}},
			{notesOrigin, "notes", "notes:read notes:write profile", []string{issuer, "https://api.notes.example"}},
			{shopOrigin, "shop", "shop:buy profile revocations:read", []string{issuer, "https://api.shop.example"}},
		} {
			out := r.signInFrom(t, p, c.origin)
			resumed, err := r.Resume(t.Context(), home, out.Cookie, c.origin)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range []exchange.Tokens{out, resumed, r.refreshFrom(t, out.Refresh, c.origin)} {
				claims := r.inspected(t, got.Access)
				if got.Client != c.client || claims.Client != c.client || claims.Scope != c.scope || !slices.Equal(claims.Audience, c.audience) {
					t.Errorf("from %q: %s for %v may %q", c.origin, claims.Client, claims.Audience, claims.Scope)
				}
			}
		}
		out := r.signIn(t, p)
		before := r.count(`select count(*) from sessions`)
		for _, origin := range []string{"https://evil.example", "https://partner.example.net", "https://paused.example.com", "null", "http://notes.example.com",
			notesOrigin + "/", notesOrigin + ":443", strings.ToUpper(notesOrigin), "https://auth.example.com.evil.example"} {
			_, err := r.Password(t.Context(), elsewhere(1), exchange.PasswordInput{Email: p.email, Password: password, Origin: origin})
			refused(t, err, "client.first_party")
			_, err = r.Refresh(t.Context(), home, exchange.RefreshInput{Token: out.Refresh, Origin: origin})
			refused(t, err, "client.first_party")
			_, err = r.Resume(t.Context(), home, out.Cookie, origin)
			refused(t, err, "client.first_party")
			if r.Allows(t.Context(), origin) {
				t.Errorf("%q is allowed", origin)
			}
		}
		for _, origin := range []string{issuer, notesOrigin, shopOrigin} {
			if !r.Allows(t.Context(), origin) {
				t.Errorf("%q is not allowed", origin)
			}
		}
		if n := r.count(`select count(*) from sessions`); n != before {
			t.Errorf("%d sessions came of foreign pages", n-before)
		}
		r.refresh(t, out.Refresh)
	})
}

func (n *node) refreshFrom(t *testing.T, text, origin string) exchange.Tokens {
	t.Helper()
	out, err := n.Refresh(t.Context(), home, exchange.RefreshInput{Token: text, Origin: origin})
	if err != nil {
		t.Fatalf("refresh from %q: %v", origin, err)
	}
	return out
}

// An origin can never widen scope: a family that one application opened gives
// another what both may have. The family of the hosted pages is the person's
// whole first-party sign-in.
// Attack OAU-08.
func TestAnOriginWidensNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p := r.person()
		for _, c := range []struct{ opened, from, scope string }{
			{notesOrigin, shopOrigin, "profile"},
			{notesOrigin, "", ""},
			{notesOrigin, notesOrigin, "notes:read notes:write profile"},
			{shopOrigin, notesOrigin, "profile"},
			{"", shopOrigin, "shop:buy profile revocations:read"},
			{issuer, notesOrigin, "notes:read notes:write profile"},
		} {
			out := r.refreshFrom(t, r.signInFrom(t, p, c.opened).Refresh, c.from)
			if claims := r.inspected(t, out.Access); claims.Scope != c.scope {
				t.Errorf("opened from %q, refreshed from %q: may %q, want %q", c.opened, c.from, claims.Scope, c.scope)
			}
			// Having been at another application leaves nothing behind.
			back := r.refreshFrom(t, out.Refresh, notesOrigin)
			if claims := r.inspected(t, back.Access); c.opened == shopOrigin && claims.Scope != "profile" {
				t.Errorf("afterwards: may %q", claims.Scope)
			}
		}
	})
}
