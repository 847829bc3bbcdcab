package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/session"
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

// A Check is one named check, for whoever looks it up.
type Check struct {
	ID     string   `json:"id"`
	Says   string   `json:"says"`
	Title  string   `json:"title"`
	Source string   `json:"source,omitzero"`
	Shown  string   `json:"shown,omitzero"` // the id that the outside reads
	Stops  []string `json:"stops,omitempty"`
	In     []string `json:"in,omitempty"` // the exchanges that declare it
}

// Checks is the catalogue of this program.
func Checks() (out []Check) {
	for _, c := range check.Catalogue() {
		if c.Number >= testNumbers {
			continue
		}
		x := Check{ID: c.ID, Says: c.Says, Title: c.Title, Source: c.Source, Shown: c.Shown, Stops: c.Stops}
		for _, e := range check.Exchanges() {
			if e.Number < testNumbers && slices.Contains(e.Checks, c) {
				x.In = append(x.In, e.Name)
			}
		}
		out = append(out, x)
	}
	return out
}

// ProofPolicy is what each risky act asks for, as a page of the handbook: the
// same table that the exchanges judge by.
func ProofPolicy() string {
	var b strings.Builder
	b.WriteString("# What risky acts ask for\n\nA proof that is older, or of another kind, is not fresh: the person is asked again, at `/step-up`. This page is made from\n" +
		"the table that the server judges by; `go test ./internal/app -run Catalogue -update` writes it anew.\n\n| act | what it does | proved at most ago | by |\n|---|---|---|---|\n")
	for _, a := range session.Acts() {
		fmt.Fprintf(&b, "| `%s` | %s | %d minutes | %s |\n", a.Name, a.Says, int(a.Within.Minutes()), strings.Join(a.By, ", "))
	}
	b.WriteString("| `password.change` | Changing the password. | in the act itself | password |\n")
	return b.String()
}
