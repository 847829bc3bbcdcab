package sql_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/store/sql"
)

// Some tests need a process of its own: the test binary, told by its
// environment to do one job instead of running tests.
const jobMark, jobAddress = "DOORWARD_STORE_TEST_JOB", "DOORWARD_STORE_TEST_ADDRESS"

var jobs = map[string]func(address string){"open": openOnce, "failing disk": failingDisk}

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

// openOnce opens a database when its standard input says so, and uses it.
func openOnce(address string) {
	fmt.Println("ready")
	io.ReadAll(os.Stdin)
	s, err := sql.Open(context.Background(), address, func(err error) { panic(err) })
	if err == nil {
		_, err = s.Commit(context.Background(), core.Unit{risk.Fail{At: noon}})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("opened", s.Close())
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
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			want := schema(t, open(t, e.address(t)))
			address := e.address(t)
			children := []*child{runJob(t, "open", address), runJob(t, "open", address)}
			for _, c := range children {
				if line, err := c.out.ReadString('\n'); line != "ready\n" {
					t.Fatalf("the process said %q, %v", line, err)
				}
			}
			for _, c := range children {
				c.in.Close()
			}
			for _, c := range children {
				if said := c.finish(t); said != "opened <nil>\n" {
					t.Errorf("the process said %q", said)
				}
			}
			s := open(t, address)
			if got := schema(t, s); !slices.Equal(got, want) {
				t.Errorf("the schema is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if got := s.View(t.Context()).Failures([32]byte{}).Count; got != 2 {
				t.Errorf("%d of 2 processes wrote", got)
			}
		})
	}
}
