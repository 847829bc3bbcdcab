package token

import "testing"

// What a browser brings as the name of a pushed request has one spelling, and
// an address is none (RFC 9126 section 2.2).
func FuzzParsePushedURI(f *testing.F) {
	f.Add(NewPushedURI([32]byte{1, 2, 3}))
	f.Add("https://app.example/request.jwt")
	f.Add("urn:ietf:params:oauth:request_uri:")
	f.Fuzz(func(t *testing.T, s string) {
		b, ok := ParsePushedURI(s)
		if ok && NewPushedURI([32]byte(b)) != s {
			t.Errorf("%q is read as %x", s, b)
		}
	})
}
