// Package client holds the applications that ask for tokens, and what each of
// them may ask for.
package client

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// BuiltIn is the client of the hosted pages themselves. It stands for the
// server where no registered application asks.
const BuiltIn = "doorward"

// A Client is a registered application.
type Client struct {
	ID           string // at most 64 characters of letters, digits, "-", "_", "."
	Name         string
	Type         string // web, spa, native, machine
	FirstParty   bool
	Auth         string // token_endpoint_auth_method of RFC 7591
	Secret       Secret // none where nothing is shared
	Former       Secret // goes on working for a while after a rotation
	RedirectURIs []string
	PostLogout   []string
	Origins      []string // that may use the session API as this client
	Resources    []string // audiences of its tokens, and what it may introspect
	Scopes       []string
	Grants       []string
	TokenFormat  string // of its access tokens: JWT or Opaque
	Paused       bool
	Guard        uint64 // of the row: every change to it takes the next
	Cut          uint64 // feed position below which nothing that it was given counts
	Trimmed      uint64 // and below which its access tokens do not
	Created      time.Time
	Deleted      time.Time      // zero while it is there: the id of one that was is never given again
	SharedAlg    jose.SharedAlg // by which its tokens for its one service are signed; empty: by a public key
	Settings
}

// Formats of access tokens.
const (
	JWT    = "jwt"    // read by whoever has the public keys (RFC 9068)
	Opaque = "opaque" // read by this server alone
)

// Exists says whether the application is there: found, and not deleted.
func (c Client) Exists() bool { return c.ID != "" && c.Deleted.IsZero() }

// Confidential says whether the client can prove which one it is.
func (c Client) Confidential() bool { return c.Exists() && c.Auth != AuthNone }

// Owns says whether the client is the resource itself, or one of its own.
func (c Client) Owns(audience string) bool { return slices.Contains(c.Resources, audience) }

// May says whether a scope is on the client's list.
func (c Client) May(scope string) bool { return slices.Contains(c.Scopes, scope) }

// Personal says whether a scope speaks of a person, so that a client alone
// cannot have it (OpenID Connect Core sections 5.4 and 11).
func Personal(scope string) bool {
	return slices.Contains([]string{"openid", "profile", "email", "address", "phone", "offline_access"}, scope)
}

// ValidID says whether a text may be a client id: a name, or the address of a
// document that describes the application. An id that could be read as a
// person's is refused (RFC 9700 section 4.15).
func ValidID(s string) bool {
	if s == "" || len(s) > 64 || strings.HasPrefix(s, "user_") {
		return DocumentID(s)
	}
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return DocumentID(s)
		}
	}
	return true
}

// ValidScope is a scope token of RFC 6749 section 3.3.
func ValidScope(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// Origin reads a web origin in its one serialized form (RFC 6454 section
// 6.2): https, or http on a loopback name for development.
func Origin(s string) (string, bool) {
	u, err := url.Parse(s)
	// A pattern is no host: the one origin that is meant is registered.
	if err != nil || u.Opaque != "" || u.User != nil || u.Host == "" || strings.Trim(u.Host, "abcdefghijklmnopqrstuvwxyz0123456789-_.:[]") != "" || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", false
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", false
	}
	return s, strings.ToLower(s) == s && s == u.Scheme+"://"+u.Host && !strings.HasSuffix(u.Host, ":") &&
		!(u.Scheme == "https" && u.Port() == "443") && !(u.Scheme == "http" && u.Port() == "80")
}

// WebAddress says whether an address may be shown or called as a page of the
// web: https, or http on a loopback name for development.
func WebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 2048 && u.User == nil && u.Host != "" && u.String() == s && !strings.ContainsAny(s, "\\ \t\r\n") &&
		(u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
}

func loopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// OriginOf is the origin of an address of an application.
func OriginOf(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	return Origin(u.Scheme + "://" + u.Host)
}

