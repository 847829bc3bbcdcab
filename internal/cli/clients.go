package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/pflag"
)

// client is an application in the words of RFC 7591 section 2, and ours
// beginning with doorward_.
type client struct {
	ID         string         `json:"client_id,omitzero"`
	Secret     string         `json:"client_secret,omitzero"`
	Name       string         `json:"client_name,omitzero"`
	Redirects  []string       `json:"redirect_uris,omitempty"`
	PostLogout []string       `json:"post_logout_redirect_uris,omitempty"`
	Scope      string         `json:"scope,omitzero"`
	Auth       string         `json:"token_endpoint_auth_method,omitzero"`
	Grants     []string       `json:"grant_types,omitempty"`
	Type       string         `json:"doorward_type,omitzero"`
	FirstParty bool           `json:"doorward_first_party,omitzero"`
	Resources  []string       `json:"doorward_resources,omitempty"`
	Origins    []string       `json:"doorward_origins,omitempty"`
	Format     string         `json:"doorward_token_format,omitzero"`
	PKCE       string         `json:"doorward_pkce,omitzero"`
	Profile    string         `json:"doorward_security_profile,omitzero"`
	Revocation string         `json:"doorward_revocation,omitzero"`
	JWKS       jsontext.Value `json:"jwks,omitzero"`
	JWKSURI    string         `json:"jwks_uri,omitzero"`
	SubjectDN  string         `json:"tls_client_auth_subject_dn,omitzero"`
	SANDNS     string         `json:"tls_client_auth_san_dns,omitzero"`
	SANURI     string         `json:"tls_client_auth_san_uri,omitzero"`
	SANIP      string         `json:"tls_client_auth_san_ip,omitzero"`
	SANEmail   string         `json:"tls_client_auth_san_email,omitzero"`
	CertBound  bool           `json:"tls_client_certificate_bound_access_tokens,omitzero"`
	Access     seconds        `json:"doorward_access_token_lifetime,omitzero"`
	IDToken    seconds        `json:"doorward_id_token_lifetime,omitzero"`
	Idle       seconds        `json:"doorward_refresh_token_idle,omitzero"`
	Max        seconds        `json:"doorward_refresh_token_max,omitzero"`
	Subjects   string         `json:"subject_type,omitzero"`
	// What the server says of one that stands.
	State   string         `json:"doorward_state,omitzero"`
	Version *uint64        `json:"doorward_version,omitzero"`
	Secrets []clientSecret `json:"doorward_secrets,omitempty"`
	Ended   string         `json:"doorward_ended,omitzero"`
}

type clientSecret struct {
	Made  string `json:"made"`
	Used  string `json:"used,omitzero"`
	Until string `json:"until,omitzero"`
}

// members are the metadata that flags set, by flag.
var members = map[string]string{
	"name": "client_name", "redirect": "redirect_uris", "post-logout": "post_logout_redirect_uris", "scope": "scope", "auth": "token_endpoint_auth_method",
	"resource": "doorward_resources", "origin": "doorward_origins", "grant": "grant_types", "token-format": "doorward_token_format", "first-party": "doorward_first_party",
	"pkce": "doorward_pkce", "subject-type": "subject_type", "security-profile": "doorward_security_profile", "revocation": "doorward_revocation", "jwks": "jwks", "jwks-uri": "jwks_uri",
	"tls-subject-dn": "tls_client_auth_subject_dn", "tls-san-dns": "tls_client_auth_san_dns", "tls-san-uri": "tls_client_auth_san_uri", "tls-san-ip": "tls_client_auth_san_ip",
	"tls-san-email": "tls_client_auth_san_email", "certificate-bound": "tls_client_certificate_bound_access_tokens",
	"access-lifetime": "doorward_access_token_lifetime", "id-token-lifetime": "doorward_id_token_lifetime", "refresh-idle": "doorward_refresh_token_idle", "refresh-max": "doorward_refresh_token_max",
}

// seconds is a lifetime: a duration as people write it, whole seconds as the
// server reads it.
type seconds int64

func (s *seconds) String() string { return (time.Duration(*s) * time.Second).String() }
func (s *seconds) Type() string   { return "duration" }
func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	*s = seconds(d / time.Second)
	return err
}

// grantNames are the grants whose own names nobody types.
var grantNames = map[string]string{
	"device_code": "urn:ietf:params:oauth:grant-type:device_code", "jwt-bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer",
	"token-exchange": "urn:ietf:params:oauth:grant-type:token-exchange",
}

// registering is an application as flags say it.
type registering struct {
	client
	scopes []string
	jwks   string
}

