package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/store/storetest/postgres"
)

// A cluster is the PostgreSQL of this run.
type cluster struct {
	url  string
	pid  int // of the server when it is ours, else 0
	host *host
}

// host is as much of a test as the starter of PostgreSQL asks for.
type host struct {
	testing.TB
	ends []func()
	said string
}

type fatal string

func (h *host) Helper()                           {}
func (h *host) Cleanup(end func())                { h.ends = append(h.ends, end) }
func (h *host) Errorf(format string, args ...any) { h.said += fmt.Sprintf(format, args...) + "\n" }
func (h *host) Fatalf(format string, args ...any) { panic(fatal(fmt.Sprintf(format, args...))) }

// startCluster starts a PostgreSQL that keeps its data on disk, with fsync on,
// on the server's core. DOORWARD_TEST_POSTGRES names another one to use; that
// one stays where it is, and its CPU time is not counted.
func startCluster(c cores, dir string) (p *cluster, err error) {
	defer func() {
		if r := recover(); r != nil {
			said, ok := r.(fatal)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("%s", said)
		}
	}()
	if inMemory(os.TempDir()) {
		os.Setenv("TMPDIR", dir)
	}
	p = &cluster{host: &host{}}
	p.url = postgres.Start(p.host)
	for _, pid := range children(os.Getpid()) {
		if s, err := readStat(pid); err == nil && s.name == "postgres" {
			p.pid = pid
		}
	}
	if p.pid != 0 && c.server != "" {
		for _, pid := range append(children(p.pid), p.pid) {
			if err := pin(c.server, pid); err != nil {
				return nil, fmt.Errorf("PostgreSQL could not be moved to core %s: %w", c.server, err)
			}
		}
	}
	_, err = url.Parse(p.url)
	return p, err
}

// stop drops the database and, when it is ours, ends the server and removes
// all it kept.
func (p *cluster) stop() error {
	for _, end := range slices.Backward(p.host.ends) {
		end()
	}
	if p.pid != 0 {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		syscall.Kill(p.pid, syscall.SIGQUIT)
		for i := 0; i < 1000 && syscall.Kill(p.pid, 0) == nil; i++ {
			time.Sleep(10 * time.Millisecond)
		}
		words := strings.Split(string(args), "\x00")
		if at := slices.Index(words, "-D"); at >= 0 && at+1 < len(words) {
			if dir := filepath.Dir(words[at+1]); strings.HasPrefix(filepath.Base(dir), "doorward-postgres-") {
				os.RemoveAll(dir)
			}
		}
	}
	if p.host.said != "" {
		return fmt.Errorf("PostgreSQL: %s", p.host.said)
	}
	return nil
}
