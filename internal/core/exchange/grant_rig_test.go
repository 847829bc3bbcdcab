package exchange_test

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
)

// The pair of RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	callback  = "https://app.example.com/callback"
)

// application registers a confidential application that people use.
func (n *node) application(t testing.TB, id string, with ...func(*manage.NewClient)) exchange.ClientProof {
	t.Helper()
	c := manage.NewClient{Secret: appSecret + id, Client: client.Client{ID: id, Name: id, Type: "web", FirstParty: true, RedirectURIs: []string{callback},
		Scopes: []string{"openid", "profile", "email", "offline_access", "notes:read"}}}
	for _, f := range with {
		f(&c)
	}
	if _, err := n.manage.CreateClients(t.Context(), from("127.0.0.1"), []manage.NewClient{c}); err != nil {
		t.Fatal(err)
	}
	return exchange.ClientProof{ID: id, Secret: c.Secret}
}

// asking is an authorization request of an application.
func (n *node) asking(t testing.TB, r *rig, app, scope string) client.Request {
	return client.Request{Client: app, Type: "code", Redirect: callback, Scope: scope, Challenge: challenge, Method: "S256", State: "state", Nonce: "nonce", Asked: r.clock.now()}
}

// code has a signed-in person's browser ask for a code.
func (n *node) code(t testing.TB, r *rig, of exchange.Tokens, app, scope string) string {
	t.Helper()
	a, err := n.Authorize(t.Context(), from("192.0.2.7"), of.Cookie, n.asking(t, r, app, scope))
	if err != nil || a.Code == "" {
		t.Fatalf("no code: %v, missing %d", err, a.Missing)
	}
	return a.Code
}

// given has an application trade a new code for tokens.
func (n *node) given(t testing.TB, r *rig, of exchange.Tokens, proof exchange.ClientProof, scope string) exchange.Granted {
	t.Helper()
	g, err := n.Code(t.Context(), from("203.0.113.9"), proof, exchange.CodeInput{Code: n.code(t, r, of, proof.ID, scope), Redirect: callback, Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(scope, "openid") == (g.IDToken == "") {
		t.Fatalf("scope %q, ID token %q", scope, g.IDToken)
	}
	return g
}
