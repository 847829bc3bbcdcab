package client

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
)

// Whatever a stranger sends as an assertion, it is believed only when it is one
// that our own reader of the JWT finds signed, and then for nobody but whom it
// names (attack OAU-14).
func FuzzReadAssertion(f *testing.F) {
	k, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		f.Fatal(err)
	}
	set, err := json.Marshal(jose.Set(k.Key()))
	if err != nil {
		f.Fatal(err)
	}
	keys, err := jose.ReadJWKS(set)
	if err != nil {
		f.Fatal(err)
	}
	for _, claims := range []string{
		`{"iss":"robot","sub":"robot","aud":"https://auth.example.com","exp":1790000000,"jti":"1"}`,
		`{"iss":"robot","sub":"robot","aud":["https://auth.example.com","x"],"exp":1790000000,"nbf":1,"iat":2,"jti":"1"}`,
		`{"iss":"robot","sub":"user_x","aud":null,"exp":1e300,"jti":1}`, `{"exp":-1}`, `[]`, `{"exp":1,"exp":2}`,
	} {
		text, err := k.Sign("JWT", []byte(claims))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, claims)
	}
	f.Add("..", "")
	now := time.Unix(1789999990, 0)
	f.Fuzz(func(t *testing.T, text, claims string) {
		if of := AssertionOf(text); of != "" && !ValidID(of) {
			t.Errorf("of %q", of)
		}
		ReadAssertion(text, keys, jose.OthersAlgs())
		a, ok := readAssertion([]byte(claims))
		if !ok {
			return
		}
		if _, good := a.Judge("robot", []string{"https://auth.example.com"}, now, 0); good {
			if a.Issuer != "robot" || a.Subject != "robot" || a.JTI == "" || len(a.Audience) == 0 || !a.ExpiresAt.After(now) || a.ExpiresAt.Sub(now) > AssertionLife {
				t.Errorf("%+v is believed", a)
			}
		}
	})
}

// Whatever a stranger's token says, it fits a rule only when it says what the
// rule asks for (attack IDN-08).
func FuzzReadForeign(f *testing.F) {
	for _, claims := range []string{
		`{"iss":"i","sub":"s","aud":"a","exp":1790000000,"kubernetes.io":{"namespace":"live"}}`, `{"iss":"i","sub":"s","aud":["a"],"exp":1790000000,"ok":true}`,
		`{"iss":"i","sub":"s","aud":"a","exp":1790000000,"/kubernetes.io/namespace":"live"}`, `{"iss":"i","sub":"s","exp":1,"kubernetes.io":[{"namespace":"live"}]}`, `null`,
	} {
		f.Add(claims)
	}
	rule := Rule{Audiences: []string{"a"}, Claims: map[string]string{"sub": "s", "/kubernetes.io/namespace": "live"}}
	f.Fuzz(func(t *testing.T, claims string) {
		t.Helper()
		ForeignIssuer(claims)
		if _, ok := ReadForeign(claims, jose.KeySet{}); ok {
			t.Errorf("%s is signed by nobody, and is believed", claims)
		}
		got, ok := readForeign([]byte(claims))
		if !ok || !got.Fits(rule) {
			return
		}
		var in struct {
			Sub string `json:"sub"`
			K   struct {
				Namespace string `json:"namespace"`
			} `json:"kubernetes.io"`
		}
		if err := json.Unmarshal([]byte(claims), &in); err != nil || in.Sub != "s" || in.K.Namespace != "live" {
			t.Errorf("%s fits", claims)
		}
	})
}
