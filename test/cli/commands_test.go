package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// want expects an exit code and, under --json, exactly one document on stdout.
func want(t *testing.T, code int, r rig.Result, what ...string) map[string]any {
	t.Helper()
	if r.Code != code {
		t.Errorf("doorward %s ended with %d, want %d:\n%s%s", strings.Join(what, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	if !slices.Contains(what, "--json") {
		return nil
	}
	if strings.HasPrefix(r.Stdout, "[") {
		var list []map[string]any
		if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
			t.Errorf("doorward %s: stdout is no document: %v\n%s", strings.Join(what, " "), err, r.Stdout)
		}
		return map[string]any{"list": list}
	}
	document, err := r.Document()
	if err != nil {
		t.Errorf("doorward %s: stdout is no document: %v\n%s", strings.Join(what, " "), err, r.Stdout)
	}
	return document
}

func TestEveryCommandTellsOneDocument(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		run := func(code int, stdin string, args ...string) map[string]any {
			t.Helper()
			return want(t, code, s.CLI(stdin, args...), args...)
		}
		ana := run(0, "four lamps on a hill\n", "users", "create", "--email", "Ana@Example.com", "--name", "Ana Ruiz", "--verified", "--password-stdin", "--json")
		if id, _ := ana["id"].(string); !strings.HasPrefix(id, "user_") || ana["email"] != "Ana@Example.com" || ana["name"] != "Ana Ruiz" || ana["verified"] != true || ana["state"] != "active" {
			t.Errorf("the person made is %v", ana)
		}
		if users := run(0, "", "users", "list", "--json")["users"].([]any); len(users) != 1 {
			t.Errorf("the people are %v", users)
		}
		web := run(0, "", "clients", "create", "--name", "Notes", "--type", "web", "--redirect", "https://notes.example.com/callback", "--scope", "openid", "--json")
		if web["client_id"] == "" || !strings.HasPrefix(web["client_secret"].(string), "dw_cs_") {
			t.Errorf("the application made is %v", web)
		}
		spa := run(0, "", "clients", "create", "--name", "Page", "--type", "spa", "--first-party", "--origin", "https://page.example.com", "--json")
		if _, secret := spa["client_secret"]; secret || spa["doorward_first_party"] != true {
			t.Errorf("the page made is %v", spa)
		}
		given := run(0, `{"client_id":"mine","client_secret":"a-secret-of-mine","client_name":"Mine","unknown_member":1}`, "clients", "create", "--metadata", "-", "--json")
		if given["client_id"] != "mine" || given["client_secret"] != "a-secret-of-mine" {
			t.Errorf("the application given is %v", given)
		}
		run(0, `[{"client_id":"one","client_name":"One"},{"client_id":"two","client_name":"Two"}]`, "clients", "create", "--metadata", "-", "--json")
		clients := run(0, "", "clients", "list", "--json")["clients"].([]any)
		if len(clients) != 6 { // with the server's own
			t.Errorf("there are %d applications, want 6: %v", len(clients), clients)
		}
		b := s.SignIn(rig.User{Email: "ana@example.com", Password: "four lamps on a hill"})
		other := s.SignIn(rig.User{Email: "ana@example.com", Password: "four lamps on a hill"})
		if n := len(run(0, "", "sessions", "list", "--json")["sessions"].([]any)); n != 2 {
			t.Errorf("there are %d sessions, want 2", n)
		}
		one := run(0, "", "sessions", "list", "user:ana@example.com", "state:live", "--json")["sessions"].([]any)[0].(map[string]any)
		for name, want := range map[string]any{"ip": "127.0.0.1", "method": "password", "state": "live"} {
			if one[name] != want {
				t.Errorf("the session is %v", one)
			}
		}
		if out := run(0, "", "sessions", "end", "state:live", "--dry-run", "--json"); out["matched"] != 2.0 || out["ended"] != 0.0 {
			t.Errorf("the dry run says %v", out)
		}
		if out := run(0, "", "sessions", "end", b.Session, "--yes", "--json"); out["ended"] != 1.0 {
			t.Errorf("ending one says %v", out)
		}
		b.Do("GET", "/session", nil).Want(t, 401)
		other.Do("GET", "/session", nil).Want(t, 200)
		if out := run(0, "", "sessions", "end", "user:"+ana["id"].(string), "--yes", "--json"); out["ended"] != 1.0 {
			t.Errorf("ending a person's says %v", out)
		}
		other.Do("GET", "/session", nil).Want(t, 401)
		if u := run(0, "", "users", "show", "ana@example.com", "--json"); u["id"] != ana["id"] {
			t.Errorf("the person shown is %v", u)
		}
		again := s.SignIn(rig.User{Email: "ana@example.com", Password: "four lamps on a hill"})
		if u := run(0, "", "users", "pause", ana["id"].(string), "--json"); u["state"] != "paused" {
			t.Errorf("the person paused is %v", u)
		}
		again.Do("GET", "/session", nil).Want(t, 401)
		s.Bearer("GET", "/session", again.Access).Want(t, 401)
		refused := again.Do("POST", "/session", map[string]string{"email": "ana@example.com", "password": "four lamps on a hill"}).Want(t, 403).Refusal(t)
		if e := run(0, "", "explain", refused.Ref, "--json"); e["ref"] != refused.Ref && !strings.Contains(fmt.Sprint(e), refused.Ref) {
			t.Errorf("%s is explained as %v", refused.Ref, e)
		}
		if u := run(0, "", "users", "restore", "ana@example.com", "--json"); u["state"] != "active" {
			t.Errorf("the person restored is %v", u)
		}
		again.Refresh().Want(t, 401)
		s.SignIn(rig.User{Email: "ana@example.com", Password: "four lamps on a hill"})
		if a := run(0, "", "audit", "verify", "--json"); a["ok"] != true {
			t.Errorf("the ledger says %v", a)
		}
		for _, name := range []string{"version", "go", "sqlite"} {
			if v := run(0, "", "version", "--json"); v[name] == "" {
				t.Errorf("the version says %v", v)
			}
		}
		// Without --json it is for people, and still only what was asked.
		if r := s.CLI("", "users", "list"); r.Code != 0 || !strings.Contains(r.Stdout, "Ana@Example.com") || r.Stderr != "" {
			t.Errorf("users list says %+v", r)
		}
	})
}

