package client

import (
	"slices"
	"testing"
	"time"
)

func TestWhatIsWeakIsNamed(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	strong := Client{ID: "a", Type: "web", Auth: AuthBasic, Secret: Secret{Hash: HashOf("a", "x"), Made: now.Add(-time.Hour), Used: now}}
	if w := strong.Weaknesses(now); len(w) != 0 {
		t.Errorf("%+v", w)
	}
	for id, change := range map[string]func(c *Client){
		"pkce":          func(c *Client) { c.PKCE = PKCEOptional },
		"stateless":     func(c *Client) { c.Revocation = Stateless },
		"secret_old":    func(c *Client) { c.Secret.Made = now.AddDate(-1, 0, -1) },
		"secret_former": func(c *Client) { c.Former = Secret{Hash: HashOf("a", "y"), Until: now.Add(time.Hour)} },
		"secret_post":   func(c *Client) { c.Auth = AuthPost },
	} {
		c := strong
		change(&c)
		if w := c.Weaknesses(now); len(w) != 1 || w[0].ID != id || w[0].Fix == "" {
			t.Errorf("%s: %+v", id, w)
		}
	}
}

func TestARehearsalFindsWhatASignInWouldMeet(t *testing.T) {
	good := Client{ID: "a", Type: "spa", Auth: AuthNone, RedirectURIs: []string{"https://app.example/cb"}, Scopes: []string{"openid"}}
	bad := func(c Client) (ids []string) {
		for _, f := range c.Rehearse() {
			if !f.Good {
				ids = append(ids, f.ID)
			}
		}
		return ids
	}
	if ids := bad(good); ids != nil {
		t.Errorf("%v", ids)
	}
	if ids := bad(Client{ID: "a", Type: "machine", Auth: AuthBasic}); ids != nil {
		t.Errorf("a machine: %v", ids)
	}
	for id, change := range map[string]func(c *Client){
		"standing": func(c *Client) { c.Paused = true },
		"redirect": func(c *Client) { c.RedirectURIs = nil },
		"openid":   func(c *Client) { c.Scopes = nil },
		"people":   func(c *Client) { c.Grants = []string{GrantRefresh} },
		"proof":    func(c *Client) { c.Type = "machine" },
	} {
		c := good
		change(&c)
		if ids := bad(c); !slices.Contains(ids, id) {
			t.Errorf("%s: %v", id, ids)
		}
	}
}
