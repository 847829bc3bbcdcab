package web

import (
	"net/url"
	"path"
	"strings"

	"github.com/doorward/doorward/internal/core/client"
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

// destination is where a page leads on to: what was asked for, else home. A page of a first-party application is
// reached by way of ours that leaves for it; what nobody registered is no destination, and stands on no page.
func (v *visit) destination(q url.Values) string {
	asked := q.Get("return_to")
	if to, ok := returnTo(asked); ok {
		return to
	}
	origin, address, ok := leaveFor(asked)
	switch {
	case !ok:
		return home
	case origin == v.own():
		if to, ok := returnTo(strings.TrimPrefix(address, origin)); ok {
			return to
		}
		return home
	}
	if _, err := v.exchange.Leave(v.ctx(), origin); err != nil {
		return home
	}
	return leaving(address)
}

// leaving is the address of our page that leaves for an application's. What a query may hold stays as it is (RFC 3986
// section 3.4): so it is short, and can be read.
func leaving(address string) string { return "/return?to=" + plainly.Replace(url.QueryEscape(address)) }

var plainly = strings.NewReplacer("%3A", ":", "%2F", "/", "%3F", "?", "%40", "@")

// leaveFor reads the address of a page elsewhere, and its origin. It is written anew from what was understood, like
// [returnTo]: the origin that is judged is the one that browsers find in it (attack OAU-07). Whether anybody
// registered it is for others to say.
func leaveFor(s string) (origin, address string, ok bool) {
	if len(s) > returnAtMost || strings.ContainsFunc(s, notInAddress) {
		return "", "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Opaque != "" || strings.ContainsFunc(u.Host, notInHost) {
		return "", "", false
	}
	if origin, ok = client.Origin(u.Scheme + "://" + u.Host); !ok {
		return "", "", false
	}
	if u.Path == "" {
		u.Path = "/"
	}
	out := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, Fragment: u.Fragment, RawFragment: u.RawFragment}
	return origin, out.String(), true
}

// notInHost are characters that a name, an address or a port does not have.
func notInHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-.:[]", r)
}