func TestShowTellsTheChecks(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.SignIn(s.User("ana"))
		b.Refresh().Want(t, 200)
		first := b.Cookies["doorward_refresh"]
		b.Refresh().Want(t, 200)
		b.Refresh().Want(t, 200)
		thief := s.Browser()
		thief.Cookies["doorward_refresh"] = first
		ref := thief.Refresh().Want(t, 401).Refusal(t).Ref

		var story struct {
			Session struct {
				ID, State, Why string
			} `json:"session"`
			Exchanges []struct {
				Exchange string `json:"exchange"`
				Outcome  string `json:"outcome"`
				Ref      string `json:"ref"`
				Checks   []struct {
					ID   string `json:"id"`
					OK   bool   `json:"ok"`
					Says string `json:"says"`
				} `json:"checks"`
			} `json:"exchanges"`
		}
		r := s.CLI("", "sessions", "show", b.Session, "--json")
		want(t, 0, r, "sessions", "show", "--json")
		if err := json.Unmarshal([]byte(r.Stdout), &story, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		if story.Session.ID != b.Session || story.Session.State != "ended" || story.Session.Why != "token_reuse" {
			t.Errorf("the session is %+v", story.Session)
		}
		if len(story.Exchanges) != 5 {
			t.Fatalf("there are %d exchanges, want 5: %s", len(story.Exchanges), r.Stdout)
		}
		sign, last := story.Exchanges[0], story.Exchanges[4]
		if sign.Exchange != "signin.password" || sign.Outcome != "passed" || len(sign.Checks) < 5 {
			t.Errorf("the first exchange is %+v", sign)
		}
		if last.Exchange != "refresh" || last.Outcome != "refused" || last.Ref != ref {
			t.Errorf("the last exchange is %+v, the refusal had %s", last, ref)
		}
		for _, c := range last.Checks {
			if (c.ID == "refresh.unspent") == c.OK || c.Says == "" {
				t.Errorf("the check is %+v", c)
			}
		}
		if text := s.CLI("", "sessions", "show", b.Session).Stdout; !strings.Contains(text, "✕ refresh.unspent") || !strings.Contains(text, "✓ factor.password") && !strings.Contains(text, "✓ ") {
			t.Errorf("for people it is\n%s", text)
		}
	})
}