// PageOrigins are the origins of an application's pages, which may read what
// it is answered: those it registered, and those that a browser application
// goes back to.
func (c Client) PageOrigins() []string {
	out := slices.Clone(c.Origins)
	if c.Type == "spa" || c.FirstParty {
		for _, r := range c.RedirectURIs {
			if o, ok := OriginOf(r); ok && !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	return out
}

// Checks of this noun.
var (
	Authentic = check.New(check.Check{Number: 401, ID: "client.authentic", Fault: fault.Client, Shown: "client.authentic",
		Says: "The application proved which one it is.", Source: "RFC 6749 section 2.3; RFC 9700 section 2.5",
		Title: "The application did not prove which one it is.", Stops: []string{"OAU-08", "OAU-14", "ENM-03"}})
	FirstParty = check.New(check.Check{Number: 402, ID: "client.first_party", Fault: fault.Denied, Shown: "client.first_party",
		Says: "The page that asks is ours, or belongs to a first-party application.", Source: "RFC 6454; ASVS 3.5.1",
		Title: "This page may not use the session.", Stops: []string{"SES-15", "OAU-34"}})
	Standing = check.New(check.Check{Number: 403, ID: "client.standing", Fault: fault.Denied, Shown: "client.standing",
		Says: "The application is registered and not paused.", Source: "RFC 9700 section 4.14.2",
		Title: "This application may not ask for tokens.", Stops: []string{"OAU-12"}})
	MayRead = check.New(check.Check{Number: 404, ID: "client.may_read", Fault: fault.Scope, Shown: "client.may_read",
		Says: "The application owns a resource and holds revocations:read.", Source: "RFC 6750 section 3.1",
		Title: "This application may not follow revocations."})
	Metadata = check.New(check.Check{Number: 405, ID: "client.metadata", Fault: fault.Unacceptable, Shown: "client.metadata",
		Says: "Everything the application is registered with is allowed.", Source: "RFC 7591 section 2; RFC 9700 section 2.1",
		Title: "The application cannot be registered like this.", Stops: []string{"OAU-03", "OAU-25"}})
	IDFree = check.New(check.Check{Number: 406, ID: "client.free", Fault: fault.Conflict, Shown: "client.free",
		Says: "No other application has this id, or one of these origins.", Source: "RFC 7591 section 3.2.1",
		Title: "There is an application with this id or origin already."})
	Own = check.New(check.Check{Number: 990, ID: "client.own", Fault: fault.Conflict, Shown: "client.own",
		Says: "The application is not the server's own.", Source: "the hosted pages stand on it",
		Title: "This application is the server itself: it cannot be changed."})
	Current = check.New(check.Check{Number: 991, ID: "client.current", Fault: fault.Conflict, Shown: "client.current",
		Says: "The application is still as it was when the change was made up.", Source: "RFC 9110 section 13.1.1",
		Title: "Somebody changed this application meanwhile. Look at it again."})
	HasSecret = check.New(check.Check{Number: 992, ID: "client.has_secret", Fault: fault.Conflict, Shown: "client.has_secret",
		Says: "The application proves itself with a secret.", Source: "RFC 6749 section 2.3.1",
		Title: "This application proves itself without a secret."})
	OneSecret = check.New(check.Check{Number: 993, ID: "client.one_secret", Fault: fault.Conflict, Shown: "client.one_secret",
		Says: "No former secret is live beside the one that becomes the former.", Source: "security defaults: at most two live secrets",
		Title: "This application has two live secrets. End the former one first, or rotate without an overlap."})
	HasFormer = check.New(check.Check{Number: 994, ID: "client.has_former", Fault: fault.Conflict, Shown: "client.has_former",
		Says: "A former secret is still live.", Source: "security defaults: at most two live secrets",
		Title: "This application has no former secret that is still live."})
	Granted = check.New(check.Check{Number: 901, ID: "client.grant", Fault: fault.Denied, Shown: "client.grant", Code: "unauthorized_client",
		Says: "The application is registered for this grant.", Source: "RFC 6749 section 5.2; ASVS 10.4.4",
		Title: "This application may not use this grant.", Stops: []string{"OAU-17"}})
	ScopeWithin = check.New(check.Check{Number: 902, ID: "client.scope", Fault: fault.Unacceptable, Shown: "client.scope", Code: "invalid_scope",
		Says: "Every scope asked for is one that the application is registered with.", Source: "RFC 6749 section 3.3; ASVS 10.4.11",
		Title: "The application asked for more than it may.", Stops: []string{"OAU-12", "OAU-25"}})
	ResourceWithin = check.New(check.Check{Number: 903, ID: "client.resource", Fault: fault.Unacceptable, Shown: "client.resource", Code: "invalid_target",
		Says: "Every resource asked for is one that the application is registered with.", Source: "RFC 8707 section 2",
		Title: "The application asked for a token for a resource that it may not reach.", Stops: []string{"OAU-21"}})
)

// Words that say which part of the metadata was refused.
var (
	WordID       = check.NewWord(41, "client_id")
	WordRedirect = check.NewWord(42, "redirect_uris")
	WordOrigin   = check.NewWord(43, "doorward_origins")
	WordScope    = check.NewWord(44, "scope")
	WordType     = check.NewWord(45, "doorward_type")
	WordAuth     = check.NewWord(46, "token_endpoint_auth_method")
	WordResource = check.NewWord(47, "doorward_resources")
	WordSecret   = check.NewWord(48, "client_secret")
	WordFormat   = check.NewWord(161, "doorward_token_format")

	WordPostLogout = check.NewWord(235, "post_logout_redirect_uris")
	WordAccessLife = check.NewWord(236, "doorward_access_token_lifetime")
	WordIDLife     = check.NewWord(237, "doorward_id_token_lifetime")
	WordIdle       = check.NewWord(238, "doorward_refresh_token_idle")
	WordMax        = check.NewWord(239, "doorward_refresh_token_max")
	WordSector     = check.NewWord(205, "sector_identifier_uri")
	WordSubject    = check.NewWord(240, "subject_type")
)

// Valid judges the metadata of a registration and names the part it refuses.
// In development, applications may live on this machine.
func (c Client) Valid(dev bool) (check.Word, bool) {
	switch {
	case !ValidID(c.ID):
		return WordID, false
	case !slices.Contains([]string{"web", "spa", "native", "machine"}, c.Type):
		return WordType, false
	case !slices.Contains(AuthMethods, c.Auth):
		return WordAuth, false
	case Secretive(c.Auth) != c.Secret.Exists():
		return WordSecret, false
	case slices.ContainsFunc(c.RedirectURIs, func(s string) bool { return !mayReturn(s, c.Type, dev) }):
		return WordRedirect, false
	case slices.ContainsFunc(c.PostLogout, func(s string) bool { return !mayReturn(s, c.Type, dev) }):
		return WordPostLogout, false
	case slices.ContainsFunc(c.Origins, func(s string) bool { _, ok := Origin(s); return !ok }):
		return WordOrigin, false
	case slices.ContainsFunc(c.Scopes, func(s string) bool { return !ValidScope(s) }):
		return WordScope, false
	case slices.ContainsFunc(c.Resources, func(s string) bool { return !ValidScope(s) }):
		return WordResource, false
	case c.TokenFormat != JWT && c.TokenFormat != Opaque:
		return WordFormat, false
	case slices.ContainsFunc(c.Grants, func(s string) bool { return !slices.Contains(GrantTypes, s) }):
		return WordGrant, false
	}
	return c.validSettings()
}
