package doorward

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
)

// maxToken bounds a token in bytes. It is judged before anything else, so that
// a long run of dots or a huge key id costs nothing.
const maxToken = 8 << 10

// maxKeyID bounds a key id. Ours are RFC 7638 thumbprints of 43 characters.
const maxKeyID = 64

// algorithms is the closed list. A key stands for exactly one of them.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.RS512, jose.PS256}

// strict refuses padding and stray last bits, so that a token has one spelling
// only.
var strict = base64.RawURLEncoding.Strict()

// A header is what a token says of itself: never believed, only compared.
type header struct {
	algorithm, keyID, typ string
}

// claims are those of RFC 9068 section 2.2 and Doorward's own.
type claims struct {
	issuer, subject, client, id       string
	session, grant, organization, acr string
	audience, scopes, amr, actors     []string
	issued, notBefore, expires        int64  // seconds since 1970
	authenticated                     int64  // seconds since 1970; 0: nobody was
	jkt                               string // the thumbprint of the key that the token is bound to by DPoP
	x5t                               string // that of the certificate that it is bound to
	bound                             bool   // it is bound, by whatever there is
	strict                            bool   // every use asks the server
	rev                               uint64
	hasRev                            bool
}

// A verified token had a good signature, type, issuer and audience. Time and
// revocation are judged at every use.
type verified struct {
	claims
	key     *key
	input   string        // header and claims as signed, without the signature
	cleared atomic.Uint64 // generation of the view that last found it alive
}

// splitToken checks the form of a token and returns its three parts.
func splitToken(token string) (head, payload, signature string, err error) {
	if len(token) > maxToken {
		return "", "", "", refuse(checkForm, "the token is longer than 8 KiB")
	}
	// encoding/base64 skips line breaks even when it is strict.
	if strings.ContainsAny(token, "\r\n") {
		return "", "", "", refuse(checkForm, "the token has a line break")
	}
	head, rest, ok := strings.Cut(token, ".")
	payload, signature, more := strings.Cut(rest, ".")
	if !ok || !more || head == "" || payload == "" || strings.Contains(signature, ".") {
		return "", "", "", refuse(checkForm, "a JWT has three parts with a dot between them")
	}
	return head, payload, signature, nil
}

// parseHeader reads a token's header. Keys and addresses of keys that a token
// brings along are refused, not ignored (RFC 8725 section 3.10).
func parseHeader(part string) (h header, err error) {
	data, err := strict.DecodeString(part)
	if err != nil {
		return h, refuse(checkForm, "the header is not base64url")
	}
	err = members(data, func(name string, value []byte) (err error) {
		switch strings.ToLower(name) {
		case "crit", "jwk", "jku", "x5u", "x5c", "b64", "zip":
			return refuse(checkKey, "the header has "+name+", which is never used")
		}
		switch name {
		case "alg":
			h.algorithm, err = text(value)
		case "kid":
			h.keyID, err = text(value)
		case "typ":
			h.typ, err = text(value)
		}
		return err
	})
	return h, asRefusal(err, "the header is not a strict JSON object")
}

// parseClaims reads the claims of a token whose signature is good.
func parseClaims(part string) (c claims, err error) {
	data, err := strict.DecodeString(part)
	if err != nil {
		return c, refuse(checkForm, "the claims are not base64url")
	}
	return readClaims(data)
}

// readClaims reads the claims of a token that is known to be good.
func readClaims(data []byte) (c claims, err error) {
	c.issued, c.expires = -1, -1
	err = members(data, func(name string, value []byte) error { return c.set(name, value) })
	if err := asRefusal(err, "the claims are not a strict JSON object"); err != nil {
		return claims{}, err
	}
	// RFC 9068 section 2.2: all of these must be there.
	if c.issuer == "" || c.subject == "" || c.client == "" || c.id == "" {
		return claims{}, refuse(checkForm, "iss, sub, client_id or jti is missing")
	}
	if c.issued < 0 || c.expires < 0 {
		return claims{}, refuse(checkTime, "exp or iat is missing")
	}
	return c, nil
}

