package jose

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds on other people's keys, looked at before anything is decoded.
const (
	MaxJWKS = 64 << 10 // bytes in a set
	MaxKeys = 32       // keys in a set
)

// ErrJWK says that a JWK or a set of them was refused. The text behind it is
// for whoever made it, and repeats nothing of it.
var ErrJWK = errors.New("jose: not a public key that can be used")

// errUnused is why a key of a set is left out rather than the set refused: it
// is of a kind that is not known here (RFC 7517 section 5).
var errUnused = fmt.Errorf("%w: its kind, size or algorithm is not on the list", ErrJWK)

// A PublicKey is somebody else's, as their JWK has it (RFC 7517): not bound to
// an algorithm yet, unless the JWK says so. Make it with ReadJWK; the zero value
// is for nothing.
type PublicKey struct {
	kid    string
	alg    string   // what the JWK says it is for, or nothing
	use    string   // the same
	ops    []string // the same
	thumb  string
	public crypto.PublicKey
}

// jwk is what is read of a JWK. Certificates are not: nobody is believed for
// them (RFC 8725 section 3.10).
type jwk struct {
	Kty string   `json:"kty"`
	Crv string   `json:"crv"`
	X   string   `json:"x"`
	Y   string   `json:"y"`
	N   string   `json:"n"`
	E   string   `json:"e"`
	Kid string   `json:"kid"`
	Alg string   `json:"alg"`
	Use string   `json:"use"`
	Ops []string `json:"key_ops"`

	// Private parts. Their presence refuses the key, whatever their value: who
	// sends one has given it away.
	D    jsontext.Value `json:"d"`
	P    jsontext.Value `json:"p"`
	Q    jsontext.Value `json:"q"`
	DP   jsontext.Value `json:"dp"`
	DQ   jsontext.Value `json:"dq"`
	QI   jsontext.Value `json:"qi"`
	Oth  jsontext.Value `json:"oth"`
	K    jsontext.Value `json:"k"`
	Priv jsontext.Value `json:"priv"`
}

// private says whether a JWK holds what only its owner may have.
func (j jwk) private() bool {
	return slices.ContainsFunc([]jsontext.Value{j.D, j.P, j.Q, j.DP, j.DQ, j.QI, j.Oth, j.K, j.Priv}, func(v jsontext.Value) bool { return v != nil })
}

// ReadJWK reads one public key: P-256, Ed25519, or RSA of 2,048 to 4,096 bits.
// It refuses what is private or symmetric, a point off its curve, numbers that
// are not written in their one shortest form, and a key that says it is for an
// algorithm that is not on the list.
func ReadJWK(raw []byte) (PublicKey, error) {
	if len(raw) > MaxToken {
		return PublicKey{}, fmt.Errorf("%w: longer than %d bytes", ErrJWK, MaxToken)
	}
	// The decoder refuses duplicate members and bad UTF-8 by default; null would
	// be a key of nothing.
	var j jwk
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &j) != nil {
		return PublicKey{}, fmt.Errorf("%w: not the JSON of a JWK", ErrJWK)
	}
	return j.read()
}

