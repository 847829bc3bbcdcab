package client

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// A Federation lets a machine trade another issuer's tokens for its own: those
// of a cluster, a pipeline or a workload identity, which it has without any
// secret of ours. Its id is the grant_id of what it gives, so that ending it
// ends that too.
type Federation struct {
	ID      GrantID
	Client  string
	Issuer  string
	Rule    Rule
	Created time.Time
}

// A Rule is what a token of a federation's issuer must be, and what it buys.
type Rule struct {
	// Audiences are those one of which it must be for.
	Audiences []string `json:"audiences,omitempty"`
	// Claims must all stand in it with exactly these values. A name that begins
	// with a slash is the way into nested ones (RFC 6901).
	Claims map[string]string `json:"claims"`
	// Scopes and Lifetime bound what it buys: none are all of the machine's.
	Scopes   []string `json:"scopes,omitempty"`
	Lifetime int64    `json:"lifetime,omitzero"` // seconds
	// JWKS are the issuer's keys, or JWKSURI where it keeps them.
	JWKS    jsontext.Value `json:"jwks,omitzero"`
	JWKSURI string         `json:"jwks_uri,omitzero"`
}

// Exists says whether the row was found.
func (f Federation) Exists() bool { return !f.ID.IsZero() }

// Federate lets a machine trade an issuer's tokens from now on.
type Federate struct {
	ID      GrantID
	Client  string
	Issuer  string
	Rule    Rule
	Created time.Time
}

// Unfederate takes a federation away.
type Unfederate struct{ ID GrantID }

// Orphan takes away every federation of an application that is deleted.
type Orphan struct{ Client string }

func (Federate) Changes() string   { return "federations" }
func (Unfederate) Changes() string { return "federations" }
func (Orphan) Changes() string     { return "federations" }

// Checks of federations and of what is traded by them.
var (
	FederationValid = check.New(check.Check{Number: 1015, ID: "federation.valid", Fault: fault.Unacceptable, Shown: "federation.valid",
		Says: "The application is a machine, and the rule names an issuer, its keys, and claims that tell this workload from the issuer's others.", Source: "RFC 7523 section 3; RFC 8725 section 3.8",
		Title: "The federation cannot be like this.", Stops: []string{"IDN-08"}})
	FederationFound = check.New(check.Check{Number: 1016, ID: "federation.found", Fault: fault.Missing, Shown: "federation.found",
		Says: "There is such a federation.", Source: "RFC 9110 section 15.5.5", Title: "There is no such federation."})
	Trusted = check.New(check.Check{Number: 1017, ID: "assertion.trusted", Fault: fault.Grant, Shown: "assertion.trusted",
		Says: "The token is signed by a key of an issuer that the application has a federation with.", Source: "RFC 7521 section 5.2; RFC 7523 section 3",
		Title: "The token is not of an issuer that this application may trade with.", Stops: []string{"IDN-08", "JWT-01", "JWT-02", "JWT-04"}})
	Meant = check.New(check.Check{Number: 1018, ID: "assertion.audience", Fault: fault.Grant, Shown: "assertion.audience",
		Says: "The token is for the audience that the federation names.", Source: "RFC 7523 section 3",
		Title: "The token is for somebody else.", Stops: []string{"IDN-08", "JWT-12"}})
	Timely = check.New(check.Check{Number: 1019, ID: "assertion.in_time", Fault: fault.Grant, Shown: "assertion.in_time",
		Says: "The token has begun, ends within a day, and has not ended.", Source: "RFC 7523 section 3; RFC 8725 section 3.10",
		Title: "The token is over, not good yet, or good for too long.", Stops: []string{"IDN-08", "JWT-20"}})
	Fitting = check.New(check.Check{Number: 1020, ID: "assertion.fits", Fault: fault.Grant, Shown: "assertion.fits",
		Says: "Every claim that the federation asks for stands in the token.", Source: "RFC 7523 section 3; RFC 8693 section 2.1",
		Title: "The token is of another workload than this application's.", Stops: []string{"OAU-21"}})
)

// Words that say which part of a federation was refused.
var (
	WordFederated   = check.NewWord(263, "client_id: not a machine that may use the jwt-bearer grant")
	WordFedIssuer   = check.NewWord(264, "issuer")
	WordFedKeys     = check.NewWord(265, "jwks or jwks_uri: one of them")
	WordFedClaims   = check.NewWord(266, "claims")
	WordFedScopes   = check.NewWord(267, "scopes")
	WordFedLifetime = check.NewWord(268, "lifetime")
	WordFedAudience = check.NewWord(269, "audiences")
)

// ForeignLife is how long a foreign token may still be good for: a day. One
// that is good for years is a secret.
const ForeignLife = 24 * time.Hour

const maxClaims = 16

