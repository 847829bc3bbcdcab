package client

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

const (
	forSigning    = `{"kty":"EC","crv":"P-256","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	forEncryption = `{"kty":"EC","crv":"P-256","use":"enc","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
)

// Which answers an application may ask for: JW-01, JW-02 and JW-13 begin here.
func TestAnswersThatAnApplicationMayHave(t *testing.T) {
	enc := `,"jwks":{"keys":[` + forEncryption + `]}`
	for text, refused := range map[string]string{
		`{}`: "",
		`{"id_token_signed_response_alg":"RS256"}`:                                                                  "",
		`{"id_token_signed_response_alg":"none"}`:                                                                   "id_token",
		`{"id_token_signed_response_alg":"HS256"}`:                                                                  "id_token",
		`{"id_token_signed_response_alg":"rs256"}`:                                                                  "id_token",
		`{"id_token_encrypted_response_alg":"ECDH-ES"` + enc + `}`:                                                  "",
		`{"id_token_encrypted_response_alg":"ECDH-ES","id_token_encrypted_response_enc":"A256GCM"` + enc + `}`:      "",
		`{"id_token_encrypted_response_alg":"ECDH-ES","id_token_encrypted_response_enc":"A192GCM"` + enc + `}`:      "id_token",
		`{"id_token_encrypted_response_enc":"A256GCM"` + enc + `}`:                                                  "id_token",
		`{"id_token_encrypted_response_alg":"ECDH-ES"}`:                                                             "id_token",
		`{"id_token_encrypted_response_alg":"ECDH-ES","jwks":{"keys":[` + forSigning + `]}}`:                        "id_token",
		`{"id_token_encrypted_response_alg":"RSA-OAEP-256"` + enc + `}`:                                             "id_token",
		`{"id_token_encrypted_response_alg":"RSA1_5"` + enc + `}`:                                                   "id_token",
		`{"id_token_encrypted_response_alg":"PBES2-HS256+A128KW"` + enc + `}`:                                       "id_token",
		`{"id_token_encrypted_response_alg":"dir"` + enc + `}`:                                                      "id_token",
		`{"userinfo_signed_response_alg":"ES256"}`:                                                                  "",
		`{"userinfo_signed_response_alg":"none"}`:                                                                   "userinfo",
		`{"userinfo_signed_response_alg":"ES256","userinfo_encrypted_response_alg":"ECDH-ES+A128KW"` + enc + `}`:    "",
		`{"userinfo_encrypted_response_alg":"ECDH-ES"` + enc + `}`:                                                  "userinfo",
		`{"introspection_signed_response_alg":"EdDSA","introspection_encrypted_response_alg":"ECDH-ES"` + enc + `}`: "",
		`{"introspection_encrypted_response_alg":"ECDH-ES"}`:                                                        "introspection",
		`{"request_object_encryption_alg":"ECDH-ES"}`:                                                               "",
		`{"request_object_encryption_alg":"RSA-OAEP-256","request_object_encryption_enc":"A256GCM"}`:                "",
		`{"request_object_encryption_alg":"RSA1_5"}`:                                                                "introspection",
		`{"request_object_encryption_alg":"ECDH-ES+A128KW"}`:                                                        "introspection",
		`{"request_object_encryption_enc":"A256GCM"}`:                                                               "introspection",
		`{"request_object_encryption_alg":"ECDH-ES","request_object_encryption_enc":"A192GCM"}`:                     "introspection",
		`{"doorward_access_token_signed_response_alg":"PS256"}`:                                                     "",
		`{"doorward_access_token_signed_response_alg":"HS256"}`:                                                     "doorward_access_token",
		`{"doorward_access_token_signed_response_alg":"Ed25519"}`:                                                   "doorward_access_token",
		`{"jwks":{"keys":[` + forSigning + `]}}`:                                                                    "",
		`{"jwks":{"keys":[` + forSigning[:len(forSigning)-1] + `,"d":"AAAA"}]}}`:                                    "jwks",
		`{"jwks":{"keys":[{"kty":"oct","k":"AAAA"}]}}`:                                                              "jwks",
		`{"jwks":{"keys":[]}}`:                    "jwks",
		`{"jwks":"https://app.example.com/jwks"}`: "jwks",
		`{"jwks":null}`:                           "jwks",
	} {
		c := Client{ID: "app", Type: "web", Auth: "none", TokenFormat: JWT}
		if err := json.Unmarshal([]byte(text), &c.Settings); err != nil {
			t.Fatal(text, err)
		}
		w, ok := c.Valid(false)
		if ok != (refused == "") || !strings.HasPrefix(w.String(), refused) {
			t.Errorf("%s: %v, %q, want %q", text, ok, w, refused)
		}
		kept, err := json.Marshal(c.Settings, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		var again Settings
		if err := json.Unmarshal(kept, &again); err != nil || again.IDTokens() != c.IDTokens() || again.Userinfo() != c.Userinfo() || string(again.JWKS) != string(c.JWKS) {
			t.Errorf("%s is kept as %s: %v", text, kept, err)
		}
	}
	opaque := Client{ID: "app", Type: "web", Auth: "none", TokenFormat: Opaque, Settings: Settings{Answers: Answers{AccessTokenAlg: "ES256"}}}
	if _, ok := opaque.Valid(false); ok {
		t.Error("an opaque token is signed")
	}
	if s := (Answers{IDTokenKeyAlg: "ECDH-ES"}).IDTokens(); s.Enc != "A128CBC-HS256" {
		t.Errorf("encryption without a name is %q", s.Enc)
	}
	if s := (Answers{}).IDTokens(); s != (Sealing{}) {
		t.Errorf("nothing asked for is %+v", s)
	}
}
