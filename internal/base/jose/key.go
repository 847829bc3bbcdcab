package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
)

// Key is a public key that verifies under one algorithm and no other. Make it
// with NewKey; the zero value verifies nothing.
type Key struct {
	kid    string
	alg    Alg
	public crypto.PublicKey
}

// NewKey binds a public key (*ecdsa.PublicKey, ed25519.PublicKey or
// *rsa.PublicKey) to an algorithm. An empty kid becomes the key's thumbprint.
// It refuses an algorithm off the list and a key that does not fit it: wrong
// kind, wrong curve, off the curve, RSA outside 2,048 to 4,096 bits.
func NewKey(kid string, alg Alg, public crypto.PublicKey) (Key, error) {
	if err := alg.fits(public); err != nil {
		return Key{}, err
	}
	k := Key{kid: kid, alg: alg, public: public}
	if kid == "" {
		k.kid = k.Thumbprint()
	}
	return k, nil
}

// KID returns the key's id.
func (k Key) KID() string { return k.kid }

// Alg returns the only algorithm the key verifies under.
func (k Key) Alg() Alg { return k.alg }

// Public returns the bare key, for crypto packages.
func (k Key) Public() crypto.PublicKey { return k.public }

// Thumbprint returns the base64url SHA-256 thumbprint (RFC 7638 section 3).
func (k Key) Thumbprint() string { return thumbprint(k.JWK().required()) }

// required are the members that make a key what it is, in the one spelling that
// is hashed (RFC 7638 section 3.2, RFC 8037 section 2): in lexicographic order,
// without whitespace. Every value is base64url or a word of ours, so none needs
// escaping.
func (j JWK) required() string {
	switch j.Kty {
	case "EC":
		return `{"crv":"` + j.Crv + `","kty":"EC","x":"` + j.X + `","y":"` + j.Y + `"}`
	case "OKP":
		return `{"crv":"` + j.Crv + `","kty":"OKP","x":"` + j.X + `"}`
	case "RSA":
		return `{"e":"` + j.E + `","kty":"RSA","n":"` + j.N + `"}`
	}
	return ""
}

func thumbprint(required string) string {
	sum := sha256.Sum256([]byte(required))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// JWK is a public signing key as JSON (RFC 7517 section 4). It has no member
// for private parts, so none can be published by mistake.
type JWK struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Use string `json:"use"`
}

// JWKS is a set of keys as JSON (RFC 7517 section 5).
type JWKS struct {
	Keys []JWK `json:"keys"`
}

// JWK returns the key for publication.
func (k Key) JWK() JWK {
	j := publicJWK(k.public)
	j.Kid, j.Alg, j.Use = k.kid, string(k.alg), "sig"
	return j
}

// publicJWK writes what makes a key what it is.
func publicJWK(public crypto.PublicKey) (j JWK) {
	b64 := base64.RawURLEncoding.EncodeToString
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		// NewKey has seen this succeed: 0x04, then x and y of full length, as
		// RFC 7518 section 6.2.1.2 wants them.
		point, _ := p.Bytes()
		x, y := point[1:33], point[33:]
		j.Kty, j.Crv, j.X, j.Y = "EC", "P-256", b64(x), b64(y)
	case ed25519.PublicKey:
		j.Kty, j.Crv, j.X = "OKP", "Ed25519", b64(p)
	case *rsa.PublicKey:
		j.Kty, j.N, j.E = "RSA", b64(p.N.Bytes()), b64(big.NewInt(int64(p.E)).Bytes())
	}
	return j
}

// Set returns the keys for publication, in the order given.
func Set(keys ...Key) JWKS {
	s := JWKS{Keys: make([]JWK, len(keys))} // never nil: an empty set is "keys":[]
	for i, k := range keys {
		s.Keys[i] = k.JWK()
	}
	return s
}
