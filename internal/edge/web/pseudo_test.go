package web_test

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/doorward/doorward/internal/edge/web/ui"
	"github.com/doorward/doorward/test/screenshots/gallery"
)

// plain is a word that was not taken from the made-up language's catalogue.
var plain = regexp.MustCompile(`[A-Za-z]*[aeiou][A-Za-z]*`)

// Every page can be read in another language: its words come from the
// catalogue, but for names, codes, and the sentences of checks.
func TestNoWordIsOutsideTheCatalogue(t *testing.T) {
	for _, s := range gallery.States() {
		page := render(t, s.In(ui.Pseudo).Page)
		if !strings.Contains(page, `<html lang="en-XA"`) {
			t.Fatalf("%s is in another language", s.Name)
		}
		doc, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type == html.TextNode && !names(n) {
				if word := plain.FindString(n.Data); word != "" {
					t.Errorf("%s: %q in %q", s.Name, word, strings.TrimSpace(n.Data))
				}
			}
		}
	}
}

// names says whether a text is somebody's own words, or a check's.
func names(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		class, _ := attr(p, "class")
		switch {
		case p.Data == "dl" && p.Parent.Data == "details": // for developers
			return true
		case p.Data == "bdi", p.Data == "code", p.Data == "title", p.Data == "pre", p.Data == "li" && p.Parent != nil && p.Parent.Parent != nil && p.Parent.Parent.Data == "details",
			strings.Contains(class, "why"), class == "mail":
			return true
		}
	}
	return false
}

// The language is what the browser asks for, where there is one; the made-up
// one is nobody's.
func TestTheLanguageOfAPage(t *testing.T) {
	for accept, want := range map[string]string{"": "en", "de-DE, de;q=0.9": "en", "en-GB": "en", "en-XA": "en", "\x00": "en", strings.Repeat("x-", 4000): "en", "*": "en"} {
		if got := ui.Language(accept); got != want {
			t.Errorf("%.20q gives %s, want %s", accept, got, want)
		}
	}
}
