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
		ReadAssertion(text, keys, "")
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
