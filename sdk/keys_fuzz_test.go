package doorward

import (
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A key of a set verifies by one algorithm of the list, whatever else the set
// says.
func FuzzReadKeys(f *testing.F) {
	f.Add([]byte(`[{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]`))
	f.Add([]byte(`[{"kty":"oct","kid":"a","k":"AAAA","alg":"HS256"}]`))
	f.Add([]byte(`[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kid":"a"},null,7]`))
	f.Add([]byte(`[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var raw []json.RawMessage
		if json.Unmarshal(data, &raw) != nil {
			return
		}
		for id, k := range readKeys(raw) {
			switch k.algorithm {
			case jose.ES256, jose.EdDSA, jose.RS256, jose.RS512, jose.PS256:
			default:
				t.Errorf("a key of the algorithm %q verifies", k.algorithm)
			}
			if id == "" || id != k.id || len(id) > maxKeyID || k.public == nil || k.thumb == "" {
				t.Errorf("the key %q is %+v", id, k)
			}
		}
	})
}
