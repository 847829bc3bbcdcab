package oauth

import (
	"net/http"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/door"
)

// userinfo answers who an access token speaks of, by GET and POST (OpenID
// Connect Core section 5.3.1). The token comes in the Authorization header
// alone: in no address, and in no form (RFC 9700 section 4.3.2).
func (o *OAuth) userinfo(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD, POST")
		return check.Refuse(door.Method)
	}
	shown, err := o.Door.Shown(r)
	if err != nil {
		return err
	}
	p, err := o.Exchange.UserInfo(r.Context(), shown)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, userClaims(p))
	return nil
}

// userClaims are what the scopes of a token let an application know (OpenID
// Connect Core section 5.4).
func userClaims(p exchange.Person) map[string]any {
	claims := map[string]any{"sub": p.Subject}
	for _, s := range p.Scopes {
		switch s {
		case "profile":
			if p.User.Name != "" {
				claims["name"] = p.User.Name
			}
		case "email":
			claims["email"], claims["email_verified"] = p.User.Email, p.User.Verified
		}
	}
	return claims
}

// challenge renders a refusal where an access token is asked for (RFC 6750
// section 3): the error is in the header too.
func challenge(w http.ResponseWriter, r *http.Request, e *check.Refusal, status int) {
	c := e.Check()
	switch c.Fault {
	case fault.Unauthenticated, fault.Proof, fault.Nonce, fault.Scope, fault.Stale:
		door.Challenge(w, r, c)
	}
	door.WriteJSON(w, "application/json", status, door.OAuthError{Error: door.OAuthCode(c), Description: c.Title, Check: c.Shown, Ref: e.Ref})
}
