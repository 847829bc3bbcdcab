package web

import "testing"

func TestMeantIsAskedOnlyOfMisspellings(t *testing.T) {
	for email, want := range map[string]string{
		"ana@gmial.com": "gmail.com", "Ana@GMIAL.com": "gmail.com", "ana@hotmial.com": "hotmail.com", "ana@yaho.com": "yahoo.com",
		"ana@gmail.com": "", "ana@example.com": "", "ana@mail.com": "", "gmial.com": "", "": "",
	} {
		if got := meant(email); got != want {
			t.Errorf("meant(%q) = %q, want %q", email, got, want)
		}
	}
	for right, wrong := range common {
		for _, w := range wrong {
			if common[w] != nil || w == right {
				t.Errorf("%s is right and wrong", w)
			}
		}
	}
}
