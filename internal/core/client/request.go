package client

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// A Request is an authorization request (RFC 6749 section 4.1.1; OpenID
// Connect Core section 3.1.2.1) once it was read. Its JSON is what is sealed
// while the person signs in or decides: short names, since browsers carry it.
type Request struct {
	Client    string    `json:"c"`
	Type      string    `json:"y,omitzero"` // response_type
	Mode      string    `json:"m,omitzero"` // response_mode; empty is query
	Redirect  string    `json:"r,omitzero"` // as it was sent; empty when it was not
	State     string    `json:"s,omitzero"`
	Scope     string    `json:"o,omitzero"`
	Nonce     string    `json:"n,omitzero"`
	Challenge string    `json:"h,omitzero"`
	Method    string    `json:"g,omitzero"` // code_challenge_method
	Prompt    string    `json:"p,omitzero"`
	MaxAge    string    `json:"a,omitzero"`
	Hint      string    `json:"l,omitzero"` // login_hint
	Locales   string    `json:"u,omitzero"` // ui_locales
	Resources []string  `json:"x,omitempty"`
	Key       string    `json:"k,omitzero"`  // dpop_jkt
	ACR       string    `json:"v,omitzero"`  // acr_values
	Claims    string    `json:"q,omitzero"`  // as it was sent
	Subject   string    `json:"b,omitzero"`  // whom the application means; see Means
	Details   string    `json:"z,omitzero"`  // authorization_details, as they were sent
	IDHint    string    `json:"-"`           // id_token_hint, until it was read
	Object    string    `json:"-"`           // request, until it was read (RFC 9101)
	URI       string    `json:"-"`           // request_uri, until it was read (RFC 9126)
	Signed    bool      `json:"f,omitzero"`  // it was a request object
	Pushed    []byte    `json:"w,omitempty"` // what names it, when it was pushed
	ID        []byte    `json:"i,omitempty"` // of a request that waits: it is answered once
	Asked     time.Time `json:"t,omitzero"`  // when it came
	Chosen    time.Time `json:"e,omitzero"`  // when the person said which account they mean
	Refused   bool      `json:"d,omitzero"`  // the person pressed Cancel

	// Trouble is the check that stopped the reading of what the request points to.
	Trouble *check.Check `json:"-"`
}

// RequestFields are the parameters of a request. Others mean nothing (RFC 6749
// section 3.1; check OI-03).
var RequestFields = []string{"client_id", "response_type", "response_mode", "redirect_uri", "state", "scope", "nonce", "code_challenge", "code_challenge_method",
	"prompt", "max_age", "login_hint", "ui_locales", "resource", "acr_values", "claims", "id_token_hint", "request", "request_uri", "authorization_details", "dpop_jkt"}

// ReadRequest takes the parameters of a request, judging nothing.
func ReadRequest(v url.Values, now time.Time) Request {
	return Request{Client: v.Get("client_id"), Type: v.Get("response_type"), Mode: v.Get("response_mode"), Redirect: v.Get("redirect_uri"), State: v.Get("state"),
		Scope: v.Get("scope"), Nonce: v.Get("nonce"), Challenge: v.Get("code_challenge"), Method: v.Get("code_challenge_method"),
		Prompt: v.Get("prompt"), MaxAge: v.Get("max_age"), Hint: v.Get("login_hint"), Locales: v.Get("ui_locales"), Resources: v["resource"],
		ACR: v.Get("acr_values"), Claims: v.Get("claims"), IDHint: v.Get("id_token_hint"), Object: v.Get("request"), Details: v.Get("authorization_details"), URI: v.Get("request_uri"), Key: v.Get("dpop_jkt"), Asked: now}
}

// Kept is what is carried of a request that waits: of one that is kept here
// already, its name and what its person did.
func (r Request) Kept() Request {
	if len(r.Pushed) == 0 {
		return r
	}
	return Request{Client: r.Client, Pushed: r.Pushed, ID: r.ID, Asked: r.Asked, Chosen: r.Chosen, Refused: r.Refused}
}

// Prompts says whether the request asks for a page by name.
func (r Request) Prompts(page string) bool { return slices.Contains(strings.Fields(r.Prompt), page) }

// Silent says whether nothing may be shown.
func (r Request) Silent() bool { return r.Prompts("none") }

