package sql_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/store/sql"
)

// Some tests need a process of its own: the test binary, told by its
// environment to do one job instead of running tests.
const jobMark, jobAddress = "DOORWARD_STORE_TEST_JOB", "DOORWARD_STORE_TEST_ADDRESS"

var jobs = map[string]func(address string){"open": openEach, "failing disk": failingDisk}

// A child is a process that does one job.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func runJob(t *testing.T, job, address string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), jobMark+"="+job, jobAddress+"="+address)
	c.cmd.Stderr = os.Stderr
	in, ierr := c.cmd.StdinPipe()
	out, oerr := c.cmd.StdoutPipe()
	if ierr != nil || oerr != nil {
		t.Fatal(ierr, oerr)
	}
	c.in, c.out = in, bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.cmd.Process.Kill() })
	return c
}

// says holds that the next line the process says is this one.
func (c *child) says(t *testing.T, want string) {
	t.Helper()
	if got, err := c.out.ReadString('\n'); got != want+"\n" {
		t.Fatalf("the process said %q (%v), want %q", got, err, want)
	}
}

// finish is what the process says until it ends, which it must do well.
func (c *child) finish(t *testing.T) string {
	t.Helper()
	out, err := io.ReadAll(c.out)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	return string(out)
}

// openEach opens each database that its standard input names, and uses it.
func openEach(string) {
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		s, err := sql.Open(context.Background(), in.Text(), func(err error) { panic(err) })
		if err == nil {
			_, err = s.Commit(context.Background(), core.Unit{risk.Fail{At: noon}})
			err = errors.Join(err, s.Close())
		}
		fmt.Printf("opened %v\n", err)
	}
}

// schema is every table, column and index of a database, and which
// migrations have run.
func schema(t *testing.T, s *sql.Store) []string {
	t.Helper()
	text := `select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema order by 1`
	if s.Engine() == "postgres" {
		text = `select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable from information_schema.columns where table_schema = 'public'
			union all select indexdef from pg_indexes where schemaname = 'public' order by 1`
	}
	out, err := s.Column(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	ran, err := s.Column(t.Context(), `select cast(version_id as text) from doorward_migrations order by version_id`)
	if err != nil {
		t.Fatal(err)
	}
	return append(out, ran...)
}

func TestOpeningTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, address string) {
		first := open(t, address)
		must(t, first, core.Unit{risk.Fail{At: noon}})
		before := schema(t, first)
		second := open(t, address)
		if after := schema(t, second); !slices.Equal(before, after) {
			t.Errorf("the schema was\n%s\nand is\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
		if got := second.View(t.Context()).Failures([32]byte{}).Count; got != 1 {
			t.Errorf("%d failures after opening again", got)
		}
	})
}

func TestTwoProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, e engine, rounds int) {
		want := schema(t, open(t, e.address(t)))
		children := []*child{runJob(t, "open", ""), runJob(t, "open", "")}
		for _, c := range children {
			c.says(t, "ready")
		}
		for range rounds {
			address := e.address(t)
			for _, c := range children {
				fmt.Fprintln(c.in, address)
			}
			for _, c := range children {
				c.says(t, "opened <nil>")
			}
			s := open(t, address)
			if got := schema(t, s); !slices.Equal(got, want) {
				t.Errorf("the schema is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if got := s.View(t.Context()).Failures([32]byte{}).Count; got != 2 {
				t.Errorf("%d of 2 processes wrote", got)
			}
		}
		for _, c := range children {
			c.in.Close()
			c.finish(t)
		}
	}
	t.Run("sqlite", func(t *testing.T) { test(t, engines[0], 4) })
	// Who finds the lock taken here asks for it again only after seconds.
	t.Run("postgres", func(t *testing.T) { test(t, engines[1], 2) })
}

// SQLite has no lock that would keep a second process from the same
// migration, so there is one beside the database.
func TestMigrationWaitsForTheOneUnderWay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doorward.db")
	other, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(other.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error)
	go func() {
		s, err := sql.Open(context.Background(), "sqlite://"+path, func(err error) { panic(err) })
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	for waiting := false; !waiting; {
		select {
		case err := <-opened:
			t.Fatalf("opened during the migration of another: %v", err)
		default:
		}
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(locks)) {
			waiting = waiting || strings.Contains(line, "->") && strings.Contains(line, fmt.Sprintf(":%d ", stat.Ino))
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the database was written to: %v, %v", info, err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
