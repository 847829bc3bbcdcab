package client

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// Answers is how an application wants what is made for it signed and encrypted
// (OpenID Connect Registration section 2, RFC 9701 section 6). What it leaves
// out is signed by the server's own algorithm, or not at all where plain JSON is
// the rule, and not encrypted.
type Answers struct {
	IDTokenAlg    jose.Alg    `json:"id_token_signed_response_alg,omitzero"`
	IDTokenKeyAlg jose.KeyAlg `json:"id_token_encrypted_response_alg,omitzero"`
	IDTokenEnc    jose.Enc    `json:"id_token_encrypted_response_enc,omitzero"`

	UserinfoAlg    jose.Alg    `json:"userinfo_signed_response_alg,omitzero"`
	UserinfoKeyAlg jose.KeyAlg `json:"userinfo_encrypted_response_alg,omitzero"`
	UserinfoEnc    jose.Enc    `json:"userinfo_encrypted_response_enc,omitzero"`

	IntrospectionAlg    jose.Alg    `json:"introspection_signed_response_alg,omitzero"`
	IntrospectionKeyAlg jose.KeyAlg `json:"introspection_encrypted_response_alg,omitzero"`
	IntrospectionEnc    jose.Enc    `json:"introspection_encrypted_response_enc,omitzero"`

	AccessTokenAlg jose.Alg `json:"doorward_access_token_signed_response_alg,omitzero"`

	// RequestKeyAlg is how it may encrypt its request objects to the server.
	RequestKeyAlg jose.KeyAlg `json:"request_object_encryption_alg,omitzero"`
	RequestEnc    jose.Enc    `json:"request_object_encryption_enc,omitzero"`

	// JWKS is the application's own public keys: by which it proves itself, signs
	// requests, and is written to.
	JWKS jsontext.Value `json:"jwks,omitzero"`
}

// RequestKeyAlgs are the algorithms by which applications may encrypt request
// objects to the server.
var RequestKeyAlgs = []jose.KeyAlg{jose.ECDHES, jose.RSAOAEP256}

// A Sealing is how one kind of answer is made for an application.
type Sealing struct {
	Alg    jose.Alg    // the server's own when empty
	KeyAlg jose.KeyAlg // not encrypted when empty
	Enc    jose.Enc
}

// IDTokens is how an application's ID tokens are made.
func (a Answers) IDTokens() Sealing { return sealing(a.IDTokenAlg, a.IDTokenKeyAlg, a.IDTokenEnc) }

// Userinfo is how it is told of a person; plain JSON when it asked for no
// algorithm.
func (a Answers) Userinfo() Sealing { return sealing(a.UserinfoAlg, a.UserinfoKeyAlg, a.UserinfoEnc) }

// Introspection is how it is told of a token, when it asks for a JWT.
func (a Answers) Introspection() Sealing {
	return sealing(a.IntrospectionAlg, a.IntrospectionKeyAlg, a.IntrospectionEnc)
}

// sealing fills in what OpenID Connect Registration section 2 says of an
// encryption that is not named.
func sealing(alg jose.Alg, key jose.KeyAlg, enc jose.Enc) Sealing {
	if key != "" {
		enc = cmp.Or(enc, jose.A128CBCHS256)
	}
	return Sealing{alg, key, enc}
}

// Algs are the algorithms that an application asked for by name: there must be
// a key for each.
func (a Answers) Algs() []jose.Alg {
	var out []jose.Alg
	for _, alg := range []jose.Alg{a.IDTokenAlg, a.UserinfoAlg, a.IntrospectionAlg, a.AccessTokenAlg} {
		if alg != "" && !slices.Contains(out, alg) {
			out = append(out, alg)
		}
	}
	return out
}

// Keys are the application's own public keys; none when it registered none.
func (a Answers) Keys() (jose.KeySet, error) {
	if a.JWKS == nil {
		return jose.KeySet{}, nil
	}
	return jose.ReadJWKS(a.JWKS)
}

// Words that name an answer that was refused.
var (
	WordJWKS          = check.NewWord(210, "jwks")
	WordIDToken       = check.NewWord(211, "id_token_signed_response_alg, id_token_encrypted_response_alg or id_token_encrypted_response_enc")
	WordUserinfo      = check.NewWord(212, "userinfo_signed_response_alg, userinfo_encrypted_response_alg or userinfo_encrypted_response_enc")
	WordIntrospection = check.NewWord(213, "introspection_signed_response_alg, introspection_encrypted_response_alg, request_object_encryption_alg, or the _enc of one of them")
	WordAccessToken   = check.NewWord(214, "doorward_access_token_signed_response_alg")
)

// valid judges how answers are to be made and names the part it refuses.
func (a Answers) valid(format string) (check.Word, bool) {
	keys, err := a.Keys()
	userinfo, enc := a.Userinfo(), a.UserinfoEnc
	switch {
	case err != nil:
		return WordJWKS, false
	case !a.IDTokens().valid(keys, a.IDTokenEnc):
		return WordIDToken, false
	// What is encrypted is signed too: an encrypted answer alone could be
	// anybody's (RFC 8725 section 3.3).
	case !userinfo.valid(keys, enc), userinfo.KeyAlg != "" && userinfo.Alg == "":
		return WordUserinfo, false
	case !a.Introspection().valid(keys, a.IntrospectionEnc), a.RequestKeyAlg != "" && !slices.Contains(RequestKeyAlgs, a.RequestKeyAlg),
		a.RequestEnc != "" && (a.RequestKeyAlg == "" || !a.RequestEnc.Known()):
		return WordIntrospection, false
	case a.AccessTokenAlg != "" && (!a.AccessTokenAlg.Known() || format != JWT):
		return WordAccessToken, false
	}
	return 0, true
}

// valid says whether answers can be made so: by algorithms of the lists, and
// encrypted to a key that the application registered.
func (s Sealing) valid(keys jose.KeySet, enc jose.Enc) bool {
	if s.Alg != "" && !s.Alg.Known() || enc != "" && (s.KeyAlg == "" || !enc.Known()) {
		return false
	}
	if s.KeyAlg == "" {
		return true
	}
	_, err := keys.Encrypting(s.KeyAlg)
	return err == nil
}
