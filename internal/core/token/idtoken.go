package token

import (
	"crypto/sha256"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/key"
)

// IDClaims are those of an ID token (OpenID Connect Core section 2).
type IDClaims struct {
	Issuer    string
	Subject   string
	Audience  string // the client
	ExpiresAt time.Time
	IssuedAt  time.Time
	AuthTime  time.Time
	Nonce     string
	ACR       string
	AMR       []string
	Session   string
	Access    string // the access token that it comes with; its hash is a claim
}

// IssueID makes an ID token, with the proof that an exchange passed.
func IssueID(p check.Passed, r *key.Ring, c IDClaims) (string, error) {
	if !p.Proven() {
		return "", ErrNotPassed
	}
	claims := map[string]any{"iss": c.Issuer, "sub": c.Subject, "aud": c.Audience, "exp": c.ExpiresAt.Unix(), "iat": c.IssuedAt.Unix(), "auth_time": c.AuthTime.Unix(), "acr": c.ACR}
	if len(c.AMR) > 0 {
		claims["amr"] = c.AMR
	}
	if c.Nonce != "" {
		claims["nonce"] = c.Nonce
	}
	if c.Session != "" {
		claims["sid"] = c.Session
	}
	if c.Access != "" {
		// The left half of the hash that goes with the signature (section 3.1.3.6).
		h := sha256.Sum256([]byte(c.Access))
		claims["at_hash"] = secret.Encode(h[:len(h)/2])
	}
	b, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return r.Signer.Sign("JWT", b)
}
