package identity

import "testing"

// Attacks MFA-18 and IDN-15: a domain is that domain, not one that looks or ends like it.
func TestAdmission(t *testing.T) {
	staff := Admission{Domains: []string{"example.com", "example.org"}}
	for _, c := range []struct {
		a       Admission
		address string
		want    bool
	}{
		{Admission{}, "ana@example.com", false},
		{Admission{}, "", false},
		{Admission{Open: true}, "ana@example.com", true},
		{staff, "ana@example.com", true},
		{staff, "ana@example.org", true},
		{staff, "ana@sub.example.com", false},
		{staff, "ana@notexample.com", false},
		{staff, "ana@example.com.evil.example", false},
		{staff, "example.com", false},
		{staff, "", false},
	} {
		if got := c.a.Allows(c.address); got != c.want {
			t.Errorf("%+v lets in %q: %v", c.a, c.address, got)
		}
	}
	if (Admission{}).Any() || !staff.Any() || !(Admission{Open: true}).Any() {
		t.Error("whom an admission lets in is not anybody")
	}
}