func (j jwk) read() (PublicKey, error) {
	if j.Kty == "oct" || j.private() {
		return PublicKey{}, fmt.Errorf("%w: it holds private parts or a secret", ErrJWK)
	}
	if len(j.Kid) > MaxKID {
		return PublicKey{}, fmt.Errorf("%w: its kid is longer than %d bytes", ErrJWK, MaxKID)
	}
	// RFC 7517 section 4.3: no operation twice.
	for i, op := range j.Ops {
		if slices.Contains(j.Ops[:i], op) {
			return PublicKey{}, fmt.Errorf("%w: key_ops has an operation twice", ErrJWK)
		}
	}
	var numbers []string
	switch {
	case j.Kty == "EC" && j.Crv == "P-256":
		numbers = []string{j.X, j.Y}
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		numbers = []string{j.X}
	case j.Kty == "RSA":
		numbers = []string{j.N, j.E}
	case j.Kty == "":
		return PublicKey{}, fmt.Errorf("%w: it has no kty", ErrJWK)
	default:
		return PublicKey{}, errUnused
	}
	for _, n := range numbers {
		b, err := decode(n)
		if err != nil {
			return PublicKey{}, fmt.Errorf("%w: a member is missing or no canonical base64url", ErrJWK)
		}
		// RFC 7518 section 6.3.1: the fewest octets that hold the number.
		if j.Kty == "RSA" && b[0] == 0 {
			return PublicKey{}, fmt.Errorf("%w: n or e begins with a zero", ErrJWK)
		}
	}
	if j.Alg != "" && !slices.Contains(othersAlgs, Alg(j.Alg)) && !slices.Contains(keyAlgs, KeyAlg(j.Alg)) {
		return PublicKey{}, errUnused
	}
	// The library sees what makes the key and nothing else of what was sent.
	required := JWK{Kty: j.Kty, Crv: j.Crv, X: j.X, Y: j.Y, N: j.N, E: j.E}.required()
	var parsed gojose.JSONWebKey
	if err := parsed.UnmarshalJSON([]byte(required)); err != nil || !parsed.IsPublic() {
		return PublicKey{}, fmt.Errorf("%w: not a point of its curve, or no key", ErrJWK)
	}
	if k, ok := parsed.Key.(*rsa.PublicKey); ok {
		if RS256.fits(k) != nil {
			return PublicKey{}, errUnused
		}
		if roca(k.N) {
			return PublicKey{}, fmt.Errorf("%w: made by a device whose RSA keys can be factored (CVE-2017-15361)", ErrJWK)
		}
	}
	return PublicKey{kid: j.Kid, alg: j.Alg, use: j.Use, ops: j.Ops, thumb: thumbprint(required), public: parsed.Key}, nil
}

// KID returns the key's id, or nothing when its JWK names none.
func (k PublicKey) KID() string { return k.kid }

// Thumbprint returns the base64url SHA-256 thumbprint (RFC 7638 section 3).
func (k PublicKey) Thumbprint() string { return k.thumb }

// Is says whether a key that is known from elsewhere, as from a certificate, is
// this one. A key to encrypt to is nobody's proof.
func (k PublicKey) Is(public crypto.PublicKey) bool {
	same, ok := k.public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.use != "enc" && same.Equal(public)
}

// For binds the key to a signature algorithm, unless it is of another kind or
// its JWK says it is for something else (RFC 7517 sections 4.2 to 4.4).
func (k PublicKey) For(alg Alg) (Key, error) {
	if !k.may("sig", string(alg), "verify") {
		return Key{}, fmt.Errorf("%w: it is for something else", ErrJWK)
	}
	return NewKey(k.kid, alg, k.public)
}

// may says whether the JWK lets the key be used so.
func (k PublicKey) may(use, alg string, ops ...string) bool {
	return k.public != nil && (k.use == "" || k.use == use) && (k.alg == "" || sameAlg(Alg(k.alg), Alg(alg))) &&
		(k.ops == nil || slices.ContainsFunc(ops, func(op string) bool { return slices.Contains(k.ops, op) }))
}

// A KeySet is somebody else's keys. The zero value has none.
type KeySet struct {
	keys []PublicKey
}

