package doorward

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// mac signs claims by a secret, with a header that says what it likes.
func mac(t testing.TB, h func() hash.Hash, secret []byte, header string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	m := hmac.New(h, secret)
	m.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// A service that shares a secret takes tokens by it, and never one by a public
// key; nor does any other verifier take one by a secret (attack JWT-02).
func TestSharedSecrets(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	secret, second := []byte(strings.Repeat("0123456789abcdef", 2)), []byte(strings.Repeat("fedcba9876543210", 4))
	v := i.verifier(t, SharedSecret("hs-1", "HS256", secret), SharedSecret("hs-2", "HS512", second))
	head := func(alg, kid string) string { return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, kid) }
	one := mac(t, sha256.New, secret, head("HS256", "hs-1"), i.claims(nil))
	wantAccepted(t, v, one)
	wantAccepted(t, v, mac(t, sha512.New, second, head("HS512", "hs-2"), i.claims(nil)))
	for check, token := range map[string]string{
		checkAlgorithm: s.mint(i.claims(nil)),
		checkKey:       mac(t, sha256.New, secret, head("HS256", "hs-3"), i.claims(nil)),
		checkSignature: mac(t, sha256.New, second, head("HS256", "hs-1"), i.claims(nil)),
		checkAudience:  mac(t, sha256.New, secret, head("HS256", "hs-1"), i.claims(map[string]any{"aud": "another"})),
		checkType:      mac(t, sha256.New, secret, `{"alg":"HS256","kid":"hs-1","typ":"JWT"}`, i.claims(nil)),
	} {
		wantRefused(t, v, token, check)
	}
	wantRefused(t, v, mac(t, sha512.New, secret, head("HS512", "hs-1"), i.claims(nil)), checkAlgorithm)
	wantRefused(t, v, mac(t, sha512.New384, second, head("HS384", "hs-2"), i.claims(nil)), checkAlgorithm)
	wantRefused(t, v, mac(t, sha256.New, nil, head("none", "hs-1"), i.claims(nil)), checkAlgorithm)
	if n := i.jwks.Load(); n != 0 {
		t.Errorf("public keys were read %d times", n)
	}

	// The feed ends a secret like a key.
	i.revoke("key", "hs-1")
	v.mustPoll(t)
	if who, err := v.Verify(t.Context(), one); who != nil || err == nil {
		t.Errorf("by a secret that was ended: %+v", who)
	}
	wantAccepted(t, v, mac(t, sha512.New, second, head("HS512", "hs-2"), i.claims(nil)))

	plain := i.verifier(t)
	wantRefused(t, plain, mac(t, sha256.New, secret, head("HS256", s.kid), i.claims(nil)), checkAlgorithm)
	wantAccepted(t, plain, s.mint(i.claims(nil)))
}

func TestSharedSecretsThatAreRefused(t *testing.T) {
	i := newIssuer(t)
	long := make([]byte, 64)
	for name, options := range map[string][]Option{
		"no algorithm":      {SharedSecret("a", "", long)},
		"a public one":      {SharedSecret("a", "ES256", long)},
		"none":              {SharedSecret("a", "none", long)},
		"other case":        {SharedSecret("a", "hs256", long)},
		"short":             {SharedSecret("a", "HS256", long[:31])},
		"short for HS384":   {SharedSecret("a", "HS384", long[:47])},
		"short for HS512":   {SharedSecret("a", "HS512", long[:63])},
		"empty":             {SharedSecret("a", "HS256", nil)},
		"no key id":         {SharedSecret("", "HS256", long)},
		"a key id too long": {SharedSecret(strings.Repeat("a", 65), "HS256", long)},
		"one twice":         {SharedSecret("a", "HS256", long), SharedSecret("a", "HS512", long)},
	} {
		if _, err := New(t.Context(), i.URL, append(options, Audience("notes-api"), Stateless())...); err == nil {
			t.Errorf("%s: a verifier was made", name)
		}
	}
}
