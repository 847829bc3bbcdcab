package web

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/doorward/doorward/internal/core/client"
)

// RedirectDetails says to the people who run an application why an address to go back to was refused: what was sent,
// what is registered, which of those is nearest and where the two part.
func RedirectDetails(app, sent string, registered []string) []Detail {
	all := []Detail{{Name: "redirect_uri sent", Value: cmp.Or(sent, "(none)")}}
	near := nearest(sent, registered)
	for i, r := range registered {
		d := Detail{Name: "registered", Value: r}
		if i == near {
			d.Mark = "nearest: " + difference(sent, r)
		}
		all = append(all, d)
	}
	all = append(all, Detail{Name: "rule", Value: "exact match, no wildcard; a loopback IP address may have any port"})
	if near >= 0 {
		all = append(all, Detail{Name: "fix", Value: "send " + registered[near]})
	}
	if client.RedirectURI(sent) {
		all = append(all, Detail{Name: "or", Value: "doorward clients edit " + app + " --add-redirect " + quoted(sent)})
	}
	return all
}

// nearest finds the address that shares most of its two ends with another; -1 when there is none.
func nearest(sent string, registered []string) int {
	best, at := -1, -1
	for i, r := range registered {
		head := shared(sent, r, false)
		if n := head + shared(sent[head:], r[head:], true) - max(len(sent), len(r)); at < 0 || n > best {
			best, at = n, i
		}
	}
	return at
}

// shared counts the bytes in which two strings agree, from their start or their end.
func shared(a, b string, fromEnd bool) (n int) {
	for n < len(a) && n < len(b) {
		x, y := a[n], b[n]
		if fromEnd {
			x, y = a[len(a)-1-n], b[len(b)-1-n]
		}
		if x != y {
			break
		}
		n++
	}
	return n
}

// difference is the first thing in which an address that was sent is not the registered one.
func difference(sent, registered string) string {
	a, err := url.Parse(sent)
	b, err2 := url.Parse(registered)
	switch {
	case err != nil || err2 != nil:
	case sent == "":
		return "none was sent"
	case sent == registered:
		return "the same"
	case a.Scheme != b.Scheme:
		return fmt.Sprintf("%q instead of %q", a.Scheme+":", b.Scheme+":")
	case a.User != nil:
		return fmt.Sprintf("%q before the host", a.User.String()+"@")
	case a.Hostname() != b.Hostname():
		return fmt.Sprintf("host %q instead of %q", a.Hostname(), b.Hostname())
	case a.Port() != b.Port():
		return fmt.Sprintf("port %q instead of %q", a.Port(), b.Port())
	case a.EscapedPath() == b.EscapedPath()+"/":
		return `one "/" more at the end of the path`
	case a.EscapedPath()+"/" == b.EscapedPath():
		return `one "/" less at the end of the path`
	case a.EscapedPath() != b.EscapedPath() && strings.EqualFold(a.EscapedPath(), b.EscapedPath()):
		return "capitals and small letters of the path"
	case a.EscapedPath() != b.EscapedPath():
		return fmt.Sprintf("path %q instead of %q", a.EscapedPath(), b.EscapedPath())
	case a.RawQuery != b.RawQuery:
		return fmt.Sprintf("query %q instead of %q", a.RawQuery, b.RawQuery)
	case a.Fragment != b.Fragment:
		return fmt.Sprintf("fragment %q, which none may have", a.Fragment)
	}
	return fmt.Sprintf("they part at character %d", shared(sent, registered, false)+1)
}

// quoted is an argument as a shell takes it: the address came from a stranger.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~:/@%+=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
