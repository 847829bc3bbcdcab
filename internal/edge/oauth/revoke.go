package oauth

import (
	"net/http"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/edge/door"
)

// revoke ends a token that the application was given (RFC 7009). The answer is
// empty, and comes once that is durable.
func (o *OAuth) revoke(w http.ResponseWriter, r *http.Request) error {
	f, err := door.OAuthForm(w, r, append(clientFields, "token", "token_type_hint")...)
	if err != nil {
		return err
	}
	proof, err := o.clientProof(r, f)
	if err != nil {
		return err
	}
	if f.Get("token") == "" {
		return check.Refuse(door.Body, check.As(door.Parameter))
	}
	if err := o.Exchange.RevokeGrant(r.Context(), o.Door.Caller(r), proof, f.Get("token")); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}
