package exchange_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
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

// Every grant reads the proof beside it: a new one that forgot would give a
// token to whoever finds it, where its application asked for a bound one.
func TestEveryGrantReadsProofs(t *testing.T) {
	// These give no token: a code, or a code for a device, comes of them.
	without := map[string]bool{"app.authorize": true, "app.authorize_look": true, "client.device": true, "client.push": true}
	n := 0
	for _, e := range check.Exchanges() {
		if !slices.Contains(e.Checks, client.Granted) || without[e.Name] {
			continue
		}
		n++
		if !slices.Contains(e.Checks, token.ProofDemanded) || !slices.Contains(e.Checks, token.ProofUnspent) {
			t.Errorf("%s trades something for tokens and does not read proofs", e.Name)
		}
	}
	if n < 5 {
		t.Errorf("only %d grants were found", n)
	}
}

// with is a client's proof with a fresh DPoP proof beside it.
func (n *node) with(t testing.TB, r *rig, p exchange.ClientProof, h holder) exchange.ClientProof {
	t.Helper()
	var err error
	if p.Key, err = n.Prove(h.proves(t, token.Shown{Method: "POST", Address: issuer + "/oauth/token"}, r.clock.now())); err != nil {
		t.Fatal(err)
	}
	return p
}

// The grants without a code bind what they give as well.
func TestOtherGrantsAreBound(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		h, thief := newHolder(t), newHolder(t)
		bound := func(what string, g exchange.Granted, err error) {
			t.Helper()
			if err != nil || g.Confirm.JKT != h.thumb || r.inspected(t, g.Access).Confirm.JKT != h.thumb {
				t.Errorf("%s: %+v, %v", what, g.Confirm, err)
			}
		}
		r.register(television("tv"))
		in := r.signIn(t, r.person())
		w := r.begin(t, home, tv)
		if err := r.DeviceAllow(t.Context(), home, in.Cookie, w.UserCode); err == nil {
			t.Fatal("allowed without being looked at")
		}
		if _, err := r.DeviceLook(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		if err := r.DeviceAllow(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		g, err := r.DeviceRedeem(t.Context(), home, r.with(t, r, tv, h), w.DeviceCode, exchange.Asked{})
		bound("a device", g, err)
		_, err = r.RefreshGrant(t.Context(), home, r.with(t, r, tv, thief), g.Refresh, exchange.Asked{})
		refused(t, err, "dpop.grant")
		g, err = r.RefreshGrant(t.Context(), home, r.with(t, r, tv, h), g.Refresh, exchange.Asked{})
		bound("its refresh", g, err)

		k, set := signer(t, jose.RS256)
		r.register(machine("deployer"))
		r.deployer(set, func(f *client.Federation) {})
		self := exchange.ClientProof{ID: "deployer"}
		once := r.with(t, r, self, h)
		g, err = r.Assertion(t.Context(), home, once, r.ciToken(k), exchange.Asked{})
		bound("an assertion", g, err)
		_, err = r.Assertion(t.Context(), home, once, r.ciToken(k), exchange.Asked{})
		refused(t, err, "dpop.unspent")
	})
}
