package attacks

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reading is how a function is named that reads what somebody sent.
var reading = regexp.MustCompile(`^([Pp]arse|[Rr]ead|[Uu]npack|[Dd]ecode)([A-Z]\w*)?$|^(Canonical|Origin|RedirectURI|BasicClient|Bearer)$`)

// listed are functions that read nothing: one compares with the words of a
// list, the other gives a text a name.
var listed = []string{"internal/core/key.ParsePurpose", "internal/core/token.Bearer"}

// A function that reads text or bytes is reached by a fuzz target: of its own
// package, through whatever calls it there, or by its name from another. A new
// parser without one is noticed here.
func TestEveryParserIsFuzzed(t *testing.T) {
	root := filepath.Join("..", "..")
	parsers, targets, bodies, all := map[string]bool{}, map[string]string{}, map[string]map[string]string{}, ""
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, filepath.Dir(path))
		dir := filepath.ToSlash(rel)
		if d.IsDir() {
			if name := d.Name(); strings.HasPrefix(name, ".") && path != root || name == "build" || name == "node_modules" || name == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		ours := strings.HasPrefix(dir, "internal/") && !strings.HasPrefix(dir, "internal/store/") || dir == "sdk"
		if !ours || !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(string(text), "//go:build ignore") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, 0)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			name, body := f.Name.Name, string(text[set.Position(f.Body.Pos()).Offset:set.Position(f.Body.End()).Offset])
			if strings.HasSuffix(path, "_test.go") {
				if strings.HasPrefix(name, "Fuzz") {
					targets[dir] += body
					all += body
				}
				continue
			}
			if bodies[dir] == nil {
				bodies[dir] = map[string]string{}
			}
			bodies[dir][name] += body
			// An id is read by base/id, whatever it is of.
			if f.Recv == nil && !strings.Contains(body, "id.Parse[") && reading.MatchString(name) && f.Type.Params.NumFields() > 0 && sent(f.Type.Params.List[0].Type) {
				parsers[dir+"."+name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(parsers) < 20 {
		t.Errorf("only %d parsers were found", len(parsers))
	}
	for p := range parsers {
		dir, name := p[:strings.LastIndexByte(p, '.')], p[strings.LastIndexByte(p, '.')+1:]
		if !slices.Contains(listed, p) && !strings.Contains(all, filepath.Base(dir)+"."+name+"(") && !reached(targets[dir], maps.Clone(bodies[dir]))[name] {
			t.Errorf("no fuzz target reaches %s of %s", name, dir)
		}
	}
}

var word = regexp.MustCompile(`[A-Za-z_]\w*`)

// reached are the functions of a package that a text calls, and those that
// they call.
func reached(text string, bodies map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, name := range word.FindAllString(text, -1) {
		if body, ours := bodies[name]; ours && !out[name] {
			out[name] = true
			delete(bodies, name)
			for more := range reached(body, bodies) {
				out[more] = true
			}
		}
	}
	return out
}

// sent says whether a parameter is text, bytes, a request, or a stream.
func sent(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name == "string"
	case *ast.ArrayType:
		id, ok := x.Elt.(*ast.Ident)
		return ok && x.Len == nil && id.Name == "byte"
	case *ast.StarExpr:
		s, ok := x.X.(*ast.SelectorExpr)
		return ok && (s.Sel.Name == "Request" || s.Sel.Name == "Reader")
	}
	return false
}
