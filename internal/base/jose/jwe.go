package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A KeyAlg is how the key of an encrypted token reaches its reader, by its name
// in the JOSE registry (RFC 7518 section 4.1). The list is closed. There is no
// RSA1_5, whose padding has told secrets for thirty years, and no password-based
// one, whose cost a stranger could choose (RFC 8725 sections 3.2 and 3.13).
type KeyAlg string

// The key management algorithms.
const (
	RSAOAEP256   KeyAlg = "RSA-OAEP-256"   // RSA OAEP with SHA-256
	ECDHES       KeyAlg = "ECDH-ES"        // agreement on P-256, used as it is
	ECDHESA128KW KeyAlg = "ECDH-ES+A128KW" // agreement on P-256, wrapping a key with AES-128
	ECDHESA256KW KeyAlg = "ECDH-ES+A256KW" // the same with AES-256
)

var keyAlgs = []KeyAlg{RSAOAEP256, ECDHES, ECDHESA128KW, ECDHESA256KW}

// KeyAlgs are the key management algorithms.
func KeyAlgs() []KeyAlg { return slices.Clone(keyAlgs) }

// Known reports whether a is on the list.
func (a KeyAlg) Known() bool { return slices.Contains(keyAlgs, a) }

// fits refuses a public key that is not of the one kind its algorithm takes.
func (a KeyAlg) fits(public crypto.PublicKey) error {
	switch a {
	case RSAOAEP256:
		return RS256.fits(public)
	case ECDHES, ECDHESA128KW, ECDHESA256KW:
		return ES256.fits(public)
	}
	return fmt.Errorf("jose: no such key algorithm %q", string(a))
}

// An Enc is how the content of an encrypted token is encrypted, by its name in
// the JOSE registry (RFC 7518 section 5.1). Each of them is authenticated.
type Enc string

// The content encryptions.
const (
	A128GCM      Enc = "A128GCM"
	A256GCM      Enc = "A256GCM"
	A128CBCHS256 Enc = "A128CBC-HS256" // what OpenID Connect takes when a client names none
	A256CBCHS512 Enc = "A256CBC-HS512"
)

var encs = []Enc{A128CBCHS256, A256CBCHS512, A128GCM, A256GCM}

// Encs are the content encryptions.
func Encs() []Enc { return slices.Clone(encs) }

// Known reports whether e is on the list.
func (e Enc) Known() bool { return slices.Contains(encs, e) }

// MaxEncrypted bounds a whole encrypted token: what a signed one of MaxToken
// becomes.
const MaxEncrypted = 16 << 10

// ErrDecrypt says that an encrypted token does not open. It has one text for
// every reason that depends on the key: more would tell a stranger about it.
var ErrDecrypt = errors.New("jose: token does not open")

// An EncryptionKey is somebody else's public key, bound to the one algorithm by
// which they are written to. Make it with PublicKey.Encrypting.
type EncryptionKey struct {
	kid    string
	alg    KeyAlg
	public crypto.PublicKey
}

// Encrypting binds the key to a key management algorithm, unless it is of another
// kind or its JWK says it is for something else.
func (k PublicKey) Encrypting(alg KeyAlg) (EncryptionKey, error) {
	ops := []string{"deriveKey", "deriveBits"}
	if alg == RSAOAEP256 {
		ops = []string{"wrapKey", "encrypt"}
	}
	if !k.may("enc", string(alg), ops...) {
		return EncryptionKey{}, fmt.Errorf("%w: it is for something else", ErrJWK)
	}
	if err := alg.fits(k.public); err != nil {
		return EncryptionKey{}, err
	}
	return EncryptionKey{kid: k.kid, alg: alg, public: k.public}, nil
}

// Encrypting returns the key of the set by which its owner is written to under
// an algorithm: the first that says it is for encryption, or else the first that
// does not say what it is for.
func (s KeySet) Encrypting(alg KeyAlg) (EncryptionKey, error) {
	for _, use := range []string{"enc", ""} {
		for _, k := range s.keys {
			if key, err := k.Encrypting(alg); err == nil && k.use == use {
				return key, nil
			}
		}
	}
	return EncryptionKey{}, fmt.Errorf("%w: the set has none for %s", ErrJWK, alg)
}

// KID returns the key's id, or nothing when its JWK names none.
func (k EncryptionKey) KID() string { return k.kid }

// Alg returns the only algorithm the key is written to under.
func (k EncryptionKey) Alg() KeyAlg { return k.alg }

