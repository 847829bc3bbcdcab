package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

func TestConfigurationIsTold(t *testing.T) {
	s := rig.New(t, rig.SQLite)
	file := filepath.Join(t.TempDir(), "doorward.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"DOORWARD_DATA=" + s.Data, "DOORWARD_SESSION_MAX=20d", "DOORWARD_DATABASE=postgres://me:the-password-of-it@db.example/doorward"}
	write("issuer = \"https://auth.example.com\"\n[session]\nidle = \"7d\"\nmax = \"10d\"\n")
	show := []string{"config", "show", "--config", file, "--listen", "127.0.0.1:9000", "--json"}
	r := s.Command("", env, show...)
	settings := map[string][2]string{}
	for _, one := range want(t, 0, r, show...)["settings"].([]any) {
		v := one.(map[string]any)
		settings[v["key"].(string)] = [2]string{v["value"].(string), v["source"].(string)}
	}
	for key, want := range map[string][2]string{"issuer": {"https://auth.example.com", "file"}, "session.idle": {"7d", "file"}, "session.max": {"20d", "environment"},
		"listen": {"127.0.0.1:9000", "flag"}, "token.access": {"5m", "default"}} {
		if settings[key] != want {
			t.Errorf("%s is %v, want %v", key, settings[key], want)
		}
	}
	if strings.Contains(r.Stdout+r.Stderr, "the-password-of-it") {
		t.Error("a password is shown")
	}
	check := []string{"config", "check", "--config", file, "--json"}
	if p := want(t, 0, s.Command("", env, check...), check...)["problems"].([]any); len(p) > 0 {
		t.Errorf("the problems are %v", p)
	}
	write("issuer = \"http://auth.example.com\"\n[session]\nidle = 14\nidel = \"7d\"\n")
	r = s.Command("", env, check...)
	if p := want(t, 1, r, check...)["problems"].([]any); len(p) != 3 || !strings.Contains(r.Stdout, "session.idle?") {
		t.Errorf("the problems are %s", r.Stdout)
	}
	write("issuer = ")
	want(t, 1, s.Command("", env, check...), check...)
	missing := []string{"config", "check", "--config", file + ".not", "--json"}
	want(t, 2, s.Command("", env, missing...), missing...)
	// A server does not start with any of this.
	write("issuer = \"https://auth.example.com\"\nlisten = \"nowhere\"\n")
	serve := []string{"serve", "--config", file, "--json"}
	want(t, 1, s.Command("", env, serve...), serve...)
	if _, err := os.Stat(s.Data); err == nil {
		t.Error("a refused start made the data directory")
	}
}

// A first configuration file is written once, and is one without problems;
// every setting in it can be asked about.
func TestAFirstConfiguration(t *testing.T) {
	s := rig.New(t, rig.SQLite)
	file := filepath.Join(t.TempDir(), "doorward.toml")
	r := s.Command("", nil, "config", "init", "--issuer", "https://auth.example.com", "--config", file)
	if r.Code != 0 {
		t.Fatalf("exit %d %s", r.Code, r.Stderr)
	}
	if r := s.Command("", nil, "config", "check", "--config", file); r.Code != 0 {
		t.Errorf("what was written has problems: %s %s", r.Stdout, r.Stderr)
	}
	if r := s.Command("", nil, "config", "init", "--issuer", "https://other.example.com", "--config", file); r.Code != 5 {
		t.Errorf("over a file that is there: exit %d", r.Code)
	}
	if r := s.Command("", nil, "config", "init", "--issuer", "http://auth.example.com", "--config", file+"2"); r.Code != 1 {
		t.Errorf("a bad issuer: exit %d %s", r.Code, r.Stderr)
	}
	if r := s.Command("", nil, "config", "explain", "token.access"); r.Code != 0 || !strings.Contains(r.Stdout, "5m") || !strings.Contains(r.Stdout, "DOORWARD_TOKEN_ACCESS") {
		t.Errorf("exit %d %s", r.Code, r.Stdout)
	}
	if r := s.Command("", nil, "config", "explain", "token.acess"); r.Code != 1 || !strings.Contains(r.Stderr, "token.access") {
		t.Errorf("a misspelt setting: exit %d %s", r.Code, r.Stderr)
	}
}
