package oauth

import (
	"net/http"

	"github.com/doorward/doorward/internal/edge/door"
)

// cross lets pages of origins that applications registered read what a
// handler answers, by name and never with cookies: an application's page has
// its own proof to send (RFC 9700 section 2.6, check AS-36). Everybody else
// gets no permission to read, which changes nothing of the answer (attack
// OAU-34). The page where people sign in has no such handler.
func (o *OAuth) cross(methods string, h door.Handler) door.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		head := w.Header()
		head.Add("Vary", "Origin")
		origins := r.Header["Origin"]
		may := len(origins) == 1 && o.Exchange.HasPages(r.Context(), origins[0])
		if may {
			head.Set("Access-Control-Allow-Origin", origins[0])
			head.Set("Access-Control-Expose-Headers", "DPoP-Nonce, Retry-After, WWW-Authenticate")
		}
		if r.Method != http.MethodOptions {
			return h(w, r)
		}
		head.Set("Allow", methods+", OPTIONS")
		if may {
			head.Set("Access-Control-Allow-Methods", methods)
			head.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
			head.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
