package door

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/doorward/doorward/internal/core/check"
)

// BasicClient reads a client's id and secret from HTTP Basic, each of them
// form-encoded first (RFC 6749 section 2.3.1). ok is false when there is no
// Authorization header at all.
func BasicClient(r *http.Request) (id, secret string, ok bool, err error) {
	h := r.Header["Authorization"]
	if len(h) == 0 {
		return "", "", false, nil
	}
	scheme, text, _ := strings.Cut(h[0], " ")
	raw, derr := base64.StdEncoding.Strict().DecodeString(text)
	name, pass, found := strings.Cut(string(raw), ":")
	id, ierr := url.QueryUnescape(name)
	secret, serr := url.QueryUnescape(pass)
	if len(h) > 1 || !strings.EqualFold(scheme, "Basic") || derr != nil || !found || ierr != nil || serr != nil ||
		strings.ContainsAny(text, "\r\n") || !utf8.ValidString(id) || !utf8.ValidString(secret) {
		return "", "", false, check.Refuse(Authorization)
	}
	return id, secret, true, nil
}