// Valid judges a federation with an application, and names the part it refuses.
func (f Federation) Valid(c Client) (check.Word, bool) {
	r := f.Rule
	u, err := url.Parse(f.Issuer)
	switch {
	case c.Type != "machine" || !c.MayGrant(GrantAssert):
		return WordFederated, false
	case err != nil || f.Issuer == "" || len(f.Issuer) > 512 || strings.ContainsAny(f.Issuer, "\\ \t\r\n") || u.Scheme == "":
		return WordFedIssuer, false
	case (r.JWKS == nil) == (r.JWKSURI == ""), r.JWKSURI != "" && !WebAddress(r.JWKSURI), r.JWKS != nil && !isSet(r.JWKS):
		return WordFedKeys, false
	case len(r.Claims) == 0 || len(r.Claims) > maxClaims:
		return WordFedClaims, false
	case len(r.Scopes) > 0 && slices.ContainsFunc(r.Scopes, func(s string) bool { return !c.May(s) || Personal(s) }):
		return WordFedScopes, false
	case r.Lifetime < 0 || r.Lifetime > int64(time.Hour.Seconds()):
		return WordFedLifetime, false
	case len(r.Audiences) == 0 || len(r.Audiences) > maxAudience || slices.ContainsFunc(r.Audiences, func(s string) bool { return s == "" || len(s) > 512 }):
		return WordFedAudience, false
	}
	for name, value := range r.Claims {
		// Claims that every token of an issuer has tell no workload from another.
		if slices.Contains([]string{"", "iss", "aud", "exp", "nbf", "iat", "jti"}, name) || value == "" || len(name) > 256 || len(value) > 1024 ||
			strings.HasPrefix(name, "/") && !jsontext.Pointer(name).IsValid() {
			return WordFedClaims, false
		}
	}
	return 0, true
}

// Grants are which of a machine's scopes a rule gives.
func (r Rule) Grants(may []string) []string {
	if len(r.Scopes) == 0 {
		return may
	}
	return slices.DeleteFunc(slices.Clone(r.Scopes), func(s string) bool { return !slices.Contains(may, s) })
}

func isSet(raw []byte) bool {
	_, err := jose.ReadJWKS(raw)
	return err == nil
}

// A Foreign is a token of another issuer's. Nothing of it is believed but that
// a key signed it.
type Foreign struct {
	Assertion
	claims map[string]any
}

// foreignTypes are the typ of tokens that others make for workloads.
var foreignTypes = []string{"", "JWT", "JOSE"}

// ForeignIssuer says whose a token claims to be, before anybody believes it:
// that is whose keys are looked for.
func ForeignIssuer(text string) string {
	var in struct {
		Iss string `json:"iss"`
	}
	raw, _, err := jose.Peek(text)
	if err != nil || json.Unmarshal(raw, &in) != nil {
		return ""
	}
	return in.Iss
}

// ReadForeign reads a token of another issuer's that one of its keys signed.
func ReadForeign(text string, keys jose.KeySet) (Foreign, bool) {
	raw, _, err := keys.Verify(text, foreignTypes, jose.OthersAlgs())
	if err != nil {
		return Foreign{}, false
	}
	return readForeign(raw)
}

func readForeign(raw []byte) (f Foreign, ok bool) {
	if f.Assertion, ok = readAssertion(raw); !ok || f.Issuer == "" || f.Subject == "" {
		return Foreign{}, false
	}
	return f, json.Unmarshal(raw, &f.claims) == nil
}

// For says whether a token is for one of a rule's audiences.
func (f Foreign) For(r Rule) bool {
	return slices.ContainsFunc(f.Audience, func(s string) bool { return slices.Contains(r.Audiences, s) })
}

// InTime says whether a token is good now, and not for too long.
func (f Foreign) InTime(now time.Time, leeway time.Duration) bool {
	return now.Add(-leeway).Before(f.ExpiresAt) && !f.ExpiresAt.After(now.Add(ForeignLife+leeway)) && !f.NotBefore.After(now.Add(leeway)) && !f.IssuedAt.After(now.Add(leeway))
}

// Fits says whether every claim of a rule stands in a token.
func (f Foreign) Fits(r Rule) bool {
	for name, want := range r.Claims {
		if f.claim(name) != want {
			return false
		}
	}
	return len(r.Claims) > 0
}

// claim is a claim's text; nothing where there is none, or one that is no text.
func (f Foreign) claim(name string) string {
	var at any = f.claims
	path := []string{name}
	if strings.HasPrefix(name, "/") {
		path = slices.Collect(jsontext.Pointer(name).Tokens())
	}
	for _, step := range path {
		object, ok := at.(map[string]any)
		if !ok {
			return ""
		}
		at = object[step]
	}
	switch v := at.(type) {
	case string:
		return v
	case bool:
		return map[bool]string{true: "true", false: "false"}[v]
	}
	return ""
}
