package rig

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// A Visitor is a person at a browser without scripts, who goes where pages
// lead, fills what they ask for and presses the button that goes on.
type Visitor struct {
	*Browser
	// User is who fills the forms.
	User User
	// Says are what the person types into other fields, by the field's name,
	// and whether they tick a box ("on").
	Says map[string]string
	// Refuses makes them press the button that does not go on.
	Refuses bool
	// Pages are those that were shown on the way, by path.
	Pages []string
}

// Visitor opens a browser for a person who has signed in nowhere yet.
func (s *Server) Visitor(u User) *Visitor {
	return &Visitor{Browser: s.Browser(), User: u, Says: map[string]string{}}
}

// A Landing is where a visit ended: at an address of somebody else's, which
// was left for with a method and a form, or at a page of ours that leads no
// further.
type Landing struct {
	URL    *url.URL
	Method string
	Form   url.Values // of a form post
	Page   Answer     // the last page of ours
	Path   string     // and its path
}

// Values are what the application is told: the query, or the form post.
func (l Landing) Values() url.Values {
	switch {
	case l.URL == nil:
		return nil
	case l.Method == http.MethodPost:
		return l.Form
	}
	return l.URL.Query()
}

// Text is what the last page says, without its markup.
func (l Landing) Text() string {
	page, err := html.Parse(bytes.NewReader(l.Page.Body))
	if err != nil {
		return ""
	}
	return words(page)
}

// Visit opens an address as a link on an application's page does.
func (v *Visitor) Visit(address string) Landing {
	v.s.t.Helper()
	return v.visit(http.MethodGet, address, "")
}

// VisitByForm opens an address as a form of an application's page does. The
// browser leaves its Lax cookies at home.
func (v *Visitor) VisitByForm(address string, form url.Values) Landing {
	v.s.t.Helper()
	return v.visit(http.MethodPost, address, form.Encode())
}

// Press opens a page of ours and presses the button of the form whose action
// contains a text.
func (v *Visitor) Press(path, action string) Landing {
	v.s.t.Helper()
	page, err := html.Parse(bytes.NewReader(v.Do(http.MethodGet, path, nil).Want(v.s.t, http.StatusOK).Body))
	if err != nil {
		v.s.t.Fatal(err)
	}
	for _, form := range elements(page, "form") {
		if b := button(form, v.Refuses); b != nil && strings.Contains(attribute(form, "action"), action) {
			return v.travel(http.MethodPost, v.s.URL+attribute(form, "action"), v.fill(form, b).Encode(), false)
		}
	}
	v.s.t.Fatalf("no form of %s leads to %s", path, action)
	return Landing{}
}

// enough is more pages than any journey has.
const enough = 25

func (v *Visitor) visit(method, address, form string) Landing {
	v.s.t.Helper()
	return v.travel(method, address, form, true)
}

// travel goes on from page to page. foreign says that the one who asks is
// another site's page.
func (v *Visitor) travel(method, address, form string, foreign bool) (l Landing) {
	v.s.t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		v.s.t.Fatal(err)
	}
	home, err := url.Parse(v.s.URL)
	if err != nil {
		v.s.t.Fatal(err)
	}
	v.Pages = nil
	for range enough {
		at = home.ResolveReference(at)
		if at.Scheme != home.Scheme || at.Host != home.Host {
			l.URL, l.Method = at, method
			if method == http.MethodPost {
				l.Form, _ = url.ParseQuery(form)
			}
			return l
		}
		l.Page, l.Path = v.navigate(method, at, form, foreign), at.Path
		foreign = foreign && l.Page.Status/100 == 3
		if where := l.Page.Header.Get("Location"); where != "" {
			if l.Page.Status != http.StatusSeeOther && l.Page.Status != http.StatusFound {
				v.s.t.Fatalf("%s %s answers %d: a form would go along", method, at.Path, l.Page.Status)
			}
			if method, form = http.MethodGet, ""; !v.follow(&at, where) {
				return l
			}
			continue
		}
		v.Pages = append(v.Pages, at.Path)
		page, err := html.Parse(bytes.NewReader(l.Page.Body))
		if err != nil {
			v.s.t.Fatal(err)
		}
		if where := refresh(page); where != "" {
			if method, form = http.MethodGet, ""; !v.follow(&at, where) {
				return l
			}
			continue
		}
		next, action, values := v.choose(page)
		if next == "" || l.Page.Status >= 400 || destination(at.Path) {
			return l
		}
		if method = next; method == http.MethodGet {
			action += "?" + values.Encode()
			values = nil
		}
		if form = values.Encode(); !v.follow(&at, action) {
			return l
		}
	}
	v.s.t.Fatalf("the visit does not end: %v", v.Pages)
	return l
}

