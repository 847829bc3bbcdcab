package cli_test

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// What a permission means is said once, for people; who registers an
// application is told what nobody said yet.
func TestScopesInWords(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		made := s.CLI("", "clients", "create", "--name", "Notes", "--type", "web", "--redirect", "https://notes.example.com/cb", "--scope", "openid", "--scope", "https://notes.example.com/read")
		if made.Code != 0 || !strings.Contains(made.Stderr, "People read no words for https://notes.example.com/read yet") || strings.Contains(made.Stderr, "for openid") {
			t.Errorf("registering says %d %q", made.Code, made.Stderr)
		}
		said := want(t, 0, s.CLI("", "scopes", "describe", "https://notes.example.com/read", "--says", "read your notes", "--optional", "--json"), "scopes", "describe", "--json")
		if said["scope"] != "https://notes.example.com/read" || said["says"] != "read your notes" || said["optional"] != true {
			t.Errorf("described: %v", said)
		}
		listed := want(t, 0, s.CLI("", "scopes", "list", "--json"), "scopes", "list", "--json")["scopes"].([]any)
		var names []string
		for _, one := range listed {
			names = append(names, one.(map[string]any)["scope"].(string))
		}
		if strings.Join(names, " ") != "account https://notes.example.com/read openid" {
			t.Errorf("listed: %v", names)
		}
		if again := s.CLI("", "clients", "create", "--name", "More", "--type", "web", "--redirect", "https://notes.example.com/cb", "--scope", "https://notes.example.com/read"); strings.Contains(again.Stderr, "no words") {
			t.Errorf("registering says %q", again.Stderr)
		}
		if bad := s.CLI("", "scopes", "describe", "openid", "--says", "know you", "--optional"); bad.Code != 1 || !strings.Contains(bad.Stderr, "scope.form") {
			t.Errorf("an optional openid: %d %q", bad.Code, bad.Stderr)
		}
		want(t, 0, s.CLI("", "scopes", "undescribe", "https://notes.example.com/read", "--json"), "scopes", "undescribe", "--json")
		if gone := s.CLI("", "scopes", "undescribe", "https://notes.example.com/read"); gone.Code == 0 || !strings.Contains(gone.Stderr, "scope.found") {
			t.Errorf("twice: %d %q", gone.Code, gone.Stderr)
		}
	})
}
