package app

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/check"
)

var update = flag.Bool("update", false, "write docs/checks.md anew")

const page = "../../docs/checks.md"

func TestCatalogueIsTheHandbooksPage(t *testing.T) {
	want := Catalogue()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/checks.md is not the catalogue; run this test with -update (%v)", err)
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
