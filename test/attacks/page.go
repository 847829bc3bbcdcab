package attacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/core/check"
)

// Page is the table as a page of the handbook. What stops an attack is what
// the catalogue of checks says of itself; drills are the names of those drills
// that try an attack, by its id.
func Page(drills map[string][]string) string {
	stops := map[string][]string{}
	for _, c := range check.Catalogue() {
		for _, id := range c.Stops {
			if entry := "`" + c.ID + "`"; !slices.Contains(stops[id], entry) {
				stops[id] = append(stops[id], entry)
			}
		}
	}
	var b strings.Builder
	b.WriteString("# Attacks\n\nWhat broke others in this field, and what stops it here: the named check that refuses it, the tests that try it, and\n" +
		"the drill that tries it against a running server (`doorward drill --only NAME`). A test can be found by an attack's id:\n" +
		"`grep -rn SES-04 --include=*_test.go .`. `go test ./internal/app -run Catalogue -update` writes this page anew.\n")
	for _, s := range Table {
		fmt.Fprintf(&b, "\n## %s\n\n| id | what is tried | stopped by | tests | drill |\n|---|---|---|---|---|\n", s.Name)
		for _, r := range s.Rows {
			tests := r.Later
			if len(r.Tests) > 0 {
				tests = "`" + strings.Join(r.Tests, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.ID, r.Tries, strings.Join(stops[r.ID], ", "), tests, strings.Join(drills[r.ID], ", "))
		}
	}
	return b.String()
}
