package token

import (
	"testing"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/key"
)

// Whatever comes as a hint, it names a person only when it is an ID token that
// this issuer made for that application (check OI-10; attack JWT-16).
func FuzzReadHint(f *testing.F) {
	k, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		f.Fatal(err)
	}
	ring := &key.Ring{Verify: map[string]jose.Key{k.KID(): k.Key()}}
	const issuer = "https://auth.example.com"
	for _, one := range []struct{ typ, claims string }{
		{"JWT", `{"iss":"https://auth.example.com","sub":"user_1","aud":"notes","iat":1,"exp":2,"sid":"s"}`},
		{"at+jwt", `{"iss":"https://auth.example.com","sub":"user_1","aud":"notes","iat":1,"exp":2}`},
		{"JWT", `{"iss":"https://other.example.com","sub":"user_1","aud":"notes","iat":1,"exp":2}`},
		{"JWT", `{"iss":"https://auth.example.com","sub":"user_1","aud":["notes","other"],"iat":1,"exp":2}`},
		{"JWT", `{"iss":"https://auth.example.com","sub":"","aud":"notes","iat":1,"exp":2}`}, {"JWT", `[]`},
	} {
		text, err := k.Sign(one.typ, []byte(one.claims))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := ReadHint(ring, issuer, text, "notes")
		if ok && (h.Subject == "" || h.Client != "notes") {
			t.Errorf("%q names %+v", text, h)
		}
		if _, ok := ReadHint(ring, issuer, text, "other"); ok && h.Client == "notes" {
			t.Errorf("%q is for everybody", text)
		}
		if _, _, err := jose.Verify(text, "JWT", func(string) (jose.Key, bool) { return k.Key(), true }); ok && err != nil {
			t.Errorf("%q is not signed", text)
		}
	})
}