// Encrypt returns a signed token that only the key's owner reads. Its header
// says cty JWT, as one token inside another must (RFC 7519 section 5.2). It
// never compresses: the length of what is compressed tells of its content
// (RFC 8725 section 3.6).
func (k EncryptionKey) Encrypt(enc Enc, token string) (string, error) {
	if !enc.Known() || k.alg.fits(k.public) != nil {
		return "", fmt.Errorf("jose: nothing encrypts by %q with %q", string(k.alg), string(enc))
	}
	if token == "" || len(token) > MaxToken {
		return "", fmt.Errorf("jose: a token of %d bytes cannot be encrypted", len(token))
	}
	to := gojose.Recipient{Algorithm: gojose.KeyAlgorithm(k.alg), Key: k.public, KeyID: k.kid}
	e, err := gojose.NewEncrypter(gojose.ContentEncryption(enc), to, (&gojose.EncrypterOptions{}).WithContentType("JWT"))
	if err != nil {
		return "", fmt.Errorf("jose: encrypt: %w", err)
	}
	sealed, err := e.Encrypt([]byte(token))
	if err != nil {
		return "", fmt.Errorf("jose: encrypt: %w", err)
	}
	return sealed.CompactSerialize()
}

// A DecryptionKey is a private key by which others write to the server, bound
// to one algorithm. It prints as its kid.
type DecryptionKey struct {
	kid     string
	alg     KeyAlg
	private crypto.Decrypter // *rsa.PrivateKey, or nil
	agree   *ecdsa.PrivateKey
}

// GenerateDecryptionKey makes a fresh private key for alg.
func GenerateDecryptionKey(alg KeyAlg) (*DecryptionKey, error) {
	var private any
	var err error
	switch alg {
	case RSAOAEP256:
		private, err = rsa.GenerateKey(nil, rsaNewBits)
	case ECDHES, ECDHESA128KW, ECDHESA256KW:
		private, err = ecdsa.GenerateKey(elliptic.P256(), nil)
	default:
		return nil, fmt.Errorf("jose: no such key algorithm %q", string(alg))
	}
	if err != nil {
		return nil, fmt.Errorf("jose: generate %s key: %w", alg, err)
	}
	return newDecryptionKey(alg, private)
}

// newDecryptionKey binds a private key to an algorithm. The kid is the thumbprint.
func newDecryptionKey(alg KeyAlg, private any) (*DecryptionKey, error) {
	k := &DecryptionKey{alg: alg}
	switch p := private.(type) {
	case *rsa.PrivateKey:
		k.private = p
	case *ecdsa.PrivateKey:
		k.agree = p
	default:
		return nil, fmt.Errorf("jose: cannot decrypt with %T", private)
	}
	if err := alg.fits(k.Public()); err != nil {
		return nil, err
	}
	k.kid = thumbprint(publicJWK(k.Public()).required())
	return k, nil
}

// ParseDecryptionKey reads what MarshalPKCS8 wrote. The algorithm comes from
// where the key is kept, not from the bytes, and must fit them.
func ParseDecryptionKey(alg KeyAlg, der []byte) (*DecryptionKey, error) {
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("jose: parse decryption key: %w", err)
	}
	return newDecryptionKey(alg, private)
}

// MarshalPKCS8 returns the private key as PKCS #8 DER, unsealed: the caller
// seals it before it goes anywhere.
func (k *DecryptionKey) MarshalPKCS8() ([]byte, error) {
	if k.agree != nil {
		return x509.MarshalPKCS8PrivateKey(k.agree)
	}
	return x509.MarshalPKCS8PrivateKey(k.private)
}

// Public returns the bare public half.
func (k *DecryptionKey) Public() crypto.PublicKey {
	if k.agree != nil {
		return k.agree.Public()
	}
	return k.private.Public()
}

// KID returns the key's id, its RFC 7638 thumbprint.
func (k *DecryptionKey) KID() string { return k.kid }

// Alg returns the only algorithm the key decrypts under.
func (k *DecryptionKey) Alg() KeyAlg { return k.alg }

// String returns the kid.
func (k *DecryptionKey) String() string { return k.kid }

// GoString returns the kid: %#v would print the fields otherwise.
func (k *DecryptionKey) GoString() string { return k.kid }

// JWK returns the public half for publication.
func (k *DecryptionKey) JWK() JWK {
	j := publicJWK(k.Public())
	j.Kid, j.Alg, j.Use = k.kid, string(k.alg), "enc"
	return j
}

// encHeader is what Decrypt reads of a protected header.
type encHeader struct {
	Alg string         `json:"alg"`
	Enc string         `json:"enc"`
	Kid string         `json:"kid"`
	Epk jsontext.Value `json:"epk"`

	// Members whose presence refuses the token, whatever their value: what would
	// change how it is read, cost a stranger's choice of work, or bring a key.
	Zip  jsontext.Value `json:"zip"`
	Crit jsontext.Value `json:"crit"`
	P2C  jsontext.Value `json:"p2c"`
	P2S  jsontext.Value `json:"p2s"`
	JWK  jsontext.Value `json:"jwk"`
	JKU  jsontext.Value `json:"jku"`
	X5U  jsontext.Value `json:"x5u"`
	X5C  jsontext.Value `json:"x5c"`
}

