// Package rig runs the real binary for black-box tests: it builds it once for
// each test process, starts it on either engine, and speaks to it as browsers,
// scripts and operators do. Every server that it starts is also searched, when
// its test ends, for secrets in places where none belongs.
package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	// Not for use: a test is run anew only when something it is compiled from
	// has changed, and what is tested here is the program.
	_ "github.com/doorward/doorward/internal/cli"

	"github.com/doorward/doorward/internal/store/storetest/postgres"
)

// Main runs the tests of a package and stops what they share.
func Main(m *testing.M) { postgres.Main(m) }

// binary is the path of the program, built from this tree.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "doorward-rig-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "doorward")
	args := []string{"build", "-tags", "testclock", "-o", path}
	if race {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "github.com/doorward/doorward/cmd/doorward")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	// The file is open and has no name any more: nothing is left behind
	// however these tests end.
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), nil
})
