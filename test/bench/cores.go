package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// cores says which core serves and which one asks. Both are empty when there
// is one core only, or nothing to pin with.
type cores struct{ server, load string }

// divide gives the first core to servers and databases and moves this program
// to the second.
func divide() cores {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return cores{}
	}
	var found []string
	for i := 0; len(found) < 2 && i < 1024; i++ {
		if allowed.IsSet(i) {
			found = append(found, strconv.Itoa(i))
		}
	}
	if _, err := exec.LookPath("taskset"); err != nil || len(found) < 2 {
		return cores{}
	}
	c := cores{server: found[0], load: found[1]}
	if pin(c.load, os.Getpid()) != nil {
		return cores{}
	}
	runtime.GOMAXPROCS(1)
	return c
}

// pin moves all threads of a process to a core.
func pin(core string, pid int) error {
	return exec.Command("taskset", "-a", "-c", "-p", core, strconv.Itoa(pid)).Run()
}

// command prepares a process of the server's core that dies with this one. On
// one core Go would run one thread of Go code, and that one is lost for as
// long as a blocked fsync holds it, so there are two.
func (c cores) command(name string, args ...string) *exec.Cmd {
	if c.server != "" {
		name, args = "taskset", append([]string{"-c", c.server, name}, args...)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=2"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (c cores) String() string {
	if c.server == "" {
		return fmt.Sprintf("no cores of their own: server, database and load share %d", runtime.NumCPU())
	}
	return fmt.Sprintf("server and database on core %s, load on core %s", c.server, c.load)
}

// inMemory says whether a directory would lose everything with the power.
func inMemory(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Type == unix.TMPFS_MAGIC
}

// processor is the name of this machine's.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
