package client

import (
	"testing"
)

func TestOriginHasOneSpelling(t *testing.T) {
	for _, good := range []string{"https://app.example", "https://app.example:8443", "http://localhost:5173", "http://127.0.0.1:8080"} {
		if _, ok := Origin(good); !ok {
			t.Errorf("Origin(%q) refused", good)
		}
	}
	for _, bad := range []string{"", "null", "https://app.example/", "https://app.example?", "https://App.example", "https://a@app.example",
		"http://app.example", "https://app.example:443", "http://localhost:80", "https:app.example", "https:///app.example", "//app.example",
		"https://app.example#", "javascript://x", "https://app.example:", "https://*.example", "https://app.ex%61mple", "https://app.example;x"} {
		if _, ok := Origin(bad); ok {
			t.Errorf("OAU-34: Origin(%q) accepted", bad)
		}
	}
}

func TestAClientCannotBeNamedLikeAPerson(t *testing.T) {
	for _, bad := range []string{"", "user_01k0000000000000000000000", "a b", "a/b", "ä", "a\n"} {
		if ValidID(bad) {
			t.Errorf("AS-25: ValidID(%q)", bad)
		}
	}
}

func TestATokenFormatIsOneOfTwo(t *testing.T) {
	for format, want := range map[string]bool{JWT: true, Opaque: true, "": false, "JWT": false, "saml": false} {
		c := Client{ID: "a", Type: "spa", Auth: "none", TokenFormat: format}
		if word, ok := c.Valid(false); ok != want || !ok && word != WordFormat {
			t.Errorf("%q: %v, %v", format, word, ok)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("https://app.example")
	f.Fuzz(func(t *testing.T, s string) {
		if o, ok := Origin(s); ok && o != s {
			t.Errorf("%q is %q", s, o)
		}
	})
}
