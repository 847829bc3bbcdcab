package token

import (
	"crypto/sha256"
	"crypto/sha512"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
)

// IDClaims are those of an ID token (OpenID Connect Core section 2). Its
// audience is the application alone, so that no azp is needed.
type IDClaims struct {
	Issuer    string
	Subject   string
	ExpiresAt time.Time
	IssuedAt  time.Time
	AuthTime  time.Time
	Nonce     string
	ACR       string
	AMR       []string
	Session   string
	Access    string         // the access token that it comes with; its hash is a claim
	Person    map[string]any // what the application asked to find in it
}

// IssueID makes an ID token for an application, encrypted where it asked for
// that, with the proof that an exchange passed.
func IssueID(p check.Passed, by *jose.SigningKey, to client.Client, c IDClaims) (string, error) {
	claims := map[string]any{}
	for name, value := range c.Person {
		claims[name] = value
	}
	for name, value := range map[string]any{"iss": c.Issuer, "sub": c.Subject, "aud": to.ID, "exp": c.ExpiresAt.Unix(), "iat": c.IssuedAt.Unix(), "auth_time": c.AuthTime.Unix(), "acr": c.ACR} {
		claims[name] = value
	}
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
		claims["at_hash"] = half(by.Alg(), c.Access)
	}
	b, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return Answer(p, by, to, to.IDTokens(), IDType, b)
}

// half is the left half of a token's hash, by the hash that goes with the
// signature (OpenID Connect Core section 3.1.3.6): that of Ed25519 is SHA-512.
func half(alg jose.Alg, text string) string {
	if alg == jose.RS512 || alg == jose.EdDSA {
		h := sha512.Sum512([]byte(text))
		return secret.Encode(h[:len(h)/2])
	}
	h := sha256.Sum256([]byte(text))
	return secret.Encode(h[:len(h)/2])
}
