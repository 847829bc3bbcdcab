package exchange_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/token"
)

// A holder is a client with a key of its own, which signs DPoP proofs.
type holder struct {
	private *ecdsa.PrivateKey
	jwk     jose.JWK
	thumb   string
}

func newHolder(t testing.TB) holder {
	t.Helper()
	p, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := jose.NewKey("", jose.ES256, &p.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return holder{p, k.JWK(), k.Thumbprint()}
}

var proofs atomic.Int64

// proves adds a fresh proof of the key to what a request shows.
func (h holder) proves(t testing.TB, s token.Shown, now time.Time) token.Shown {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	claims := map[string]any{"jti": fmt.Sprint("proof-", proofs.Add(1)), "htm": s.Method, "htu": s.Address, "iat": now.Unix()}
	if s.Access != "" {
		claims["ath"] = token.HashAccess(s.Access)
	}
	input := part(map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": h.jwk}) + "." + part(claims)
	digest := sha256.Sum256([]byte(input))
	a, b, err := ecdsa.Sign(rand.Reader, h.private, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	s.Proof = input + "." + base64.RawURLEncoding.EncodeToString(append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...))
	return s
}

// A token of a browser session is bound to no key: with the scheme DPoP it is
// not what it says it is, whatever proof is beside it.
func TestATokenWithoutAKeyIsNoDPoPToken(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		in := r.signIn(t, r.person())
		at := token.Shown{Access: in.Access, DPoP: true, Method: "GET", Address: issuer + "/session"}
		_, err := r.Bearer(t.Context(), at)
		refused(t, err, "dpop.form")
		_, err = r.Bearer(t.Context(), newHolder(t).proves(t, at, r.clock.now()))
		refused(t, err, "token.sender")
		_, err = r.SignOut(t.Context(), home, exchange.Credential{Bearer: newHolder(t).proves(t, at, r.clock.now())})
		refused(t, err, "token.sender")
		if _, err := r.Bearer(t.Context(), token.Alone(in.Access)); err != nil {
			t.Errorf("as Bearer: %v", err)
		}
	})
}
