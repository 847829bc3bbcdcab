package cli_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

// The life of an application as an operator leads it: made, looked at, given
// its next secret, changed, paused, deleted. Attacks OAU-12, OAU-25, OAU-35.
func TestTheLifeOfAnApplication(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		run := func(code int, args ...string) map[string]any {
			t.Helper()
			return want(t, code, s.CLI("", append(args, "--json")...), append(args, "--json")...)
		}
		made := run(0, "clients", "create", "--name", "Crawler", "--type", "machine", "--scope", "notes:read", "--resource", "notes-api", "--revocation", "strict", "--token-format", "opaque")
		id, first := made["client_id"].(string), made["client_secret"].(string)
		form := func(path, secret string, more ...string) rig.Answer {
			t.Helper()
			f := url.Values{"client_id": {id}, "client_secret": {secret}}
			for i := 0; i < len(more); i += 2 {
				f.Set(more[i], more[i+1])
			}
			program := s.Browser()
			program.Origin = ""
			return program.Try("POST", path, f.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		}
		token := func(secret string) (string, int) {
			t.Helper()
			var out struct {
				Access string `json:"access_token"`
			}
			a := form("/oauth/token", secret, "grant_type", "client_credentials")
			if a.Status == http.StatusOK {
				a.Into(t, &out)
			}
			return out.Access, a.Status
		}
		active := func(text, secret string) bool {
			t.Helper()
			var out struct {
				Active bool `json:"active"`
			}
			form("/oauth/introspect", secret, "token", text).Want(t, http.StatusOK).Into(t, &out)
			return out.Active
		}
		show := run(0, "clients", "show", id)
		if show["client_secret"] != nil || show["doorward_state"] != "active" || show["doorward_revocation"] != "strict" {
			t.Errorf("it is shown as %v", show)
		}
		next := run(0, "clients", "rotate-secret", id, "--overlap", "24h")["client_secret"].(string)
		for _, secret := range []string{first, next} {
			if text, status := token(secret); status != http.StatusOK || !active(text, secret) {
				t.Errorf("a live secret: %d", status)
			}
		}
		// When each was last used is written behind the requests.
		used := func() bool {
			secrets, _ := run(0, "clients", "show", id)["doorward_secrets"].([]any)
			return len(secrets) == 2 && secrets[0].(map[string]any)["used"] != nil && secrets[1].(map[string]any)["used"] != nil
		}
		for deadline := time.Now().Add(15 * time.Second); !used(); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("nobody notes when a secret was used")
			}
		}
		if r := s.CLI("", "clients", "rotate-secret", id); r.Code != 5 || !strings.Contains(r.Stderr, "client.one_secret") {
			t.Errorf("a third secret: %+v", r)
		}
		run(0, "clients", "retire-secret", id)
		if _, status := token(first); status != http.StatusUnauthorized {
			t.Errorf("the former secret: %d", status)
		}
		held, _ := token(next)
		run(0, "clients", "edit", id, "--name", "Crawler 2")
		if !active(held, next) {
			t.Error("a new name ended a token")
		}
		if out := run(0, "clients", "edit", id, "--scope", "notes:list"); out["doorward_ended"] != "access_tokens" || out["scope"] != "notes:list" || out["client_name"] != "Crawler 2" {
			t.Errorf("edit says %v", out)
		}
		if active(held, next) {
			t.Error("a token has a scope that was taken away")
		}
		if r := s.CLI("", "clients", "edit", id); r.Code != 2 {
			t.Errorf("an edit of nothing: %+v", r)
		}
		if r := s.CLI("", "clients", "edit", "doorward", "--name", "x"); r.Code != 5 || !strings.Contains(r.Stderr, "client.own") {
			t.Errorf("an edit of the server's own: %+v", r)
		}
		if out := run(0, "clients", "test", id); out["link"] != nil {
			t.Errorf("a machine is signed in to: %v", out)
		}
		run(0, "clients", "create", "--name", "Old", "--type", "web", "--redirect", "https://old.example.net/cb", "--scope", "openid", "--pkce", "optional", "--revocation", "stateless")
		broken := run(0, "clients", "create", "--name", "New", "--type", "spa", "--scope", "openid")["client_id"].(string)
		if r := s.CLI("", "clients", "test", broken); r.Code != 1 || !strings.Contains(r.Stdout, "✕ redirect") || !strings.Contains(r.Stdout, "doorward clients edit "+broken+" --redirect") {
			t.Errorf("an application that nobody comes back to: %+v", r)
		}
		run(0, "clients", "edit", broken, "--redirect", "https://new.example.net/cb")
		if out := run(0, "clients", "edit", broken, "--add-redirect", "https://new.example.net/cb2", "--add-redirect", "https://new.example.net/cb"); fmt.Sprint(out["redirect_uris"]) != "[https://new.example.net/cb https://new.example.net/cb2]" {
			t.Errorf("one address more: %v", out["redirect_uris"])
		}
		link, _ := run(0, "clients", "test", broken)["link"].(string)
		if u, err := url.Parse(link); err != nil || s.Browser().Try("GET", strings.TrimPrefix(link, s.URL), nil).Status >= 400 || u.Query().Get("code_challenge_method") != "S256" {
			t.Errorf("the link to try is %q", link)
		}
		if r := s.CLI("", "doctor"); !strings.Contains(r.Stdout, "may ask for a code without a challenge") || !strings.Contains(r.Stdout, "are good until they expire") {
			t.Errorf("the doctor does not name what is weak: %s", r.Stdout)
		}
		keys := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(keys, []byte("keys"), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := s.CLI("", "clients", "edit", id, "--jwks", keys); r.Code != 2 {
			t.Errorf("keys that are none: %+v", r)
		}

		held, _ = token(next)
		if out := run(0, "clients", "pause", id); out["doorward_state"] != "paused" {
			t.Errorf("pause says %v", out)
		}
		if a := form("/oauth/introspect", next, "token", held); a.Status != http.StatusBadRequest && a.Status != http.StatusForbidden {
			t.Errorf("a paused application: %d %s", a.Status, a.Body)
		}
		run(0, "clients", "resume", id)
		if active(held, next) {
			t.Error("what the pause ended lives again")
		}
		held, _ = token(next)
		if r := s.CLI("", "clients", "delete", id); r.Code != 2 {
			t.Errorf("a deletion that nobody confirmed: %+v", r)
		}
		run(0, "clients", "delete", id, "--yes")
		if _, status := token(next); status != http.StatusUnauthorized {
			t.Errorf("a deleted application: %d", status)
		}
		run(1, "clients", "show", id)
		file := filepath.Join(t.TempDir(), "app.json")
		if err := os.WriteFile(file, []byte(`{"client_id":"`+id+`","client_name":"Another","doorward_type":"machine"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := s.CLI("", "clients", "create", "--metadata", file); r.Code != 5 || !strings.Contains(r.Stderr, "client.free") {
			t.Errorf("its id again: %+v", r)
		}
		if list := s.CLI("", "clients", "list"); strings.Contains(list.Stdout, id) {
			t.Errorf("it is listed: %s", list.Stdout)
		}
	})
}

// An application that proves itself by a certificate, as an operator makes it.
func TestTheCertificateOfAnApplication(t *testing.T) {
	s := rig.Start(t, rig.SQLite)
	run := func(code int, args ...string) map[string]any {
		t.Helper()
		return want(t, code, s.CLI("", append(args, "--json")...), append(args, "--json")...)
	}
	made := run(0, "clients", "create", "--name", "Report", "--type", "machine", "--auth", "tls_client_auth", "--tls-subject-dn", "CN=report,O=Example", "--certificate-bound")
	if made["client_secret"] != nil || made["tls_client_auth_subject_dn"] != "CN=report,O=Example" || made["tls_client_certificate_bound_access_tokens"] != true {
		t.Errorf("made %v", made)
	}
	id := made["client_id"].(string)
	if r := s.CLI("", "clients", "show", id); !strings.Contains(r.Stdout, "CN=report,O=Example") || !strings.Contains(r.Stdout, "bound to its certificate") {
		t.Errorf("shown as %s", r.Stdout)
	}
	changed := run(0, "clients", "edit", id, "--tls-subject-dn", "", "--tls-san-uri", "spiffe://example.org/report")
	if changed["tls_client_auth_subject_dn"] != nil || changed["tls_client_auth_san_uri"] != "spiffe://example.org/report" {
		t.Errorf("changed to %v", changed)
	}
	for _, names := range [][]string{nil, {"--tls-subject-dn", "report"}, {"--tls-subject-dn", "CN=report", "--tls-san-ip", "192.0.2.7"}} {
		if r := s.CLI("", append([]string{"clients", "create", "--name", "Report", "--type", "machine", "--auth", "tls_client_auth"}, names...)...); r.Code == 0 || !strings.Contains(r.Stderr, "tls_client_auth_subject_dn") {
			t.Errorf("%q: %d %s", names, r.Code, r.Stderr)
		}
	}
}
