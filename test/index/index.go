// Package index finds every test of the repository by its name, for the tables
// that say which of them covers what.
package index

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// scripted is a test of a script for Node: a line of its own.
var scripted = regexp.MustCompile(`(?m)^test\('([^']+)'`)

// Tests are the source texts of all tests below a directory: of Go by
// "directory.TestName", with its comment, and of scripts by "file: name".
func Tests(root string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "build" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		rel, _ := filepath.Rel(root, path)
		switch rel = filepath.ToSlash(rel); {
		case strings.HasSuffix(rel, "_test.go"):
			return functions(path, filepath.ToSlash(filepath.Dir(rel)), out)
		case strings.HasSuffix(rel, ".mjs"):
			text, err := os.ReadFile(path)
			for _, m := range scripted.FindAllStringSubmatchIndex(string(text), -1) {
				body, _, _ := strings.Cut(string(text[m[0]:]), "\n});")
				out[rel+": "+string(text[m[2]:m[3]])] = body
			}
			return err
		}
		return nil
	})
	return out, err
}

func functions(path, dir string, out map[string]string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		from := f.Pos()
		if f.Doc != nil {
			from = f.Doc.Pos()
		}
		out[dir+"."+f.Name.Name] = string(text[set.Position(from).Offset:set.Position(f.End()).Offset])
	}
	return nil
}
