package app

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// nobodys are the exchanges that concern no person: their names begin so.
var nobodys = []string{"client.", "revocations.", "return.", "session.present", "token.present", "key.", "keys.", "job.", "setup.offer", "user.invite", "users.export", "admin.present", "scope.", "details.", "federation."}

// People read every exchange that concerns them in a sentence of the
// catalogue, and the catalogue has no sentence for what does not exist. A new
// exchange brings its two: internal/edge/web/ui/messages/en.toml, did and
// refused.
func TestEveryExchangeOfAPersonHasItsSentences(t *testing.T) {
	exists := map[string]bool{}
	for _, e := range check.Exchanges() {
		mine := true
		for _, prefix := range nobodys {
			mine = mine && !strings.HasPrefix(e.Name, prefix)
		}
		if !mine {
			continue
		}
		for _, id := range web.Sentences(e) {
			exists[id] = true
			if !ui.Knows(id) {
				t.Errorf("people have no words for %q: add %q to the messages", e.Name, id)
			}
		}
	}
	for _, id := range ui.Known("did.", "refused.") {
		if !exists[id] {
			t.Errorf("message %q is of no exchange", id)
		}
	}
}
