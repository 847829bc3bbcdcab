package app

import "testing"

// Every setting is explained, and nothing that is none.
func TestEverySettingIsExplained(t *testing.T) {
	known := map[string]bool{}
	for _, s := range settings() {
		known[s.key] = true
		if e, _, ok := Explain(s.key); !ok || e.Says == "" || e.Says[len(e.Says)-1] != '.' && e.Says[len(e.Says)-1] != ')' {
			t.Errorf("%s has no explanation that ends: %q", s.key, e.Says)
		}
	}
	for key := range explanations {
		if !known[key] {
			t.Errorf("%s is explained and is no setting", key)
		}
	}
	if _, near, ok := Explain("session.ilde"); ok || near != "session.idle" {
		t.Errorf("a misspelt setting: %q, %v", near, ok)
	}
}

// What config init writes is a configuration without problems, whatever the
// answers hold.
func TestAStarterIsReadAsItWasSaid(t *testing.T) {
	c, problems := Load(Starter("https://auth.example.com", `/srv/door "ward"\x`, "smtp://user@mail.example.com:587?from=a@example.com"), nil, nil)
	if len(problems) != 0 || c.Issuer != "https://auth.example.com" || c.Data != `/srv/door "ward"\x` || c.Mail == "" {
		t.Errorf("%+v %v", c, problems)
	}
}
