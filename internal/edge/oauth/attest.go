package oauth

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/door"
)

// introspectionMedia is what an answer is asked for by that can be kept as
// evidence (RFC 9701 section 4).
const introspectionMedia = "application/token-introspection+jwt"

// attested answers about a token as it was asked to: in JSON, or signed for who
// asks and encrypted where that one registered for it.
func (o *OAuth) attested(w http.ResponseWriter, r *http.Request, in exchange.Introspection, out introspection) error {
	if !accepts(r, introspectionMedia) {
		door.WriteJSON(w, "application/json", http.StatusOK, out)
		return nil
	}
	answer, err := json.Marshal(out, json.Deterministic(true))
	if err != nil {
		return err
	}
	text, err := o.Exchange.Attest(in, answer)
	if err != nil {
		return err
	}
	writeJWT(w, introspectionMedia, text)
	return nil
}

// accepts says whether a request names a media type as one it takes. What takes
// anything is given JSON.
func accepts(r *http.Request, media string) bool {
	for _, line := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			t, parameters, err := mime.ParseMediaType(part)
			if q, bad := strconv.ParseFloat(parameters["q"], 64); err == nil && t == media && (bad != nil || q > 0) {
				return true
			}
		}
	}
	return false
}

// writeJWT answers with a token alone, for nobody to keep on the way.
func writeJWT(w http.ResponseWriter, media, text string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, text)
}