// sizes are the bytes that a content encryption's initialization vector and tag
// have, and of what its ciphertext is a multiple.
func (e Enc) sizes() (iv, tag, block int) {
	switch e {
	case A128GCM, A256GCM:
		return 12, 16, 1
	case A128CBCHS256:
		return 16, 16, 16
	case A256CBCHS512:
		return 16, 32, 16
	}
	return 0, 0, 0
}

// Decrypt returns what somebody encrypted to the one of keys that the token's
// header names, or to the only one of its algorithm when it names none. Nothing
// is said of who that was: what comes out is worth what its own signature says.
//
// Form, algorithms and lengths are looked at before the library sees anything:
// a token that compresses, derives from a password, or has parts missing gets
// no further.
func Decrypt(token string, keys ...*DecryptionKey) ([]byte, error) {
	h, err := readEncrypted(token)
	if err != nil {
		return nil, err
	}
	var key *DecryptionKey
	for _, k := range keys {
		if k.alg != KeyAlg(h.Alg) || h.Kid != "" && h.Kid != k.kid {
			continue
		}
		if key != nil {
			return nil, ErrKey
		}
		key = k
	}
	if key == nil {
		return nil, ErrKey
	}
	jwe, err := gojose.ParseEncryptedCompact(token, []gojose.KeyAlgorithm{gojose.KeyAlgorithm(key.alg)}, []gojose.ContentEncryption{gojose.ContentEncryption(h.Enc)})
	if err != nil {
		return nil, fmt.Errorf("%w: a header member has the wrong kind", ErrForm)
	}
	var private any = key.private
	if key.agree != nil {
		private = key.agree
	}
	plain, err := jwe.Decrypt(private)
	if err != nil || len(plain) == 0 {
		return nil, ErrDecrypt
	}
	return plain, nil
}

// EncryptedBy says whether an encrypted token says that it is by these algorithms;
// by any content encryption when none is named. Decrypt holds it to its word.
func EncryptedBy(token string, alg KeyAlg, enc Enc) bool {
	h, err := readEncrypted(token)
	return err == nil && h.Alg == string(alg) && (enc == "" || h.Enc == string(enc))
}

// readEncrypted decodes the protected header of an encrypted token whose form is
// beyond doubt.
func readEncrypted(token string) (encHeader, error) {
	if len(token) > MaxEncrypted {
		return encHeader{}, fmt.Errorf("%w: longer than %d bytes", ErrForm, MaxEncrypted)
	}
	if strings.Count(token, ".") != 4 {
		return encHeader{}, fmt.Errorf("%w: not five parts", ErrForm)
	}
	var parts [5][]byte
	for i, part := range strings.Split(token, ".") {
		b, err := decode(part)
		if err != nil && (i != 1 || part != "") { // agreement without wrapping has no encrypted key
			return encHeader{}, err
		}
		parts[i] = b
	}
	var h encHeader
	if parts[0][0] != '{' || json.Unmarshal(parts[0], &h) != nil {
		return encHeader{}, fmt.Errorf("%w: header is not the JSON it should be", ErrForm)
	}
	if len(h.Kid) > MaxKID {
		return encHeader{}, fmt.Errorf("%w: kid longer than %d bytes", ErrForm, MaxKID)
	}
	if h.Zip != nil || h.Crit != nil {
		return encHeader{}, fmt.Errorf("%w: compression and critical extensions are not understood", ErrForm)
	}
	if h.JWK != nil || h.JKU != nil || h.X5U != nil || h.X5C != nil {
		return encHeader{}, fmt.Errorf("%w: the header brings its own", ErrKey)
	}
	if !KeyAlg(h.Alg).Known() || !Enc(h.Enc).Known() || h.P2C != nil || h.P2S != nil {
		return encHeader{}, ErrAlgorithm
	}
	iv, tag, block := Enc(h.Enc).sizes()
	if len(parts[2]) != iv || len(parts[3])%block != 0 || len(parts[4]) != tag {
		return encHeader{}, fmt.Errorf("%w: a part has the wrong length", ErrForm)
	}
	if (KeyAlg(h.Alg) == ECDHES) != (len(parts[1]) == 0) {
		return encHeader{}, fmt.Errorf("%w: an encrypted key too many, or none", ErrForm)
	}
	if (KeyAlg(h.Alg) == RSAOAEP256) != (h.Epk == nil) {
		return encHeader{}, fmt.Errorf("%w: an ephemeral key too many, or none", ErrForm)
	}
	if h.Epk != nil {
		// RFC 8725 section 3.4: the sender's point is on the curve of the key.
		epk, err := ReadJWK(h.Epk)
		if err != nil || ES256.fits(epk.public) != nil {
			return encHeader{}, fmt.Errorf("%w: the ephemeral key is no point of P-256", ErrForm)
		}
	}
	return h, nil
}
