package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

func generate(t testing.TB, alg jose.Alg) *jose.SigningKey {
	t.Helper()
	k, err := jose.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// bare is the private key itself: what is signed here, no product of ours signs.
func bare(t testing.TB, k *jose.SigningKey) crypto.Signer {
	t.Helper()
	der, err := k.MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.(crypto.Signer)
}

// signature is that of the key's own algorithm, whatever a header says.
func signature(t testing.TB, k *jose.SigningKey, input string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	var out []byte
	var err error
	switch p := bare(t, k).(type) {
	case *ecdsa.PrivateKey:
		r, s, e := ecdsa.Sign(rand.Reader, p, digest[:])
		if err = e; err == nil {
			out = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case ed25519.PrivateKey:
		out = ed25519.Sign(p, []byte(input))
	case *rsa.PrivateKey:
		switch k.Alg() {
		case jose.PS256:
			out, err = rsa.SignPSS(rand.Reader, p, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		case jose.RS512:
			long := sha512.Sum512([]byte(input))
			out, err = rsa.SignPKCS1v15(nil, p, crypto.SHA512, long[:])
		default:
			out, err = rsa.SignPKCS1v15(nil, p, crypto.SHA256, digest[:])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// public is the key's JWK.
func public(t testing.TB, k *jose.SigningKey) string {
	t.Helper()
	b, err := json.Marshal(k.Key().JWK(), json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// private is its JWK with the private part.
func private(t testing.TB, k *jose.SigningKey) string {
	t.Helper()
	d, err := bare(t, k).(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(public(t, k), "{", `{"d":"`+base64.RawURLEncoding.EncodeToString(d)+`",`, 1)
}

// spliced is a token with the claims of another.
func spliced(a, b string) string {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	return x[0] + "." + y[1] + "." + x[2]
}

func idOf(c *check.Check) string {
	if c == nil {
		return "accepted"
	}
	return c.ID
}
