package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/app"
)

// server answers on the socket of a data directory and keeps what it was asked.
type server struct {
	data  string
	asked []string
	// answers by "METHOD /path?query": status, then the body of each answer in turn.
	answers map[string][]string
}

func newServer(t *testing.T, answers map[string][]string) *server {
	t.Helper()
	data, err := os.MkdirTemp("", "dw") // the path of a socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	listener, err := net.Listen("unix", filepath.Join(data, "doorward.sock"))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{data: data, answers: answers}
	served := httptest.NewUnstartedServer(s)
	served.Listener.Close()
	served.Listener = listener
	served.Start()
	t.Cleanup(served.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	what := q.Method + " " + q.URL.RequestURI()
	s.asked = append(s.asked, strings.TrimSpace(what+" "+string(body)))
	left := s.answers[what]
	if len(left) == 0 {
		http.Error(w, "not expected: "+what, http.StatusTeapot)
		return
	}
	s.answers[what] = left[1:]
	status, content, _ := strings.Cut(left[0], " ")
	code := map[string]int{"200": 200, "201": 201, "202": 202, "400": 400, "403": 403, "404": 404, "409": 409, "422": 422, "502": 502, "503": 503}[status]
	w.WriteHeader(code)
	io.WriteString(w, content)
}

type result struct {
	code        int
	out, errors string
}

func run(stdin string, args ...string) result {
	return runFrom(strings.NewReader(stdin), Programs{}, args...)
}

func runFrom(stdin io.Reader, programs Programs, args ...string) result {
	var out, errs bytes.Buffer
	code := Main(args, stdin, &out, &errs, programs)
	return result{code, out.String(), errs.String()}
}

func (s *server) run(stdin string, args ...string) result {
	return run(stdin, append(args, "--data", s.data)...)
}

// oneDocument fails unless out is exactly one JSON document and a line's end.
func oneDocument(t *testing.T, out string) jsontext.Value {
	t.Helper()
	v := jsontext.Value(strings.TrimSuffix(out, "\n"))
	if !v.IsValid() || !strings.HasSuffix(out, "\n") {
		t.Errorf("not one JSON document: %q", out)
	}
	return v
}

func (r result) want(t *testing.T, code int, out, errs string) {
	t.Helper()
	if r.code != code || r.out != out || r.errors != errs {
		t.Errorf("exit %d\nstdout %q\nstderr %q\nwant exit %d\nstdout %q\nstderr %q", r.code, r.out, r.errors, code, out, errs)
	}
}

func (s *server) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	if strings.Join(s.asked, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(s.asked, "\n"), strings.Join(want, "\n"))
	}
}

func TestCommandLineMistakes(t *testing.T) {
	for _, test := range []struct {
		args string
		says string
	}{
		{"", "Say which command."},
		{"users", "Say which command."},
		{"user create", "Did you mean   doorward users create\n"},
		{"users creat --email a@example.com", "Did you mean   doorward users create"},
		{"users dance", "See doorward users --help"},
		{"users create", `required flag(s) "email" not set`},
		{"users create --email a@example.com extra", "unknown command"},
		{"users create --password secret", "unknown flag: --password\nSee doorward users create --help\n"},
		{"sessions show", "accepts 1 arg(s), received 0"},
		{"sessions end", "requires at least 1 arg(s)"},
		{"clients create", "at least one of the flags in the group [metadata name]"},
		{"clients create --name Notes", "[name type]"},
		{"clients create --metadata - --name Notes --type web", "none of the others can be"},
		{"config show --config /nowhere/doorward.toml", "The configuration cannot be read."},
	} {
		r := run("", strings.Fields(test.args)...)
		if r.code != exitUsage || !strings.Contains(r.errors, test.says) || r.out != "" {
			t.Errorf("doorward %s: exit %d, stdout %q, stderr %q; want 2 and %q", test.args, r.code, r.out, r.errors, test.says)
		}
	}
}

func TestNoServer(t *testing.T) {
	data := t.TempDir()
	r := run("", "users", "list", "--data", data)
	r.want(t, exitReach, "", "No server answers at "+data+"/doorward.sock.\nStart it with doorward serve, or name its directory with --data or DOORWARD_DATA.\n")
	r = run("", "users", "list", "--data", data, "--json")
	var f failure
	if err := json.Unmarshal(oneDocument(t, r.out), &f); err != nil || f.Title == "" || r.code != exitReach {
		t.Errorf("under --json: %+v %v", r, err)
	}
}

func TestDataDirectoryFromEnvironment(t *testing.T) {
	s := newServer(t, map[string][]string{"GET /api/v1/clients": {`200 {"clients":[]}`}})
	t.Setenv("DOORWARD_DATA", s.data)
	run("", "clients", "list", "--json").want(t, exitYes, `{"clients":[]}`+"\n", "")
}

func TestRefusalsBecomeExitCodes(t *testing.T) {
	problem := ` {"type":"about:blank","title":"That is not to be had.","detail":"Choose another.","check":"user.new","ref":"7KQ2-M4","more":1}`
	said := "That is not to be had.\nChoose another.\nuser.new · 7KQ2-M4\n"
	for status, code := range map[string]int{"400": exitUsage, "403": exitAllowed, "404": exitNo, "409": exitConflict, "422": exitNo, "503": exitReach} {
		s := newServer(t, map[string][]string{"POST /api/v1/users": {status + problem, status + problem}})
		s.run("", "users", "create", "--email", "ana@example.com").want(t, code, "", said)
		r := s.run("", "users", "create", "--email", "ana@example.com", "--json")
		r.want(t, code, `{"title":"That is not to be had.","detail":"Choose another.","check":"user.new","ref":"7KQ2-M4"}`+"\n", said)
		oneDocument(t, r.out)
	}
	s := newServer(t, map[string][]string{"GET /api/v1/clients": {"502 <html>", "200 <html>"}})
	s.run("", "clients", "list").want(t, exitNo, "", "The server answered 502 Bad Gateway.\n")
	if r := s.run("", "clients", "list"); r.code != exitNo || !strings.HasPrefix(r.errors, "The server's answer cannot be read.\n") {
		t.Errorf("%+v", r)
	}
}

