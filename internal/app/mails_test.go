package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/remote/mail"
)

// Every mail that any code sends has words: one that has none would stay in
// the outbox until it is of no use.
func TestEveryMailThatIsSentHasWords(t *testing.T) {
	kinds := mailKinds(t)
	words := mail.Words{Issuer: &url.URL{Scheme: "https", Host: "auth.example.com"}}
	at := time.Date(2026, 11, 22, 15, 2, 0, 0, time.UTC)
	sent := map[string]bool{}
	err := filepath.WalkDir("../core", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "outbox" && kinds[s.Sel.Name] != 0 && s.Sel.Name != "LogoutNotice" {
					sent[s.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sent) < 3 {
		t.Fatalf("only %v are sent", sent)
	}
	for name := range sent {
		m := outbox.Message{Kind: kinds[name], Created: at, To: "ana@example.com", Facts: outbox.Facts{Code: "12345678", Link: "/x?t=y", Until: at.Add(time.Hour), When: at}}
		if _, err := words.Render(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// mailKinds are the constants of outbox.Kind by name: their order is their number.
func mailKinds(t *testing.T) map[string]outbox.Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../core/outbox/outbox.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]outbox.Kind{}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST || g.Specs[0].(*ast.ValueSpec).Names[0].Name != "ConfirmAddress" {
			continue
		}
		for i, s := range g.Specs {
			kinds[s.(*ast.ValueSpec).Names[0].Name] = outbox.Kind(i + 1)
		}
	}
	if kinds["Invitation"] != outbox.Invitation || kinds["Deleted"] != outbox.Deleted {
		t.Fatalf("the mails are %v", kinds)
	}
	return kinds
}