func (in *registering) flags(flags *pflag.FlagSet) {
	flags.StringVar(&in.Name, "name", "", "its name, as people see it")
	flags.StringArrayVar(&in.Redirects, "redirect", nil, "an address to come back to after sign-in")
	flags.StringArrayVar(&in.PostLogout, "post-logout", nil, "an address to come back to after sign-out")
	flags.StringArrayVar(&in.scopes, "scope", nil, "a scope it may ask for")
	flags.StringVar(&in.Auth, "auth", "", "how it proves itself: client_secret_basic, client_secret_post, private_key_jwt,\ntls_client_auth, self_signed_tls_client_auth, or none")
	flags.StringVar(&in.jwks, "jwks", "", "its public keys: a file with a JWK Set, or - for stdin")
	flags.StringVar(&in.JWKSURI, "jwks-uri", "", "where it publishes its public keys")
	flags.StringVar(&in.SubjectDN, "tls-subject-dn", "", "the subject of its certificate, for tls_client_auth: CN=report,O=Example")
	flags.StringVar(&in.SANDNS, "tls-san-dns", "", "instead: a DNS name in its certificate")
	flags.StringVar(&in.SANURI, "tls-san-uri", "", "instead: a URI in its certificate, such as spiffe://example.org/report")
	flags.StringVar(&in.SANIP, "tls-san-ip", "", "instead: an IP address in its certificate")
	flags.StringVar(&in.SANEmail, "tls-san-email", "", "instead: an e-mail address in its certificate")
	flags.BoolVar(&in.CertBound, "certificate-bound", false, "its tokens are bound to the certificate that it shows")
	flags.StringArrayVar(&in.Resources, "resource", nil, "an API its tokens are for")
	flags.StringArrayVar(&in.Origins, "origin", nil, "an origin its pages are served from")
	flags.StringArrayVar(&in.Grants, "grant", nil, "a grant it may use: authorization_code, refresh_token, client_credentials,\ndevice_code, jwt-bearer or token-exchange")
	flags.StringVar(&in.Format, "token-format", "", "of its access tokens: jwt (default) or opaque")
	flags.StringVar(&in.Revocation, "revocation", "", "feed (default): resource servers are told within a moment and look nothing up;\nstrict: every use asks the server whether the session and the newest refresh stand;\nstateless: a token is good until it expires, whatever happens meanwhile")
	flags.StringVar(&in.Profile, "security-profile", "", "fapi2: hold it to the FAPI 2.0 security profile")
	flags.StringVar(&in.PKCE, "pkce", "", "required (default), or optional for an older OpenID client with a secret")
	flags.StringVar(&in.Subjects, "subject-type", "", "public (default), or pairwise: the host of its addresses knows people by names of its own")
	flags.Var(&in.Access, "access-lifetime", "how long an access token is good, 1m to 1h (default: token.access)")
	flags.Var(&in.IDToken, "id-token-lifetime", "how long an ID token is good, 1m to 1h (default: 5m)")
	flags.Var(&in.Idle, "refresh-idle", "after how long an unused refresh token ends (default: token.refresh_idle)")
	flags.Var(&in.Max, "refresh-max", "after how long it ends anyway, at most token.refresh_max, which is the default")
	flags.BoolVar(&in.FirstParty, "first-party", false, "it is ours: no consent is asked")
}

// complete reads what a flag names.
func (in *registering) complete(r *root) error {
	in.Scope = strings.Join(in.scopes, " ")
	for i, g := range in.Grants {
		if long := grantNames[g]; long != "" {
			in.Grants[i] = long
		}
	}
	if in.jwks == "" {
		return nil
	}
	text, err := r.source(in.jwks)
	if err != nil {
		return err
	}
	if in.JWKS = jsontext.Value(text); !in.JWKS.IsValid() {
		return &failure{Title: "The file of public keys is not JSON.", exit: exitUsage}
	}
	return nil
}

// showClient shows an application as it stands, its secret only now.
func (r *root) showClient(answer any, c client) error {
	if err := r.print(answer, func(w io.Writer) {
		row(w, "client_id", c.ID)
		if c.Secret != "" {
			row(w, "client_secret", c.Secret)
		}
		row(w, "name", c.Name)
		row(w, "type", c.Type)
		row(w, "state", c.State)
		for _, s := range [][2]string{{"redirects", strings.Join(c.Redirects, " ")}, {"after sign-out", strings.Join(c.PostLogout, " ")}, {"origins", strings.Join(c.Origins, " ")},
			{"scope", c.Scope}, {"resources", strings.Join(c.Resources, " ")}, {"grants", strings.Join(c.Grants, " ")}, {"proves itself by", c.Auth},
			{"access tokens", c.Format}, {"revocation", c.Revocation}, {"pkce", c.PKCE}, {"profile", c.Profile}, {"subjects", c.Subjects},
			{"certificate of", c.SubjectDN + c.SANDNS + c.SANURI + c.SANIP + c.SANEmail}} {
			if s[1] != "" {
				row(w, s[0], s[1])
			}
		}
		if c.CertBound {
			row(w, "tokens", "bound to its certificate")
		}
		for _, l := range []struct {
			says string
			seconds
		}{{"access tokens live", c.Access}, {"ID tokens live", c.IDToken}, {"unused refresh tokens live", c.Idle}, {"refresh tokens live", c.Max}} {
			if l.seconds != 0 {
				row(w, l.says, l.String())
			}
		}
		if c.FirstParty {
			row(w, "first party", "yes")
		}
		for i, s := range c.Secrets {
			says := "made " + s.Made + ", never used"
			if s.Used != "" {
				says = "made " + s.Made + ", last used " + s.Used
			}
			if i > 0 || s.Until != "" {
				row(w, "former secret", says+", works until "+s.Until)
			} else {
				row(w, "secret", says)
			}
		}
	}); err != nil {
		return err
	}
	if c.Secret != "" {
		fmt.Fprintln(r.stderr, "A secret is shown only now; the server keeps a hash.")
	}
	switch c.Ended {
	case "access_tokens":
		fmt.Fprintln(r.stderr, "Its access tokens ended; it gets narrower ones by refreshing.")
	case "tokens":
		fmt.Fprintln(r.stderr, "Everything it was given ended.")
	}
	return nil
}
