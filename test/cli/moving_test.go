package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/doorward/doorward/test/rig"
)

func write(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// People come from another product with their passwords; bad lines are told by
// number and reason, and the others come in. Again, it changes nothing.
func TestPeopleAreImported(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		const password = "nine boats at the pier"
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		file := write(t,
			`{"email":"ana@example.com","name":"Ana","verified":true,"created":"2020-02-03T04:05:06Z","password_hash":"`+string(hash)+`"}`,
			``,
			`{"email":"not an address"}`,
			`{"email":"ben@example.com","state":"paused","password_hash":"`+string(hash)+`"}`,
			`{"email":"eva@example.com","password_hash":"$1$md5$abcdefghijklmnopqrstu1"}`,
			`{"email":"una@example.com","nickname":"U"}`,
			`{"email":"kim@example.com","created":"2999-01-01T00:00:00Z"}`,
			strings.Repeat("x", 70_000),
			`{"email":"ida@example.com"}`)
		bad := filepath.Join(t.TempDir(), "bad.jsonl")
		r := s.CLI("", "users", "import", file, "--errors", bad, "--json")
		doc, err := r.Document()
		if err != nil || r.Code != 6 || doc["created"] != 3. || doc["refused"] != 5. || doc["lines"] != 8. {
			t.Fatalf("exit %d, %s %s", r.Code, r.Stdout, r.Stderr)
		}
		for _, want := range []string{"line 3: Enter an email", "line 5: The password hash is", "line 6: The body cannot be read", "line 7: The account cannot", "line 8: The line is longer"} {
			if !strings.Contains(r.Stderr, want) {
				t.Errorf("%q is not in %s", want, r.Stderr)
			}
		}
		if text, err := os.ReadFile(bad); err != nil || strings.Count(string(text), "\n") != 5 || !strings.Contains(string(text), `"check":"import.hash"`) {
			t.Errorf("the file of errors: %s %v", text, err)
		}
		// Whose hash is bcrypt's signs in with the password, and then has one of ours.
		s.Browser().Do("POST", "/session", map[string]string{"email": "ana@example.com", "password": password}).Want(t, 201)
		if out := s.CLI("", "users", "export", "--with-hashes").Stdout; strings.Count(out, "$argon2id$") != 1 || strings.Count(out, "$2a$") != 1 || !strings.Contains(out, `"created":"2020-02-03T04:05:06Z"`) {
			t.Errorf("after the sign-in the export is %s", out)
		}
		if a := s.Browser().Try("POST", "/session", map[string]string{"email": "ben@example.com", "password": password}); a.Refusal(t).Check != "user.active" {
			t.Errorf("somebody who came paused: %s", a.Body)
		}
		r = s.CLI("", "users", "import", write(t, `{"email":"ana@example.com","name":"Another"}`, `{"email":"ben@example.com"}`), "--json")
		if doc, err := r.Document(); err != nil || r.Code != 0 || doc["unchanged"] != 2. {
			t.Errorf("again: exit %d, %s", r.Code, r.Stdout)
		}
		r = s.CLI(`{"email":"ana@example.com","name":"Ana Ruiz","verified":true}`, "users", "import", "-", "--update", "--json")
		if doc, err := r.Document(); err != nil || r.Code != 0 || doc["updated"] != 1. {
			t.Errorf("with --update: exit %d, %s", r.Code, r.Stdout)
		}
		if r := s.CLI("", "users", "import", write(t, `nothing`), "--json"); r.Code != 1 {
			t.Errorf("nothing but bad lines: exit %d", r.Code)
		}
	})
}

// What one server exports another imports, the same people with the same ids.
func TestPeopleMoveFromServerToServer(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		from, to := rig.Start(t, engine), rig.Start(t, engine)
		ana := from.User("ana")
		from.User("ben")
		from.CLI("", "users", "pause", "ben@example.com")
		plain := from.CLI("", "users", "export")
		if plain.Code != 0 || strings.Contains(plain.Stdout, "argon2id") || strings.Count(plain.Stdout, "\n") != 2 {
			t.Fatalf("exit %d %s", plain.Code, plain.Stdout)
		}
		out := from.CLI("", "users", "export", "--with-hashes").Stdout
		if r := to.CLI(out, "users", "import", "-"); r.Code != 0 {
			t.Fatalf("exit %d %s", r.Code, r.Stderr)
		}
		if again := to.CLI("", "users", "export", "--with-hashes").Stdout; again != out {
			t.Errorf("exported\n%s\nimported\n%s", out, again)
		}
		to.SignIn(ana)
		// An id that somebody else has is refused.
		taken := fmt.Sprintf(`{"email":"other@example.com","id":%q}`, ana.ID)
		if r := to.CLI(taken, "users", "import", "-", "--json"); r.Code != 1 || !strings.Contains(r.Stdout, "import.id") {
			t.Errorf("the id of another: exit %d %s", r.Code, r.Stdout)
		}
	})
}

// Thousands of people come in at once, and all come out again.
func TestManyPeople(t *testing.T) {
	s := rig.Start(t, rig.SQLite)
	lines := make([]string, 5_000)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"email":"person%d@example.com","name":"Person %d","verified":true}`, i, i)
	}
	r := s.CLI("", "users", "import", write(t, lines...), "--json")
	if doc, err := r.Document(); err != nil || r.Code != 0 || doc["created"] != 5000. {
		t.Fatalf("exit %d, %.300s %.300s", r.Code, r.Stdout, r.Stderr)
	}
	if n := strings.Count(s.CLI("", "users", "export").Stdout, "\n"); n != 5_000 {
		t.Errorf("%d come out again", n)
	}
}

// The last administrator keeps the role; taking it from others counts.
func TestAdministratorsAreMadeAndDismissed(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		if r := s.CLI("", "users", "create", "--email", "first@example.com", "--admin"); r.Code != 0 || s.CLI("", "setup-link").Code != 5 {
			t.Errorf("setup goes on beside an administrator: exit %d", r.Code)
		}
		s.CLI("", "users", "create", "--email", "second@example.com", "--admin")
		s.CLI("", "users", "unset-admin", "first@example.com")
		s.CLI("", "users", "pause", "second@example.com")
		s.User("ana")
		s.User("ben")
		for _, step := range []struct {
			args []string
			code int
			says string
		}{
			{[]string{"set-admin", "ana@example.com"}, 0, `"admin":true`},
			{[]string{"unset-admin", "ana@example.com"}, 5, "admin.not_last"},
			{[]string{"set-admin", "ben@example.com"}, 0, `"admin":true`},
			{[]string{"unset-admin", "ana@example.com"}, 0, `"state"`},
			{[]string{"pause", "ana@example.com"}, 0, "paused"},
			{[]string{"set-admin", "ana@example.com"}, 4, "user.active"},
			{[]string{"create", "--email", "eva@example.com", "--admin"}, 0, `"admin":true`},
			{[]string{"edit", "eva@example.com", "--name", "Eva", "--verified"}, 0, `"name":"Eva"`},
			{[]string{"edit", "eva@example.com", "--verified=false"}, 0, `"verified":false`},
			{[]string{"edit", "eva@example.com"}, 2, "what to change"},
		} {
			r := s.CLI("", append(append([]string{"users"}, step.args...), "--json")...)
			if r.Code != step.code || !strings.Contains(r.Stdout, step.says) || slices.Contains(step.args, "unset-admin") && step.code == 0 && strings.Contains(r.Stdout, `"admin"`) {
				t.Errorf("users %v: exit %d, %s %s", step.args, r.Code, r.Stdout, r.Stderr)
			}
		}
	})
}
