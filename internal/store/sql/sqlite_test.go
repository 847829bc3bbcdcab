package sql_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/store/sql"
)

// Before 3.51.3 a checkpoint that runs while another connection resets the
// log may corrupt the database (https://sqlite.org/wal.html#walresetbug).
func TestSQLiteIsNewEnough(t *testing.T) {
	t.Parallel()
	s := open(t, engines[0].address(t))
	var version string
	if err := s.Ask(t.Context(), `select sqlite_version()`, &version); err != nil {
		t.Fatal(err)
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	if major*1_000_000+minor*1_000+patch < 3_051_003 {
		t.Errorf("SQLite is %s, and must be 3.51.3 or newer", version)
	}
}

func TestSQLiteIsDurable(t *testing.T) {
	t.Parallel()
	s := open(t, engines[0].address(t))
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		writer, reader, err := s.Pragma(t.Context(), name)
		if err != nil || writer != want || reader != want {
			t.Errorf("%s is %s for the writer and %s for readers (%v), want %s", name, writer, reader, err, want)
		}
	}
	if writer, reader, err := s.Pragma(t.Context(), "query_only"); err != nil || writer != "0" || reader != "1" {
		t.Errorf("query_only is %s for the writer and %s for readers (%v)", writer, reader, err)
	}
}

func TestSQLiteFilesAreTheOwners(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, "sqlite://"+filepath.Join(dir, "doorward.db"))
	must(t, s, core.Unit{risk.Clear{}})
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v: where are the log and its index?", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v (%v)", f.Name(), info.Mode(), err)
		}
	}
}

func TestSQLiteWantsAnAbsolutePath(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"sqlite://doorward.db", "sqlite:doorward.db", "sqlite://", "doorward.db", ""} {
		if s, err := sql.Open(t.Context(), address, nil); err == nil {
			s.Close()
			t.Errorf("%q opened", address)
		}
	}
}

// The translation of SQLite to Go leans on internals of modernc.org/libc: any
// version but the one it was made with may corrupt memory
// (https://gitlab.com/cznic/sqlite/-/issues/177).
func TestSQLiteHasTheLibcItWasMadeWith(t *testing.T) {
	t.Parallel()
	goTool := func(args ...string) string {
		out, err := exec.Command("go", args...).Output()
		if err != nil {
			t.Fatalf("go %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal([]byte(goTool("mod", "edit", "-json", goTool("list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite"))), &mod); err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, r := range mod.Require {
		if r.Path == "modernc.org/libc" {
			want = r.Version
		}
	}
	if got := goTool("list", "-m", "-f", "{{.Version}}", "modernc.org/libc"); want == "" || got != want {
		t.Errorf("modernc.org/libc is %s, and modernc.org/sqlite was made with %s", got, want)
	}
}
