package http_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

var opsAddress = regexp.MustCompile(`ops_listen=(\S+)`)

// look asks the ops listener as a host name.
func look(t *testing.T, s *rig.Server, host, path string) (int, string) {
	t.Helper()
	at := opsAddress.FindStringSubmatch(s.Log())
	if at == nil {
		t.Fatalf("the log does not say where the metrics are:\n%s", s.Log())
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+at[1]+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text)
}

// Metrics count what was settled and refused by names of ours, on a listener
// of their own; a stranger's words are no label.
func TestMetrics(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		b := s.SignIn(ana)
		b.Try("POST", "/session", map[string]string{"email": ana.Email, "password": "not her password"})
		b.Try("GET", "/no-such-stranger", nil)
		status, text := look(t, s, "", "/metrics")
		if status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		for _, want := range []string{
			`doorward_exchanges_total{exchange="signin.password",outcome="passed"} 1`,
			`doorward_exchanges_total{exchange="signin.password",outcome="refused"} 1`,
			`doorward_exchanges_total{exchange="user.create",outcome="passed"} 1`,
			`doorward_refusals_total{check="password.fits"} 1`,
			`doorward_http_request_duration_seconds_count{route="/session",outcome="refused"} 1`,
			`doorward_store_commit_duration_seconds_count{outcome="committed"}`,
			"doorward_store_commits_waiting 0", "doorward_password_hashes_running 0", "doorward_password_hashes_waiting 0",
			"doorward_feed_position", "doorward_feed_age_seconds 0", "doorward_ledger_open_entries", "doorward_outbox_waiting 0", "doorward_alarms_total 0",
			"process_resident_memory_bytes", "go_goroutines", `doorward_build_info{version=`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is not in the metrics", want)
			}
		}
		for _, never := range []string{"stranger", ana.Email, "NaN"} {
			if strings.Contains(text, never) {
				t.Errorf("%q is in the metrics", never)
			}
		}
		if t.Failed() {
			t.Log(text)
		}
	})
}

// Metrics and profiles are not at the public address (MFA-08), and a page
// whose name leads here cannot read them.
func TestTheOpsListenerIsNotForTheWorld(t *testing.T) {
	s := rig.Start(t, rig.SQLite)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		if a := s.Browser().Try("GET", path, nil); a.Status != 404 {
			t.Errorf("%s answers %d at the public address", path, a.Status)
		}
	}
	if status, _ := look(t, s, "", "/debug/pprof/goroutine"); status != 200 {
		t.Errorf("a profile: %d", status)
	}
	if status, text := look(t, s, "", "/debug/pprof/cmdline"); status != 404 {
		t.Errorf("the command line: %d %s", status, text)
	}
	if status, _ := look(t, s, "rebound.example", "/metrics"); status != 421 {
		t.Errorf("by a name that leads here: %d", status)
	}
}
