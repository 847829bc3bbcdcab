package manage

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
)

func TestQueriesOfTheLedger(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	user := identity.NewUserID(now, [16]byte{9})
	e := ledger.Entry{At: now, Exchange: pauseUser, Number: pauseUser.Number, Refused: true, User: user, Client: "notes", Steps: []check.Step{{Check: identity.Found}}}
	for text, want := range map[string]bool{
		"": true, "outcome:refused": true, "outcome:passed": false, "-outcome:passed": true, "exchange:user.pause": true, "-exchange:user.pause": false,
		"exchange:user.restore": false, "check:user.found": true, "check:user.active": false, "client:notes": true, "-client:notes": false,
		"user:" + user.String(): true, "since:2026-11-22": true, "since:2026-11-22T09:00:00Z": true, "since:2026-11-22T09:00:00.000001Z": false,
		"before:2026-11-22T09:00:00Z": false, "before:2026-11-23": true, "outcome:refused client:notes since:2026-11-01 -exchange:user.restore -exchange:user.create": true,
	} {
		q, ok := parseAudit(text)
		if !ok {
			t.Errorf("%q is refused", text)
		} else if q.selects(e) != want {
			t.Errorf("%q selects the entry: %v", text, !want)
		}
	}
	for _, text := range []string{
		"user", "user:", "ana@example.com", "outcome:maybe", "exchange:user.vanish", "check:user.lucky", "session:x", "since:yesterday", "-since:2026-11-01",
		"outcome:passed outcome:refused", "state:live", "client:a/b", "since:2026-11-01 since:2026-11-02", "-user:", "--user:a",
	} {
		if _, ok := parseAudit(text); ok {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzParseAudit(f *testing.F) {
	f.Add("user:ana@example.com -client:notes since:2026-11-01 outcome:refused")
	f.Fuzz(func(t *testing.T, text string) {
		q, ok := parseAudit(text)
		if !ok && len(q.words) > 0 {
			t.Error("a query that was refused has words")
		}
		if len(q.words) > wordsAtMost {
			t.Error("more words than there may be")
		}
		q.selects(ledger.Entry{})
	})
}
