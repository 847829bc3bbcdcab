package client

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// RedirectURI says whether an address may be registered by some application to
// go back to: one that Valid lets through for one type or another.
func RedirectURI(s string) bool { return mayReturn(s, "native", true) }

// mayReturn says whether an application of a type may register an address to
// go back to (RFC 9700 section 2.1, checks AS-04 and OAU-03):
//
//   - https, on any host;
//   - a program on somebody's device: http on a loopback address, never on the
//     name localhost, which others may answer for (RFC 8252 sections 7.3 and
//     8.3), and a scheme of its own in reverse-domain form (section 7.1);
//   - in development http on this machine, for every type.
//
// It is in its one spelling, has no fragment, no user and no dot segments.
func mayReturn(s, kind string, dev bool) bool {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 || u.Fragment != "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(s, "#\\*") || u.String() != s || dotted(u) {
		return false
	}
	switch u.Scheme {
	case "https":
		return webHost(u)
	case "http":
		return webHost(u) && (kind == "native" && u.Hostname() != "localhost" || dev) && loopback(u.Hostname())
	}
	return kind == "native" && private(u.Scheme) && (u.Host != "" || u.Path != "")
}

// dotted says whether a path has a segment that means another one.
func dotted(u *url.URL) bool {
	return slices.ContainsFunc(strings.Split(u.Path, "/"), func(seg string) bool { return seg == "." || seg == ".." })
}

// webHost says whether an address has a host in its one spelling: in lower
// case, with a port that is a number and not the scheme's own.
func webHost(u *url.URL) bool {
	name, port := u.Hostname(), u.Port()
	if name == "" || strings.ToLower(u.Host) != u.Host || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.ContainsAny(name, "%,;") || strings.HasSuffix(u.Host, ":") {
		return false
	}
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n > 0 && n <= 65535 && strconv.Itoa(n) == port && (u.Scheme != "https" || n != 443) && (u.Scheme != "http" || n != 80)
}

// private says whether a scheme is in reverse-domain form: that of a name which
// its owner has (RFC 8252 section 7.1).
func private(scheme string) bool {
	labels := strings.Split(scheme, ".")
	return len(labels) > 1 && !slices.ContainsFunc(labels, func(l string) bool {
		return l == "" || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != ""
	})
}

// Redirects says whether an address is one that was registered: the same text
// (RFC 9700 section 4.1.3). The port of a program's loopback address is the
// operating system's choice at the moment it asks (RFC 8252 section 7.3).
func (c Client) Redirects(sent string) bool {
	if slices.Contains(c.RedirectURIs, sent) {
		return true
	}
	if c.Type != "native" {
		return false
	}
	rest, ok := portless(sent)
	return ok && slices.ContainsFunc(c.RedirectURIs, func(s string) bool {
		r, ok := portless(s)
		return ok && r == rest
	})
}

// portless is a loopback address without its port. Nothing is parsed that a
// browser could parse in another way.
func portless(s string) (string, bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(s, host)
		if !ok {
			continue
		}
		if after, has := strings.CutPrefix(rest, ":"); has {
			end := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
			if end < 0 {
				end = len(after)
			}
			n, err := strconv.Atoi(after[:end])
			if err != nil || n < 1 || n > 65535 || after[0] == '0' {
				return "", false
			}
			rest = after[end:]
		}
		return host + rest, rest == "" || rest[0] == '/' || rest[0] == '?'
	}
	return "", false
}
