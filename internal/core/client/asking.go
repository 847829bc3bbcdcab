package client

import (
	"slices"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// Asking is how an application may ask about people: what of it is left out has
// no bounds but those of everybody.
type Asking struct {
	// ResponseModes are the ways in which answers may travel to it.
	ResponseModes []string `json:"response_modes,omitempty"`
	// DefaultMaxAge is max_age, in seconds, where a request has none.
	DefaultMaxAge *int32 `json:"default_max_age,omitzero"`
	// RequireAuthTime asks for what every ID token here has.
	RequireAuthTime bool `json:"require_auth_time,omitzero"`
	// DefaultACR is acr_values where a request has none.
	DefaultACR []string `json:"default_acr_values,omitempty"`
	// RequirePushed has it push its requests (RFC 9126 section 6).
	RequirePushed bool `json:"require_pushed_authorization_requests,omitzero"`
	// RequestAlg is the one algorithm of its request objects; any of its keys'
	// when empty.
	RequestAlg string `json:"request_object_signing_alg,omitzero"`
	// DetailTypes are the types of authorization details that it may ask for (RFC
	// 9396 section 10).
	DetailTypes []string `json:"authorization_details_types,omitempty"`
	// RequireSigned has it sign its requests (RFC 9101 section 10.5).
	RequireSigned bool `json:"require_signed_request_object,omitzero"`
}

// Words that name a part of Asking that was refused.
var (
	WordModes  = check.NewWord(270, "response_modes")
	WordMaxAge = check.NewWord(271, "default_max_age")
	WordACR    = check.NewWord(272, "default_acr_values")
	WordReqAlg = check.NewWord(273, "request_object_signing_alg")
)

// valid judges how an application is to ask, and names the part it refuses.
func (a Asking) valid() (check.Word, bool) {
	switch {
	case slices.ContainsFunc(a.ResponseModes, func(m string) bool { return !slices.Contains(Modes, m) }):
		return WordModes, false
	case a.DefaultMaxAge != nil && *a.DefaultMaxAge < 0:
		return WordMaxAge, false
	case len(a.DefaultACR) > 16 || slices.ContainsFunc(a.DefaultACR, func(s string) bool { return !ValidScope(s) }):
		return WordACR, false
	case len(a.DetailTypes) > DetailTypesAtMost || slices.ContainsFunc(a.DetailTypes, func(s string) bool { return !ValidScope(s) }):
		return WordDetailsTypes, false
	case a.RequestAlg != "" && !slices.Contains(jose.OthersAlgs(), jose.Alg(a.RequestAlg)):
		return WordReqAlg, false
	}
	return 0, true
}

// Modes are how an answer can travel.
var Modes = []string{ByQuery, ByForm}

// How answers travel: in the address, or in the body of a form that the
// person's browser sends (OAuth 2.0 Form Post Response Mode).
const (
	ByQuery = "query"
	ByForm  = "form_post"
)

// Travels says whether the answer to a request can travel as it asks: in a way
// that there is and that the application may use. Forms are sent to the web
// alone.
func (c Client) Travels(r Request) bool {
	mode := r.Mode
	if mode == "" {
		mode = ByQuery
	}
	if !slices.Contains(Modes, mode) || len(c.ResponseModes) > 0 && !slices.Contains(c.ResponseModes, mode) {
		return false
	}
	return mode == ByQuery || c.posts(r)
}

// Comes says whether a request came in the way that the application is held to.
func (c Client) Comes(r Request) bool {
	return (!c.RequirePushed && !c.FAPI() || len(r.Pushed) > 0) && (!c.RequireSigned || r.Signed)
}

func (c Client) posts(r Request) bool {
	_, web := OriginOf(c.Back(r))
	return web
}

// ByForm says whether an answer, were it a refusal, travels in a form.
func (c Client) ByForm(r Request) bool { return r.Mode == ByForm && c.Travels(r) }
