package clients

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/doorward/doorward/test/rig"
)

const callback = "https://app.example/cb"

// gopher is an application in Go: go-oidc on top of x/oauth2.
type gopher struct {
	s        *rig.Server
	ana      rig.User
	ctx      context.Context
	provider *oidc.Provider
}

func goOIDC(t *testing.T, f func(t *testing.T, g *gopher)) {
	t.Helper()
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		g := &gopher{s: rig.Start(t, engine)}
		g.ana = g.s.User("ana")
		g.ctx = oidc.ClientContext(context.Background(), g.s.Client())
		var err error
		if g.provider, err = oidc.NewProvider(g.ctx, g.s.URL); err != nil {
			t.Fatal(err)
		}
		f(t, g)
	})
}

func (g *gopher) app(metadata map[string]any) *oauth2.Config {
	all := map[string]any{"client_name": "Notes", "redirect_uris": []string{callback}, "token_endpoint_auth_method": "client_secret_basic",
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid email offline_access", "doorward_resources": []string{"https://api.example"}}
	for name, value := range metadata {
		all[name] = value
	}
	c := g.s.Register(all)
	return &oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: callback, Endpoint: g.provider.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "email", oidc.ScopeOfflineAccess}}
}

// signIn is what the documentation of the two packages says, with a person at
// the browser.
func (g *gopher) signIn(t *testing.T, config *oauth2.Config, v *rig.Visitor) (*oauth2.Token, *oidc.IDToken) {
	t.Helper()
	verifier, nonce := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	landing := v.Visit(config.AuthCodeURL("state", oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
	if landing.URL == nil || landing.Values().Get("state") != "state" {
		t.Fatalf("the visit ended at %v, %s: %s", landing.URL, landing.Path, landing.Text())
	}
	token, err := config.Exchange(g.ctx, landing.Values().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := g.provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(g.ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if id.Nonce != nonce {
		t.Errorf("the nonce came back as %q", id.Nonce)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.Error(err)
	}
	return token, id
}

// The pair that most programs in Go use signs a person in, and goes on in
// their name.
func TestGoOIDCSignsIn(t *testing.T) {
	goOIDC(t, func(t *testing.T, g *gopher) {
		config := g.app(nil)
		token, id := g.signIn(t, config, g.s.Visitor(g.ana))
		info, err := g.provider.UserInfo(g.ctx, config.TokenSource(g.ctx, token))
		if err != nil {
			t.Fatal(err)
		}
		if info.Subject != id.Subject || info.Email != g.ana.Email {
			t.Errorf("userinfo is of %s %s", info.Subject, info.Email)
		}
		next, err := config.TokenSource(g.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		if err != nil {
			t.Fatal(err)
		}
		if next.AccessToken == token.AccessToken || next.RefreshToken == token.RefreshToken {
			t.Error("nothing was rotated")
		}
		again, err := g.provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(g.ctx, next.Extra("id_token").(string))
		if err != nil || again.Subject != id.Subject {
			t.Errorf("the refreshed ID token is of %v (%v)", again, err)
		}
	})
}

// x/oauth2 finds out by itself how a client proves which one it is: it tries
// the header first, and must be told by the answer.
func TestGoOAuth2FindsTheAuthStyle(t *testing.T) {
	goOIDC(t, func(t *testing.T, g *gopher) {
		for _, method := range []string{"client_secret_basic", "client_secret_post", "none"} {
			config := g.app(map[string]any{"token_endpoint_auth_method": method})
			config.Endpoint.AuthStyle = oauth2.AuthStyleAutoDetect
			verifier := oauth2.GenerateVerifier()
			landing := g.s.Visitor(g.ana).Visit(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)))
			if _, err := config.Exchange(g.ctx, landing.Values().Get("code"), oauth2.VerifierOption(verifier)); err != nil {
				t.Errorf("%s: %v", method, err)
			}
		}
	})
}

// A machine asks in its own name.
func TestGoOAuth2ClientCredentials(t *testing.T) {
	goOIDC(t, func(t *testing.T, g *gopher) {
		c := g.s.Register(map[string]any{"client_name": "Job", "doorward_type": "machine", "grant_types": []string{"client_credentials"},
			"scope": "notes:read", "doorward_resources": []string{"https://api.example"}})
		config := clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: g.provider.Endpoint().TokenURL,
			Scopes: []string{"notes:read"}, EndpointParams: url.Values{"resource": {"https://api.example"}}}
		if token, err := config.Token(g.ctx); err != nil || !token.Valid() {
			t.Errorf("%v", err)
		}
		config.ClientSecret += "x"
		_, err := config.Token(g.ctx)
		if refusal := new(oauth2.RetrieveError); !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_client" {
			t.Errorf("a wrong secret was answered %v", err)
		}
	})
}

// A device signs in beside a browser.
func TestGoOAuth2Device(t *testing.T) {
	goOIDC(t, func(t *testing.T, g *gopher) {
		config := g.app(map[string]any{"token_endpoint_auth_method": "none", "doorward_type": "native", "redirect_uris": []string{},
			"grant_types": []string{"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"}})
		device, err := config.DeviceAuth(g.ctx)
		if err != nil {
			t.Fatal(err)
		}
		v := g.s.Visitor(g.ana)
		v.Says["user_code"] = device.UserCode
		landing := v.Visit(device.VerificationURIComplete)
		device.Interval = 1
		ctx, cancel := context.WithTimeout(g.ctx, 20*time.Second)
		defer cancel()
		token, err := config.DeviceAccessToken(ctx, device)
		if err != nil || token.RefreshToken == "" {
			t.Errorf("%v; the page says %s", err, landing.Text())
		}
	})
}

// What the client keeps for the person's API calls goes away with its grant.
func TestGoOAuth2IsTold(t *testing.T) {
	goOIDC(t, func(t *testing.T, g *gopher) {
		config := g.app(nil)
		token, _ := g.signIn(t, config, g.s.Visitor(g.ana))
		if r := g.s.CLI("", "users", "pause", g.ana.Email); r.Code != 0 {
			t.Fatal(r.Stderr)
		}
		_, err := config.TokenSource(g.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		if refusal := new(oauth2.RetrieveError); !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_grant" {
			t.Errorf("a paused person's refresh was answered %v", err)
		}
		request, err := http.NewRequestWithContext(g.ctx, http.MethodGet, g.s.URL+"/oauth/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		token.SetAuthHeader(request)
		answer, err := g.s.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusUnauthorized || answer.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("userinfo answers %d %s", answer.StatusCode, body)
		}
	})
}