// ReadJWKS reads a set of public keys. Keys of kinds that are not known here
// are left out (RFC 7517 section 5); one that is wrong, private or symmetric
// refuses the set, and so do two of one kid (FAPI 2.0 section 5.4.2) and a set
// that holds nothing of use.
func ReadJWKS(raw []byte) (KeySet, error) {
	if len(raw) > MaxJWKS {
		return KeySet{}, fmt.Errorf("%w: a set longer than %d bytes", ErrJWK, MaxJWKS)
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &set) != nil {
		return KeySet{}, fmt.Errorf("%w: not the JSON of a JWK set", ErrJWK)
	}
	if len(set.Keys) > MaxKeys {
		return KeySet{}, fmt.Errorf("%w: a set of more than %d", ErrJWK, MaxKeys)
	}
	var s KeySet
	kids := map[string]bool{}
	for _, j := range set.Keys {
		if j.Kid != "" && kids[j.Kid] {
			return KeySet{}, fmt.Errorf("%w: a set with two of one kid", ErrJWK)
		}
		kids[j.Kid] = true
		k, err := j.read()
		if err == errUnused {
			continue
		}
		if err != nil {
			return KeySet{}, err
		}
		s.keys = append(s.keys, k)
	}
	if len(s.keys) == 0 {
		return KeySet{}, fmt.Errorf("%w: a set that holds none", ErrJWK)
	}
	return s, nil
}

// Keys returns the keys, in their order.
func (s KeySet) Keys() []PublicKey { return slices.Clone(s.keys) }

// find returns the key that a header names, bound to its algorithm. Without a
// kid it is the only one that fits (OpenID Connect Core section 10.1: with
// several there must be a kid).
func (s KeySet) find(kid string, alg Alg) (Key, error) {
	var found []Key
	for _, k := range s.keys {
		if kid != "" && k.kid != kid {
			continue
		}
		if key, err := k.For(alg); err == nil {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		return Key{}, ErrKey
	}
	return found[0], nil
}

// Verify returns the claims of a token that somebody signed with a key of their
// set, byte for byte, and that key. On any error it returns neither.
//
// The token's typ must be one of types, in which "" lets it have none: kinds of
// tokens older than RFC 8725 section 3.11 often do. Its algorithm must be one of
// algs. A key that the token brings along or points to is never used but
// refused. Claims are not looked at.
func (s KeySet) Verify(token string, types []string, algs []Alg) (claims []byte, by Key, err error) {
	h, err := readHeader(token)
	if err != nil {
		return nil, Key{}, err
	}
	if !slices.Contains(types, h.Typ) {
		return nil, Key{}, ErrType
	}
	if h.bringsKey() {
		return nil, Key{}, fmt.Errorf("%w: the header brings its own", ErrKey)
	}
	if !slices.ContainsFunc(algs, func(a Alg) bool { return sameAlg(a, Alg(h.Alg)) }) {
		return nil, Key{}, ErrAlgorithm
	}
	by, err = s.find(h.Kid, Alg(h.Alg))
	if err != nil {
		return nil, Key{}, err
	}
	claims, err = h.open(token, string(by.alg), by.public)
	if err != nil {
		return nil, Key{}, err
	}
	return claims, by, nil
}

// VerifyProof returns the claims of a proof of possession, byte for byte, and
// the key in its header, by which it is signed (RFC 9449 section 4.3): whoever
// made it has that key, and nothing more is said. On any error it returns
// neither.
//
// The proof must have exactly this typ and one of algs. An address in the
// header, or a certificate, refuses it; a kid says nothing.
func VerifyProof(token, typ string, algs []Alg) (claims []byte, by PublicKey, err error) {
	h, err := readHeader(token)
	if err != nil {
		return nil, PublicKey{}, err
	}
	if typ == "" || h.Typ != typ {
		return nil, PublicKey{}, ErrType
	}
	if h.JKU != nil || h.X5U != nil || h.X5C != nil {
		return nil, PublicKey{}, fmt.Errorf("%w: the header points to one", ErrKey)
	}
	if !slices.ContainsFunc(algs, func(a Alg) bool { return sameAlg(a, Alg(h.Alg)) }) {
		return nil, PublicKey{}, ErrAlgorithm
	}
	by, err = ReadJWK(h.JWK)
	if err != nil {
		return nil, PublicKey{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, err := by.For(Alg(h.Alg))
	if err != nil {
		return nil, PublicKey{}, ErrAlgorithm
	}
	claims, err = h.open(token, string(key.alg), key.public)
	if err != nil {
		return nil, PublicKey{}, err
	}
	return claims, by, nil
}
