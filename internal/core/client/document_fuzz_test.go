package client

import "testing"

// An application that brings a document has no secret and no more trust than a
// stranger, whatever the document says.
func FuzzReadDocument(f *testing.F) {
	const id = "https://app.example/client.json"
	for _, text := range []string{
		`{"client_id":"` + id + `","client_name":"Notes","redirect_uris":["https://app.example/cb"]}`,
		`{"client_id":"` + id + `","redirect_uris":["https://app.example/cb"],"client_secret":"x"}`,
		`{"client_id":"` + id + `","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://app.example/jwks"}`,
		`{"client_id":"other"}`, `[]`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, _, ok := ReadDocument(raw, id); ok && (c.ID != id || c.FirstParty || c.Confidential() && Secretive(c.Auth) || !c.SelfRegistered) {
			t.Errorf("%q makes %+v", raw, c)
		}
	})
}
