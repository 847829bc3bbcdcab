package token

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/revocation"
)

type jtiKind struct{}

func (jtiKind) Prefix() string { return "at" }

// JTI names one access token.
type JTI = id.ID[jtiKind]

// NewJTI makes one.
func NewJTI(now time.Time, random [16]byte) JTI { return id.New[jtiKind](now, random) }

// ParseJTI reads the outside form.
func ParseJTI(s string) (JTI, error) { return id.Parse[jtiKind](s) }

// AccessType is the typ of a JWT access token (RFC 9068 section 2.1).
const AccessType = "at+jwt"

// Claims of an access token (RFC 9068 section 2.2). Lean: no personal data.
type Claims struct {
	Issuer    string
	Subject   string
	Audience  []string
	ExpiresAt time.Time
	IssuedAt  time.Time
	JTI       string
	Client    string
	Scope     string
	Session   string
	Grant     string
	Rev       uint64
	ACR       string
	AMR       []string
	AuthTime  time.Time
	Confirm   Confirm
	// Act is who acts for the subject, the latest first: each got its token for
	// the one of the next (RFC 8693 section 4.1). Empty when the subject acts.
	Act []string
	// Strict says that every use asks this server: it holds, sealed, the family
	// and generation that the token came with (see Pair). Empty for others.
	Strict string
	// Details are authorization details, each a JSON object (RFC 9396 section 9.1).
	Details []string
	KID     string // the key that signed or sealed it; not a claim
}

// ErrNotPassed says that something tried to issue without a passed exchange.
var ErrNotPassed = errors.New("token: nothing is issued without every declared check passed")

// A Signer signs claims as a token of a type: a key of the ring, or a secret
// that is shared with one service.
type Signer interface {
	Sign(typ string, claims []byte) (string, error)
}

// Issue makes an access token in the format that its client is registered
// with: signed by one key, or sealed. It asks for the proof that an exchange
// passed.
func Issue(p check.Passed, r *key.Ring, format string, by Signer, c Claims) (string, error) {
	switch {
	case !p.Proven():
		return "", ErrNotPassed
	case format == client.Opaque:
		return seal(r.Opaque[len(r.Opaque)-1], c)
	}
	return by.Sign(AccessType, c.encode())
}

// Read reads an access token of either format. formed says that it has the
// form of one, ours that a key of ours signed or sealed it; without that there
// are no claims.
func Read(text string, r *key.Ring) (c Claims, formed, ours bool) {
	if strings.HasPrefix(text, AccessPrefix) {
		return open(text, r.Opaque)
	}
	raw, kid, err := jose.Verify(text, AccessType, func(kid string) (jose.Key, bool) {
		k, ok := r.Verify[kid]
		return k, ok
	})
	if err != nil {
		return Claims{}, text != "" && !errors.Is(err, jose.ErrForm) && !errors.Is(err, jose.ErrType), false
	}
	c, ours = ReadClaims(raw, kid)
	return c, true, ours
}

// encode writes the claims by hand: this runs for every token issued.
func (c Claims) encode() []byte {
	b := make([]byte, 0, 640)
	str := func(name, v string) {
		if v == "" {
			return
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, `":`...)
		b, _ = jsontext.AppendQuote(b, v)
	}
	list := func(name string, vs []string) {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":[`...)
		for i, v := range vs {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, v)
		}
		b = append(b, ']')
	}
	num := func(name string, n int64) {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":`...)
		b = strconv.AppendInt(b, n, 10)
	}
	str("iss", c.Issuer)
	b = append([]byte{'{'}, b...)
	str("sub", c.Subject)
	list("aud", c.Audience)
	num("exp", c.ExpiresAt.Unix())
	num("nbf", c.IssuedAt.Unix())
	num("iat", c.IssuedAt.Unix())
	str("jti", c.JTI)
	str("client_id", c.Client)
	str("scope", c.Scope)
	str("sid", c.Session)
	str("grant_id", c.Grant)
	num("rev", int64(c.Rev))
	str("acr", c.ACR)
	if len(c.AMR) > 0 {
		list("amr", c.AMR)
	}
	if !c.AuthTime.IsZero() {
		num("auth_time", c.AuthTime.Unix())
	}
	switch {
	case c.Confirm.JKT != "" && c.Confirm.X5T != "":
		b = append(b, `,"cnf":{"jkt":"`+c.Confirm.JKT+`","x5t#S256":"`+c.Confirm.X5T+`"}`...)
	case c.Confirm.JKT != "":
		b = append(b, `,"cnf":{"jkt":"`+c.Confirm.JKT+`"}`...)
	case c.Confirm.X5T != "":
		b = append(b, `,"cnf":{"x5t#S256":"`+c.Confirm.X5T+`"}`...)
	}
	for i, sub := range c.Act {
		b = append(b, `,"act":{"sub":`...)
		b, _ = jsontext.AppendQuote(b, sub)
		if i == len(c.Act)-1 {
			b = append(b, strings.Repeat("}", len(c.Act))...)
		}
	}
	str("strict", c.Strict)
	if len(c.Details) > 0 {
		b = append(b, `,"authorization_details":`...)
		b = append(b, client.DetailsJSON(c.Details)...)
	}
	return append(b, '}')
}

