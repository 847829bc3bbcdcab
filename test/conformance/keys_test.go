package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// A pair is an application's own key.
type pair struct {
	alg     jose.SignatureAlgorithm
	private any
	public  jose.JSONWebKey
}

// newPair makes a key of an algorithm: ES256, PS256 or RS256.
func newPair(t *testing.T, alg jose.SignatureAlgorithm) pair {
	t.Helper()
	var private crypto.Signer
	var err error
	if alg == jose.ES256 {
		private, err = ecdsa.GenerateKey(elliptic.P256(), nil)
	} else {
		private, err = rsa.GenerateKey(nil, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pair{alg, private, jose.JSONWebKey{Key: private.Public(), KeyID: "key-" + string(alg), Algorithm: string(alg), Use: "sig"}}
}

// jwks is the key set with the public half, as registration metadata take it.
func (p pair) jwks(t *testing.T) any {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.public}})
	var set any
	if err == nil {
		err = json.Unmarshal(text, &set)
	}
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// sign makes a token of claims. With embed the header has the key itself.
func (p pair) sign(t *testing.T, typ string, claims map[string]any, embed bool) string {
	t.Helper()
	options := (&jose.SignerOptions{EmbedJWK: embed}).WithType(jose.ContentType(typ))
	key := any(jose.JSONWebKey{Key: p.private, KeyID: p.public.KeyID})
	if embed {
		key = p.private
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// change sets claims; one that is nil is taken away.
func change(claims map[string]any, changes map[string]any) map[string]any {
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// assertion is what proves an application by its key (RFC 7523 section 3).
func (a *app) assertion(t *testing.T, p pair, changes map[string]any) string {
	t.Helper()
	now := a.x.now().Unix()
	return p.sign(t, "JWT", change(map[string]any{"iss": a.ID, "sub": a.ID, "aud": a.x.s.URL, "jti": random(), "iat": now, "exp": now + 60}, changes), false)
}

// asserted are the parameters that carry an assertion.
func asserted(assertion string) []string {
	return []string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion}
}

// proof is a DPoP proof for an endpoint (RFC 9449 section 4.2).
func (x *suite) proof(t *testing.T, p pair, method, path, access string, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"htm": method, "htu": x.s.URL + path, "iat": x.now().Unix(), "jti": random()}
	if access != "" {
		sum := sha256.Sum256([]byte(access))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return p.sign(t, "dpop+jwt", change(claims, changes), true)
}

// thumbprint names a key (RFC 7638).
func (p pair) thumbprint(t *testing.T) string {
	t.Helper()
	sum, err := p.public.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// object is a signed authorization request (RFC 9101).
func (a *app) object(t *testing.T, p pair, q map[string][]string, changes map[string]any) string {
	t.Helper()
	now := a.x.now().Unix()
	claims := map[string]any{"iss": a.ID, "aud": a.x.s.URL, "iat": now, "nbf": now, "exp": now + 60, "jti": random()}
	for name, values := range q {
		claims[name] = values[0]
	}
	return p.sign(t, "oauth-authz-req+jwt", change(claims, changes), false)
}

// withNonce asks and, when the server wants its nonce in the proof, asks again
// with it (RFC 9449 section 8).
func withNonce(ask func(nonce any) rig.Answer) rig.Answer {
	answer := ask(nil)
	if nonce := answer.Header.Get("DPoP-Nonce"); nonce != "" && (answer.Status == http.StatusBadRequest || answer.Status == http.StatusUnauthorized) {
		return ask(nonce)
	}
	return answer
}