// destination says whether a page is somewhere to be and not on a way.
func destination(path string) bool {
	return path == "/account" || strings.HasPrefix(path, "/account/") || path == "/admin" || strings.HasPrefix(path, "/admin/") || path == "/error"
}

func (v *Visitor) follow(at **url.URL, where string) bool {
	next, err := (*at).Parse(where)
	if err != nil {
		v.s.t.Errorf("a page leads to %q: %v", where, err)
		return false
	}
	*at = next
	return true
}

// navigate asks as a browser that goes to a page.
func (v *Visitor) navigate(method string, at *url.URL, form string, foreign bool) Answer {
	v.s.t.Helper()
	site := "same-origin"
	if foreign {
		site = "cross-site"
	}
	headers := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", site, "Accept", "text/html"}
	var body any
	if method == http.MethodPost {
		body = form
		headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
		if foreign {
			headers = append(headers, "Origin", "https://app.example", "Cookie", "")
		}
	}
	path := at.EscapedPath()
	if at.RawQuery != "" {
		path += "?" + at.RawQuery
	}
	return v.Do(method, path, body, headers...)
}

// choose finds the form to send, and fills it. A person who refuses presses
// what refuses where there is something.
func (v *Visitor) choose(page *html.Node) (method, action string, values url.Values) {
	forms := elements(page, "form")
	for _, refusing := range []bool{v.Refuses, false} {
		for _, form := range forms {
			b := button(form, refusing)
			if b == nil {
				continue
			}
			method := strings.ToUpper(attribute(form, "method"))
			if method == "" {
				method = http.MethodGet
			}
			return method, attribute(form, "action"), v.fill(form, b)
		}
	}
	return "", "", nil
}

// button is the first of a form that goes on, or the first that does not.
func button(form *html.Node, refusing bool) *html.Node {
	for _, b := range elements(form, "button") {
		if attribute(b, "type") != "button" && !has(b, "disabled") && slices.Contains(stays, strings.ToLower(words(b))) == refusing {
			return b
		}
	}
	return nil
}

// stays are the words of the buttons that do not go on.
var stays = []string{"cancel", "i did not start this", "stay signed in", "sign out of all", "use another account", "change", "no"}

// fill makes what the browser would send when the person presses a button.
func (v *Visitor) fill(form, pressed *html.Node) url.Values {
	values := url.Values{}
	for _, field := range elements(form, "input") {
		name := attribute(field, "name")
		switch kind := attribute(field, "type"); {
		case name == "" || kind == "submit" || kind == "button" || kind == "image":
		case kind == "checkbox" || kind == "radio":
			if says, told := v.Says[name+"="+attribute(field, "value")]; told && says == "on" || !told && has(field, "checked") {
				values.Add(name, attribute(field, "value"))
			}
		case kind == "hidden" || has(field, "readonly"):
			values.Add(name, attribute(field, "value"))
		default:
			values.Add(name, v.answer(name, attribute(field, "value")))
		}
	}
	if name := attribute(pressed, "name"); name != "" {
		values.Set(name, attribute(pressed, "value"))
	}
	return values
}

// answer is what the person types into a field.
func (v *Visitor) answer(name, there string) string {
	if says, told := v.Says[name]; told {
		return says
	}
	switch name {
	case "username", "email":
		return v.User.Email
	case "password":
		return v.User.Password
	}
	return there
}

// refresh is where a page goes on by itself at once.
func refresh(page *html.Node) string {
	for _, m := range elements(page, "meta") {
		if !strings.EqualFold(attribute(m, "http-equiv"), "refresh") {
			continue
		}
		if wait, where, ok := strings.Cut(attribute(m, "content"), ";"); ok && strings.TrimSpace(wait) == "0" {
			return strings.TrimPrefix(strings.TrimSpace(where), "url=")
		}
	}
	return ""
}

func elements(under *html.Node, name string) (out []*html.Node) {
	for n := range under.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// words are the text below a node, with one space between words.
func words(under *html.Node) string {
	var b strings.Builder
	for n := range under.Descendants() {
		if n.Type == html.TextNode && (n.Parent == nil || n.Parent.Data != "style" && n.Parent.Data != "script") {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