func TestExitCodesTellOneNoFromAnother(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		s.User("ana")
		b := s.SignIn(s.User("ben"))
		usage := [][]string{
			{}, {"nothing"}, {"users"}, {"users", "creat"}, {"users", "create"}, {"users", "create", "--email", "x@example.com", "extra"},
			{"users", "list", "--nothing"}, {"clients", "create"}, {"clients", "create", "--name", "x"}, {"clients", "create", "--metadata", "-", "--name", "x", "--type", "web"},
			{"sessions", "show"}, {"sessions", "show", "a", "b"}, {"sessions", "end"}, {"sessions", "end", b.Session}, {"sessions", "end", "x", "--yes", "--dry-run"},
			{"version", "extra"}, {"clients", "create", "--metadata", filepath.Join(s.Data, "not-there")}, {"config"}, {"serve", "extra"},
		}
		for _, args := range usage {
			args = append(args, "--json")
			want(t, 2, s.CLI("", args...), args...)
		}
		for code, all := range map[int][][]string{
			1: {{"users", "create", "--email", "no address"}, {"sessions", "show", "ses_00000000000000000000000000"}, {"sessions", "show", "../users"}, {"sessions", "list", "color:red"},
				{"sessions", "list", "user:nobody@example.com"}, {"sessions", "end", "ses_x", "--yes"}, {"clients", "create", "--name", "x", "--type", "car"},
				{"clients", "create", "--name", "x", "--type", "web", "--redirect", "javascript:alert(1)"}},
			5: {{"users", "create", "--email", "ANA@example.com"}},
		} {
			for _, args := range all {
				args = append(args, "--json")
				document := want(t, code, s.CLI("", args...), args...)
				if document["title"] == "" || document["ref"] == "" {
					t.Errorf("doorward %v says %v", args, document)
				}
			}
		}
		for _, password := range []string{"short", "", "new@example.com"} {
			args := []string{"users", "create", "--email", "new@example.com", "--password-stdin", "--json"}
			if r := s.CLI(password, args...); r.Code != 1 && r.Code != 2 {
				t.Errorf("the password %q ends with %d: %s", password, r.Code, r.Stdout)
			}
		}
		metadata := `{"client_id":"mine","client_name":"Mine"}`
		args := []string{"clients", "create", "--metadata", "-", "--json"}
		want(t, 0, s.CLI(metadata, args...), args...)
		want(t, 5, s.CLI(metadata, args...), args...)
		want(t, 5, s.CLI(`[{"client_id":"second","client_name":"x"},`+metadata+`]`, args...), args...)
		for _, none := range []string{"", "{", "1", "null", `{"client_id":["a"]}`, "[]", metadata + metadata} {
			if r := s.CLI(none, args...); r.Code != 2 && r.Code != 1 {
				t.Errorf("the metadata %q ends with %d: %s", none, r.Code, r.Stdout)
			}
		}
		if list := s.CLI("", "clients", "list", "--json").Stdout; strings.Contains(list, "second") {
			t.Error("an array that was refused left a part behind")
		}
		s.Stop()
		for _, args := range [][]string{{"users", "list"}, {"sessions", "list"}, {"clients", "list"}, {"sessions", "end", "user:x", "--yes"}, {"users", "create", "--email", "x@example.com"}} {
			args = append(args, "--json")
			want(t, 3, s.CLI("", args...), args...)
		}
		want(t, 3, s.Command("", []string{"DOORWARD_DATA=" + filepath.Join(s.Data, "none")}, "users", "list", "--json"), "users", "list", "--json")
		s.Run()
		// What is on disk of the host's own is for its owner.
		for name, mode := range map[string]os.FileMode{"doorward.sock": os.ModeSocket | 0o600, "": os.ModeDir | 0o700, "kek": 0o600} {
			info, err := os.Stat(filepath.Join(s.Data, name))
			if err != nil || info.Mode() != mode {
				t.Errorf("%q in the data directory is %v (%v), want %v", name, info.Mode(), err, mode)
			}
		}
	})
}
