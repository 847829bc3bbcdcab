package client

import (
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// Settings are what an application is registered with beyond what every
// exchange looks at. The JSON names are those of the metadata (RFC 7591
// section 2; ours begin with doorward_), and they are kept as they are read.
// The zero value is the strictest.
type Settings struct {
	// PKCE is whether a code challenge must come with every request.
	PKCE string `json:"doorward_pkce,omitzero"`
	// Profile is a set of rules that the application keeps, and is held to.
	Profile string `json:"doorward_security_profile,omitzero"`
	// Revocation is how resource servers learn that its tokens died.
	Revocation string `json:"doorward_revocation,omitzero"`
	URI        string `json:"client_uri,omitzero"` // its home page
	// SelfRegistered says that nobody here knows the application: it registered
	// itself. People are warned until an operator takes the mark away.
	SelfRegistered bool `json:"doorward_self_registered,omitzero"`
	// BackchannelLogout is where it hears of sessions that end. What it hears
	// always names the session, whether it asks for that or not.
	BackchannelLogout  string `json:"backchannel_logout_uri,omitzero"`
	BackchannelSession bool   `json:"backchannel_logout_session_required,omitzero"`
	// BoundTokens is whether it gets tokens that are bound to a key, and no
	// others (RFC 9449 section 5.2).
	BoundTokens bool `json:"dpop_bound_access_tokens,omitzero"`

	// JWKSURI is where the application keeps its public keys, instead of JWKS.
	JWKSURI string `json:"jwks_uri,omitzero"`
	// AuthAlg is the one algorithm of its assertions; any of its keys' when empty.
	AuthAlg string `json:"token_endpoint_auth_signing_alg,omitzero"`

	// Trade is what it may trade others' tokens for (RFC 8693).
	Trade Trade `json:"doorward_token_exchange,omitzero"`

	// SubjectType is whether every application knows a person by the same name,
	// or this one's sector by a name of its own (OpenID Connect Core section 8).
	SubjectType string `json:"subject_type,omitzero" says:"public (the default): everybody knows a person by the same sub; pairwise: the applications of one host know them by one of their own."`
	// SectorURI is where a list is published of all addresses that the
	// applications of one sector go back to: its host is the sector.
	SectorURI string `json:"sector_identifier_uri,omitzero"`

	Answers
	Lifetimes
	Asking
	Named
	// CertificateBound has its tokens be good only beside the certificate that
	// was shown when they were got (RFC 8705 section 3).
	CertificateBound bool `json:"tls_client_certificate_bound_access_tokens,omitzero"`
}

// Words of code challenges.
const (
	PKCERequired = "required" // the default
	PKCEOptional = "optional"
)

// Modes of revocation, each in the sentence that an operator reads who chooses.
const (
	Stateless = "stateless" // a token is good until it expires, whatever happens meanwhile
	Feed      = "feed"      // resource servers are told within a moment and look nothing up (the default)
	Strict    = "strict"    // every use asks this server whether the session and the newest refresh still stand
)

// Words that name a setting that was refused.
var (
	WordPKCE       = check.NewWord(201, "doorward_pkce")
	WordRevocation = check.NewWord(202, "doorward_revocation")
	WordURI        = check.NewWord(203, "client_uri")
	WordGrant      = check.NewWord(204, "grant_types")
	// WordBackchannel names the address of sign-out notices.
	WordBackchannel = check.NewWord(290, "backchannel_logout_uri")
	WordJWKSURI     = check.NewWord(256, "jwks_uri")
	WordAuthAlg     = check.NewWord(257, "token_endpoint_auth_signing_alg")
	WordBound       = check.NewWord(220, "dpop_bound_access_tokens")
)

// validSettings judges the settings of a registration and names the one it refuses.
func (c Client) validSettings() (check.Word, bool) {
	s := c.Settings
	word, life := s.Lifetimes.valid()
	switch {
	case !slices.Contains([]string{"", PKCERequired, PKCEOptional}, s.PKCE), s.PKCE == PKCEOptional && !c.Confidential():
		return WordPKCE, false
	case !c.validProfile():
		return WordProfile, false
	case !slices.Contains([]string{"", Stateless, Feed, Strict}, s.Revocation):
		return WordRevocation, false
	case s.URI != "" && !WebAddress(s.URI):
		return WordURI, false
	case s.BackchannelLogout != "" && (!WebAddress(s.BackchannelLogout) || strings.Contains(s.BackchannelLogout, "#")):
		return WordBackchannel, false
	case !life:
		return word, false
	case s.SectorURI != "" && !WebAddress(s.SectorURI):
		return WordSector, false
	case !slices.Contains([]string{"", SubjectPublic, SubjectPairwise}, s.SubjectType), s.SubjectType == SubjectPairwise && (c.Sector() == "" || c.FirstParty):
		return WordSubject, false
	case (c.Auth == AuthCertificate || s.Named != (Named{})) && !s.Named.valid(), c.Auth != AuthCertificate && s.Named != (Named{}):
		return WordNamed, false
	case s.CertificateBound && c.FirstParty && len(c.Origins) > 0:
		// The session API gives its pages tokens that are bound to nothing.
		return WordOrigin, false
	case s.JWKSURI != "" && (!WebAddress(s.JWKSURI) || s.JWKS != nil): // RFC 7591 section 2: not both
		return WordJWKSURI, false
	case (c.Auth == AuthKey || c.Auth == AuthSelfSigned) && s.JWKS == nil && s.JWKSURI == "":
		return WordJWKS, false
	case s.AuthAlg != "" && (c.Auth != AuthKey || !slices.Contains(jose.OthersAlgs(), jose.Alg(s.AuthAlg))):
		return WordAuthAlg, false
	case !s.Trade.valid():
		return WordTrade, false
	case s.BoundTokens && c.FirstParty && len(c.Origins) > 0:
		// The session API gives its pages tokens that are bound to nothing.
		return WordBound, false
	}
	if word, ok := s.Asking.valid(); !ok {
		return word, false
	}
	return s.Answers.valid(c.TokenFormat)
}

// Ways of proving which application one is (RFC 7591 section 2).
const (
	AuthNone  = "none"
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthKey   = "private_key_jwt"

	AuthCertificate = "tls_client_auth"             // signed by an authority that this server knows (RFC 8705 section 2.1)
	AuthSelfSigned  = "self_signed_tls_client_auth" // of a key that the application is registered with (section 2.2)
)

// AuthMethods are those that an application can be registered with.
var AuthMethods = []string{AuthNone, AuthBasic, AuthPost, AuthKey, AuthCertificate, AuthSelfSigned}

// Secretive says whether a way of proving oneself is a secret that both know.
func Secretive(method string) bool { return method == AuthBasic || method == AuthPost }

// Grant types (RFC 7591 section 2, and those of later documents).
const (
	GrantCode     = "authorization_code"
	GrantRefresh  = "refresh_token"
	GrantClient   = "client_credentials"
	GrantDevice   = "urn:ietf:params:oauth:grant-type:device_code"
	GrantAssert   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	GrantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// GrantTypes are those that an application can be registered for. Implicit,
// hybrid and password do not exist (RFC 9700 sections 2.1.2 and 2.4).
var GrantTypes = []string{GrantCode, GrantRefresh, GrantClient, GrantDevice, GrantAssert, GrantExchange}

// MayGrant says whether the application is registered for a grant. One that
// says nothing has those of its type; more has to be said.
func (c Client) MayGrant(grant string) bool {
	switch {
	case len(c.Grants) > 0:
		return slices.Contains(c.Grants, grant)
	case c.Type == "machine":
		return grant == GrantClient || grant == GrantAssert // which buys nothing without a federation
	}
	return grant == GrantCode || grant == GrantRefresh
}

// ChallengeOptional says whether a code may be asked for without a challenge.
func (c Client) ChallengeOptional() bool { return c.PKCE == PKCEOptional && c.Confidential() }
