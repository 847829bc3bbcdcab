package token

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/key"
)

// A Hint is what an ID token of ours says of its person to whoever brings it
// back: it may be old, and gives nothing (OpenID Connect Core section 3.1.2.1).
type Hint struct {
	Subject string
	Client  string // whom it was made for
	Session string
}

// ReadHint reads an ID token that this issuer made, for one of these
// applications or, when none is named, for any.
func ReadHint(r *key.Ring, issuer, text string, clients ...string) (Hint, bool) {
	raw, _, err := jose.Verify(text, "JWT", func(kid string) (jose.Key, bool) {
		k, ok := r.Verify[kid]
		return k, ok
	})
	var in struct {
		Issuer   string         `json:"iss"`
		Subject  string         `json:"sub"`
		Audience jsontext.Value `json:"aud"`
		Session  string         `json:"sid"`
		IssuedAt int64          `json:"iat"`
		Expires  int64          `json:"exp"`
	}
	if err != nil || json.Unmarshal(raw, &in) != nil {
		return Hint{}, false
	}
	var to string
	if in.Audience.Kind() != '"' || json.Unmarshal(in.Audience, &to) != nil || in.Issuer != issuer || in.Subject == "" || in.IssuedAt == 0 || in.Expires == 0 {
		return Hint{}, false
	}
	return Hint{in.Subject, to, in.Session}, len(clients) == 0 || slices.Contains(clients, to)
}
