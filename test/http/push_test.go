package http_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// AS-31, FP-03, FP-07, OI-11 as an application and its person see them: pushed
// and signed requests, the pages between, and one answer.
func TestPushedAndSignedRequests(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		k, set := keyed(t)
		app := s.Register(map[string]any{"client_id": "notes", "client_name": "Notes", "redirect_uris": []string{"https://app.example/cb"}, "token_endpoint_auth_method": "client_secret_basic",
			"scope": "openid email", "doorward_pkce": "optional", "jwks": set, "require_pushed_authorization_requests": true})
		push := func(form url.Values) rig.Answer {
			form = maps.Clone(form)
			form.Set("client_id", "notes")
			b := s.Browser()
			b.Origin = ""
			return b.Do(http.MethodPost, "/oauth/par", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(app.ID+":"+app.Secret)))
		}
		request := url.Values{"response_type": {"code"}, "redirect_uri": {"https://app.example/cb"}, "scope": {"openid"}, "state": {"pushed"}}
		pushed := func(form url.Values) string {
			t.Helper()
			var out struct {
				URI     string `json:"request_uri"`
				Expires int    `json:"expires_in"`
			}
			a := push(form).Want(t, http.StatusCreated)
			a.Into(t, &out)
			if out.URI == "" || out.Expires != 90 || a.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%+v with %v", out, a.Header)
			}
			return s.URL + "/oauth/authorize?" + url.Values{"client_id": {"notes"}, "request_uri": {out.URI}}.Encode()
		}
		refused := func(a rig.Answer, status int, code, check string) {
			t.Helper()
			if r := a.Refusal(t); a.Status != status || r.Error != code || r.Check != check {
				t.Errorf("answered %d %s", a.Status, a.Body)
			}
		}

		address := pushed(request)
		// Somebody's preview of the link uses nothing up.
		s.Visitor(ana).Do(http.MethodGet, address[len(s.URL):], nil)
		v := s.Visitor(ana)
		l := v.Visit(address)
		if l.URL == nil || l.Values().Get("code") == "" || l.Values().Get("state") != "pushed" || l.Values().Get("iss") != s.URL {
			t.Fatalf("the visit ended at %v, %s: %s", l.URL, l.Path, l.Text())
		}
		if l = v.Visit(address); l.URL != nil || l.Page.Status != http.StatusOK {
			t.Errorf("answered twice: %v", l.URL)
		}
		if l = v.Visit(s.URL + "/oauth/authorize?client_id=notes&" + request.Encode()); l.Values().Get("error") != "invalid_request" {
			t.Errorf("without being pushed: %v", l.URL)
		}

		// A signed one inside: what is around it is nothing.
		now := time.Now().Unix()
		claims := map[string]any{"iss": "notes", "client_id": "notes", "aud": s.URL, "exp": now + 60, "response_type": "code", "redirect_uri": "https://app.example/cb", "scope": "openid", "state": "signed",
			"claims": map[string]any{"id_token": map[string]any{"acr": map[string]any{"essential": true, "value": "urn:doorward:acr:1"}}}}
		object := url.Values{"request": {signJWT(t, k, claims)}, "state": {"around"}, "redirect_uri": {"https://evil.example/"}}
		if l = v.Visit(pushed(object)); l.URL == nil || l.Values().Get("code") == "" || l.Values().Get("state") != "signed" {
			t.Errorf("the visit ended at %v, %s: %s", l.URL, l.Path, l.Text())
		}
		raw, _ := json.Marshal(claims)
		refused(push(url.Values{"request": {"eyJhbGciOiJub25lIn0." + string(raw) + "."}}), http.StatusBadRequest, "invalid_request_object", "request.object")
		refused(push(url.Values{"request_uri": {"urn:ietf:params:oauth:request_uri:x"}}), http.StatusBadRequest, "invalid_request", "request.form")
		bad := maps.Clone(request)
		bad.Set("redirect_uri", "https://evil.example/")
		refused(push(bad), http.StatusBadRequest, "invalid_request", "redirect.exact")
		refused(s.Browser().Do(http.MethodPost, "/oauth/par", request.Encode()+"&client_id=notes", "Content-Type", "application/x-www-form-urlencoded"), http.StatusUnauthorized, "invalid_client", "client.authentic")
		refused(s.Bearer(http.MethodGet, "/oauth/par", ""), http.StatusMethodNotAllowed, "invalid_request", "request.method")
		if l = v.Visit(s.URL + "/oauth/authorize?client_id=notes&request_uri=https%3A%2F%2Fapp.example%2Fr.jwt"); l.Values().Get("error") != "request_uri_not_supported" {
			t.Errorf("an address of somebody's: %v", l.URL)
		}
	})
}
