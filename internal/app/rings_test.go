package app

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/doorward/doorward/"

// The nouns of the core, from left to right: for ids and types a noun may
// import those to its left, and the few it says below.
var nouns = []string{"identity", "factor", "session", "client", "key", "revocation", "token", "risk", "ledger", "outbox", "deployment", "job"}

// mayImport says which of our own packages a package may import, by prefix.
// What has no line may import nothing of ours.
func mayImport(pkg string) []string {
	base := []string{"internal/base/"}
	verbs := []string{"internal/base/", "internal/core", "internal/core/check", "internal/core/settle"}
	for _, n := range nouns {
		verbs = append(verbs, "internal/core/"+n)
	}
	switch {
	case pkg == "internal/base/jose":
		return []string{"internal/base/secret"} // the salt of PSS
	case strings.HasPrefix(pkg, "internal/base/"):
		return nil
	case pkg == "internal/core/check":
		return base
	case slices.Contains(nouns, strings.TrimPrefix(pkg, "internal/core/")):
		allowed := append(base, "internal/core/check")
		for _, n := range nouns[:slices.Index(nouns, strings.TrimPrefix(pkg, "internal/core/"))] {
			allowed = append(allowed, "internal/core/"+n)
		}
		return allowed
	case pkg == "internal/core":
		return verbs[:len(verbs):len(verbs)]
	case pkg == "internal/core/settle", pkg == "internal/core/exchange", pkg == "internal/core/manage":
		return verbs
	case strings.HasPrefix(pkg, "internal/store/storetest"):
		return []string{"internal/base/", "internal/core", "internal/store/storetest"}
	case strings.HasPrefix(pkg, "internal/store/"):
		return append(verbs[:1:1], "internal/core")
	case strings.HasPrefix(pkg, "internal/remote/"):
		return append(base, "internal/core")
	case pkg == "internal/edge/door":
		return append(base, "internal/core")
	case strings.HasPrefix(pkg, "internal/edge/web"):
		return append(base, "internal/core", "internal/edge/door", "internal/edge/web")
	case strings.HasPrefix(pkg, "internal/edge/"):
		return append(base, "internal/core", "internal/edge/door")
	case pkg == "internal/drill":
		return base // it is a client: it knows of the server what a stranger can
	case pkg == "internal/cli":
		return []string{"internal/app", "internal/drill", "sdk"}
	case pkg == "internal/app":
		return []string{"internal/", "examples/", "sdk", "sdk-js"}
	case strings.HasPrefix(pkg, "examples/"):
		return []string{"sdk"}
	case pkg == "cmd/doorward":
		return []string{"internal/app", "internal/cli"}
	case pkg == "doorwardtest":
		return []string{"internal/app", "internal/base/jose", "sdk"}
	case strings.HasPrefix(pkg, "test/"):
		return []string{"internal/", "sdk", "test/", "doorwardtest"}
	}
	return nil
}

// owners says who alone may import a package of somebody else's.
var owners = map[string][]string{
	"crypto/rand":                 {"internal/base/secret", "sdk"},
	"math/rand":                   {},
	"math/rand/v2":                {},
	"encoding/json":               {"examples/", "sdk"},
	"database/sql":                {"internal/store/sql"},
	"github.com/jackc/pgx/":       {"internal/store/"},
	"modernc.org/sqlite":          {"internal/store/sql"},
	"net/http":                    {"internal/remote/fetch", "internal/edge/", "internal/app", "internal/cli", "internal/drill", "examples/", "doorwardtest", "sdk", "test/"},
	"os":                          {"internal/app", "internal/cli", "internal/store/", "internal/remote/", "cmd/", "sdk", "test/"},
	"github.com/wneessen/":        {"internal/remote/mail"},
	"github.com/santhosh-tekuri/": {"internal/core/client"},
	"github.com/oschwald/":        {"internal/remote/geo"},
	"github.com/go-jose/":         {"internal/base/jose", "sdk"},
	"golang.org/x/crypto/":        {"internal/base/", "internal/core/factor"},
	"internal/core/exchange":      {"internal/edge/", "internal/app"},
}

func has(prefixes []string, path string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return path == strings.TrimSuffix(p, "/") || strings.HasPrefix(path, p) && (strings.HasSuffix(p, "/") || path[len(p)] == '/')
	})
}

// sources calls f for every Go file of the product, tests left out.
func sources(t *testing.T, f func(pkg, file string)) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "build" || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			pkg, _ := filepath.Rel(root, filepath.Dir(path))
			f(filepath.ToSlash(pkg), path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Attack DOS-11.
func TestImportsPointInward(t *testing.T) {
	seen := 0
	sources(t, func(pkg, file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(text), "//go:build ignore") || strings.Contains(string(text), "\n//go:build ignore") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		for _, i := range parsed.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			ours, own := strings.CutPrefix(path, module)
			if own && !slices.ContainsFunc(mayImport(pkg), func(p string) bool {
				// "internal/core" itself is the contract, not everything below it,
				// for verbs and nouns; edges and stores may read all of the core.
				if p == "internal/core" && strings.HasPrefix(pkg, "internal/core") {
					return ours == p
				}
				return has([]string{p}, ours)
			}) {
				t.Errorf("%s imports %s", pkg, ours)
			}
			for of, owners := range owners {
				if (path == of || strings.HasSuffix(of, "/") && strings.HasPrefix(path, of) || ours == of) && !has(owners, pkg) && !strings.HasPrefix(pkg, "test/") {
					t.Errorf("%s imports %s, which belongs to %v", pkg, path, owners)
				}
			}
		}
	})
	if seen < 50 {
		t.Fatalf("only %d files were looked at", seen)
	}
}

func TestOnlyAppReadsTheClock(t *testing.T) {
	sources(t, func(pkg, file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "time.Now") && pkg != "internal/app" && !has([]string{"doorwardtest", "sdk", "test/"}, pkg) {
			t.Errorf("%s reads the clock in %s", pkg, filepath.Base(file))
		}
	})
}

// Budgets of shape: a file has one subject.
func TestNoFileIsTooLong(t *testing.T) {
	sources(t, func(pkg, file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > 600 {
			t.Errorf("%s/%s has %d lines", pkg, filepath.Base(file), n)
		}
	})
}
