package cli_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// Attacks SES-11, OAU-12 and IDN-10: an account that an operator deletes is out
// of everything at once, nothing brings it back, and its address is free.
func TestDeleteEndsEverything(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		b := s.SignIn(ana)
		access := b.Access
		if r := s.CLI("", "users", "delete", ana.Email); r.Code != 2 || !strings.Contains(r.Stderr, "--yes") {
			t.Errorf("without anybody to ask it ended with %d: %s", r.Code, r.Stderr)
		}
		s.Bearer("GET", "/session", access).Want(t, http.StatusOK)
		out := want(t, 0, s.CLI("", "users", "delete", ana.Email, "--yes", "--json"), "users", "delete", "--json")
		if out["state"] != "deleted" || out["id"] != ana.ID || out["email"] != "" || out["delete_at"] != nil {
			t.Errorf("what is left is %v", out)
		}
		refused(t, s.Bearer("GET", "/session", access), http.StatusUnauthorized)
		refused(t, b.Do("GET", "/session", nil), http.StatusUnauthorized)
		refused(t, b.Do("POST", "/session/refresh", nil), http.StatusUnauthorized)
		if check, _ := refused(t, s.Browser().Do("POST", "/session", rig.Credentials(ana)), http.StatusUnauthorized); check != "signin.failed" {
			t.Errorf("the sign-in was refused by %s", check)
		}
		want(t, 1, s.CLI("", "users", "show", ana.Email), "users", "show")
		if out := want(t, 0, s.CLI("", "users", "show", ana.ID, "--json"), "users", "show", "--json"); out["state"] != "deleted" {
			t.Errorf("the id shows %v", out)
		}
		if r := s.CLI("", "users", "list"); r.Code != 0 || strings.Contains(r.Stdout, ana.ID) || strings.Contains(r.Stdout, ana.Email) {
			t.Errorf("the list says %s", r.Stdout)
		}
		for _, act := range []string{"pause", "restore", "set-admin", "unset-admin", "recover"} {
			want(t, 1, s.CLI("", "users", act, ana.ID), "users", act)
		}
		want(t, 1, s.CLI("", "users", "delete", ana.ID, "--yes"), "users", "delete")
		if again := s.User("ana"); again.Email != ana.Email || again.ID == ana.ID {
			t.Errorf("the address went to %+v", again)
		}
		if r := s.CLI("", "audit", "user:"+ana.ID); !strings.Contains(r.Stdout, "user.delete") {
			t.Errorf("the ledger says %s%s", r.Stdout, r.Stderr)
		}
		want(t, 0, s.CLI("", "audit", "verify"), "audit", "verify")

		boss := s.User("boss")
		want(t, 0, s.CLI("", "users", "set-admin", boss.ID), "users", "set-admin")
		r := s.CLI("", "users", "delete", boss.Email, "--yes")
		if r.Code != 5 || !strings.Contains(r.Stderr, "last administrator") {
			t.Errorf("the last administrator: %d %s", r.Code, r.Stderr)
		}
		s.SignIn(boss).Do("GET", "/session", nil).Want(t, http.StatusOK)
	})
}
