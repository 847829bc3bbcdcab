package jose

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds on a stranger's token, looked at before anything is decoded.
const (
	MaxToken = 8 << 10 // bytes in a whole token
	MaxKID   = 64      // bytes in a key id; a thumbprint has 43
)

// Why a token was refused. Match with errors.Is; the text behind it is for
// logs and repeats nothing of the token.
var (
	ErrForm      = errors.New("jose: not a well-formed token")
	ErrType      = errors.New("jose: token of another type")
	ErrAlgorithm = errors.New("jose: not the algorithm of the key")
	ErrKey       = errors.New("jose: no such key")
	ErrSignature = errors.New("jose: signature does not verify")
)

// header is what Verify reads of a protected header. Names match exactly, as
// RFC 7515 section 4 has them; members not named here are ignored.
type header struct {
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Typ string `json:"typ"`

	// Members that would change what is verified or with which key. Their
	// presence refuses the token, whatever their value.
	Crit jsontext.Value `json:"crit"`
	B64  jsontext.Value `json:"b64"` // RFC 7797; works only through crit
	JWK  jsontext.Value `json:"jwk"`
	JKU  jsontext.Value `json:"jku"`
	X5U  jsontext.Value `json:"x5u"`
	X5C  jsontext.Value `json:"x5c"`
}

// Verify returns the claims of a token, byte for byte as they were signed, and
// the kid of the key that signed them. On any error it returns neither.
//
// The token must have exactly this typ (RFC 8725 section 3.11): "at+jwt" is
// not "AT+JWT", nor "application/at+jwt". The key is the one that keys returns
// for the header's kid, and the header's alg must be that key's own. A key
// that the token brings along or points to is never used (RFC 8725 section
// 3.10) but refused, before the library parses it. Claims are not looked at:
// who issued them, for whom and until when is the caller's to judge.
func Verify(token, typ string, keys func(kid string) (Key, bool)) (claims []byte, kid string, err error) {
	return verify(token, typ, func(kid string) (string, any, bool) {
		k, ok := keys(kid)
		return string(k.alg), k.public, ok && k.public != nil
	})
}

// verify asks keys for the one algorithm of a key, and the key.
func verify(token, typ string, keys func(kid string) (alg string, key any, ok bool)) (claims []byte, kid string, err error) {
	h, err := readHeader(token)
	if err != nil {
		return nil, "", err
	}
	if typ == "" || h.Typ != typ {
		return nil, "", ErrType
	}
	if h.bringsKey() {
		return nil, "", fmt.Errorf("%w: the header brings its own", ErrKey)
	}
	if h.Kid == "" {
		return nil, "", fmt.Errorf("%w: the header names none", ErrKey)
	}
	alg, key, ok := keys(h.Kid)
	if !ok {
		return nil, "", ErrKey
	}
	claims, err = h.open(token, alg, key)
	if err != nil {
		return nil, "", err
	}
	return claims, h.Kid, nil
}

// bringsKey says whether a header holds a key or points to one.
func (h header) bringsKey() bool { return h.JWK != nil || h.JKU != nil || h.X5U != nil || h.X5C != nil }

// open gives the claims of a token whose header was read, when the key signed
// it under its own algorithm.
func (h header) open(token, alg string, key any) ([]byte, error) {
	if alg == "" || h.Alg != alg {
		return nil, ErrAlgorithm
	}
	if alg == string(Ed25519) {
		return openEd25519(token, key)
	}
	jws, err := gojose.ParseSignedCompact(token, []gojose.SignatureAlgorithm{gojose.SignatureAlgorithm(alg)})
	if err != nil {
		return nil, fmt.Errorf("%w: a header member has the wrong kind", ErrForm)
	}
	claims, err := jws.Verify(key)
	if err != nil || alg == string(PS256) && !saltFits(token, key) {
		return nil, ErrSignature
	}
	return claims, nil
}

// openEd25519 is open for the name that the library does not know.
func openEd25519(token string, key any) ([]byte, error) {
	signed, last := cutLast(token)
	signature, err := decode(last)
	public, ok := key.(ed25519.PublicKey)
	if err != nil || !ok || !ed25519.Verify(public, []byte(signed), signature) {
		return nil, ErrSignature
	}
	_, payload, _ := strings.Cut(signed, ".")
	return decode(payload)
}

// cutLast cuts a token at its last dot: what is signed, and the signature.
func cutLast(token string) (signed, signature string) {
	dot := strings.LastIndexByte(token, '.')
	return token[:dot], token[dot+1:]
}

// saltFits says whether the salt of a PSS signature is as long as its hash
// (RFC 7518 section 3.5). The library takes any length.
func saltFits(token string, key any) bool {
	public, ok := key.(*rsa.PublicKey)
	signed, last := cutLast(token)
	signature, err := decode(last)
	digest := sha256.Sum256([]byte(signed))
	return ok && err == nil && rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
}

// readHeader decodes the protected header of a token whose form is beyond
// doubt, so that no two readers can read it differently.
func readHeader(token string) (header, error) {
	if len(token) > MaxToken {
		return header{}, fmt.Errorf("%w: longer than %d bytes", ErrForm, MaxToken)
	}
	if strings.Count(token, ".") != 2 {
		return header{}, fmt.Errorf("%w: not three parts", ErrForm)
	}
	protected, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	raw, err := decode(protected)
	if err == nil {
		_, err = decode(payload)
	}
	if err == nil {
		_, err = decode(signature)
	}
	if err != nil {
		return header{}, err
	}

	// The decoder refuses duplicate members and bad UTF-8 by default.
	var h header
	if raw[0] != '{' {
		return header{}, fmt.Errorf("%w: header is no object", ErrForm)
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		return header{}, fmt.Errorf("%w: header is not the JSON it should be", ErrForm)
	}
	if len(h.Kid) > MaxKID {
		return header{}, fmt.Errorf("%w: kid longer than %d bytes", ErrForm, MaxKID)
	}
	if h.Crit != nil || h.B64 != nil {
		return header{}, fmt.Errorf("%w: critical extensions are not understood", ErrForm)
	}
	return h, nil
}

// decode takes canonical base64url and nothing else. The standard decoder
// skips line breaks even when strict; a second spelling of one token would
// slip past whoever compares tokens by their text.
func decode(part string) ([]byte, error) {
	if part == "" {
		return nil, fmt.Errorf("%w: an empty part", ErrForm)
	}
	if strings.ContainsAny(part, "\r\n") {
		return nil, fmt.Errorf("%w: a line break", ErrForm)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("%w: not canonical base64url", ErrForm)
	}
	return raw, nil
}
