package web

import (
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var returnTemplate = ui.Load(files, "parts.html", "return/page.html")

// ReturnPage leaves for the application: the only way off this origin, since a redirect after a POST would need
// form-action to name every application. App must be set.
type ReturnPage struct {
	ui.Shell
	To       string // the registered redirect with its answer, absolute; with Finished the application's home or empty
	Finished bool   // the answer was taken already: no refresh
	Out      bool   // somebody signed out
	Without  bool   // the application gets no more than the word that it got nothing
}

// Title heads the page.
func (p ReturnPage) Title() ui.Message {
	if p.Finished {
		return ui.Say("return.finished")
	}
	return ui.Say("return.title", "app", p.App.Name)
}

// Refresh says that the browser may leave by itself. Browsers open other applications only on a click.
func (p ReturnPage) Refresh() bool {
	return !p.Finished && (strings.HasPrefix(p.To, "https://") || strings.HasPrefix(p.To, "http://"))
}

// Link is the destination as templates may print it. Besides the web only private-use schemes pass, which hold a
// period (RFC 8252 section 7.1); that shuts out javascript:, data: and their like. A character that no address may
// hold (RFC 3986 section 2) could end the attribute's own syntax, and is refused too.
func (p ReturnPage) Link() (template.URL, error) {
	if i := strings.IndexFunc(p.To, notInAddress); i >= 0 {
		return "", fmt.Errorf("return address holds %q", p.To[i])
	}
	u, err := url.Parse(p.To)
	if err != nil {
		return "", fmt.Errorf("return address: %w", err)
	}
	web := (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
	private := strings.Contains(u.Scheme, ".")
	if !web && !private || strings.ContainsAny(u.Host, "!$&'()*+,;=%") {
		return "", fmt.Errorf("return address leads to %q at %q", u.Scheme, u.Host)
	}
	return template.URL(p.To), nil
}

func notInAddress(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r)
}

// Render writes the page; it fails when To is no place to go.
func (p ReturnPage) Render(w io.Writer) error { return returnTemplate.Render(w, p.Lang, p) }
