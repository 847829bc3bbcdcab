package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
)

// Alg is a signature algorithm by its name in the JOSE registry (RFC 7518
// section 3.1, RFC 8037). The list is closed; the zero value is no algorithm
// and nothing verifies under it.
type Alg string

// The algorithms. There is no "none" in any spelling, and those of shared
// secrets belong to another kind of key (see Shared), so a public key can never
// be mistaken for a secret.
const (
	ES256 Alg = "ES256" // ECDSA on P-256 with SHA-256; what the server signs with unless told otherwise
	EdDSA Alg = "EdDSA" // Ed25519
	RS256 Alg = "RS256" // RSA PKCS #1 v1.5 with SHA-256, for applications that know nothing newer
	RS512 Alg = "RS512" // the same with SHA-512
	PS256 Alg = "PS256" // RSA PSS with SHA-256

	// Ed25519 is EdDSA by its fully specified name (RFC 9864). Others may sign so;
	// our own tokens say EdDSA, which more readers know.
	Ed25519 Alg = "Ed25519"
)

var (
	algs       = []Alg{ES256, EdDSA, RS256, RS512, PS256}
	othersAlgs = append(slices.Clone(algs), Ed25519)
)

// Algs are the algorithms of signing keys.
func Algs() []Alg { return slices.Clone(algs) }

// OthersAlgs are the algorithms that others may sign with: client assertions,
// request objects, proofs of possession.
func OthersAlgs() []Alg { return slices.Clone(othersAlgs) }

// Bounds of an RSA modulus in bits. The lower one is RFC 7518 section 3.3;
// the upper one bounds what verifying a stranger's signature can cost.
const (
	rsaMinBits = 2048
	rsaMaxBits = 4096
	rsaNewBits = 3072
)

// Known reports whether a signing key can be of a.
func (a Alg) Known() bool {
	return slices.Contains(algs, a)
}

// fits refuses a public key that is not of the one kind its algorithm takes.
func (a Alg) fits(public crypto.PublicKey) error {
	switch a {
	case ES256:
		k, ok := public.(*ecdsa.PublicKey)
		if !ok || k.Curve != elliptic.P256() {
			return fmt.Errorf("jose: ES256 needs a P-256 key, not %T", public)
		}
		// Bytes fails for a point that is not on the curve, so none gets past here.
		if _, err := k.Bytes(); err != nil {
			return fmt.Errorf("jose: ES256 key: %w", err)
		}
	case EdDSA, Ed25519:
		k, ok := public.(ed25519.PublicKey)
		if !ok || len(k) != ed25519.PublicKeySize {
			return fmt.Errorf("jose: %s needs an Ed25519 key, not %T", a, public)
		}
	case RS256, RS512, PS256:
		k, ok := public.(*rsa.PublicKey)
		if !ok || k.N == nil {
			return fmt.Errorf("jose: %s needs an RSA key, not %T", a, public)
		}
		if bits := k.N.BitLen(); bits < rsaMinBits || bits > rsaMaxBits {
			return fmt.Errorf("jose: %s needs a key of %d to %d bits, not %d", a, rsaMinBits, rsaMaxBits, bits)
		}
		if k.E < 3 || k.E&1 == 0 {
			return fmt.Errorf("jose: %s key has a public exponent of %d", a, k.E)
		}
	default:
		return fmt.Errorf("jose: no such algorithm %q", string(a))
	}
	return nil
}

// sameAlg says whether two names are of one algorithm: EdDSA with the keys that
// are read here is Ed25519, by whichever of its names a key or a token calls it
// (RFC 9864 section 2.2).
func sameAlg(a, b Alg) bool {
	return a == b || (a == EdDSA || a == Ed25519) && (b == EdDSA || b == Ed25519)
}
