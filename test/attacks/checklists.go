package attacks

import (
	"fmt"
	"strings"
)

// A Rule is one row of a checklist: what must hold, where that comes from, and
// the tests that show it. A rule without tests says why there are none.
type Rule struct {
	ID     string
	Says   string
	Source string
	Tests  []string // as those of a Row
	Why    string
}

// A Checklist is the rules of one part of the server.
type Checklist struct {
	Name  string
	Rules []Rule
}

// Checklists are those of OAuth, FAPI, signed tokens, OpenID Connect, devices
// and machines.
var Checklists = []Checklist{authorizationServer, fapi, signedTokens, openID, devices}

// Rules are the checklists as a page of the handbook.
func Rules() string {
	var b strings.Builder
	b.WriteString("# Checklists\n\nWhat the standards ask of a server like this one, row by row, and the test that shows it here or the reason why there is\n" +
		"none. `go test ./internal/app -run Catalogue -update` writes this page anew.\n")
	for _, list := range Checklists {
		fmt.Fprintf(&b, "\n## %s\n\n| id | what holds | source | shown by |\n|---|---|---|---|\n", list.Name)
		for _, r := range list.Rules {
			shown := r.Why
			if len(r.Tests) > 0 {
				shown = "`" + strings.Join(r.Tests, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.ID, r.Says, r.Source, shown)
		}
	}
	return b.String()
}
