package http_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// A pipeline without any secret of ours gets a token (attack IDN-08, mission
// row X10).
func TestAPipelinesTokenIsTraded_IDN08(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		k, set := keyed(t)
		s.Register(map[string]any{"client_id": "deployer", "client_name": "Deployer", "doorward_type": "machine", "token_endpoint_auth_method": "none", "scope": "deploy", "doorward_resources": []string{"shop-api"}})
		add := s.CLI(string(set), "service-accounts", "federations", "add", "deployer", "--issuer", "https://ci.example.com", "--claim", "sub=repo:example/shop", "--jwks", "-", "--lifetime", "1m", "--json")
		var made struct {
			ID       string `json:"id"`
			Lifetime int    `json:"lifetime"`
		}
		if err := json.Unmarshal([]byte(add.Stdout), &made); err != nil || add.Code != 0 || !strings.HasPrefix(made.ID, "grant_") || made.Lifetime != 60 {
			t.Fatalf("%d %s %s", add.Code, add.Stdout, add.Stderr)
		}
		form := func(sub string) url.Values {
			now := time.Now().Unix()
			return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "client_id": {"deployer"},
				"assertion": {signJWT(t, k, map[string]any{"iss": "https://ci.example.com", "sub": sub, "aud": s.URL, "iat": now, "exp": now + 600})}}
		}
		var got struct {
			Access    string `json:"access_token"`
			ExpiresIn int    `json:"expires_in"`
			Refresh   string `json:"refresh_token"`
		}
		sent(s, "/oauth/token", form("repo:example/shop")).Want(t, http.StatusOK).Into(t, &got)
		if got.Access == "" || got.ExpiresIn > 60 || got.Refresh != "" {
			t.Errorf("%+v", got)
		}
		var refused map[string]any
		sent(s, "/oauth/token", form("repo:example/other")).Want(t, http.StatusBadRequest).Into(t, &refused)
		if refused["error"] != "invalid_grant" || refused["check"] != "assertion.fits" {
			t.Errorf("%v", refused)
		}
		list := s.CLI("", "service-accounts", "federations", "list")
		if !strings.Contains(list.Stdout, made.ID) || !strings.Contains(list.Stdout, "sub=repo:example/shop") {
			t.Errorf("%s", list.Stdout)
		}
		verify := s.CLI(got.Access, "tokens", "verify")
		if verify.Code != 0 || !strings.Contains(verify.Stdout, "by client.assertion, to deployer from 127.0.0.1/32") {
			t.Errorf("%d %s", verify.Code, verify.Stdout)
		}
		if out := s.CLI("", "service-accounts", "federations", "remove", made.ID); out.Code != 0 {
			t.Errorf("%s", out.Stderr)
		}
		sent(s, "/oauth/token", form("repo:example/shop")).Want(t, http.StatusBadRequest)
		if verify := s.CLI(got.Access, "tokens", "verify"); verify.Code != 1 || !strings.Contains(verify.Stdout, "token.alive") {
			t.Errorf("%d %s", verify.Code, verify.Stdout)
		}
		if out := s.CLI("", "service-accounts", "federations", "remove", made.ID); out.Code == 0 {
			t.Error("removed twice")
		}
	})
}
