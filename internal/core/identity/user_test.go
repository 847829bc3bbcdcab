package identity

import "testing"

// Attacks REC-06 and REC-07.
func TestCanonicalHasOneKeyPerPerson(t *testing.T) {
	for in, want := range map[string]string{
		"Ana@Example.com": "ana@example.com", "a.b+c@x-y.example": "a.b+c@x-y.example", "o'neil@example.com": "o'neil@example.com",
		"you@localhost": "you@localhost",
	} {
		if got, ok := Canonical(in); !ok || got != want {
			t.Errorf("Canonical(%q) = %q, %v", in, got, ok)
		}
	}
	for _, bad := range []string{
		"", "@", "a@", "@x.example", "a", "a@b@c.example", "a..b@x.example", ".a@x.example", "a.@x.example",
		"a@x", "a@x.", "a@.x", "a@-x.example", "a@x-.example", "a@[127.0.0.1]",
		`"e@evil.example"@victim.example`, "v@x.example,a@y.example", "v@x.example a@y.example", "v@x.example;a@y.example",
		" a@x.example", "a@x.example ", "a@x.example\n", "a\x00@x.example", "mıke@x.example", "mi\u212ae@x.example",
		"аdmin@x.example", "admin\u200b@x.example", "ａdmin@x.example", "a@ex\u3002mple.com", "a@xn--\u00e9.example",
	} {
		if got, ok := Canonical(bad); ok {
			t.Errorf("IDN-15: Canonical(%q) = %q", bad, got)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("Ana@Example.com")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := Canonical(s); ok {
			if b, again := Canonical(a); !again || a != b {
				t.Errorf("Canonical(%q) = %q, whose own form is %q", s, a, b)
			}
		}
	})
}
