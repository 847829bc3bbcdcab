package oauth

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/key"
)

// authMethods are how a client may prove itself at the endpoints that ask it to.
var authMethods = []string{client.AuthBasic, client.AuthPost, client.AuthKey}

// metadata lists what works, and nothing else (RFC 8414 section 2; OpenID
// Connect Discovery section 3).
func (o *OAuth) metadata(ring *key.Ring) any {
	issuer := o.Exchange.Policy().Issuer
	m := map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              issuer + "/oauth/jwks",
		"token_endpoint":                        issuer + "/oauth/token",
		"token_endpoint_auth_methods_supported": authMethods,
		"grant_types_supported":                 slices.Sorted(maps.Keys(grants)),
		"introspection_endpoint":                issuer + "/oauth/introspect",
		"introspection_endpoint_auth_methods_supported":            authMethods,
		"introspection_signing_alg_values_supported":               signing(ring),
		"introspection_encryption_alg_values_supported":            jose.KeyAlgs(),
		"introspection_encryption_enc_values_supported":            jose.Encs(),
		"access_token_signing_alg_values_supported":                ring.Algs(),
		"acr_values_supported":                                     []string{"urn:doorward:acr:1"},
		"doorward_revocations_endpoint":                            issuer + "/revocations",
		"doorward_revocations_stream_endpoint":                     issuer + "/revocations/stream",
		"token_endpoint_auth_signing_alg_values_supported":         jose.OthersAlgs(),
		"introspection_endpoint_auth_signing_alg_values_supported": jose.OthersAlgs(),
	}
	if o.Machines != nil {
		m["mtls_endpoint_aliases"] = aliases(m, issuer, o.Machines.String())
	}
	return m
}

// asked are the endpoints that machines ask, and where they may show
// certificates (RFC 8705 section 5): browsers ask none of them.
var asked = []string{"token_endpoint", "introspection_endpoint", "revocation_endpoint", "userinfo_endpoint", "pushed_authorization_request_endpoint",
	"device_authorization_endpoint", "doorward_revocations_endpoint", "doorward_revocations_stream_endpoint"}

// aliases are those endpoints that there are, at another address.
func aliases(metadata map[string]any, issuer, at string) map[string]string {
	out := map[string]string{}
	for _, name := range asked {
		if path, ok := strings.CutPrefix(fmt.Sprint(metadata[name]), issuer+"/"); ok {
			out[name] = at + "/" + path
		}
	}
	return out
}

// signing are the algorithms that an application may ask for: the server's own
// first. Of each there is a key, or one is made for the first that asks.
func signing(ring *key.Ring) []jose.Alg {
	own := ring.Signer.Alg()
	return append([]jose.Alg{own}, slices.DeleteFunc(jose.Algs(), func(a jose.Alg) bool { return a == own })...)
}
