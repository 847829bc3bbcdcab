package oauth

import (
	"net/http"
	"slices"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
)

// pushFields are the parameters of a request that is pushed, and of who pushes.
var pushFields = slices.Concat(client.RequestFields, clientFields)

// A pushAnswer is RFC 9126 section 2.2.
type pushAnswer struct {
	URI       string `json:"request_uri"`
	ExpiresIn int    `json:"expires_in"`
}

// push keeps a request until a browser brings its name.
func (o *OAuth) push(w http.ResponseWriter, r *http.Request) error {
	f, err := door.OAuthForm(w, r, pushFields...)
	if err != nil {
		return err
	}
	proof, err := o.clientProof(r, f)
	if err != nil {
		return err
	}
	if len(r.Header["Dpop"]) > 0 {
		if proof.Key, err = o.Exchange.Prove(o.Door.Proof(r)); err != nil {
			return err
		}
	}
	uri, err := o.Exchange.Push(r.Context(), o.Door.Caller(r), proof, client.ReadRequest(f, o.Door.Now()))
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, pushAnswer{uri, int(token.PushedFor.Seconds())})
	return nil
}
