package api

import (
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/edge/door"
)

// What is registered leads nowhere that runs as a script, and has one spelling
// (attack OAU-03).
func FuzzReadMetadata(f *testing.F) {
	f.Add([]byte(`{"client_id":"a","doorward_type":"web","token_endpoint_auth_method":"none","redirect_uris":["https://app.example/cb"],"doorward_token_format":"jwt"}`))
	f.Add([]byte(`{"client_id":"a","doorward_type":"spa","token_endpoint_auth_method":"none","redirect_uris":["javascript:alert(1)"],"doorward_origins":["https://app.example"]}`))
	f.Add([]byte(`{"client_id":"a","client_id":"b"}`))
	f.Add([]byte(`{"client_id":"` + strings.Repeat("a", 65) + `","x":[[[]]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var in registration
		if door.ReadMetadata(b, &in) != nil {
			return
		}
		c := in.client()
		if _, ok := c.Valid(false); !ok {
			return
		}
		for _, address := range append(append([]string{}, c.RedirectURIs...), c.PostLogout...) {
			u, err := url.Parse(address)
			if err != nil || u.String() != address || u.User != nil || u.Fragment != "" || u.Scheme == "javascript" || u.Scheme == "data" || u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
				t.Errorf("%q may be registered", address)
			}
		}
		if strings.ContainsAny(c.ID, "/\\ \x00\n%") || len(c.ID) > 64 {
			t.Errorf("the id %q may be registered", c.ID)
		}
	})
}
