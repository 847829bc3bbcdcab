package doorward

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The checks a verifier makes, by the ids that the server uses as well.
const (
	checkPresent   = "token.present"
	checkPlace     = "token.place"
	checkForm      = "token.form"
	checkType      = "token.type"
	checkAlgorithm = "token.algorithm"
	checkKey       = "token.key"
	checkSignature = "token.signature"
	checkIssuer    = "token.issuer"
	checkAudience  = "token.audience"
	checkTime      = "token.time"
	checkRevoked   = "token.revoked"
	checkSender    = "token.sender"

	checkCertificate = "token.certificate"
	checkPosition    = "token.position"
	checkScope       = "scope.held"
	checkProof       = "proof.fresh"
	checkOwner       = "object.owner"
	checkFeed        = "feed.fresh"
	checkReach       = "server.reached"
	checkRan         = "check.ran"

	checkProofForm    = "dpop.form"
	checkProofKey     = "dpop.key"
	checkProofSigned  = "dpop.signature"
	checkProofMethod  = "dpop.method"
	checkProofAddress = "dpop.address"
	checkProofTime    = "dpop.in_time"
	checkProofNonce   = "dpop.nonce"
	checkProofToken   = "dpop.token"
	checkProofUnspent = "dpop.unspent"
)

// A Refusal says which check failed. It is the only error that [Verifier.Verify]
// returns beside the context's own.
type Refusal struct {
	Check      string        // the id of the check: "token.audience", "scope.held"
	Title      string        // one sentence for the person
	Detail     string        // what was found, for developers and logs; never the token
	Ref        string        // six characters that the log line has too: "7KQ2-M4"
	Status     int           // the HTTP status: 400, 401, 403, 404, 500 or 503
	RetryAfter time.Duration // with 503: when to ask again

	code   string        // RFC 6750, RFC 9449 and RFC 9470 error code; empty: none
	named  bool          // the caller may learn check and detail
	scope  string        // what scope would do
	maxAge time.Duration // how fresh the proof must be
	dpop   bool          // the challenge is for DPoP
	nonce  string        // that the next DPoP proof is to carry
}

func (r *Refusal) Error() string {
	return "doorward: " + r.Check + ": " + r.Detail + " (" + r.Ref + ")"
}

// refuse makes the refusal of a token. Until its signature is known to be good
// the caller learns only that the token was not accepted.
func refuse(check, detail string) *Refusal {
	return &Refusal{
		Check: check, Detail: detail, Ref: reference(),
		Title: "The access token was not accepted.", Status: http.StatusUnauthorized, code: "invalid_token",
	}
}

// unsure is the answer when the verifier cannot judge: 503, never 401, so that
// nobody is signed out because a network broke.
func unsure(check, detail string) *Refusal {
	return &Refusal{
		Check: check, Detail: detail, Ref: reference(), named: true,
		Title:  "We cannot check this sign-in for a moment. You are still signed in.",
		Status: http.StatusServiceUnavailable, RetryAfter: 2 * time.Second,
	}
}

// broken is the answer when a check could not run to its end. It lets nobody by.
func broken(detail string) *Refusal {
	return &Refusal{
		Check: checkRan, Detail: detail, Ref: reference(),
		Title: "Something failed on our side. Nothing was changed.", Status: http.StatusInternalServerError,
	}
}

// signed marks a refusal as that of a token with a good signature: its holder
// may learn which check failed.
func signed(err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		r.named = true
	}
	return err
}

// asRefusal leaves refusals and nil as they are and wraps any other error.
func asRefusal(err error, detail string) error {
	var r *Refusal
	if err == nil || errors.As(err, &r) {
		return err
	}
	return refuse(checkForm, detail)
}

// refAlphabet has no characters that are hard to tell apart: no 0 and O, no 1,
// I and L, no U and V mix.
const refAlphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

// reference makes a reference such as 7KQ2-M4.
func reference() string {
	// The largest multiple of the alphabet below 256: above it some characters
	// would come more often.
	const even = 256 - 256%len(refAlphabet)
	ref := make([]byte, 0, 7)
	for {
		var random [16]byte
		rand.Read(random[:])
		for _, b := range random {
			if int(b) >= even {
				continue
			}
			if len(ref) == 4 {
				ref = append(ref, '-')
			}
			if ref = append(ref, refAlphabet[int(b)%len(refAlphabet)]); len(ref) == cap(ref) {
				return string(ref)
			}
		}
	}
}

// write answers a request with the refusal: a problem (RFC 9457) and, for 401
// and 403, a challenge (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3). checks are
// what held and what did not, in development alone.
func (r *Refusal) write(w http.ResponseWriter, realm string, checks []Check) {
	body := struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
		Check  string `json:"check,omitempty"`
		Ref    string `json:"ref"`

		Checks []Check `json:"checks,omitempty"`
	}{Type: "about:blank", Title: r.Title, Status: r.Status, Ref: r.Ref, Checks: checks}
	if r.named {
		body.Check, body.Detail = r.Check, r.Detail
	}
	h := w.Header()
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusBadRequest:
		h.Set("WWW-Authenticate", r.challenge(realm))
		if r.code == "" {
			// RFC 9449 section 7.2: whoever asks may choose.
			h.Add("WWW-Authenticate", `DPoP realm="`+plain(realm)+`", algs="`+proofAlgs+`"`)
		}
	}
	if r.nonce != "" {
		h.Set("DPoP-Nonce", r.nonce)
	}
	if r.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(r.RetryAfter)))
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(r.Status)
	// An error here is a connection that is gone.
	_ = json.NewEncoder(w).Encode(body)
}

func (r *Refusal) challenge(realm string) string {
	var b strings.Builder
	scheme := "Bearer"
	if r.dpop {
		scheme = "DPoP"
	}
	b.WriteString(scheme + ` realm="` + plain(realm) + `"`)
	// RFC 6750 section 3.1: a request without a token gets no error code.
	if r.code == "" {
		return b.String()
	}
	text := r.Title + " ref " + r.Ref
	if r.named {
		text = r.Check + ": " + r.Detail + ", ref " + r.Ref
	}
	b.WriteString(`, error="` + r.code + `", error_description="` + plain(text) + `"`)
	if r.scope != "" {
		b.WriteString(`, scope="` + plain(r.scope) + `"`)
	}
	if r.maxAge > 0 {
		b.WriteString(`, max_age=` + strconv.Itoa(seconds(r.maxAge)))
	}
	if r.dpop {
		b.WriteString(`, algs="` + proofAlgs + `"`) // RFC 9449 section 7.1
	}
	return b.String()
}

// plain keeps the characters that RFC 6750 section 3 allows between quotes.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '"':
			return '\''
		case c < 0x20 || c > 0x7e || c == '\\':
			return '?'
		}
		return c
	}, s)
}

// quoted shows words of a token in a sentence, cut to a length that a log can bear.
func quoted(words ...string) string {
	const most = 80
	s := strconv.Quote(strings.Join(words, " "))
	if len(s) > most {
		s = s[:most] + `..."`
	}
	return s
}

// seconds rounds up, so that a wait is never asked for too short.
func seconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}