// year9999 is the last second that a timestamp of RFC 3339 can say.
const year9999 = 253402300799

// audience is a string or an array of strings (RFC 7519 section 4.1.3).
type audience []string

func (a *audience) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '[' {
		return json.UnmarshalDecode(d, (*[]string)(a))
	}
	var one string
	if err := json.UnmarshalDecode(d, &one); err != nil {
		return err
	}
	*a = audience{one}
	return nil
}

// ReadClaims reads the claims of a token whose signature was good. Numbers
// are whole numbers, nothing else (attack JWT-20).
func ReadClaims(raw []byte, kid string) (Claims, bool) {
	var in struct {
		Iss      string           `json:"iss"`
		Sub      string           `json:"sub"`
		Aud      audience         `json:"aud"`
		Exp      *int64           `json:"exp"`
		Nbf      *int64           `json:"nbf"`
		Iat      *int64           `json:"iat"`
		Jti      string           `json:"jti"`
		Client   string           `json:"client_id"`
		Scope    string           `json:"scope"`
		Sid      string           `json:"sid"`
		Grant    string           `json:"grant_id"`
		Rev      *uint64          `json:"rev"`
		Acr      string           `json:"acr"`
		Amr      []string         `json:"amr"`
		AuthTime int64            `json:"auth_time"`
		Confirm  Confirm          `json:"cnf"`
		Strict   string           `json:"strict"`
		Details  []jsontext.Value `json:"authorization_details"`
		Act      *actor           `json:"act"`
	}
	if json.Unmarshal(raw, &in) != nil || in.Exp == nil || in.Nbf == nil || in.Iat == nil || in.Rev == nil || in.Iss == "" || in.Sub == "" || in.Jti == "" {
		return Claims{}, false
	}
	if *in.Exp < 0 || *in.Exp > year9999 || *in.Nbf < 0 || *in.Iat < 0 || *in.Nbf > year9999 || *in.Iat > year9999 {
		return Claims{}, false
	}
	c := Claims{
		Issuer: in.Iss, Subject: in.Sub, Audience: in.Aud, ExpiresAt: time.Unix(*in.Exp, 0), IssuedAt: time.Unix(*in.Iat, 0),
		JTI: in.Jti, Client: in.Client, Scope: in.Scope, Session: in.Sid, Grant: in.Grant, Rev: *in.Rev, ACR: in.Acr, AMR: in.Amr, Confirm: in.Confirm, Strict: in.Strict, KID: kid,
	}
	for _, d := range in.Details {
		c.Details = append(c.Details, string(d))
	}
	if in.AuthTime > 0 {
		c.AuthTime = time.Unix(in.AuthTime, 0)
	}
	for a := in.Act; a != nil; a = a.Act {
		if a.Sub == "" || len(c.Act) == ActorsAtMost {
			return Claims{}, false
		}
		c.Act = append(c.Act, a.Sub)
	}
	return c, true
}

// ActorsAtMost is how long a chain of actors may be (check DV-07).
const ActorsAtMost = 3

// An actor is one of a chain (RFC 8693 section 4.1).
type actor struct {
	Sub string `json:"sub"`
	Act *actor `json:"act"`
}

// Names are what this token hangs on: an event that names one of them above
// its Rev kills it. A machine for which another acts is named as well.
func (c Claims) Names() []revocation.Name {
	return []revocation.Name{
		{Unit: revocation.JTI, ID: c.JTI}, {Unit: revocation.Session, ID: c.Session}, {Unit: revocation.Grant, ID: c.Grant},
		{Unit: revocation.User, ID: c.Subject}, {Unit: revocation.Client, ID: c.Client}, {Unit: revocation.Client, ID: c.Subject}, {Unit: revocation.Key, ID: c.KID},
	}
}

// FirstPartyScope is what a first-party page may get from a family: its own
// registered scopes, and never more than the family holds. A family of the
// server's own client is the person's whole first-party sign-in, so there
// each application is bounded by its registration alone.
func FirstPartyScope(f Family, c client.Client) []string {
	if f.Client == client.BuiltIn {
		return c.Scopes
	}
	var out []string
	for _, s := range c.Scopes {
		if slices.Contains(f.Scopes, s) {
			out = append(out, s)
		}
	}
	return out
}

// AudienceFor is the issuer and the client's own resources.
func AudienceFor(issuer string, c client.Client) []string {
	return append([]string{issuer}, c.Resources...)
}

// JoinScope is the text of a scope list (RFC 6749 section 3.3).
func JoinScope(scopes []string) string { return strings.Join(scopes, " ") }
