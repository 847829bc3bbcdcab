package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
)

// A server is one node of the product, as an operator would start it.
type server struct {
	program  []string
	cores    cores
	dir      string // data, key and log
	database string
	issuer   string
	listen   string
	kek      string
	postgres int // the database's process, 0 without

	cmd *exec.Cmd
}

// newServer is a node that is not running yet.
func newServer(program []string, c cores, dir, database string) (*server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if database == "" {
		database = "sqlite://" + filepath.Join(dir, "doorward.db")
	}
	return &server{program: program, cores: c, dir: dir, database: database, kek: filepath.Join(dir, "kek"),
		issuer: fmt.Sprintf("http://localhost:%d", port), listen: fmt.Sprintf("127.0.0.1:%d", port)}, nil
}

// beside is another node of the same deployment.
func (s *server) beside(dir string) (*server, error) {
	n, err := newServer(s.program, s.cores, dir, s.database)
	if err != nil {
		return nil, err
	}
	n.issuer, n.kek, n.postgres = s.issuer, s.kek, s.postgres
	return n, nil
}

// host is what requests call the deployment by.
func (s *server) host() string { return strings.TrimPrefix(s.issuer, "http://") }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// start returns when the server is ready, and how long that took.
func (s *server) start() (time.Duration, error) {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	args := append(s.program[1:len(s.program):len(s.program)], "serve", "--data", s.dir, "--database", s.database,
		"--issuer", s.issuer, "--listen", s.listen, "--ops-listen", "127.0.0.1:0")
	s.cmd = s.cores.command(s.program[0], args...)
	// Budgets are out of the way: what is measured is the work, not the brake.
	s.cmd.Env = append(s.cmd.Env, "DOORWARD_LIMITS_SCALE=1000000", "DOORWARD_KEYS_KEK_FILE="+s.kek)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	at := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, err
	}
	for time.Since(at) < patience {
		if s.ready() {
			return time.Since(at), nil
		}
		time.Sleep(500 * time.Microsecond)
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	said, _ := os.ReadFile(log.Name())
	return 0, fmt.Errorf("the server was not ready within %s:\n%s", patience, said)
}

func (s *server) ready() bool {
	c, err := dial(s.listen)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	return c.do(request("GET", s.host(), "/readyz", "")) == nil && c.status == 200
}

// stop ends the server as an operator would.
func (s *server) stop() error {
	if s.cmd == nil {
		return nil
	}
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if err == nil {
		err = s.cmd.Wait()
	}
	s.cmd = nil
	return err
}

// cost is what the server and its database have taken until now.
func (s *server) cost() cost {
	k := costOf(s.cmd.Process.Pid)
	if s.postgres != 0 {
		k.database = spent(s.postgres, true)
	}
	return k
}

// command runs a command of the product on this server and reads what it
// prints into v.
func (s *server) command(v any, stdin string, args ...string) error {
	cmd := exec.Command(s.program[0], append(s.program[1:len(s.program):len(s.program)], append(args, "--data", s.dir, "--json")...)...)
	var talk bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &talk
	out, err := cmd.Output()
	if err != nil {
		return errors.Join(fmt.Errorf("doorward %s: %w", strings.Join(args, " "), err), errors.New(talk.String()))
	}
	return json.Unmarshal(out, v)
}
