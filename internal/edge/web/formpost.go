package web

import (
	"fmt"
	"io"
	"net/url"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

var formPostTemplate = ui.Load(files, "parts.html", "formpost/page.html")

// FormPostPage carries an answer to an application in a form (OAuth 2.0 Form Post Response Mode): pressed by the
// person, or by our script where there is one. App must be set.
type FormPostPage struct {
	ui.Shell
	To     string // the registered redirect, on the web
	Answer []Detail
}

// Title heads the page.
func (p FormPostPage) Title() ui.Message { return ui.Say("return.title", "app", p.App.Name) }

// FormAction is the one origin beside ours that this page may post to (attack OAU-27).
func (p FormPostPage) FormAction() (origin string, ok bool) { return client.OriginOf(p.To) }

// Render writes the page; it fails when To is no place to go.
func (p FormPostPage) Render(w io.Writer) error {
	u, err := url.Parse(p.To)
	if err != nil {
		return fmt.Errorf("form post: %w", err)
	}
	if _, ok := p.FormAction(); !ok || u.User != nil {
		return fmt.Errorf("form post leads to %q at %q", u.Scheme, u.Host)
	}
	return formPostTemplate.Render(w, p.Lang, p)
}
