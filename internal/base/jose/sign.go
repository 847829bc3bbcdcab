package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"github.com/doorward/doorward/internal/base/secret"
)

// SigningKey is a private key bound to one algorithm. It is safe for use by
// many goroutines. Its fields are unexported and it prints as its kid, so a
// careless log line shows no secret.
type SigningKey struct {
	key     Key
	private crypto.Signer
	size    int      // of a signature, in bytes
	headers sync.Map // typ to its header, encoded, with the dot; typs are few and ours
}

// GenerateKey makes a fresh private key for alg.
func GenerateKey(alg Alg) (*SigningKey, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), nil)
	case EdDSA:
		_, private, err = ed25519.GenerateKey(nil)
	case RS256, RS512, PS256:
		private, err = rsa.GenerateKey(nil, rsaNewBits)
	default:
		return nil, fmt.Errorf("jose: no such algorithm %q", string(alg))
	}
	if err != nil {
		return nil, fmt.Errorf("jose: generate %s key: %w", alg, err)
	}
	return NewSigningKey(alg, private)
}

// NewSigningKey binds a private key (*ecdsa.PrivateKey, ed25519.PrivateKey or
// *rsa.PrivateKey) to an algorithm, under the rules of NewKey. The kid is the
// thumbprint.
func NewSigningKey(alg Alg, private crypto.Signer) (*SigningKey, error) {
	if !alg.Known() {
		return nil, fmt.Errorf("jose: no signing algorithm %q", string(alg))
	}
	var size int
	switch p := private.(type) {
	case *ecdsa.PrivateKey:
		size = 64
	case ed25519.PrivateKey:
		size = ed25519.SignatureSize
	case *rsa.PrivateKey:
		size = p.Size()
	default:
		return nil, fmt.Errorf("jose: cannot sign with %T", private)
	}
	key, err := NewKey("", alg, private.Public())
	if err != nil {
		return nil, err
	}
	return &SigningKey{key: key, private: private, size: size}, nil
}

// ParseSigningKey reads what MarshalPKCS8 wrote. The algorithm comes from
// where the key is kept, not from the bytes, and must fit them.
func ParseSigningKey(alg Alg, der []byte) (*SigningKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("jose: parse signing key: %w", err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("jose: cannot sign with %T", parsed)
	}
	return NewSigningKey(alg, private)
}

// MarshalPKCS8 returns the private key as PKCS #8 DER, unsealed: the caller
// seals it before it goes anywhere.
func (k *SigningKey) MarshalPKCS8() ([]byte, error) {
	return x509.MarshalPKCS8PrivateKey(k.private)
}

// Key returns the public half.
func (k *SigningKey) Key() Key { return k.key }

// KID returns the key's id, its RFC 7638 thumbprint.
func (k *SigningKey) KID() string { return k.key.kid }

// Alg returns the algorithm the key signs with.
func (k *SigningKey) Alg() Alg { return k.key.alg }

// String returns the kid.
func (k *SigningKey) String() string { return k.key.kid }

// GoString returns the kid: %#v would print the fields otherwise.
func (k *SigningKey) GoString() string { return k.key.kid }

// Sign returns claims as a signed token whose header holds alg, kid and typ,
// for instance "at+jwt". Claims are taken as they are. It refuses a typ that
// is no media type name, and what Verify would refuse: no claims at all, or a
// token over MaxToken.
func (k *SigningKey) Sign(typ string, claims []byte) (string, error) {
	header, err := k.header(typ)
	if err != nil {
		return "", err
	}
	return compact(header, claims, k.size, k.key.kid, k.sign)
}

// compact writes header, claims and the signature of both.
func compact(header string, claims []byte, size int, kid string, sign func([]byte) ([]byte, error)) (string, error) {
	if len(claims) == 0 {
		return "", errors.New("jose: nothing to sign")
	}
	b64 := base64.RawURLEncoding
	length := len(header) + b64.EncodedLen(len(claims)) + 1 + b64.EncodedLen(size)
	if length > MaxToken {
		return "", fmt.Errorf("jose: token of %d bytes is over %d", length, MaxToken)
	}
	token := make([]byte, 0, length)
	token = append(token, header...)
	token = b64.AppendEncode(token, claims)
	signature, err := sign(token)
	if err != nil {
		return "", fmt.Errorf("jose: sign with %s: %w", kid, err)
	}
	token = append(token, '.')
	token = b64.AppendEncode(token, signature)
	return string(token), nil
}

// header returns the encoded header and its dot, prepared at the first use of
// a typ.
func (k *SigningKey) header(typ string) (string, error) {
	if h, ok := k.headers.Load(typ); ok {
		return h.(string), nil
	}
	if !mediaName(typ) {
		return "", fmt.Errorf("jose: %q cannot be a typ", typ)
	}
	h := encodeHeader(string(k.key.alg), k.key.kid, typ)
	k.headers.Store(typ, h)
	return h, nil
}

// encodeHeader needs no escaping: alg and kid are ours, typ was looked at.
func encodeHeader(alg, kid, typ string) string {
	json := `{"alg":"` + alg + `","kid":"` + kid + `","typ":"` + typ + `"}`
	return base64.RawURLEncoding.EncodeToString([]byte(json)) + "."
}

// mediaName reports whether s is a plain media subtype: letters, digits and
// "+-.", at most 64 of them (RFC 6838 section 4.2 allows a few more signs).
func mediaName(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '-', c == '.':
		default:
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// sign returns the signature in the form RFC 7518 section 3 gives each
// algorithm.
func (k *SigningKey) sign(message []byte) ([]byte, error) {
	switch p := k.private.(type) {
	case *ecdsa.PrivateKey:
		digest := sha256.Sum256(message)
		r, s, err := ecdsa.Sign(nil, p, digest[:])
		if err != nil {
			return nil, err
		}
		// RFC 7518 section 3.4: both numbers at full length, one after the other.
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature, nil
	case ed25519.PrivateKey:
		return ed25519.Sign(p, message), nil
	case *rsa.PrivateKey:
		if k.key.alg == RS512 {
			digest := sha512.Sum512(message)
			return rsa.SignPKCS1v15(nil, p, crypto.SHA512, digest[:])
		}
		digest := sha256.Sum256(message)
		if k.key.alg == PS256 {
			// RFC 7518 section 3.5: the salt is as long as the hash.
			return rsa.SignPSS(secret.Reader, p, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(nil, p, crypto.SHA256, digest[:])
	}
	return nil, errors.New("no private key")
}
