package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// What happened is found by whom, what and how it ended, sealed or not; the
// query is read strictly.
func TestTheLedgerIsAsked(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		s.User("ben")
		s.SignIn(ana)
		ref := s.Browser().Try("POST", "/session", map[string]string{"email": ana.Email, "password": "not her password"}).Refusal(t).Ref
		time.Sleep(1500 * time.Millisecond) // the sealer's second: some of it is sealed now
		s.CLI("", "users", "pause", "ben@example.com")
		for _, q := range []struct {
			words string
			n     int
			has   string
		}{
			{"user:ana@example.com", 3, "signin.password"},
			{"user:ana@example.com outcome:refused", 1, ref},
			{"check:password.fits", 1, "127.0.0.1"},
			{"exchange:user.create", 2, "host:"},
			{"exchange:user.pause", 1, "ben@example.com"},
			{"user:ben@example.com -exchange:user.create", 1, "user.pause"},
			{"before:2020-01-01", 0, "EXCHANGE"},
		} {
			args := []string{"audit", q.words}
			r := s.CLI("", append(args, "--json")...)
			var doc struct {
				Entries []map[string]any `json:"entries"`
			}
			if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || r.Code != 0 || len(doc.Entries) != q.n {
				t.Errorf("%s: exit %d, %d entries, want %d: %s %s", q.words, r.Code, len(doc.Entries), q.n, r.Stdout, r.Stderr)
			}
			if table := s.CLI("", args...); !strings.Contains(table.Stdout, q.has) {
				t.Errorf("%s: %q is not in\n%s", q.words, q.has, table.Stdout)
			}
			export := s.CLI("", "audit", "export", q.words)
			if n := strings.Count(export.Stdout, "\n"); export.Code != 0 || n != q.n {
				t.Errorf("export %s: exit %d, %d lines\n%s", q.words, export.Code, n, export.Stdout)
			}
		}
		if r := s.CLI("", "audit", "--limit", "2", "--json"); strings.Count(r.Stdout, `"exchange"`) != 2 {
			t.Errorf("--limit 2: %s", r.Stdout)
		}
		if r := s.CLI("", "audit", "colour:red"); r.Code != 1 || !strings.Contains(r.Stderr, "audit.form") {
			t.Errorf("an unknown word: exit %d %s", r.Code, r.Stderr)
		}
		if r := s.CLI("", "audit", "user:nobody@example.com"); r.Code != 1 || !strings.Contains(r.Stderr, "user.found") {
			t.Errorf("an unknown person: exit %d %s", r.Code, r.Stderr)
		}
		if r := s.CLI("", "audit", "verfy"); r.Code != 2 {
			t.Errorf("a misspelt command: exit %d %s", r.Code, r.Stderr)
		}
	})
}

// Exchanges are seen as they happen, each once, and a server that stops ends
// the watching.
func TestExchangesAreWatched(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine, rig.Env("DOORWARD_LIMITS_SCALE=1000"))
		ana := s.User("ana")
		lines := s.Watch("tail", "user:"+ana.Email, "--json")
		var seen []string
		tried := 0
		try := func() {
			s.Browser().Try("POST", "/session", map[string]string{"email": ana.Email, "password": fmt.Sprint("not her password", tried)})
			tried++
		}
		// Nobody says when it has begun to watch; from the first line on it does.
		for len(seen) == 0 {
			try()
			select {
			case line := <-lines:
				seen = append(seen, line)
			case <-time.After(100 * time.Millisecond):
			}
			if tried > 500 {
				t.Fatal("nothing is seen")
			}
		}
		for range 3 {
			try()
			seen = append(seen, <-lines)
		}
		s.Stop()
		for line := range lines {
			seen = append(seen, line)
		}
		once := map[string]bool{}
		for _, line := range seen {
			if !strings.Contains(line, `"exchange":"signin.password"`) || once[line] {
				t.Errorf("seen twice, or not asked for: %s", line)
			}
			once[line] = true
		}
		if len(seen) < 4 || len(seen) > tried {
			t.Errorf("%d of %d were seen", len(seen), tried)
		}
		s.Run()
	})
}

func TestChecksAreLookedUp(t *testing.T) {
	s := rig.New(t, rig.SQLite)
	r := s.CLI("", "checks", "refresh.unspent")
	if r.Code != 0 || !strings.Contains(r.Stdout, "OAU-10") || !strings.Contains(r.Stdout, "refresh") {
		t.Errorf("exit %d %s", r.Code, r.Stdout)
	}
	if r := s.CLI("", "checks", "--json"); r.Code != 0 || strings.Count(r.Stdout, `"id"`) < 50 || strings.Contains(r.Stdout, "test.") {
		t.Errorf("exit %d %.300s", r.Code, r.Stdout)
	}
	if r := s.CLI("", "checks", "user.lucky"); r.Code != 1 {
		t.Errorf("an unknown one: exit %d", r.Code)
	}
}
