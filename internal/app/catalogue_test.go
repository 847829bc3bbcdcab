package app

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/drill"
	"github.com/doorward/doorward/test/attacks"
)

var update = flag.Bool("update", false, "write the handbook's pages of checks, proofs and attacks anew")

// pages are those pages of the handbook that are made from what the program
// judges by.
var pages = map[string]func() string{
	"../../docs/checks.md":     Catalogue,
	"../../docs/policy.md":     ProofPolicy,
	"../../docs/attacks.md":    func() string { return attacks.Page(drills()) },
	"../../docs/checklists.md": attacks.Rules,
}

// drills are the names of the drills that try an attack, by its id.
func drills() map[string][]string {
	out := map[string][]string{}
	for _, a := range drill.All() {
		for _, id := range a.Of {
			out[id] = append(out[id], a.ID)
		}
	}
	return out
}

func TestCatalogueIsTheHandbooksPages(t *testing.T) {
	for page, made := range pages {
		want := made()
		if *update {
			if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(page)
		if err != nil || string(got) != want {
			t.Errorf("%s is not the catalogue; run this test with -update (%v)", page, err)
		}
	}
}

// A check that no exchange declares and no edge refuses by would be a promise
// without anybody to keep it.
func TestEveryCheckSaysWhereItComesFrom(t *testing.T) {
	for _, c := range check.Catalogue() {
		if c.Source == "" || !strings.HasSuffix(c.Says, ".") || !strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: source %q, sentence %q, title %q", c.ID, c.Source, c.Says, c.Title)
		}
		if c.Shown != "" && c.Shown != c.ID && c.Shown != "signin.failed" {
			t.Errorf("%s is shown as %s, which is no check", c.ID, c.Shown)
		}
	}
}
