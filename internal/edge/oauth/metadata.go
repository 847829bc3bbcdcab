package oauth

import (
	"maps"
	"slices"

	"github.com/doorward/doorward/internal/core/key"
)

// authMethods are how a client may prove itself at the endpoints that ask it to.
var authMethods = []string{"client_secret_basic", "client_secret_post"}

// metadata lists what works, and nothing else (RFC 8414 section 2; OpenID
// Connect Discovery section 3).
func (o *OAuth) metadata(ring *key.Ring) any {
	issuer := o.Exchange.Policy().Issuer
	return map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              issuer + "/oauth/jwks",
		"token_endpoint":                        issuer + "/oauth/token",
		"token_endpoint_auth_methods_supported": authMethods,
		"grant_types_supported":                 slices.Sorted(maps.Keys(grants)),
		"introspection_endpoint":                issuer + "/oauth/introspect",
		"introspection_endpoint_auth_methods_supported": authMethods,
		"access_token_signing_alg_values_supported":     ring.Algs(),
		"acr_values_supported":                          []string{"urn:doorward:acr:1"},
		"doorward_revocations_endpoint":                 issuer + "/revocations",
		"doorward_revocations_stream_endpoint":          issuer + "/revocations/stream",
	}
}
