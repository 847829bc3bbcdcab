package door

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/token"
)

// ProblemJSON is the JSON of a refusal (RFC 9457).
type ProblemJSON struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitzero"`
	Check  string `json:"check,omitzero"`
	Ref    string `json:"ref"`
	Error  string `json:"error,omitzero"` // RFC 9470's code, for clients that look for it
}

// Problem renders a refusal as problem JSON, with the challenge that its
// status asks for (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3).
func Problem(w http.ResponseWriter, r *http.Request, e *check.Refusal, status int) {
	c := e.Check()
	p := ProblemJSON{Title: c.Title, Status: status, Check: c.Shown, Ref: e.Ref}
	if c.Shown == c.ID {
		p.Detail = "This did not hold: " + c.Says
		if why := e.Word.String(); why != "" {
			p.Detail = strings.TrimSuffix(p.Detail, ".") + " (" + why + ")."
		}
	}
	switch c.Fault {
	case fault.Stale:
		p.Error = "insufficient_user_authentication"
		challenge := scheme(r) + ` error="insufficient_user_authentication"`
		if e.MaxAge > 0 {
			challenge += `, max_age=` + strconv.Itoa(int(e.MaxAge.Seconds()))
		}
		w.Header().Set("WWW-Authenticate", challenge)
	case fault.Unauthenticated, fault.Proof, fault.Nonce:
		Challenge(w, r, c)
	case fault.Client:
		w.Header().Set("WWW-Authenticate", `Basic realm="doorward", charset="UTF-8"`)
	case fault.Scope:
		w.Header().Set("WWW-Authenticate", scheme(r)+` error="insufficient_scope"`)
	}
	WriteJSON(w, "application/problem+json", status, p)
}

// Challenge asks for a token, or for the proof of the key that one is bound to,
// in the scheme that will do (RFC 6750 section 3, RFC 9449 section 7.1). Who
// brought nothing learns of both, and of no error.
func Challenge(w http.ResponseWriter, r *http.Request, c *check.Check) {
	algs := `algs="` + token.ProofAlgNames() + `"`
	switch fails := `error="` + OAuthCode(c) + `"`; {
	case r.Header.Get("Authorization") == "":
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.Header().Add("WWW-Authenticate", "DPoP "+algs)
	case c == token.AccessSender || c.Fault == fault.Proof || c.Fault == fault.Nonce || scheme(r) == "DPoP":
		w.Header().Set("WWW-Authenticate", "DPoP "+fails+", "+algs)
	default:
		w.Header().Set("WWW-Authenticate", "Bearer "+fails)
	}
}

// scheme is that of the token of a request.
func scheme(r *http.Request) string {
	if name, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(name, "DPoP") {
		return "DPoP"
	}
	return "Bearer"
}

// WriteJSON writes an answer that nobody may keep.
func WriteJSON(w http.ResponseWriter, media string, status int, v any) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"title":"Something failed on our side.","status":500}`)
	}
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
