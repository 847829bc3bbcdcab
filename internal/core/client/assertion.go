package client

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// AssertionType is the one client_assertion_type there is (RFC 7523 section
// 2.2). Nobody signs with a shared secret: client_secret_jwt does not exist.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// AssertionLife is how long an assertion may be good for: it is made for one
// request (FAPI 2.0 section 5.3.2.1).
const AssertionLife = 5 * time.Minute

// maxAssertionID bounds the jti of an assertion; a UUID has 36 bytes.
const maxAssertionID = 256

// assertionTypes are the typ of assertions. The older documents ask for none,
// so a token of ours, which has one, never passes for an assertion (attack
// JWT-16).
var assertionTypes = []string{"", "JWT", "client-authentication+jwt"}

// Words that say which part of an assertion was refused.
var (
	WordSignature = check.NewWord(258, "the signature of client_assertion")
	WordIssuer    = check.NewWord(259, "iss and sub of client_assertion")
	WordAudience  = check.NewWord(260, "aud of client_assertion")
	WordTimes     = check.NewWord(261, "exp, nbf or iat of client_assertion")
	WordJTI       = check.NewWord(262, "jti of client_assertion")
)

// An Assertion is what a client's signed assertion says (RFC 7523 section 3).
// Nothing of it is believed before JudgeAssertion.
type Assertion struct {
	Issuer    string
	Subject   string
	Audience  []string
	ExpiresAt time.Time
	NotBefore time.Time
	IssuedAt  time.Time
	JTI       string
}

// AssertionOf says whom an assertion claims to be of, before anybody believes
// it: that is whose keys are looked for. It is empty for what is no assertion.
func AssertionOf(text string) string {
	var in struct {
		Sub string `json:"sub"`
	}
	raw, _, err := jose.Peek(text)
	if err != nil || json.Unmarshal(raw, &in) != nil || !ValidID(in.Sub) {
		return ""
	}
	return in.Sub
}

// ReadAssertion reads an assertion that one of the keys signed, under the
// algorithm that the client is registered with, if it is with one.
func ReadAssertion(text string, keys jose.KeySet, algs []jose.Alg) (Assertion, bool) {
	raw, _, err := keys.Verify(text, assertionTypes, algs)
	if err != nil {
		return Assertion{}, false
	}
	return readAssertion(raw)
}

// readAssertion reads the claims of an assertion. Numbers are whole numbers,
// nothing else (attack JWT-20).
func readAssertion(raw []byte) (Assertion, bool) {
	var in struct {
		Iss string         `json:"iss"`
		Sub string         `json:"sub"`
		Aud jsontext.Value `json:"aud"`
		Exp *int64         `json:"exp"`
		Nbf *int64         `json:"nbf"`
		Iat *int64         `json:"iat"`
		Jti string         `json:"jti"`
	}
	if json.Unmarshal(raw, &in) != nil || in.Exp == nil {
		return Assertion{}, false
	}
	a := Assertion{Issuer: in.Iss, Subject: in.Sub, JTI: in.Jti}
	var expires, begins, made, audience bool
	a.ExpiresAt, expires = readInstant(in.Exp)
	a.NotBefore, begins = readInstant(in.Nbf)
	a.IssuedAt, made = readInstant(in.Iat)
	a.Audience, audience = readAudience(in.Aud)
	return a, expires && begins && made && audience
}

// readInstant reads a NumericDate; one that is not there is none.
func readInstant(n *int64) (time.Time, bool) {
	if n == nil {
		return time.Time{}, true
	}
	return time.Unix(*n, 0), *n >= 0 && *n <= year9999
}

// year9999 is the last second that a timestamp of RFC 3339 can say.
const year9999 = 253402300799

// readAudience reads a string or an array of strings (RFC 7519 section 4.1.3).
func readAudience(v jsontext.Value) ([]string, bool) {
	if v.Kind() == '"' {
		var one string
		err := json.Unmarshal(v, &one)
		return []string{one}, err == nil
	}
	var many []string
	return many, v.Kind() == '[' && json.Unmarshal(v, &many) == nil && len(many) <= maxAudience
}

const maxAudience = 16

// Judge judges an assertion that a key of the client signed, and names the part
// that it refuses. It must be by the client, about itself, for nobody but this
// server, and for one use within minutes: one that was made for another server,
// or for several, could be carried on to this one by whoever got it (RFC 7523
// section 3; RFC 9700 section 4.9; attack OAU-14).
func (a Assertion) Judge(id string, audiences []string, now time.Time, leeway time.Duration) (check.Word, bool) {
	switch {
	case a.Issuer != id || a.Subject != id || id == "":
		return WordIssuer, false
	case len(a.Audience) == 0 || slices.ContainsFunc(a.Audience, func(s string) bool { return !slices.Contains(audiences, s) }):
		return WordAudience, false
	case !now.Add(-leeway).Before(a.ExpiresAt), a.ExpiresAt.After(now.Add(AssertionLife + leeway)),
		a.NotBefore.After(now.Add(leeway)), a.IssuedAt.After(now.Add(leeway)):
		return WordTimes, false
	case a.JTI == "" || len(a.JTI) > maxAssertionID:
		return WordJTI, false
	}
	return 0, true
}
