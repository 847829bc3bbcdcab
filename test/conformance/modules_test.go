package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/doorward/doorward/test/index"
)

// plans are the certification plans that the table must hold, and how many
// modules each has at least: a plan cut short is noticed.
var plans = map[string]int{
	"oidcc-basic-certification-test-plan": 38, "oidcc-config-certification-test-plan": 1, "oidcc-dynamic-certification-test-plan": 23,
	"oidcc-formpost-basic-certification-test-plan": 38, "oidcc-rp-initiated-logout-certification-test-plan": 11,
	"oidcc-backchannel-rp-initiated-logout-certification-test-plan": 2, "fapi2-security-profile-final-test-plan": 60, "fapi2-message-signing-final-test-plan": 15,
}

// Each module of each plan has tests of ours that exist, or a sentence that
// says why there are none.
func TestEveryModuleIsCoveredOrSaysWhyNot(t *testing.T) {
	text, err := os.ReadFile("modules.toml")
	if err != nil {
		t.Fatal(err)
	}
	var table map[string]map[string]any
	if err := toml.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	all, err := index.Tests(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for plan, modules := range table {
		if _, known := plans[plan]; !known {
			t.Errorf("%s is no plan", plan)
		}
		for module, by := range modules {
			switch by := by.(type) {
			case string:
				if !strings.HasSuffix(by, ".") || len(by) < 20 {
					t.Errorf("%s: %q is no reason", module, by)
				}
			case []any:
				for _, name := range by {
					if name, ok := name.(string); !ok || all[name] == "" {
						t.Errorf("%s: there is no test %v", module, name)
					}
				}
				if len(by) == 0 {
					t.Errorf("%s is covered by nothing", module)
				}
			default:
				t.Errorf("%s is %v: neither tests nor a reason", module, by)
			}
		}
	}
	for plan, least := range plans {
		if len(table[plan]) < least {
			t.Errorf("%s has %d modules, not %d", plan, len(table[plan]), least)
		}
	}
}