// Back is the address that answers go to: the one that was sent, or the only
// one that is registered. A request of OpenID Connect names it (Core section
// 3.1.2.1).
func (c Client) Back(r Request) string {
	if r.Redirect == "" && len(c.RedirectURIs) == 1 && !slices.Contains(strings.Fields(r.Scope), "openid") {
		return c.RedirectURIs[0]
	}
	return r.Redirect
}

// Asks are the scopes of a request that the application may ask for. What it is
// not registered with is left out: it is never given (OpenID Connect Core
// section 3.1.2.1 wants it ignored; RFC 6749 section 3.3 lets it), nor is
// offline_access without the grant that it is for (section 11). What is asked
// for by the names of claims is asked for by its scope.
func (c Client) Asks(r Request) []string {
	var out []string
	for _, s := range append(strings.Fields(r.Scope), r.byClaim()...) {
		if c.May(s) && !slices.Contains(out, s) && (s != "offline_access" || c.MayGrant(GrantRefresh)) {
			out = append(out, s)
		}
	}
	if r.Scope == "" {
		return slices.DeleteFunc(slices.Clone(c.Scopes), Personal)
	}
	return out
}

// Bounds of what an application may have us carry. Longer requests are pushed
// (RFC 9126).
const (
	stateAtMost = 512
	nonceAtMost = 512
)

// Challenged says whether a request's code challenge is one of S256 (RFC 7636
// section 4.2), or may be missing.
func (c Client) Challenged(r Request) bool {
	if r.Challenge == "" && r.Method == "" {
		return c.ChallengeOptional()
	}
	return r.Method == "S256" && len(r.Challenge) == 43 && !strings.ContainsFunc(r.Challenge, notBase64URL)
}

func notBase64URL(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
}

// Carried says whether what is only carried for the application is within its
// bounds.
func (r Request) Carried() bool {
	return len(r.State) <= stateAtMost && len(r.Nonce) <= nonceAtMost && len(r.Scope) <= 2048 && len(r.Hint) <= 320 && len(r.Locales) <= 256 &&
		len(r.ACR) <= 256 && len(r.Claims) <= 2048
}

// The words for what is amiss in a request, in the names of its parameters.
var (
	wordPrompt = check.NewWord(325, "prompt")
	wordMaxAge = check.NewWord(326, "max_age")
	wordClaims = check.NewWord(327, "claims, or sub in it and in id_token_hint")
	wordLong   = check.NewWord(328, "a parameter that is too long")
)

// Amiss says which parameter means nothing, or is out of its bounds; the zero
// word when none is.
func (r Request) Amiss() check.Word {
	_, wants := r.Wants()
	_, one := r.Means()
	switch {
	case !r.Carried():
		return wordLong
	case !r.prompted():
		return wordPrompt
	case !aged(r.MaxAge):
		return wordMaxAge
	case !wants || !one:
		return wordClaims
	}
	return 0
}

// aged says whether max_age is a whole number of seconds, if it is there.
func aged(s string) bool {
	n, err := strconv.ParseUint(s, 10, 31)
	return s == "" || err == nil && strconv.FormatUint(n, 10) == s
}

// MaxAge is how old the person's last proof may be, when that is bounded: by
// the request, or by the registration.
func (c Client) MaxAge(r Request) (time.Duration, bool) {
	n, err := strconv.ParseUint(r.MaxAge, 10, 31)
	switch {
	case err == nil:
		return time.Duration(n) * time.Second, true
	case c.DefaultMaxAge != nil:
		return time.Duration(*c.DefaultMaxAge) * time.Second, true
	}
	return 0, false
}

// Prompted says whether the pages asked for exist, and none is alone (OpenID
// Connect Core section 3.1.2.1).
func (r Request) prompted() bool {
	asked := strings.Fields(r.Prompt)
	known := !slices.ContainsFunc(asked, func(p string) bool {
		return !slices.Contains([]string{"none", "login", "consent", "select_account"}, p)
	})
	return known && (!slices.Contains(asked, "none") || len(asked) == 1)
}

