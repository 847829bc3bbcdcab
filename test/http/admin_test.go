package http_test

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// An administrator is one elsewhere too: by a token of the built-in client, for
// as long as they have the role, and with a proof of the last minutes for what
// they change (SES-15, TEN-15).
func TestAdministratorsOverTheNetwork(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana, ben := s.User("ana"), s.User("ben")
		s.App("notes", "https://notes.example.com", "notes-api")
		s.CLI("", "users", "set-admin", ana.Email)
		access := func(b *rig.Browser) string {
			t.Helper()
			var got tokens
			b.Refresh().Into(t, &got)
			return got.AccessToken
		}
		call := func(token, method, path string, body any) rig.Answer {
			t.Helper()
			b := s.Browser()
			return b.Try(method, path, body, "Authorization", token)
		}
		refused := func(what string, a rig.Answer, status int, check, challenge string) {
			t.Helper()
			if r := a.Refusal(t); a.Status != status || r.Check != check || !strings.Contains(a.Header.Get("WWW-Authenticate"), challenge) {
				t.Errorf("%s: %d %s, challenge %q; want %d, %s, %q", what, a.Status, a.Body, a.Header.Get("WWW-Authenticate"), status, check, challenge)
			}
		}
		admin, other := s.SignIn(ana), s.SignIn(ben)
		token := "Bearer " + access(admin)

		refused("nobody", call("", "GET", "/api/v1/users", nil), 401, "token.form", "Bearer")
		refused("by cookie alone", admin.Try("GET", "/api/v1/users", nil), 401, "token.form", "Bearer")
		refused("a change by cookie alone", admin.Try("POST", "/api/v1/users/"+ben.Email+"/pause", nil), 401, "token.form", "Bearer")
		refused("no administrator", call("Bearer "+access(other), "GET", "/api/v1/users", nil), 403, "admin.role", "")
		app := s.SignInAt(ana, "https://notes.example.com")
		refused("another application of the administrator's", call("Bearer "+access(app), "GET", "/api/v1/users", nil), 403, "admin.client", "insufficient_scope")
		refused("what is for the host", call(token, "POST", "/api/v1/keys/rotate-kek", map[string]any{}), 404, "request.path", "")
		refused("hashes of passwords", call(token, "GET", "/api/v1/users/export?hashes=true", nil), 403, "export.on_host", "")
		refused("an unknown address", call(token, "GET", "/api/v1/nothing", nil), 404, "request.path", "")
		call("", "GET", "/api/v1/openapi.json", nil).Want(t, 200)

		call(token, "GET", "/api/v1/users", nil).Want(t, 200)
		call(token, "POST", "/api/v1/users", map[string]any{"email": "eva@example.com"}).Want(t, 201)
		if r := s.CLI("", "audit", "exchange:user.create user:eva@example.com", "--json"); !strings.Contains(r.Stdout, `"actor":"`+ana.ID+`"`) || !strings.Contains(r.Stdout, `"ip":"127.0.0.1"`) {
			t.Errorf("the ledger does not say who made the change: %s", r.Stdout)
		}
		if r := s.CLI("", "audit", "user:"+ben.Email+" check:admin.role", "--json"); strings.Count(r.Stdout, `"exchange":"admin.present"`) != 1 {
			t.Errorf("the ledger does not say who tried: %s", r.Stdout)
		}

		s.Clock("+11m")
		token = "Bearer " + access(admin)
		call(token, "GET", "/api/v1/users", nil).Want(t, 200)
		a := call(token, "POST", "/api/v1/users/"+ben.Email+"/pause", nil)
		refused("a change with an old proof", a, 401, "session.fresh", `error="insufficient_user_authentication", max_age=600`)
		s.Clock("+28m") // 17 minutes without use
		token = "Bearer " + access(admin)
		refused("after a long pause", call(token, "GET", "/api/v1/users", nil), 401, "admin.recent", `error="insufficient_user_authentication", max_age=900`)

		admin = s.SignIn(ana)
		token = "Bearer " + access(admin)
		call(token, "POST", "/api/v1/users/"+ben.Email+"/pause", nil).Want(t, 200)
		refused("the last administrator", call(token, "POST", "/api/v1/users/"+ana.Email+"/unset-admin", nil), 409, "admin.not_last", "")
		s.CLI("", "users", "set-admin", "eva@example.com")
		s.CLI("", "users", "unset-admin", ana.Email)
		refused("at once after the role was taken away", call(token, "GET", "/api/v1/users", nil), 403, "admin.role", "")
	})
}
