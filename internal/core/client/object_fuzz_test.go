package client

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
)

// Whatever comes as a request object, it is a request only when the client
// signed it, of itself, for this server, for now (checks OI-11, JW-02; attack
// JWT-16).
func FuzzReadObject(f *testing.F) {
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
	const issuer = "https://auth.example.com"
	for _, claims := range []string{
		`{"iss":"notes","client_id":"notes","aud":"https://auth.example.com","exp":1790000000,"response_type":"code","max_age":3,"claims":{"id_token":{"acr":null}},"resource":["a","b"]}`,
		`{"iss":"notes","client_id":"notes","aud":["https://auth.example.com"],"exp":1790000000,"nbf":1789999000,"authorization_details":[{"type":"x"}]}`,
		`{"iss":"notes","sub":"notes","client_id":"notes","aud":"https://auth.example.com","exp":1790000000}`,
		`{"iss":"notes","client_id":"notes","aud":"https://auth.example.com","exp":1790000000,"request":"x"}`,
		`{"exp":1e300}`, `[]`, `{"exp":1,"exp":2}`, `{"exp":1,"state":["a"]}`, `{"exp":1,"max_age":1.5}`,
	} {
		text, err := k.Sign("oauth-authz-req+jwt", []byte(claims))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, claims)
	}
	f.Add("eyJhbGciOiJub25lIn0.e30.", "{}")
	now := time.Unix(1789999990, 0)
	f.Fuzz(func(t *testing.T, text, claims string) {
		ReadObject(text, keys, jose.OthersAlgs())
		o, ok := readObject([]byte(claims))
		if !ok || !o.Good("notes", issuer, now, 0) {
			return
		}
		if o.Issuer != "notes" || o.Subject != "" || o.Parameters.Get("client_id") != "notes" || !o.ExpiresAt.After(now) || o.ExpiresAt.Sub(now) > time.Hour ||
			o.Parameters.Has("request") || o.Parameters.Has("request_uri") {
			t.Errorf("%+v is a request", o)
		}
		for name, values := range o.Parameters {
			if len(values) > 1 && name != "resource" {
				t.Errorf("%s is there several times", name)
			}
		}
	})
}
