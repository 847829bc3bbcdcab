package rig

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/store/storetest/postgres"
)

// An Engine is a kind of database.
type Engine string

// The engines that everything must work on.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Both runs a test on each engine, side by side.
func Both(t *testing.T, f func(t *testing.T, engine Engine)) {
	for _, engine := range []Engine{SQLite, Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			f(t, engine)
		})
	}
}

// A Server is one running program and what it keeps.
type Server struct {
	URL  string // also its issuer
	Data string
	// Database is as given to --database, and Direct the same without a relay
	// in between.
	Database, Direct string

	t      testing.TB
	port   int
	node   bool // its issuer is given: another server's, or a name
	env    []string
	clock  string
	moved  int // how often the clock was moved
	ran    bool
	http   *http.Transport
	record *record
	log    *logs

	process *os.Process
	ended   chan struct{}
	state   *os.ProcessState
}

// An Option changes how a server is started.
type Option func(*Server)

// Database has the server keep its data there, as relayed; tests read it from
// direct.
func Database(relayed, direct string) Option {
	return func(s *Server) { s.Database, s.Direct = relayed, direct }
}

// Data has the server use this directory.
func Data(dir string) Option { return func(s *Server) { s.Data = dir } }

// Env gives the server an environment, such as "DOORWARD_SESSION_IDLE=1d".
func Env(variables ...string) Option {
	return func(s *Server) { s.env = append(s.env, variables...) }
}

// NodeOf makes the server a second node beside another: the same issuer,
// database and environment, with a data directory and an address of its own.
func NodeOf(first *Server) Option {
	return func(s *Server) {
		s.node, s.URL, s.Database, s.Direct, s.env = true, first.URL, first.Database, first.Direct, first.env
	}
}

// Issuer gives the server a name of https. Its clients speak to it as the one
// does who ends TLS in front of it: without TLS.
func Issuer(url string) Option {
	return func(s *Server) { s.node, s.URL = true, url }
}

// Start starts a server with an empty database of its own and waits until it
// is ready.
func Start(t testing.TB, engine Engine, options ...Option) *Server {
	t.Helper()
	s := New(t, engine, options...)
	s.Run()
	return s
}

// New prepares a server without starting it.
func New(t testing.TB, engine Engine, options ...Option) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{Data: filepath.Join(dir, "data"), t: t, clock: filepath.Join(dir, "clock"), record: newRecord(), log: &logs{}}
	for _, o := range options {
		o(s)
	}
	switch {
	case s.Database != "":
	case engine == Postgres:
		s.Database = postgres.Start(t)
		s.Direct = s.Database
	default:
		s.Database = "sqlite://" + filepath.Join(s.Data, "doorward.db")
		s.Direct = s.Database
	}
	s.takePort(freePort(t))
	s.setClock("+0s")
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.Address())
	}
	s.http = &http.Transport{DialContext: dial, DialTLSContext: dial}
	t.Cleanup(s.end)
	return s
}

func (s *Server) takePort(port int) {
	s.port = port
	if !s.node {
		s.URL = fmt.Sprintf("http://localhost:%d", port)
	}
}

// Address is where the server listens.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// end is the last thing that happens to a server: nothing that it said or kept
// may hold a secret.
func (s *Server) end() {
	if s.process != nil {
		s.Stop()
	}
	s.http.CloseIdleConnections()
	s.checkSecrets()
	if s.t.Failed() {
		s.t.Logf("the end of the server's log:\n%s", tail(s.log.String(), 4000))
	}
}

func tail(text string, most int) string {
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}

// arguments are those of serve.
func (s *Server) arguments() []string {
	return []string{"serve", "--data", s.Data, "--listen", s.Address(), "--issuer", s.URL, "--database", s.Database, "--test-clock", s.clock}
}

// Run starts the program and waits until it is ready.
func (s *Server) Run() {
	s.t.Helper()
	for attempt := 0; ; attempt++ {
		err := s.TryRun()
		if err == nil {
			s.ran = true
			return
		}
		// Somebody else may have taken the port between the look and the use;
		// once the database knows its issuer, the port stays.
		if attempt < 3 && !s.ran && strings.Contains(err.Error(), "address already in use") {
			s.takePort(freePort(s.t))
			continue
		}
		s.t.Fatal(err)
	}
}

// TryRun starts the program and returns how it refused to run, if it did.
func (s *Server) TryRun() error {
	path, err := binary()
	if err != nil {
		return err
	}
	from := s.log.Len()
	cmd := exec.Command(path, s.arguments()...)
	cmd.Args[0] = "doorward"
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DOORWARD_LIMITS_SCALE=1000", "DOORWARD_LOG_LEVEL=debug", "DOORWARD_OPS_LISTEN=127.0.0.1:0"}, s.env...)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// Pdeathsig comes when the thread that started the child ends, so this
		// goroutine keeps its thread for as long as the child lives.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			s.state = cmd.ProcessState
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.ended = cmd.Process, ended
	deadline := time.After(30 * time.Second)
	for {
		if r, err := (&http.Client{Transport: s.http, Timeout: 5 * time.Second}).Get(s.URL + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			s.process = nil
			return fmt.Errorf("the server ended with %d:\n%s", s.state.ExitCode(), s.log.String()[from:])
		case <-deadline:
			s.Kill()
			return fmt.Errorf("the server is not ready:\n%s", s.log.String()[from:])
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Signal sends the program a signal.
func (s *Server) Signal(sig os.Signal) { s.process.Signal(sig) }

// Wait waits until the program has ended and returns its exit code.
func (s *Server) Wait(within time.Duration) int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(within):
		s.process.Kill()
		<-s.ended
		s.t.Errorf("the server did not end within %v", within)
	}
	s.process = nil
	s.http.CloseIdleConnections()
	return s.state.ExitCode()
}

// Stop ends the program as an operator does (SIGTERM) and expects a clean end.
func (s *Server) Stop() {
	s.t.Helper()
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(20 * time.Second); code != 0 {
		s.t.Errorf("after SIGTERM the server ended with %d", code)
	}
}

// Kill ends the program without a word (SIGKILL).
func (s *Server) Kill() {
	s.Signal(syscall.SIGKILL)
	s.Wait(20 * time.Second)
}

// Restart stops the program and starts it on the same data.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Run()
}

// Log is what the program has written so far.
func (s *Server) Log() string { return s.log.String() }

// logs keeps what a process writes.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logs) Len() int { return len(l.String()) }

var lastPort atomic.Int64

// freePort finds a port below those that the system gives to connections: a
// server that restarts finds its own free.
func freePort(t testing.TB) int {
	lastPort.CompareAndSwap(0, int64(20000+os.Getpid()*61%11000))
	for range 500 {
		port := int(lastPort.Add(1))
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return 0
}
