package door

import (
	"net/http"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// codes are the protocol surfaces' table from faults to the error codes of RFC
// 6749 section 5.2, where a check has none of its own.
var codes = map[fault.Kind]string{
	fault.Malformed: "invalid_request", fault.TooLarge: "invalid_request", fault.Unsupported: "invalid_request", fault.Method: "invalid_request",
	fault.Missing: "invalid_request", fault.Misdirected: "invalid_request", fault.Unacceptable: "invalid_request", fault.Conflict: "invalid_request",
	fault.Client: "invalid_client", fault.Grant: "invalid_grant", fault.Scope: "insufficient_scope", fault.Denied: "access_denied",
	fault.Proof: "invalid_dpop_proof", fault.Nonce: "use_dpop_nonce", // RFC 9449 section 12.2
	fault.Unauthenticated: "invalid_token", fault.Stale: "insufficient_user_authentication",
	fault.Slow: "slow_down", fault.Busy: "temporarily_unavailable", fault.Internal: "server_error",
}

// OAuthCode is the registered error code of a check that failed.
func OAuthCode(c *check.Check) string {
	if c.Code != "" {
		return c.Code
	}
	return codes[c.Fault]
}

// An OAuthError is a refusal in the words of RFC 6749 section 5.2, with the
// check and the reference beside them.
type OAuthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Check       string `json:"check,omitzero"`
	Ref         string `json:"ref"`
}

// OAuth renders a refusal of the endpoints where clients prove themselves: 400
// but for those whose status says more (RFC 6749 section 5.2).
func OAuth(w http.ResponseWriter, r *http.Request, e *check.Refusal, status int) {
	c := e.Check()
	switch c.Fault {
	case fault.Client:
		// Whoever did not use the header is not challenged for it (RFC 6749 section
		// 5.2): clients take any challenge for the whole answer.
		if r.Header.Get("Authorization") != "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="doorward", charset="UTF-8"`)
		}
	case fault.Malformed, fault.TooLarge, fault.Unsupported, fault.Method, fault.Misdirected, fault.Slow, fault.Busy, fault.Internal:
	default:
		status = http.StatusBadRequest
	}
	WriteJSON(w, "application/json", status, OAuthError{OAuthCode(c), OAuthSays(e), c.Shown, e.Ref})
}

// OAuthSays is a refusal for those who build the application: the sentence of
// its check, and which of its reasons it was.
func OAuthSays(e *check.Refusal) string {
	c := e.Check()
	if why := e.Word.String(); why != "" && c.Shown == c.ID {
		return strings.TrimSuffix(c.Title, ".") + " (" + why + ")."
	}
	return c.Title
}
