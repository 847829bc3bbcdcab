package oauth

import (
	"net/http"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
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
	if !p.Signs() {
		door.WriteJSON(w, "application/json", http.StatusOK, p.Told())
		return nil
	}
	text, err := o.Exchange.TellSigned(p)
	if err != nil {
		return err
	}
	writeJWT(w, "application/jwt", text)
	return nil
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
