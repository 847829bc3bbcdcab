package cli_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// A token in an operator's hand, whichever its format: what it says, whether
// it counts and why not, and its end. The rig holds that none of them is
// repeated anywhere. Attacks OAU-35, SES-08, JWT-11.
func TestTokensInAnOperatorsHand(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		run := func(code int, stdin string, args ...string) map[string]any {
			t.Helper()
			return want(t, code, s.CLI(stdin, args...), args...)
		}
		const origin = "https://vault.example.com"
		ana := s.User("ana")
		want(t, 0, s.CLI("", "clients", "create", "--name", "Vault", "--type", "spa", "--first-party", "--origin", origin, "--resource", "vault-api", "--token-format", "opaque", "--json"), "--json")
		api := s.API("vault-reader", "vault-api")
		b, jwt := s.SignInAt(ana, origin), s.SignIn(ana)
		if !strings.HasPrefix(b.Access, "dw_at_") || strings.HasPrefix(jwt.Access, "dw_") {
			t.Fatalf("%.8s and %.8s", b.Access, jwt.Access)
		}
		active := func(want bool, text string) {
			t.Helper()
			form := url.Values{"token": {text}, "client_id": {api.ID}, "client_secret": {api.Secret}}
			program := s.Browser()
			program.Origin = ""
			var out struct {
				Active bool   `json:"active"`
				Sub    string `json:"sub"`
			}
			program.Do("POST", "/oauth/introspect", form.Encode(), "Content-Type", "application/x-www-form-urlencoded").Want(t, http.StatusOK).Into(t, &out)
			if out.Active != want || want && out.Sub != ana.ID {
				t.Errorf("introspection says %+v", out)
			}
		}
		active(true, b.Access)
		s.Bearer("GET", "/session", b.Access).Want(t, http.StatusOK)
		for _, cut := range []int{7, 80, len(b.Access) - 1} {
			if check, _ := refused(t, s.Bearer("GET", "/session", b.Access[:cut]), http.StatusUnauthorized); check != "token.form" {
				t.Errorf("cut at %d it was refused by %s", cut, check)
			}
		}

		for text, kind := range map[string]string{b.Access: "opaque", jwt.Access: "jwt"} {
			if out := run(0, text, "tokens", "inspect", "--json"); out["verified"] != false || out["kind"] != kind {
				t.Errorf("inspect says %v", out)
			}
			out := run(0, text+"\n", "tokens", "verify", "--json")
			if claims, _ := out["claims"].(map[string]any); out["verdict"] != "good" || out["kind"] != kind || claims["sub"] != ana.ID || out["email"] != ana.Email {
				t.Errorf("verify says %v", out)
			}
		}
		if out := run(1, b.Access, "tokens", "verify", "--audience", "films-api", "--json"); out["check"] != "token.audience" {
			t.Errorf("verify for another API says %v", out)
		}
		if r := s.CLI("", "tokens", "verify", b.Session); r.Code != 2 {
			t.Errorf("what stands on the command line: %+v", r)
		}
		if r := s.CLI(b.Access[:60], "tokens", "verify"); r.Code != 1 || !strings.HasPrefix(r.Stdout, "UNVERIFIED") || !strings.Contains(r.Stdout, "✕ token.form") {
			t.Errorf("a cut token: %+v", r)
		}

		if out := run(0, b.Access, "tokens", "revoke", "--json"); out["kind"] != "opaque" || out["session"] != b.Session || out["already"] != false {
			t.Errorf("revoke says %v", out)
		}
		active(false, b.Access)
		if check, _ := refused(t, s.Bearer("GET", "/session", b.Access), http.StatusUnauthorized); check != "token.alive" {
			t.Errorf("it was refused by %s", check)
		}
		if r := s.CLI(b.Access, "explain"); r.Code != 0 || !strings.Contains(r.Stdout, "REFUSED  token.alive") || !strings.Contains(r.Stdout, "this token was revoked") ||
			!strings.Contains(r.Stdout, "doorward sessions show "+b.Session) {
			t.Errorf("explain says %+v", r)
		}
		b.Do("GET", "/session", nil).Want(t, http.StatusOK)
		s.Bearer("GET", "/session", jwt.Access).Want(t, http.StatusOK)
		run(1, "junk", "tokens", "revoke")

		if out := run(0, "", "explain", b.Session, "--json"); out["kind"] != "session" || out["verdict"] != "good" || out["user"] != ana.ID {
			t.Errorf("the session is explained as %v", out)
		}
		if out := run(0, "", "sessions", "end", "net:127.0.0.0/8 -client:vault-reader method:password", "--yes", "--json"); out["ended"] != 2.0 {
			t.Errorf("ending says %v", out)
		}
		b.Do("GET", "/session", nil).Want(t, http.StatusUnauthorized)
		out := run(0, "", "explain", b.Session, "--json")
		if why, _ := out["why"].(string); out["verdict"] != "refused" || out["check"] != "session.alive" || !strings.Contains(why, "by_operator") {
			t.Errorf("the ended session is explained as %v", out)
		}
		if seen, _ := out["seen"].(map[string]any); seen["exchange"] != "sessions.end_part" {
			t.Errorf("it was last seen in %v", seen)
		}
		// Whoever is looked at can read of it.
		if story := s.CLI("", "sessions", "show", b.Session, "--json"); strings.Count(story.Stdout, `"person.explained"`) < 3 {
			t.Errorf("the story does not tell who looked: %s", story.Stdout)
		}
		jobs := run(0, "", "jobs", "list", "--json")["jobs"].([]any)
		if one := jobs[0].(map[string]any); len(jobs) != 1 || one["state"] != "done" || one["did"] != 2.0 || one["by"] != "host:0" {
			t.Errorf("the jobs are %v", jobs)
		}
		run(1, "", "explain", "ses_00000000000000000000000000")
		run(1, "", "jobs", "stop", "job_00000000000000000000000000")
		again := s.SignIn(ana)
		if out := run(0, "", "users", "end-tokens", ana.Email, "--yes", "--json"); out["ended"] != 1.0 {
			t.Errorf("end-tokens says %v", out)
		}
		again.Do("GET", "/session", nil).Want(t, http.StatusUnauthorized)
	})
}
