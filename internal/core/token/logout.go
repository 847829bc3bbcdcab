package token

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// LogoutType is the typ of a logout token (OpenID Connect Back-Channel Logout
// section 2.4).
const LogoutType = "logout+jwt"

// LogoutFor is how long a logout token is good.
const LogoutFor = 2 * time.Minute

// LogoutClaims are those of a logout token: whose session ended, for one
// application. It never has a nonce, so that nobody takes it for an ID token.
type LogoutClaims struct {
	Issuer   string
	Audience string
	Subject  string
	Session  string
	JTI      string
	IssuedAt time.Time
}

// IssueLogout makes a logout token, with the proof that an exchange passed.
func IssueLogout(p check.Passed, by *jose.SigningKey, c LogoutClaims) (string, error) {
	if !p.Proven() {
		return "", ErrNotPassed
	}
	b, err := json.Marshal(map[string]any{"iss": c.Issuer, "aud": c.Audience, "sub": c.Subject, "sid": c.Session, "jti": c.JTI,
		"iat": c.IssuedAt.Unix(), "exp": c.IssuedAt.Add(LogoutFor).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}}, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return by.Sign(LogoutType, b)
}
