package rig

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Result is how a command ended and what it said.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// CLI runs a command on the server's host, with its data directory.
func (s *Server) CLI(stdin string, args ...string) Result {
	s.t.Helper()
	r := s.Command(stdin, []string{"DOORWARD_DATA=" + s.Data}, args...)
	if len(args) > 1 && args[0] == "clients" && args[1] == "create" {
		r.note(s.record)
		return r
	}
	s.record.heard("doorward "+strings.Join(args, " "), []byte(r.Stdout+r.Stderr))
	return r
}

// note takes the one secret that a command shows.
func (r Result) note(to *record) {
	var one struct {
		Secret string `json:"client_secret"`
	}
	if json.Unmarshal([]byte(r.Stdout), &one) == nil && one.Secret != "" {
		to.secret("client secret", one.Secret)
	}
}

// Command runs the program with an environment and nothing else of ours.
func (s *Server) Command(stdin string, env []string, args ...string) Result {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Args[0] = "doorward"
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err = cmd.Run()
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		s.t.Fatal(err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Watch runs a command that goes on until the server stops, and gives its
// lines as they come. The channel is closed when it has ended.
func (s *Server) Watch(args ...string) <-chan string {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DOORWARD_DATA=" + s.Data}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines <- scan.Text()
		}
		cmd.Wait()
	}()
	s.t.Cleanup(func() {
		cmd.Process.Kill()
		for range lines {
		}
	})
	return lines
}

// Document is the one JSON document on stdout, or why there is none.
func (r Result) Document() (map[string]any, error) {
	var v map[string]any
	if err := json.Unmarshal([]byte(r.Stdout), &v); err != nil {
		return nil, err
	}
	return v, nil
}

// State is every session that the server knows, as one text to compare:
// what a refused request must leave as it was.
func (s *Server) State() string {
	s.t.Helper()
	a := s.Socket("GET", "/api/v1/sessions", nil)
	v := jsontext.Value(a.Body)
	if err := v.Canonicalize(); a.Status != 200 || err != nil {
		s.t.Fatalf("sessions: %d %s %v", a.Status, a.Body, err)
	}
	return string(v)
}
