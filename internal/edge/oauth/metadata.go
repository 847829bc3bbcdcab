package oauth

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/token"
)

// authMethods are how a client may prove itself at the endpoints that ask it
// to: by certificates where it can show them.
func (o *OAuth) authMethods() []string {
	methods := []string{client.AuthBasic, client.AuthPost, client.AuthKey}
	if o.shown() {
		methods = append(methods, client.AuthSelfSigned)
	}
	if p := o.Exchange.Policy(); o.shown() && p.Authorities != nil && p.Authorities() != nil {
		methods = append(methods, client.AuthCertificate)
	}
	return methods
}

// shown says whether certificates can be shown here.
func (o *OAuth) shown() bool { return o.Machines != nil || o.Door.Certificate != "" }

// metadata lists what works, and nothing else (RFC 8414 section 2; OpenID
// Connect Discovery section 3).
func (o *OAuth) metadata(ring *key.Ring) any {
	issuer := o.Exchange.Policy().Issuer
	m := map[string]any{}
	m["issuer"] = issuer
	m["jwks_uri"] = issuer + "/oauth/jwks"
	m["authorization_endpoint"] = issuer + "/oauth/authorize"
	m["response_types_supported"] = []string{"code"}
	m["response_modes_supported"] = client.Modes
	m["code_challenge_methods_supported"] = []string{"S256"}
	m["authorization_response_iss_parameter_supported"] = true
	m["scopes_supported"] = []string{"openid", "profile", "email", "offline_access"}
	m["claims_supported"] = []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "name", "email", "email_verified"}
	m["subject_types_supported"] = []string{client.SubjectPairwise, client.SubjectPublic}
	for _, answer := range []string{"id_token", "userinfo", "introspection"} {
		m[answer+"_signing_alg_values_supported"] = signing(ring)
		m[answer+"_encryption_alg_values_supported"] = jose.KeyAlgs()
		m[answer+"_encryption_enc_values_supported"] = jose.Encs()
	}
	m["prompt_values_supported"] = []string{"none", "login", "consent", "select_account"}
	m["userinfo_endpoint"] = issuer + "/oauth/userinfo"
	m["request_object_encryption_alg_values_supported"] = client.RequestKeyAlgs
	m["request_object_encryption_enc_values_supported"] = jose.Encs()
	m["request_parameter_supported"] = true
	if types := o.Exchange.DetailTypes(); len(types) > 0 {
		m["authorization_details_types_supported"] = types
	}
	m["request_object_signing_alg_values_supported"] = jose.OthersAlgs()
	m["pushed_authorization_request_endpoint"] = issuer + "/oauth/par"
	m["require_pushed_authorization_requests"] = false
	m["require_signed_request_object"] = false
	m["request_uri_parameter_supported"] = false
	m["claims_parameter_supported"] = true
	m["token_endpoint"] = issuer + "/oauth/token"
	m["token_endpoint_auth_methods_supported"] = append([]string{client.AuthNone}, o.authMethods()...)
	m["grant_types_supported"] = slices.Sorted(maps.Keys(grants))
	m["device_authorization_endpoint"] = issuer + "/oauth/device"
	m["dpop_signing_alg_values_supported"] = token.ProofAlgs
	m["end_session_endpoint"] = issuer + "/oauth/logout"
	m["backchannel_logout_supported"] = true
	m["backchannel_logout_session_supported"] = true
	m["revocation_endpoint"] = issuer + "/oauth/revoke"
	m["revocation_endpoint_auth_methods_supported"] = append([]string{client.AuthNone}, o.authMethods()...)
	m["introspection_endpoint"] = issuer + "/oauth/introspect"
	m["introspection_endpoint_auth_methods_supported"] = o.authMethods()
	m["access_token_signing_alg_values_supported"] = ring.Algs()
	m["acr_values_supported"] = []string{"urn:doorward:acr:1"}
	m["doorward_revocations_endpoint"] = issuer + "/revocations"
	m["doorward_revocations_stream_endpoint"] = issuer + "/revocations/stream"
	m["token_endpoint_auth_signing_alg_values_supported"] = jose.OthersAlgs()
	m["introspection_endpoint_auth_signing_alg_values_supported"] = jose.OthersAlgs()
	m["revocation_endpoint_auth_signing_alg_values_supported"] = jose.OthersAlgs()
	if o.shown() {
		m["tls_client_certificate_bound_access_tokens"] = true
	}
	m["client_id_metadata_document_supported"] = o.Documents
	if o.Registers {
		m["registration_endpoint"] = issuer + "/oauth/register"
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