func TestRefusalWithoutCheck(t *testing.T) {
	s := newServer(t, map[string][]string{"GET /api/v1/clients": {`403 {"title":"No.","ref":"7KQ2-M4"}`}})
	s.run("", "clients", "list").want(t, exitAllowed, "", "No.\n7KQ2-M4\n")
}

func TestServeGetsTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doorward.toml")
	if err := os.WriteFile(file, []byte("issuer = \"http://localhost:8400\"\nlisten = \"127.0.0.1:1\"\n[token]\naccess = \"7m\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOORWARD_LISTEN", "127.0.0.1:2")
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var got app.Config
	programs := Programs{Serve: func(_ context.Context, c app.Config) error { got = c; return nil }}
	r := runFrom(strings.NewReader(""), programs, "serve", "--config", file, "--data", "./data", "--ops-listen", "127.0.0.1:0")
	r.want(t, exitYes, "", "")
	if got.Listen != "127.0.0.1:2" || got.OpsListen != "127.0.0.1:0" || got.Token.Access.String() != "7m0s" || got.Data != filepath.Join(here, "data") || !got.Development {
		t.Errorf("served with %+v", got)
	}

	programs.Serve = func(context.Context, app.Config) error { return errors.New("the port is taken") }
	runFrom(strings.NewReader(""), programs, "serve", "--config", file).want(t, exitNo, "", "The server stopped.\nthe port is taken\n")
}

func TestServeRefusesABadConfiguration(t *testing.T) {
	programs := Programs{Serve: func(context.Context, app.Config) error { t.Error("served all the same"); return nil }}
	runFrom(strings.NewReader(""), programs, "serve", "--issuer", "http://auth.example.com", "--listen", "nowhere").want(t, exitNo, "",
		"2 problems in the configuration.\n"+
			"flag --issuer: issuer must be https; http is for http://localhost:PORT, on this machine alone\n"+
			"flag --listen: listen is \"nowhere\": host:port is wanted, such as 127.0.0.1:8400\n")
}

func TestSignalEndsServe(t *testing.T) {
	programs := Programs{Serve: func(ctx context.Context, _ app.Config) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}}
	runFrom(strings.NewReader(""), programs, "serve", "--issuer", "https://auth.example.com").want(t, exitYes, "", "")
}

func TestDemoOptions(t *testing.T) {
	var got DemoOptions
	programs := Programs{Demo: func(_ context.Context, o DemoOptions) error { got = o; return nil }}
	runFrom(strings.NewReader(""), programs, "demo", "--keep", "/tmp/kept").want(t, exitYes, "", "")
	if got.Keep != "/tmp/kept" || got.Listen != "127.0.0.1:8400" || got.Talk == nil {
		t.Errorf("%+v", got)
	}
}

func TestConfigCheckAndShow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doorward.toml")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("issuer = \"https://auth.example.com\"\ndatabase = \"postgres://dw:pa55@db/dw\"\n")
	run("", "config", "check", "--config", file).want(t, exitYes, "no problem\n", "")
	run("", "config", "check", "--config", file, "--json").want(t, exitYes, "{\"problems\":[]}\n", "")
	r := run("", "config", "show", "--config", file)
	words := strings.Join(strings.Fields(r.out), " ")
	if r.code != exitYes || !strings.Contains(words, " token.access 5m default ") || !strings.Contains(words, " database postgres://dw:xxxxx@db/dw file ") {
		t.Errorf("%s", r.out)
	}
	r = run("", "config", "show", "--config", file, "--json")
	if oneDocument(t, r.out); strings.Contains(r.out, "pa55") || !strings.Contains(r.out, `{"key":"issuer","value":"https://auth.example.com","source":"file"}`) {
		t.Errorf("%s", r.out)
	}

	write("issuer = \"https://auth.example.com\"\n[session]\nilde = \"1h\"\n")
	run("", "config", "check", "--config", file).want(t, exitNo, file+":3:1: session.ilde is not a setting: did you mean session.idle?\n", "1 problem in the configuration.\n")
	run("", "config", "check", "--config", file, "--json").want(t, exitNo,
		`{"problems":[{"line":3,"column":1,"source":"file","key":"session.ilde","says":"is not a setting: did you mean session.idle?"}]}`+"\n", "1 problem in the configuration.\n")
	if r := run("", "config", "show", "--config", file); r.code != exitNo || r.out != "" {
		t.Errorf("shows a configuration that would not start: %+v", r)
	}
}

func TestVersion(t *testing.T) {
	r := run("", "version", "--json")
	var b build
	if err := json.Unmarshal(oneDocument(t, r.out), &b); err != nil || b.Version == "" || !strings.HasPrefix(b.Go, "go1.") || !strings.HasPrefix(b.SQLite, "3.") {
		t.Errorf("%+v %v", b, err)
	}
	if r := run("", "version"); !strings.Contains(r.out, "sqlite     3.") {
		t.Errorf("%q", r.out)
	}
}
