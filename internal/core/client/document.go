package client

import (
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// documentAtMost bounds an id that is an address.
const documentAtMost = 255

// DocumentID says whether a client id is the address of a document that
// describes the application (draft-ietf-oauth-client-id-metadata-document
// section 3): on the web, with a path, and in one spelling.
func DocumentID(s string) bool {
	if len(s) > documentAtMost || !WebAddress(s) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && webHost(u) && len(u.Path) > 1 && !dotted(u) && u.Fragment == "" && !strings.ContainsAny(s, "#*") && u.RawQuery == "" && !u.ForceQuery
}

// ReadDocument makes an application of the document at its id. What it may be
// registered with is what any stranger may; it never has a secret, since who
// reads the document would have it (section 4.1).
func ReadDocument(raw []byte, id string) (Client, check.Word, bool) {
	var in struct {
		ClientID        string   `json:"client_id"`
		Name            string   `json:"client_name"`
		RedirectURIs    []string `json:"redirect_uris"`
		PostLogout      []string `json:"post_logout_redirect_uris"`
		Auth            string   `json:"token_endpoint_auth_method"`
		Scope           string   `json:"scope"`
		ApplicationType string   `json:"application_type"`
		URI             string   `json:"client_uri"`
		Secret          any      `json:"client_secret"`
		SecretExpires   any      `json:"client_secret_expires_at"`
		JWKSURI         string   `json:"jwks_uri"`
		Answers
	}
	if json.Unmarshal(raw, &in) != nil || in.ClientID != id || in.Secret != nil || in.SecretExpires != nil {
		return Client{}, WordID, false
	}
	c := Client{ID: id, Name: in.Name, Auth: in.Auth, RedirectURIs: in.RedirectURIs, PostLogout: in.PostLogout, Scopes: strings.Fields(in.Scope),
		Grants: slices.Clone(strangersGrants), TokenFormat: JWT,
		Settings: Settings{URI: in.URI, SelfRegistered: true, JWKSURI: in.JWKSURI, Answers: in.Answers}}
	if c.Auth == "" {
		c.Auth = AuthNone
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	c.Type = c.Kind(in.ApplicationType)
	if c.Auth != AuthNone && c.Auth != AuthKey {
		return c, WordAuth, false
	}
	return c, 0, true
}

// Checks of documents that describe applications.
var (
	DocumentRead = check.New(check.Check{Number: 1111, ID: "document.read", Fault: fault.Missing, Shown: "document.read", Code: "invalid_client",
		Says: "The document at the application's id was read, and names that id.", Source: "draft-ietf-oauth-client-id-metadata-document section 4.1",
		Title: "What the application says of itself could not be read.", Stops: []string{"OAU-30"}})
	DocumentModest = check.New(check.Check{Number: 1112, ID: "document.modest", Fault: fault.Unacceptable, Shown: "document.modest", Code: "invalid_client",
		Says: "The document asks for nothing but what a stranger may have.", Source: "draft-ietf-oauth-client-id-metadata-document section 6; ASVS 10.4.7",
		Title: "What the application says of itself is not allowed here.", Stops: []string{"OAU-03", "OAU-25"}})
)
