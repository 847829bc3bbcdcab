package cli_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/doorward/doorward/test/rig"
)

func refused(t *testing.T, a rig.Answer, status int) (check, ref string) {
	t.Helper()
	a.Want(t, status)
	r := a.Refusal(t)
	return r.Check, r.Ref
}

// IDN-10, SES-11: a paused person is out of everything at once, and stays out
// of what the pause ended after they are let in again.
// Attack OAU-12.
func TestPauseEndsEverything(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		b := s.SignIn(ana)
		access := b.Access
		if out := want(t, 0, s.CLI("", "users", "pause", ana.Email, "--json"), "users", "pause", "--json"); out["state"] != "paused" {
			t.Errorf("the person paused is %v", out)
		}
		refused(t, s.Bearer("GET", "/session", access), http.StatusUnauthorized)
		refused(t, b.Do("GET", "/session", nil), http.StatusUnauthorized)
		if check, _ := refused(t, b.Do("POST", "/session/refresh", nil), http.StatusUnauthorized); check != "refresh.alive" {
			t.Errorf("the refresh was refused by %s", check)
		}
		if check, _ := refused(t, s.Browser().Do("POST", "/session", rig.Credentials(ana)), http.StatusForbidden); check != "user.active" {
			t.Errorf("the sign-in was refused by %s", check)
		}
		if out := want(t, 0, s.CLI("", "users", "restore", ana.ID, "--json"), "users", "restore", "--json"); out["state"] != "active" {
			t.Errorf("the person let in is %v", out)
		}
		refused(t, s.Bearer("GET", "/session", access), http.StatusUnauthorized)
		s.SignIn(ana).Do("GET", "/session", nil).Want(t, http.StatusOK)
		want(t, 1, s.CLI("", "users", "show", "nobody@example.com"), "users", "show")
	})
}

// The reference on a refusal leads the operator to the check that failed,
// which the outside was not told.
func TestExplainKnowsWhatTheOutsideWasNotTold(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		check, ref := refused(t, s.Browser().Do("POST", "/session", map[string]string{"email": ana.Email, "password": "not hers, whatever it is"}), http.StatusUnauthorized)
		if check != "signin.failed" {
			t.Errorf("the outside was told %s", check)
		}
		out := want(t, 0, s.CLI("", "explain", ref, "--json"), "explain", "--json")
		checks, _ := out["checks"].([]any)
		last, _ := checks[len(checks)-1].(map[string]any)
		if out["user"] != ana.ID || out["outcome"] != "refused" || last["id"] != "password.fits" || last["ok"] != false {
			t.Errorf("explain says %v", out)
		}
		if text := s.CLI("", "explain", ref); !strings.Contains(text.Stdout, "✕ password.fits") {
			t.Errorf("for people it says\n%s", text.Stdout)
		}
		want(t, 1, s.CLI("", "explain", "2222-22"), "explain")
	})
}

// A changed ledger shows itself.
func TestAuditVerifyFindsAChange(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		s.SignIn(s.User("ana"))
		s.Restart() // what was open is sealed at the end
		out := want(t, 0, s.CLI("", "audit", "verify", "--json"), "audit", "verify", "--json")
		if chains := out["chains"].([]any); len(chains) != 2 || out["ok"] != true || chains[0].(map[string]any)["entries"].(float64) < 2 {
			t.Fatalf("audit verify says %v", out)
		}
		driver, source := "pgx", s.Direct
		if engine == rig.SQLite {
			driver, source = "sqlite", strings.TrimPrefix(s.Direct, "sqlite://")
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), `update ledger_segments set count = count + 1 where chain = 1 and number = 1`); err != nil {
			t.Fatal(err)
		}
		if out := want(t, 1, s.CLI("", "audit", "verify", "--json"), "audit", "verify", "--json"); out["ok"] != false {
			t.Errorf("a changed ledger verifies: %v", out)
		}
	})
}
