package client

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/jose"
)

// objectTypes are the typ of request objects (RFC 9101 section 10.8; the older
// OpenID Connect asks for none). That an assertion of the client's, which is
// signed by the same keys, is no request is held by its sub (attack JWT-16).
var objectTypes = []string{"oauth-authz-req+jwt", "JWT", ""}

// objectLife is how long a request object may be good for (FAPI 2.0 Message
// Signing section 5.3.1).
const objectLife = time.Hour

// An Object is a request that its application signed (RFC 9101). Nothing of it
// is believed before its judgement.
type Object struct {
	Parameters url.Values
	Issuer     string
	Audience   []string
	Subject    string
	ExpiresAt  time.Time
	NotBefore  time.Time
	IssuedAt   time.Time
}

// ReadObject reads a request object that one of the keys signed, under the
// algorithm that the client is registered with, if it is with one. One that
// nobody signed does not exist.
func ReadObject(text string, keys jose.KeySet, algs []jose.Alg) (Object, bool) {
	raw, _, err := keys.Verify(text, objectTypes, algs)
	if err != nil {
		return Object{}, false
	}
	return readObject(raw)
}

// readObject reads the claims of a request object.
func readObject(raw []byte) (Object, bool) {
	var all map[string]jsontext.Value
	var in struct {
		Iss string         `json:"iss"`
		Sub string         `json:"sub"`
		Aud jsontext.Value `json:"aud"`
		Exp *int64         `json:"exp"`
		Nbf *int64         `json:"nbf"`
		Iat *int64         `json:"iat"`
	}
	if json.Unmarshal(raw, &all) != nil || json.Unmarshal(raw, &in) != nil || in.Exp == nil {
		return Object{}, false
	}
	o := Object{Issuer: in.Iss, Subject: in.Sub, Parameters: url.Values{}}
	var expires, begins, made, audience bool
	o.ExpiresAt, expires = readInstant(in.Exp)
	o.NotBefore, begins = readInstant(in.Nbf)
	o.IssuedAt, made = readInstant(in.Iat)
	if o.Audience, audience = readAudience(in.Aud); !expires || !begins || !made || !audience {
		return Object{}, false
	}
	for name, value := range all {
		texts, ok := readParameter(name, value)
		if !ok {
			return Object{}, false
		}
		if slices.Contains(RequestFields, name) {
			o.Parameters[name] = texts
		}
	}
	return o, true
}

// readParameter reads a member of a request object as the parameter that it
// stands for: numbers and objects are written as they would be in an address
// (RFC 9101 section 4). A request in a request is none (section 5).
func readParameter(name string, v jsontext.Value) ([]string, bool) {
	switch kind := v.Kind(); {
	case name == "request" || name == "request_uri":
		return nil, false
	case kind == '"':
		var s string
		err := json.Unmarshal(v, &s)
		return []string{s}, err == nil
	case name == "resource" && kind == '[':
		var many []string
		return many, json.Unmarshal(v, &many) == nil && len(many) <= maxAudience
	case name == "max_age" && kind == '0':
		var n int64
		err := json.Unmarshal(v, &n)
		return []string{strconv.FormatInt(n, 10)}, err == nil
	case name == "claims" && kind == '{', name == "authorization_details" && kind == '[':
		return []string{string(v)}, true
	}
	return nil, !slices.Contains(RequestFields, name)
}

// Good says whether an object that was signed is one of this client's, for
// this server, for now. It has no subject: nothing that was signed as proof of
// the client passes for a request (RFC 9101 section 10.8).
func (o Object) Good(id, issuer string, now time.Time, leeway time.Duration) bool {
	return id != "" && o.Issuer == id && o.Parameters.Get("client_id") == id && o.Subject == "" &&
		slices.Contains(o.Audience, issuer) &&
		now.Add(-leeway).Before(o.ExpiresAt) && !o.ExpiresAt.After(now.Add(objectLife+leeway)) &&
		!o.NotBefore.After(now.Add(leeway)) && !o.IssuedAt.After(now.Add(leeway)) &&
		(o.NotBefore.IsZero() || !o.NotBefore.Before(now.Add(-objectLife-leeway)))
}
