// Package ui is what every page shares: the headers, the stylesheet and the script, the frame around the
// content, and the catalogue of words. A page is a struct that embeds [Shell] and a template loaded with
// [Load]; handlers fill the struct and hand it to [Write].
package ui

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A Page is one filled-in page.
type Page interface {
	// Render writes the whole document as UTF-8. After an error what was written is of no use.
	Render(w io.Writer) error
}

// A leaver is a page with a form that posts to one other origin.
type leaver interface {
	FormAction() (origin string, ok bool)
}

// Shell is what surrounds the content of a page. The zero value is a page in English without head or message.
type Shell struct {
	Host   string  // our own host, as in the address bar: people compare the two
	Lang   string  // BCP 47 tag of the catalogue; empty or unknown is English
	App    *App    // who asked; nil shows our own name
	Alert  *Alert  // what went wrong; see Failed
	Status Message // what was just done; the zero Message shows nothing
}

// Failed puts "Error:" before the title, so that it is heard first.
func (s Shell) Failed() bool { return s.Alert != nil }

// Section is the place in the navigation of a page that has one: such a page is wider and has no head. Empty is a
// hosted page, one card.
func (Shell) Section() string { return "" }

// Lead puts the focus on the title: of a page that is to be read before anything on it is pressed.
func (Shell) Lead() bool { return false }

// App is the application on whose behalf a page asks.
type App struct {
	Name   string
	Domain string // the verified one: the host of the registered redirect
}

// Initial stands in for a logo.
func (a App) Initial() string {
	for _, r := range a.Name {
		return string(r)
	}
	return "?"
}

// Form is what every form of ours carries in hidden fields.
type Form struct {
	CSRF     string // field "csrf"
	ReturnTo string // field "return_to"; left out when empty
}

// An Alert is a refusal in the person's words: what happened, then what to do now.
type Alert struct {
	Title  Message
	Detail Message // the zero Message shows nothing
	Check  string  // the id of the failed check, where it may be told
	Ref    string  // the short reference that explain takes
	Fields []FieldAlert
}

// A FieldAlert says which field is meant, and why where the words of the box are not enough.
type FieldAlert struct {
	ID   string  // the field's id in the page: "username", "current-password"
	Text Message // the zero Message refers to the box
}

// On is what is wrong with one field, or nil. A nil Alert has nothing against any field.
func (a *Alert) On(id string) *FieldAlert {
	if a == nil {
		return nil
	}
	for i, f := range a.Fields {
		if f.ID == id {
			return &a.Fields[i]
		}
	}
	return nil
}

// Write answers with a page. A page that cannot be rendered is reported before anything was sent, so that
// the caller can still answer otherwise.
func Write(w http.ResponseWriter, status int, p Page) error {
	var body bytes.Buffer
	if err := p.Render(&body); err != nil {
		return fmt.Errorf("render %T: %w", p, err)
	}
	h := w.Header()
	Headers(h)
	if l, ok := p.(leaver); ok {
		if origin, ok := l.FormAction(); ok {
			h.Set("Content-Security-Policy", strings.Replace(contentSecurity, "form-action 'self'", "form-action 'self' "+origin, 1))
		}
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // whoever has left does not read an error either
	return nil
}
