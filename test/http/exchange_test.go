package http_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// A service trades the token that it was called with, at the wire (RFC 8693,
// attack OAU-21).
func TestAServiceTradesATokenDown_OAU21(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		s.App("notes", "https://notes.example.com", "notes-api")
		front := s.Register(map[string]any{"client_id": "front", "client_name": "Front", "doorward_type": "machine", "doorward_resources": []string{"notes-api"}, "scope": "notes:read notes:write",
			"grant_types": []string{"urn:ietf:params:oauth:grant-type:token-exchange"}, "doorward_token_exchange": map[string]any{"audiences": []string{"store-api"}}})
		store := s.API("store", "store-api")
		in := s.SignInAt(ana, "https://notes.example.com")
		basic := func(c rig.Client) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ID)+":"+url.QueryEscape(c.Secret)))
		}
		ask := func(path string, c rig.Client, form url.Values) rig.Answer {
			b := s.Browser()
			b.Origin = ""
			return b.Do(http.MethodPost, path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic(c))
		}
		form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {in.Access}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "audience": {"store-api"}}
		var got struct {
			Access string `json:"access_token"`
			Issued string `json:"issued_token_type"`
			Type   string `json:"token_type"`
			Scope  string `json:"scope"`
		}
		ask("/oauth/token", front, form).Want(t, http.StatusOK).Into(t, &got)
		if got.Issued != "urn:ietf:params:oauth:token-type:access_token" || got.Type != "Bearer" || got.Scope != "notes:read" {
			t.Errorf("%+v", got)
		}
		var told map[string]any
		ask("/oauth/introspect", store, url.Values{"token": {got.Access}}).Want(t, http.StatusOK).Into(t, &told)
		act, _ := told["act"].(map[string]any)
		if told["active"] != true || told["sub"] != ana.ID || told["sid"] != in.Session || act["sub"] != "front" || act["act"] != nil {
			t.Errorf("%v", told)
		}
		for field, c := range map[string]struct{ value, error, check string }{
			"scope":                {"admin", "invalid_scope", "client.scope"},
			"audience":             {"shop-api", "invalid_target", "client.resource"},
			"subject_token":        {"x", "invalid_request", "exchange.subject"},
			"subject_token_type":   {"urn:ietf:params:oauth:token-type:id_token", "invalid_request", "exchange.types"},
			"requested_token_type": {"urn:ietf:params:oauth:token-type:refresh_token", "invalid_request", "exchange.types"},
		} {
			wrong := url.Values{}
			for k, v := range form {
				wrong[k] = v
			}
			wrong.Set(field, c.value)
			var refused map[string]any
			ask("/oauth/token", front, wrong).Want(t, http.StatusBadRequest).Into(t, &refused)
			if refused["error"] != c.error || refused["check"] != c.check {
				t.Errorf("%s: %v", field, refused)
			}
		}
		in.Do(http.MethodDelete, "/session", nil).Want(t, http.StatusNoContent)
		told = nil
		ask("/oauth/introspect", store, url.Values{"token": {got.Access}}).Want(t, http.StatusOK).Into(t, &told)
		if told["active"] != false {
			t.Errorf("after signing out: %v", told)
		}
	})
}
