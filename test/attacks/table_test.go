package attacks

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/drill"
	"github.com/doorward/doorward/test/index"
)

// Each row has tests that exist and say which attack they try, or the reason
// why there is nothing to try.
func TestEveryAttackIsTriedOrSaysWhyNot(t *testing.T) {
	all, err := index.Tests(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	if len(all) < 100 {
		t.Fatalf("only %d tests were found", len(all))
	}
	form := regexp.MustCompile(`^(REC|IDN|MFA|SES|OAU|JWT|ENM|DOS|TEN)-[0-9]{2}$`)
	for _, s := range Table {
		for _, r := range s.Rows {
			if !form.MatchString(r.ID) || seen[r.ID] || !strings.HasSuffix(r.Tries, ".") {
				t.Errorf("%s: %q is no id, is there twice, or has no sentence", r.ID, r.Tries)
			}
			seen[r.ID] = true
			if (len(r.Tests) == 0) == (r.Later == "") {
				t.Errorf("%s has neither tests nor a reason, or both", r.ID)
			}
			for _, name := range r.Tests {
				text, exists := all[name]
				switch {
				case !exists:
					t.Errorf("%s: there is no test %s", r.ID, name)
				case !strings.Contains(text, r.ID):
					t.Errorf("%s: %s does not say that it tries it", r.ID, name)
				}
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d attacks are in the table", len(seen))
	}
	for _, a := range drill.All() {
		for _, id := range a.Of {
			if !seen[id] {
				t.Errorf("the drill %s tries %s, which is not in the table", a.ID, id)
			}
		}
	}
}

// Each rule of a checklist has tests that exist, or the reason why there are
// none.
func TestEveryRuleIsShownOrSaysWhyNot(t *testing.T) {
	all, err := index.Tests(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^(AS|FP|JW|OI|DV)-[0-9]{2}$`)
	seen := map[string]bool{}
	for _, list := range Checklists {
		for _, r := range list.Rules {
			if !form.MatchString(r.ID) || seen[r.ID] || !strings.HasSuffix(r.Says, ".") || r.Source == "" {
				t.Errorf("%s: %q is no id, is there twice, or has no sentence and source", r.ID, r.Says)
			}
			seen[r.ID] = true
			if (len(r.Tests) == 0) == (r.Why == "") {
				t.Errorf("%s has neither tests nor a reason, or both", r.ID)
			}
			for _, name := range r.Tests {
				if all[name] == "" {
					t.Errorf("%s: there is no test %s", r.ID, name)
				}
			}
		}
	}
	if len(seen) != 46+9+22+20+7 {
		t.Errorf("%d rules are in the lists", len(seen))
	}
}
