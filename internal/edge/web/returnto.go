package web

import (
	"net/url"
	"path"
	"strings"
)

// returnAtMost bounds an address to go back to, in bytes.
const returnAtMost = 4 << 10

// returnTo reads the address on this server to which somebody wanted to go. It is judged once and written anew from
// what was understood, so that no reader after us can understand it otherwise: browsers take a backslash for a slash
// and drop tabs, proxies decode what stands encoded (attack OAU-07; WHATWG URL section 4.4). What could be read as
// anything but one plain path here is no address.
func returnTo(s string) (string, bool) {
	if len(s) > returnAtMost || !strings.HasPrefix(s, "/") || strings.ContainsFunc(s, notInPath) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	if strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") || strings.ContainsFunc(u.Path, notInPath) {
		return "", false
	}
	// No empty, "." or ".." segments, though a slash may end it.
	if clean := path.Clean(u.Path); u.Path != clean && u.Path != clean+"/" {
		return "", false
	}
	out := url.URL{Path: u.Path, RawQuery: u.RawQuery, Fragment: u.Fragment}
	return out.String(), true
}

// notInPath are characters that no address of ours has: all but visible ASCII, and the backslash.
func notInPath(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }

// destination is where a page leads on to: what was asked for, else home.
func destination(q url.Values) string {
	if to, ok := returnTo(q.Get("return_to")); ok {
		return to
	}
	return home
}
