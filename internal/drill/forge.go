package drill

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash"
	"math/big"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
)

// once is what differs from answer to answer: references and form tokens.
var once = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{2}|name="csrf" value="[^"]*"`)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func b64std(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// A forger has a good token, the published keys, and a key of their own.
type forger struct {
	header  map[string]any // of the good token
	claims  map[string]any
	payload string
	good    string
	own     *ecdsa.PrivateKey
	jwk     string            // the public half of it
	secrets map[string][]byte // what can be made of the published key
}

// forger begins with a good token of a person of the drill.
func (t *try) forger() *forger {
	b := t.signIn(t.ana)
	f := &forger{good: b.access, header: map[string]any{}, claims: map[string]any{}}
	parts := strings.Split(f.good, ".")
	if len(parts) != 3 {
		t.skip("the access token is not a JWT")
	}
	f.payload = parts[1]
	for i, into := range []*map[string]any{&f.header, &f.claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			t.skip("the access token cannot be read")
		}
	}
	f.own, f.jwk = t.key()
	f.secrets = t.published(f.kid())
	return f
}

// key makes a fresh key, and its public half as JSON.
func (t *try) key() (*ecdsa.PrivateKey, string) {
	k, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		t.skip(err.Error())
	}
	der, err := k.MarshalPKCS8()
	if err != nil {
		t.skip(err.Error())
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.skip(err.Error())
	}
	public, _ := json.Marshal(k.Key().JWK())
	return private.(*ecdsa.PrivateKey), string(public)
}

func (f *forger) kid() string {
	kid, _ := f.header["kid"].(string)
	return kid
}

// published is the key that signs, in every form that somebody could take for
// a shared secret.
func (t *try) published(kid string) map[string][]byte {
	a := t.stranger().get("/oauth/jwks")
	t.gives("with the keys", a, 200)
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	out := map[string][]byte{"nothing": nil, "the whole set": []byte(a.body)}
	if json.Unmarshal([]byte(a.body), &set) != nil {
		return out
	}
	for _, k := range set.Keys {
		if k["kid"] != kid {
			continue
		}
		text, _ := json.Marshal(k, json.Deterministic(true))
		out["the JWK"] = text
		x, y := number(k["x"]), number(k["y"])
		if k["kty"] != "EC" || k["crv"] != "P-256" || x == nil || y == nil {
			continue
		}
		out["x"] = x
		public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
		if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
			out["DER"], out["PEM"] = der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		}
	}
	return out
}

func number(v any) []byte {
	text, _ := v.(string)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}

// signed is a token with a good signature of the forger's own key.
func (f *forger) signed(header, payload string) string {
	input := b64([]byte(header)) + "." + payload
	sum := sha256.Sum256([]byte(input))
	// Without randomness the signature is the deterministic one of RFC 6979.
	der, err := f.own.Sign(nil, sum[:], crypto.SHA256)
	var parts struct{ R, S *big.Int }
	if err == nil {
		_, err = asn1.Unmarshal(der, &parts)
	}
	if err != nil {
		return input + "."
	}
	return input + "." + b64(append(parts.R.FillBytes(make([]byte, 32)), parts.S.FillBytes(make([]byte, 32))...))
}

// variants are a header signed by the forger, with the good signature, and
// with none.
func (f *forger) variants(header string) map[string]string {
	return map[string]string{
		"signed by somebody else": f.signed(header, f.payload), "with the signature of another header": b64([]byte(header)) + f.good[strings.IndexByte(f.good, '.'):],
		"without a signature": b64([]byte(header)) + "." + f.payload + ".",
	}
}

// authenticated is a token with a MAC under a secret.
func (f *forger) authenticated(alg string, h func() hash.Hash, key []byte) string {
	input := b64(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, f.kid())) + "." + f.payload
	mac := hmac.New(h, key)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

var hashes = map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}
