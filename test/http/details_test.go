package http_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/test/rig"
)

// Authorization details from the operator's declaration to the token that a
// resource asks about (RFC 9396): people read the sentence before they allow.
func TestAuthorizationDetailsOnTheWire(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		const schema = `{"type":"object","required":["amount","to"],"properties":{"type":{},"amount":{"type":"object","required":["value"]},"to":{"type":"string"}}}`
		if r := s.CLI(schema, "details", "declare", "payment", "--schema", "-", "--says", "pay {amount.value} euros to {to}", "--json"); r.Code != 0 {
			t.Fatal(r.Stderr)
		}
		if r := s.CLI(`{"$ref":"https://evil.example/"}`, "details", "declare", "bad", "--schema", "-", "--says", "pay"); r.Code != 1 || !strings.Contains(r.Stderr, "details.form") {
			t.Errorf("%d %s", r.Code, r.Stderr)
		}
		if r := s.CLI("", "details", "list", "--json"); r.Code != 0 || !strings.Contains(r.Stdout, `"payment"`) {
			t.Errorf("%d %s", r.Code, r.Stdout)
		}
		ana := s.User("ana")
		app := s.Register(map[string]any{"client_id": "shop", "client_name": "Shop", "redirect_uris": []string{"https://app.example/cb"}, "token_endpoint_auth_method": "client_secret_basic",
			"scope": "openid", "doorward_pkce": "optional", "authorization_details_types": []string{"payment"}, "doorward_resources": []string{"https://bank.example"}})
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(app.ID+":"+app.Secret))
		ask := func(v *rig.Visitor, details string) rig.Landing {
			q := url.Values{"client_id": {"shop"}, "response_type": {"code"}, "redirect_uri": {"https://app.example/cb"}, "scope": {"openid"}, "authorization_details": {details}}
			return v.Visit(s.URL + "/oauth/authorize?" + q.Encode())
		}
		const pay = `[{"type":"payment","amount":{"value":"12"},"to":"Books & <b>more</b>"}]`
		v := s.Visitor(ana)
		l := ask(v, pay)
		if l.URL == nil || l.Values().Get("code") == "" {
			t.Fatalf("the visit ended at %v, %s: %s", l.URL, l.Path, l.Text())
		}
		if l = ask(v, `[{"type":"payment"}]`); l.Values().Get("error") != "invalid_authorization_details" {
			t.Errorf("told %v", l.URL)
		}
		// What was allowed is not asked for again; another is, in words.
		if l = ask(v, pay); len(v.Pages) > 0 || l.Values().Get("code") == "" {
			t.Errorf("asked again: %v", v.Pages)
		}
		code := l.Values().Get("code")
		var got struct {
			Access  string         `json:"access_token"`
			Details jsontext.Value `json:"authorization_details"`
		}
		b := s.Browser()
		b.Origin = ""
		form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://app.example/cb"}}
		b.Do(http.MethodPost, "/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic).Want(t, http.StatusOK).Into(t, &got)
		const kept = `[{"amount":{"value":"12"},"to":"Books & <b>more</b>","type":"payment"}]`
		if string(got.Details) != kept {
			t.Errorf("the tokens are for %s", got.Details)
		}
		var told struct {
			Active  bool           `json:"active"`
			Details jsontext.Value `json:"authorization_details"`
		}
		b.Do(http.MethodPost, "/oauth/introspect", url.Values{"token": {got.Access}}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic).Want(t, http.StatusOK).Into(t, &told)
		if !told.Active || string(told.Details) != kept {
			t.Errorf("the resource is told %+v", told)
		}
		v.Refuses = true
		if l = ask(v, `[{"type":"payment","amount":{"value":"900"},"to":"Somebody"}]`); l.Values().Get("error") != "access_denied" || len(v.Pages) == 0 || v.Pages[0] != "/consent" {
			t.Errorf("told %v after %v", l.URL, v.Pages)
		}
		if r := s.CLI("", "details", "undeclare", "payment"); r.Code != 0 {
			t.Error(r.Stderr)
		}
		if l = ask(v, pay); l.Values().Get("error") != "invalid_authorization_details" {
			t.Errorf("told %v", l.URL)
		}
	})
}
