package sql_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/store/sql"
	"github.com/doorward/doorward/internal/store/storetest"
)

// broken is a unit that a trigger makes fail in its middle: there are rows
// before it and rows after.
var broken = core.Unit{identity.Create{ID: identity.UserID{0xbb}, Address: "broken"}}

// One unit's trouble is its own, even when it ends the transaction that it
// shared with 63 others. A savepoint in a transaction that SQLite has already
// rolled back commits by itself: whoever goes on there breaks units apart.
func TestTroubleAmongNeighbours(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an error of the statement":               "select abs(-9223372036854775808);",
		"an error that ends the transaction":      "select raise(rollback, 'ended');",
		"an error that leaves half the statement": "select raise(fail, 'half');",
	} {
		t.Run("sqlite: "+name, func(t *testing.T) {
			s := open(t, engines[0].address(t))
			if err := s.Raw(t.Context(), "create trigger breaks after insert on users when new.address = 'broken' begin "+body+" end"); err != nil {
				t.Fatal(err)
			}
			var h *sql.Hold
			storetest.Neighbours(t, s, storetest.Crowd{
				Broken: broken,
				// What a trigger raises is a constraint: a loss like any other.
				Lost: strings.Contains(body, "fail"),
				Stop: func() (func(int), func()) { h = s.Stop(core.Unit{risk.Clear{}}); return h.Queued, h.Go },
			})
			if h.Largest() < 64 {
				t.Errorf("the largest batch was of %d units: they did not share one", h.Largest())
			}
		})
	}
	t.Run("postgres", func(t *testing.T) {
		s := open(t, engines[1].address(t))
		for _, text := range []string{
			"create function breaks() returns trigger language plpgsql as $$ begin raise 'broken'; end $$",
			"create trigger breaks after insert on users for each row when (new.address = 'broken') execute function breaks()",
		} {
			if err := s.Raw(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		storetest.Neighbours(t, s, storetest.Crowd{Broken: broken})
	})
}

// A disk that fails under a commit: what is on it nobody can say, and a
// second try that seems to work may have lost the pages of the first. So no
// unit of the batch is tried again, and the process is told to end.
func TestAFailingDiskEndsTheProcess(t *testing.T) {
	t.Parallel()
	out := runJob(t, "failing disk", "sqlite://"+filepath.Join(t.TempDir(), "doorward.db")).finish(t)
	if !strings.Contains(out, "fatal:") || strings.Contains(out, "committed") || strings.Count(out, "unavailable") != 64 {
		t.Errorf("the process said:\n%s", out)
	}
}

// failingDisk is that process. A limit on the size of files fails writes as a
// bad disk does: with an error that is not "full".
func failingDisk(address string) {
	var once sync.Once
	s, err := sql.Open(context.Background(), address, func(err error) { once.Do(func() { fmt.Println("fatal:", err) }) })
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Commit(context.Background(), core.Unit{risk.Clear{}})
	h := s.Stop(core.Unit{risk.Clear{}})
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			_, err := s.Commit(context.Background(), core.Unit{identity.Create{ID: identity.UserID{byte(i)}, Address: fmt.Sprint(i), Name: strings.Repeat("x", 8000)}})
			switch {
			case err == nil:
				fmt.Println("committed", i)
			case errors.Is(err, core.ErrUnavailable):
				fmt.Println("unavailable", i)
			default:
				fmt.Println(i, err)
			}
		})
	}
	h.Queued(64)
	var stat syscall.Stat_t
	path := strings.TrimPrefix(address, "sqlite://") + "-wal"
	if err := errors.Join(err, syscall.Stat(path, &stat), syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(stat.Size) + 100_000, Max: uint64(stat.Size) + 100_000})); err != nil {
		fmt.Println(err)
	}
	h.Go()
	all.Wait()
}
