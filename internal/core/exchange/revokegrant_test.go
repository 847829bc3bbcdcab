package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/token"
)

func strict(c *manage.NewClient) { c.Revocation = client.Strict }

// active says whether a client is told that a token is good.
func (n *node) active(t testing.TB, proof exchange.ClientProof, text string) bool {
	t.Helper()
	in, err := n.Introspect(t.Context(), from("203.0.113.9"), proof, text)
	if err != nil {
		t.Fatal(err)
	}
	return in.Active
}

// OAU-35, AS-40: what an application gives back is dead at once: a refresh
// token with everything that came of the grant, an access token alone.
func TestWhatIsGivenBackIsDead(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		of := n.signIn(t, r.person())
		notes, shop := n.application(t, "notes"), n.application(t, "shop")
		by := from("203.0.113.9")

		g := n.given(t, r, of, notes, "openid notes:read")
		if !n.active(t, notes, g.Access) || !n.active(t, notes, g.Refresh) {
			t.Fatal("a new token is not active")
		}
		if n.active(t, shop, g.Access) || n.active(t, shop, g.Refresh) {
			t.Error("another application is told about it")
		}
		refused(t, n.RevokeGrant(t.Context(), by, shop, g.Refresh), "token.yours")
		refused(t, n.RevokeGrant(t.Context(), by, shop, g.Access), "token.yours")
		refused(t, n.RevokeGrant(t.Context(), by, exchange.ClientProof{ID: "notes", Secret: "guess"}, g.Access), "client.authentic")
		if !n.active(t, notes, g.Access) {
			t.Error("another application's wish ended a token")
		}

		if err := n.RevokeGrant(t.Context(), by, notes, g.Access); err != nil {
			t.Fatal(err)
		}
		if n.active(t, notes, g.Access) || !n.active(t, notes, g.Refresh) {
			t.Error("an access token that was given back is active, or its refresh token is not")
		}
		told := len(r.events())
		if err := n.RevokeGrant(t.Context(), by, notes, g.Access); err != nil || len(r.events()) != told {
			t.Errorf("the same token ended twice: %v", err)
		}
		again, err := n.RefreshGrant(t.Context(), by, notes, g.Refresh, exchange.Asked{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // ending twice is ending
			if err := n.RevokeGrant(t.Context(), by, notes, again.Refresh); err != nil {
				t.Fatal(err)
			}
		}
		if n.active(t, notes, again.Access) || n.active(t, notes, again.Refresh) {
			t.Error("tokens of a family that was given back are active")
		}
		_, err = n.RefreshGrant(t.Context(), by, notes, again.Refresh, exchange.Asked{})
		refused(t, err, "refresh.alive")
		if _, err = n.Bearer(t.Context(), token.Shown{Access: of.Access}); err != nil {
			t.Error("the session itself ended: ", err)
		}
		for _, nothing := range []string{"x", "dw_rt_x", g.IDToken, of.Refresh[:len(of.Refresh)-1]} {
			if err := n.RevokeGrant(t.Context(), by, notes, nothing); err != nil {
				t.Errorf("%q: %v", nothing, err)
			}
		}
	})
}

// Strict tokens live with the newest refresh of their family, whatever a feed
// says: a node that follows nothing knows it too.
func TestAStrictTokenLivesWithItsRefresh(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		of := n.signIn(t, r.person())
		notes := n.application(t, "notes", strict)
		by := from("203.0.113.9")
		first := n.given(t, r, of, notes, "openid notes:read")
		second, err := n.RefreshGrant(t.Context(), by, notes, first.Refresh, exchange.Asked{})
		if err != nil {
			t.Fatal(err)
		}
		if !n.active(t, notes, first.Access) || !n.active(t, notes, second.Access) {
			t.Error("inside the grace both live")
		}
		r.clock.add(11 * time.Second)
		if n.active(t, notes, first.Access) || !n.active(t, notes, second.Access) {
			t.Error("after the grace the newest alone lives")
		}
		if _, err := n.UserInfo(t.Context(), token.Shown{Access: first.Access}); named(err) != "token.stands" {
			t.Errorf("userinfo: %v", err)
		}
		// Written behind every feed's back.
		r.exec(`update families set ended = 1 where consent_id in (select id from consents where client_id = 'notes')`)
		if n.active(t, notes, second.Access) {
			t.Error("its family ended")
		}
	})
}

// A machine's strict token hangs on its application alone.
func TestAMachinesStrictTokenAsksForItsApplication(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		job := n.application(t, "job", strict, func(c *manage.NewClient) {
			c.Type, c.FirstParty, c.RedirectURIs, c.Scopes = "machine", false, nil, []string{"jobs:run"}
		})
		g, err := n.ClientCredentials(t.Context(), from("203.0.113.9"), job, exchange.Asked{})
		if err != nil {
			t.Fatal(err)
		}
		if !n.active(t, job, g.Access) {
			t.Error("a new token is not active")
		}
		_, err = n.Inspect(t.Context(), g.Access, issuer)
		if err != nil {
			t.Fatal(err)
		}
		r.exec(`update clients set paused = 1 where id = 'job'`)
		_, err = n.Inspect(t.Context(), g.Access, issuer)
		refused(t, err, "token.stands")
	})
}

// A resource may want every token strict, whatever its application is.
func TestAStrictResourceReadsTheRows(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		of := n.signIn(t, r.person())
		notes := n.application(t, "notes", func(c *manage.NewClient) { c.Resources = []string{"notes-api"} })
		api := n.application(t, "api", strict, func(c *manage.NewClient) { c.Resources = []string{"notes-api"} })
		g := n.given(t, r, of, notes, "openid notes:read")
		if !n.active(t, api, g.Access) {
			t.Fatal("a new token is not active")
		}
		r.exec(`update consents set scopes = '' where client_id = 'notes'`)
		if n.active(t, api, g.Access) {
			t.Error("the consent is gone")
		}
	})
}

// OAU-09: a code that is shown again ends what it bought, once: whoever found it in a history cannot sign the person out
// of the application for as long as it is known.
func TestACodeShownAgainEndsWhatItBoughtAlone(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		of := n.signIn(t, r.person())
		notes := n.application(t, "notes")
		in := exchange.CodeInput{Code: n.code(t, r, of, notes.ID, "openid notes:read"), Redirect: callback, Verifier: verifier}
		by := from("203.0.113.9")
		bought, err := n.Code(t.Context(), by, notes, in)
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Code(t.Context(), by, notes, in)
		refused(t, err, "code.unspent")
		if n.active(t, notes, bought.Access) || n.active(t, notes, bought.Refresh) {
			t.Error("what it bought is active")
		}
		n.catchUp(t)
		newer := n.given(t, r, of, notes, "openid notes:read")
		_, err = n.Code(t.Context(), by, notes, in)
		refused(t, err, "code.unspent")
		if !n.active(t, notes, newer.Access) || !n.active(t, notes, newer.Refresh) {
			t.Error("the old code ended what a newer one bought")
		}
	})
}
