package http_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/test/rig"
)

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// keyed makes a key, and the set that publishes it.
func keyed(t *testing.T) (*jose.SigningKey, jsontext.Value) {
	t.Helper()
	k, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.Set(k.Key()))
	if err != nil {
		t.Fatal(err)
	}
	return k, set
}

func signJWT(t *testing.T, k *jose.SigningKey, claims map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.Sign("JWT", raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sent posts a form, as a program does.
func sent(s *rig.Server, path string, form url.Values) rig.Answer {
	b := s.Browser()
	b.Origin = ""
	return b.Do(http.MethodPost, path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// Attack OAU-14, at the endpoints: an assertion is good once, at one of them.
func TestAnAssertionIsSentOnce_OAU14(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		k, set := keyed(t)
		s.Register(map[string]any{"client_id": "robot", "client_name": "Robot", "doorward_type": "machine", "token_endpoint_auth_method": "private_key_jwt",
			"jwks": set, "scope": "robots:move", "doorward_resources": []string{"robot-api"}})
		form := func(jti, aud string) url.Values {
			now := time.Now().Unix()
			return url.Values{"client_assertion_type": {jwtBearer}, "client_assertion": {signJWT(t, k, map[string]any{"iss": "robot", "sub": "robot", "aud": aud, "jti": jti, "iat": now, "exp": now + 60})},
				"grant_type": {"client_credentials"}, "token": {"x"}}
		}
		first := form("1", s.URL)
		var got struct {
			Access string `json:"access_token"`
			Scope  string `json:"scope"`
		}
		sent(s, "/oauth/token", first).Want(t, http.StatusOK).Into(t, &got)
		if got.Access == "" || got.Scope != "robots:move" {
			t.Errorf("%+v", got)
		}
		for _, path := range []string{"/oauth/token", "/oauth/introspect"} {
			a := sent(s, path, first).Want(t, http.StatusUnauthorized)
			var refused map[string]any
			a.Into(t, &refused)
			if refused["error"] != "invalid_client" || refused["check"] != "client.authentic" || refused["error_description"] != "The application did not prove which one it is (jti of client_assertion)." {
				t.Errorf("%s: %v", path, refused)
			}
		}
		asked := form("2", s.URL+"/oauth/introspect")
		asked.Set("token", got.Access)
		var in map[string]any
		sent(s, "/oauth/introspect", asked).Want(t, http.StatusOK).Into(t, &in)
		if in["active"] != true || in["sub"] != "robot" || in["sid"] != nil {
			t.Errorf("%v", in)
		}
		// One way of proving oneself, not two (RFC 6749 section 2.3).
		for name, change := range map[string]url.Values{
			"a secret beside it": {"client_secret": {"x"}}, "another type": {"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}},
			"no type": {"client_assertion_type": nil}, "an empty assertion": {"client_assertion": {""}}, "no assertion": {"client_assertion": nil},
		} {
			f := form(name, s.URL)
			for field, v := range change {
				f[field] = v
			}
			if a := sent(s, "/oauth/token", f); a.Status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
	})
}
