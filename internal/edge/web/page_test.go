package web_test

import (
	"bytes"
	"compress/gzip"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
	"github.com/doorward/doorward/test/screenshots/gallery"
)

func render(t *testing.T, p ui.Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.Render(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// elements are all of a document, in reading order.
func elements(t *testing.T, text string) []*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// Every page in every state: what the policy forbids is absent, what assistive technology follows is present.
func TestEveryPage(t *testing.T) {
	for _, state := range gallery.States() {
		t.Run(state.Name, func(t *testing.T) {
			page := render(t, state.Page)
			if strings.Contains(page, "ZgotmplZ") {
				t.Error("a value was refused by the template")
			}
			if hole := regexp.MustCompile(`\{[a-z]+\}`).FindString(page); hole != "" {
				t.Errorf("the words still hold %s", hole)
			}
			all := elements(t, page)
			nothingInline(t, all)
			referencesHold(t, all)
			formsAreOurs(t, all)
			leadsSomewhere(t, all)
			count := map[string]int{}
			for _, n := range all {
				count[n.Data]++
			}
			for _, once := range []string{"h1", "main", "footer", "title", "link", "script"} {
				want := 1
				if once == "link" {
					want = 2 // the stylesheet and the icon
				}
				if count[once] != want {
					t.Errorf("%d <%s>", count[once], once)
				}
			}
		})
	}
}

func nothingInline(t *testing.T, all []*html.Node) {
	t.Helper()
	for _, n := range all {
		if n.Data == "style" || n.Data == "script" && n.FirstChild != nil {
			t.Errorf("inline <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s>", n.Data, a.Key)
			}
			if (a.Key == "src" || n.Data == "link" && a.Key == "href") && !strings.HasPrefix(a.Val, "/s/") {
				t.Errorf("<%s> loads %s", n.Data, a.Val)
			}
		}
		if tab, ok := attr(n, "tabindex"); ok && tab != "-1" {
			t.Errorf("tabindex %s", tab)
		}
	}
}

// referencesHold: ids are unique and what points at one finds it; every field that is seen has a label.
func referencesHold(t *testing.T, all []*html.Node) {
	t.Helper()
	ids, labelled := map[string]int{}, map[string]bool{}
	for _, n := range all {
		if id, ok := attr(n, "id"); ok {
			ids[id]++
		}
		if id, ok := attr(n, "for"); ok {
			labelled[id] = true
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %q is there %d times", id, n)
		}
	}
	for _, n := range all {
		for _, name := range []string{"for", "aria-describedby", "aria-controls", "data-reveals"} {
			all, _ := attr(n, name)
			for _, id := range strings.Fields(all) {
				if ids[id] == 0 {
					t.Errorf("%s=%q finds nothing", name, id)
				}
			}
		}
		if href, ok := attr(n, "href"); ok && strings.HasPrefix(href, "#") && ids[href[1:]] == 0 {
			t.Errorf("link to %s finds nothing", href)
		}
		if kind, _ := attr(n, "type"); n.Data == "input" && kind != "hidden" {
			if id, _ := attr(n, "id"); !labelled[id] {
				t.Errorf("field %q has no label", id)
			}
		}
	}
}

// formsAreOurs: every form posts to a path of ours, carries the token and has one button that submits.
func formsAreOurs(t *testing.T, all []*html.Node) {
	t.Helper()
	for _, form := range all {
		if form.Data != "form" {
			continue
		}
		if _, leaves := attr(form, "data-leaves"); leaves {
			continue // carries an answer away, and nothing of ours
		}
		method, _ := attr(form, "method")
		action, _ := attr(form, "action")
		token, submits := "", 0
		for n := range form.Descendants() {
			if name, _ := attr(n, "name"); n.Data == "input" && name == "csrf" {
				token, _ = attr(n, "value")
			}
			if _, typed := attr(n, "type"); n.Data == "button" && !typed {
				submits++
			}
		}
		if method != "post" || !strings.HasPrefix(action, "/") || token == "" || submits != 1 {
			t.Errorf("form %s %s: token %q, %d submit buttons", method, action, token, submits)
		}
	}
}

// served are the paths that exist. A page that links elsewhere leads nowhere.
var served = []string{"/sign-in", "/sign-up", "/sign-out", "/step-up", "/account", "/account/sessions", "/account/activity", "/oauth/authorize", "/recover", "/account/security", "/account/profile", "/account/delete", "/account/keep", "/account/export", "/deletion/cancel", "/choose-account", "/account/apps"}

func leadsSomewhere(t *testing.T, all []*html.Node) {
	t.Helper()
	ways := 0
	for _, n := range all {
		if n.Data == "form" {
			ways++
		}
		href, ok := attr(n, "href")
		if !ok || n.Data != "a" || strings.HasPrefix(href, "#") {
			continue
		}
		ways++
		path, _, _ := strings.Cut(href, "?")
		if strings.HasPrefix(path, "/account/sessions/ses_") || strings.HasPrefix(path, "/account/apps/") {
			continue
		}
		if strings.HasPrefix(path, "/") && !slices.Contains(served, path) {
			t.Errorf("link to %s", href)
		}
	}
	if ways == 0 {
		t.Error("a dead end")
	}
}

func TestARefusalIsHeardFirst(t *testing.T) {
	for _, state := range gallery.States() {
		var title, alert string
		for _, n := range elements(t, render(t, state.Page)) {
			if n.Data == "title" {
				title = text(n)
			}
			if role, _ := attr(n, "role"); role == "alert" {
				alert = text(n)
			}
		}
		_, isError := state.Page.(web.ErrorPage)
		if got, want := strings.HasPrefix(title, "Error: "), alert != "" || isError; got != want {
			t.Errorf("%s: title %q, alert %q", state.Name, title, alert)
		}
	}
}

// The budget of a hosted page, all in and compressed: 15 KB, of which HTML 4, CSS 5, JS 6.
func TestBudget(t *testing.T) {
	css, js := asset(t, "app.css"), asset(t, "app.js")
	if css > 5<<10 || js > 6<<10 {
		t.Errorf("CSS %d bytes, JS %d bytes", css, js)
	}
	for _, state := range gallery.States() {
		page := compressed(t, []byte(render(t, state.Page)))
		if page > 4<<10 || page+css+js > 15<<10 {
			t.Errorf("%s: HTML %d bytes, with CSS %d and JS %d", state.Name, page, css, js)
		}
	}
}

func asset(t *testing.T, name string) int {
	t.Helper()
	at, err := ui.AssetPath(name)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	ui.Assets().ServeHTTP(w, httptest.NewRequest("GET", at, nil))
	return compressed(t, w.Body.Bytes())
}

func compressed(t *testing.T, b []byte) int {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}
