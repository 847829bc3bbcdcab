package http_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// registers sends an application's own registration.
func registers(s *rig.Server, method, at, token string, metadata map[string]any) rig.Answer {
	var body any
	if metadata != nil {
		body = metadata
	}
	b := s.Browser()
	b.Origin = ""
	if token == "" {
		return b.Do(method, at, body)
	}
	return b.Do(method, at, body, "Authorization", "Bearer "+token)
}

// OAU-25, AS-35: applications register themselves with a token from an
// operator alone, get what a stranger may have, and change that themselves.
func TestAnApplicationRegistersItself(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		good := map[string]any{"client_name": "Notes", "redirect_uris": []string{"https://notes.example.com/cb"}, "grant_types": []string{"authorization_code", "refresh_token"},
			"response_types": []string{"code"}, "application_type": "web", "scope": "openid profile", "unknown_member": true, "contacts": []string{"a@example.com"}}
		refused := registers(s, "POST", "/oauth/register", "", good).Want(t, http.StatusUnauthorized).Refusal(t)
		if refused.Error != "invalid_token" || refused.Check != "registration.permitted" {
			t.Errorf("%+v", refused)
		}
		permit := s.CLI("", "registration-tokens", "create", "--uses", "2")
		token := strings.TrimSpace(permit.Stdout)
		if permit.Code != 0 || !strings.HasPrefix(token, "dw_it_") {
			t.Fatalf("%d %s %s", permit.Code, permit.Stdout, permit.Stderr)
		}
		change := func(name string, value any) map[string]any {
			out := map[string]any{}
			for k, v := range good {
				out[k] = v
			}
			out[name] = value
			return out
		}
		for name, c := range map[string]struct {
			in          map[string]any
			code, check string
		}{
			"a script":         {change("redirect_uris", []string{"javascript:alert(1)"}), "invalid_redirect_uri", "registration.redirect"}, // OAU-03
			"data":             {change("redirect_uris", []string{"data:text/html,x"}), "invalid_redirect_uri", "registration.redirect"},
			"no way back":      {change("redirect_uris", []string{}), "invalid_redirect_uri", "registration.redirect"},
			"a machine":        {change("grant_types", []string{"client_credentials"}), "invalid_client_metadata", "registration.metadata"},
			"an exchange":      {change("grant_types", []string{"urn:ietf:params:oauth:grant-type:token-exchange"}), "invalid_client_metadata", "registration.metadata"},
			"an API of ours":   {change("doorward_resources", []string{"orders"}), "invalid_client_metadata", "registration.metadata"},
			"to be ours":       {change("doorward_first_party", true), "invalid_client_metadata", "registration.metadata"},
			"a scope of ours":  {change("scope", "openid revocations:read"), "invalid_client_metadata", "registration.metadata"},
			"a page of ours":   {change("doorward_origins", []string{"https://notes.example.com"}), "invalid_client_metadata", "registration.metadata"},
			"no challenge":     {change("doorward_pkce", "optional"), "invalid_client_metadata", "registration.metadata"},
			"a method of none": {change("token_endpoint_auth_method", "client_secret_jwt"), "invalid_client_metadata", "registration.metadata"},
		} {
			got := registers(s, "POST", "/oauth/register", token, c.in).Want(t, http.StatusBadRequest).Refusal(t)
			if got.Error != c.code || got.Check != c.check {
				t.Errorf("%s: %+v", name, got)
			}
		}
		var made map[string]any
		registers(s, "POST", "/oauth/register", token, good).Want(t, http.StatusCreated).Into(t, &made)
		id, _ := made["client_id"].(string)
		secret, _ := made["client_secret"].(string)
		own, _ := made["registration_access_token"].(string)
		at := "/oauth/register/" + id
		if id == "" || secret == "" || !strings.HasPrefix(own, "dw_ra_") || made["registration_client_uri"] != s.URL+at || made["client_secret_expires_at"] != 0.0 || made["doorward_self_registered"] != true {
			t.Fatalf("%v", made)
		}
		var read map[string]any
		registers(s, "GET", at, own, nil).Want(t, http.StatusOK).Into(t, &read)
		if read["client_name"] != "Notes" || read["client_secret"] != nil || read["registration_access_token"] != nil {
			t.Errorf("%v", read)
		}
		for name, wrong := range map[string]string{"another's": token, "none": "", "cut": own[:len(own)-1]} {
			registers(s, "GET", at, wrong, nil).Want(t, http.StatusUnauthorized)
			registers(s, "PUT", at, wrong, good).Want(t, http.StatusUnauthorized)
			if registers(s, "DELETE", at, wrong, nil).Status != http.StatusUnauthorized {
				t.Errorf("removed with %s", name)
			}
		}
		next := change("client_name", "Better notes")
		next["client_id"] = id
		registers(s, "PUT", at, own, next).Want(t, http.StatusOK).Into(t, &read)
		if read["client_name"] != "Better notes" || read["doorward_self_registered"] != true {
			t.Errorf("%v", read)
		}
		greedy := change("doorward_first_party", true)
		greedy["client_id"], greedy["doorward_resources"] = id, []string{"orders"}
		registers(s, "PUT", at, own, greedy).Want(t, http.StatusBadRequest)
		registers(s, "POST", "/oauth/register", token, good).Want(t, http.StatusCreated)
		registers(s, "POST", "/oauth/register", token, good).Want(t, http.StatusUnauthorized) // both uses are gone
		registers(s, "DELETE", at, own, nil).Want(t, http.StatusNoContent)
		registers(s, "GET", at, own, nil).Want(t, http.StatusUnauthorized)
		if list := s.CLI("", "registration-tokens", "list"); !strings.Contains(list.Stdout, "0 left") || strings.Contains(list.Stdout, token) {
			t.Errorf("%s", list.Stdout)
		}
	})
}