// Checks of a request, in the order of judgement. The first two have no
// address that could be trusted to hear of it: their refusal is a page.
var (
	RequestClient = check.New(check.Check{Number: 905, ID: "request.client", Fault: fault.Missing, Shown: "request.client", Code: "invalid_client",
		Says: "The application that asks is registered here and not paused.", Source: "RFC 6749 section 4.1.2.1; RFC 9700 section 4.11.2",
		Title: "The application that sent you here is not known to us.", Stops: []string{"OAU-01"}})
	RequestRedirect = check.New(check.Check{Number: 906, ID: "redirect.exact", Fault: fault.Unacceptable, Shown: "redirect.exact",
		Says: "The address to go back to is, character by character, one that the application registered.", Source: "RFC 9700 sections 2.1 and 4.1.3; ASVS 10.4.1",
		Title: "The application sent you here with an address to go back to that it did not register.", Stops: []string{"OAU-01", "OAU-02", "OAU-03"}})
	RequestType = check.New(check.Check{Number: 907, ID: "request.response_type", Fault: fault.Unacceptable, Shown: "request.response_type", Code: "unsupported_response_type",
		Says: "The application asks for a code: there is nothing else to ask for.", Source: "RFC 9700 section 2.1.2; ASVS 10.6.1",
		Title: "The application asked for an answer that does not exist.", Stops: []string{"OAU-17"}})
	RequestMode = check.New(check.Check{Number: 908, ID: "request.response_mode", Fault: fault.Unacceptable, Shown: "request.response_mode",
		Says: "The answer can travel in the way that the application asks for.", Source: "OAuth 2.0 Multiple Response Type Encoding Practices section 2.1; ASVS 10.4.12",
		Title: "The application asked for an answer in a way that does not exist."})
	RequestForm = check.New(check.Check{Number: 909, ID: "request.form", Fault: fault.Malformed, Shown: "request.form",
		Says: "Every parameter of the request means something and is within its bounds.", Source: "RFC 6749 section 4.1.1; OpenID Connect Core section 3.1.2.1",
		Title: "The application sent a request that means nothing."})
	RequestURI = check.New(check.Check{Number: 1050, ID: "request.uri", Fault: fault.Unacceptable, Shown: "request.uri", Code: "request_uri_not_supported",
		Says: "No address of anybody's is to be fetched: request_uri is the name of a pushed request.", Source: "RFC 9126 section 4; RFC 9101 section 10.4.1",
		Title: "The application pointed to a request that is not here.", Stops: []string{"OAU-30"}})
	RequestPushed = check.New(check.Check{Number: 1049, ID: "request.pushed", Fault: fault.Unacceptable, Shown: "request.pushed", Code: "invalid_request_uri",
		Says: "The pushed request was pushed by this application, within the last minute and a half.", Source: "RFC 9126 sections 2.2 and 4; ASVS 10.4.13",
		Title: "The application sent you here too late. Go back to it and start again.", Stops: []string{"OAU-16"}})
	RequestObject = check.New(check.Check{Number: 1048, ID: "request.object", Fault: fault.Unacceptable, Shown: "request.object", Code: "invalid_request_object",
		Says: "The request object is signed by a key of the application, of itself, for this server alone, and in time.", Source: "RFC 9101 sections 6.2 and 10.2; OpenID Connect Core section 6",
		Title: "The application's signed request cannot be believed.", Stops: []string{"JWT-01", "JWT-02", "JWT-16"}})
	RequestWay = check.New(check.Check{Number: 1051, ID: "request.way", Fault: fault.Unacceptable, Shown: "request.way",
		Says: "The request came in the way that the application is held to: pushed, or signed.", Source: "RFC 9126 section 6; RFC 9101 section 10.5",
		Title: "The application must push or sign its requests."})
	RequestCarried = check.New(check.Check{Number: 1057, ID: "request.bounds", Fault: fault.TooLarge, Shown: "request.bounds",
		Says: "The request is short enough to be kept.", Source: "RFC 9126 section 2.3",
		Title: "The application's request is too long."})
	RequestHint = check.New(check.Check{Number: 1047, ID: "request.hint", Fault: fault.Unacceptable, Shown: "request.hint",
		Says: "The ID token that names the person, if one came, is one of ours for this application; it may be old.", Source: "OpenID Connect Core section 3.1.2.1",
		Title: "The application named the person by a token that is not ours."})
	ChallengeSent = check.New(check.Check{Number: 910, ID: "pkce.challenge", Fault: fault.Malformed, Shown: "pkce.challenge",
		Says: "A code challenge came with the request, made by S256.", Source: "RFC 9700 section 2.1.1; RFC 7636 section 4.4.1",
		Title: "The application sent no code challenge that counts (PKCE with S256).", Stops: []string{"OAU-13"}})
)