func (c *claims) set(name string, value []byte) (err error) {
	switch name {
	case "iss":
		c.issuer, err = text(value)
	case "sub":
		c.subject, err = text(value)
	case "client_id":
		c.client, err = text(value)
	case "jti":
		c.id, err = text(value)
	case "sid":
		c.session, err = text(value)
	case "grant_id":
		c.grant, err = text(value)
	case "strict":
		c.strict = true
	case "org":
		c.organization, err = text(value)
	case "acr":
		c.acr, err = text(value)
	case "amr":
		c.amr, err = texts(value)
	case "aud":
		if value[0] == '[' {
			c.audience, err = texts(value)
		} else {
			var one string
			one, err = text(value)
			c.audience = []string{one}
		}
	case "act":
		return c.act(value)
	case "cnf":
		c.bound = true
		err = members(value, func(name string, value []byte) (err error) {
			switch name {
			case "jkt":
				c.jkt, err = text(value)
			case "x5t#S256":
				c.x5t, err = text(value)
			}
			return err
		})
	case "scope":
		var all string
		all, err = text(value)
		c.scopes = strings.Fields(all)
	case "rev":
		var n int64
		n, err = whole(value)
		c.rev, c.hasRev = uint64(n), true
	case "exp":
		c.expires, err = instant(name, value)
	case "iat":
		c.issued, err = instant(name, value)
	case "nbf":
		c.notBefore, err = instant(name, value)
	case "auth_time":
		c.authenticated, err = instant(name, value)
	}
	return err
}

// maxActors bounds a chain; the server makes none of more than three.
const maxActors = 8

// act reads who acts for the subject, the latest first (RFC 8693 section 4.1).
func (c *claims) act(value []byte) error {
	if len(c.actors) == maxActors {
		return fmt.Errorf("more than %d act one for another", maxActors)
	}
	var inner []byte
	n := len(c.actors)
	err := members(value, func(name string, value []byte) (err error) {
		switch name {
		case "sub":
			var sub string
			sub, err = text(value)
			c.actors = append(c.actors, sub)
		case "act":
			inner = value
		}
		return err
	})
	if err == nil && (len(c.actors) == n || c.actors[n] == "") {
		err = errors.New("act has no sub")
	}
	if err == nil && inner != nil {
		err = c.act(inner)
	}
	return err
}

func instant(name string, value []byte) (int64, error) {
	n, err := whole(value)
	if err != nil {
		return 0, refuse(checkTime, name+" is not a whole number of seconds")
	}
	return n, nil
}

// parseToken reads the form of a token and its header.
func parseToken(token string) (head, payload string, h header, err error) {
	head, payload, signature, err := splitToken(token)
	if err != nil {
		return "", "", h, err
	}
	if _, err := strict.DecodeString(signature); err != nil {
		return "", "", h, refuse(checkForm, "the signature is not base64url")
	}
	h, err = parseHeader(head)
	return head, payload, h, err
}

// signed refuses a token that this key did not sign under its one algorithm.
func (k *key) signed(token string, h header) error {
	if jose.SignatureAlgorithm(h.algorithm) != k.algorithm {
		return refuse(checkAlgorithm, "alg is "+h.algorithm+", this key is for "+string(k.algorithm))
	}
	if err := k.verify(token); err != nil {
		return refuse(checkSignature, "the signature does not fit")
	}
	return nil
}

// authentic runs every check that does not depend on the instant: form, type,
// key, algorithm and signature, then issuer and audience. Who a token was for
// is only said of a token that was signed.
func (v *Verifier) authentic(token string, find func(kid string) (*key, error)) (*verified, error) {
	head, payload, h, err := parseToken(token)
	if err != nil {
		return nil, err
	}
	// RFC 9068 section 4: an ID token or a logout token is no access token.
	if h.typ != "at+jwt" {
		return nil, refuse(checkType, "typ is "+quoted(h.typ)+", an access token has at+jwt")
	}
	if !v.keys.takes(jose.SignatureAlgorithm(h.algorithm)) {
		return nil, refuse(checkAlgorithm, "alg is "+quoted(h.algorithm)+", which is not on the list")
	}
	if h.keyID == "" || len(h.keyID) > maxKeyID {
		return nil, refuse(checkKey, "kid is missing or too long")
	}
	k, err := find(h.keyID)
	if err != nil {
		return nil, err
	}
	if err := k.signed(token, h); err != nil {
		return nil, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return nil, signed(err)
	}
	if c.issuer != v.issuer {
		return nil, signed(refuse(checkIssuer, "issuer is "+quoted(c.issuer)+", this API trusts "+quoted(v.issuer)))
	}
	if !slices.Contains(c.audience, v.audience) {
		return nil, signed(refuse(checkAudience, "audience is "+quoted(c.audience...)+", this API is "+quoted(v.audience)))
	}
	return &verified{claims: c, key: k, input: strings.Clone(token[:len(head)+1+len(payload)])}, nil
}
