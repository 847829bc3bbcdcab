package http_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// A device asks in the program's own words (RFC 8628): what it gets, and what
// it is told while nobody has answered (attack OAU-24).
func TestADeviceAsks_OAU24(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		s.Register(map[string]any{"client_id": "tv", "client_name": "Television", "doorward_type": "native", "token_endpoint_auth_method": "none",
			"grant_types": []string{"urn:ietf:params:oauth:grant-type:device_code"}, "scope": "openid films:watch"})
		s.Register(map[string]any{"client_id": "page", "client_name": "Page", "doorward_type": "native", "redirect_uris": []string{"http://127.0.0.1/back"}})
		var meta struct {
			Device string   `json:"device_authorization_endpoint"`
			Grants []string `json:"grant_types_supported"`
		}
		s.Browser().Do(http.MethodGet, "/.well-known/openid-configuration", nil).Into(t, &meta)
		if meta.Device != s.URL+"/oauth/device" || !strings.Contains(strings.Join(meta.Grants, " "), "device_code") {
			t.Errorf("%+v", meta)
		}
		var d struct {
			Code      string `json:"device_code"`
			User      string `json:"user_code"`
			At        string `json:"verification_uri"`
			Complete  string `json:"verification_uri_complete"`
			ExpiresIn int    `json:"expires_in"`
			Interval  int    `json:"interval"`
		}
		sent(s, "/oauth/device", url.Values{"client_id": {"tv"}, "scope": {"openid films:watch"}}).Want(t, http.StatusOK).Into(t, &d)
		if d.Code == "" || len(d.User) != 9 || d.At != s.URL+"/device" || d.Complete != d.At+"?user_code="+d.User || d.ExpiresIn < 590 || d.ExpiresIn > 600 || d.Interval != 5 {
			t.Errorf("%+v", d)
		}
		poll := func(client, code, want, check string) {
			t.Helper()
			var refused map[string]any
			sent(s, "/oauth/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {client}, "device_code": {code}}).Want(t, http.StatusBadRequest).Into(t, &refused)
			if refused["error"] != want || refused["check"] != check {
				t.Errorf("%v, want %s by %s", refused, want, check)
			}
		}
		poll("tv", d.Code, "authorization_pending", "device.answered")
		poll("tv", d.Code, "slow_down", "device.patient")
		poll("tv", "dw_dc_x", "invalid_grant", "device.authentic")
		poll("page", d.Code, "unauthorized_client", "client.grant")
		var refused map[string]any
		sent(s, "/oauth/device", url.Values{"client_id": {"page"}}).Want(t, http.StatusBadRequest).Into(t, &refused)
		if refused["error"] != "unauthorized_client" {
			t.Errorf("%v", refused)
		}
		s.Clock("+11m")
		poll("tv", d.Code, "expired_token", "device.in_time")
	})
}
