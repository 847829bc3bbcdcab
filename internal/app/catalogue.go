package app

import (
	"fmt"
	"strings"

	"github.com/doorward/doorward/internal/core/check"
)

// Catalogue is every exchange and every check as a page of the handbook: the
// same values that the server judges by.
func Catalogue() string {
	var b strings.Builder
	b.WriteString("# Checks\n\nEvery refusal is a check that failed. This page is made from the catalogue that the server judges by;\n`go test ./internal/app -run Catalogue -update` writes it anew.\n\n## Exchanges\n")
	for _, e := range check.Exchanges() {
		if e.Number >= testNumbers {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n", e.Name)
		for i, c := range e.Checks {
			fmt.Fprintf(&b, "%d. `%s` %s\n", i+1, c.ID, c.Says)
		}
	}
	b.WriteString("\n## Checks\n\n| check | holds when | source | shown outside as | stops |\n|---|---|---|---|---|\n")
	for _, c := range check.Catalogue() {
		if c.Number >= testNumbers {
			continue
		}
		shown := "nothing"
		if c.Shown != "" {
			shown = "`" + c.Shown + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.ID, c.Says, c.Source, shown, strings.Join(c.Stops, ", "))
	}
	return b.String()
}

// testNumbers and above belong to the checks that tests declare.
const testNumbers = 60000
