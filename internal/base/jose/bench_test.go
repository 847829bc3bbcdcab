package jose_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"testing"

	"github.com/doorward/doorward/internal/base/jose"
)

// Eight claims, about what an access token carries.
const someClaims = `{"iss":"https://auth.example.com","sub":"usr_01JABCDEF0123456789","aud":"notes-api","exp":1750000300,` +
	`"iat":1750000000,"jti":"01JABCDEF0123456789","client_id":"notes-web","scope":"notes:read notes:write","sid":"ses_01J","rev":42}`

func BenchmarkSign(b *testing.B) {
	for _, alg := range algs {
		b.Run(string(alg), func(b *testing.B) {
			k := generate(b, alg)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Sign("at+jwt", []byte(someClaims)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range algs {
		b.Run(string(alg), func(b *testing.B) {
			k := generate(b, alg)
			token, err := k.Sign("at+jwt", []byte(someClaims))
			if err != nil {
				b.Fatal(err)
			}
			keys := ring(k.Key())
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := jose.Verify(token, "at+jwt", keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The floor under ES256: hash and signature alone.
func BenchmarkBareES256(b *testing.B) {
	p := private(b, generate(b, jose.ES256))
	digest := sha256.Sum256([]byte(someClaims))
	sig, err := ecdsa.SignASN1(nil, p, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			digest := sha256.Sum256([]byte(someClaims))
			if _, err := ecdsa.SignASN1(nil, p, digest[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			digest := sha256.Sum256([]byte(someClaims))
			if !ecdsa.VerifyASN1(&p.PublicKey, digest[:], sig) {
				b.Fatal("does not verify")
			}
		}
	})
}
