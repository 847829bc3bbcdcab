package web

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

// Attack OAU-07: addresses that some reader takes for another host.
var elsewhere = []string{
	"", "e", "//e", `/\e`, "/\t/e", "/%09/e", "/%5ce", "https:e", "https:///e", "https://e", `\\e`, `\/e`, "/.//e", `/./../\e`, "///e", "@e",
	"\u3002e", "/\u3002/e", ";@e", "/a\x00", "\x00/a", "/%00", "/%2f%2fe", "/%2Fe", "/a/%2e%2e//e", "/a/../e", "/..//e", "/a//e", "/%2e/e", "/./e",
	" /e", "/e ", "/\n/e", "/a\r\nSet-Cookie: x=y", "?x", "#x", "javascript:alert(1)", "/%zz", "/%5C%5Ce", "/\u00e9", "/%e2%80%a8", "/a%20b", "/%2f", "/a%2Fb", `/a?b=\e`, "/a?b=\u3002", "/a#\u3002", "/a?b c", "http:/e",
	"/" + strings.Repeat("a", 8<<10),
}

// Attack OAU-07.
func TestReturnToStaysHere(t *testing.T) {
	for _, s := range elsewhere {
		if got, ok := returnTo(s); ok {
			t.Errorf("%q leads to %q", s, got)
		}
	}
	for s, want := range map[string]string{
		"/":                 "/",
		"/account/sessions": "/account/sessions",
		"/account/":         "/account/",
		"/a:b/@c;d":         "/a:b/@c;d",
		"/%61ccount":        "/account",
		"/oauth/authorize?a=b%2F%2F&state=//e%5c": "/oauth/authorize?a=b%2F%2F&state=//e%5c",
		"/account/security#password":              "/account/security#password",
	} {
		if got, ok := returnTo(s); !ok || got != want {
			t.Errorf("%q: %q, %v, want %q", s, got, ok, want)
		}
	}
}

// browserTarget reads an address against a base as browsers do (WHATWG URL section 4.4) and gives the origin: leading
// and trailing control characters and spaces go, tabs and newlines go everywhere, a backslash is a slash.
func browserTarget(base *url.URL, s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(s)
	own := base.Scheme + "://" + base.Host
	scheme, rest, found := strings.Cut(s, ":")
	if found && scheme != "" && !strings.ContainsAny(scheme, "/?#") {
		if scheme = strings.ToLower(scheme); scheme != base.Scheme || strings.HasPrefix(rest, "//") {
			return scheme + "://" + strings.TrimLeft(rest, "/")
		}
		s = rest // "https:e" is relative to an https base
	}
	if strings.HasPrefix(s, "//") {
		return base.Scheme + "://" + strings.TrimLeft(s, "/")
	}
	return own
}

func FuzzReturnTo(f *testing.F) {
	for _, s := range elsewhere {
		f.Add(s)
	}
	f.Add("/account?return_to=%2f%2fe#x")
	base, err := url.Parse("https://auth.example.com/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := returnTo(s)
		if !ok {
			return
		}
		if origin := browserTarget(base, got); origin != "https://auth.example.com" {
			t.Fatalf("%q leads to %q, at %s", s, got, origin)
		}
		// A proxy that decodes the path once more finds nothing else in it.
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q leads to %q: %v", s, got, err)
		}
		if origin := browserTarget(base, u.Path); origin != "https://auth.example.com" || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") && u.Path != "/" {
			t.Fatalf("%q leads to the path %q", s, u.Path)
		}
		for i := range len(got) {
			if got[i] <= ' ' || got[i] >= 0x7f {
				t.Fatalf("%q leads to %q", s, got)
			}
		}
		if again, ok := returnTo(got); !ok || again != got {
			t.Fatalf("%q, read again, is %q, %v", got, again, ok)
		}
	})
}

// Attack OAU-07: the origin that is judged is the one that browsers go to.
func FuzzLeaveFor(f *testing.F) {
	for _, s := range elsewhere {
		f.Add(s)
		f.Add("https://notes.example.com" + s)
	}
	for _, s := range []string{"https://a.example/b?c=d#e", "http://localhost:3000", "https://a.example@e/", "https://[::1]:8/", "https://a.example:443/", "https://a\u3002e/", "https://a.example%2f@e", "HTTPS://a.example/"} {
		f.Add(s)
	}
	base, err := url.Parse("https://auth.example.com/return")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		origin, address, ok := leaveFor(s)
		if !ok {
			return
		}
		scheme, rest, _ := strings.Cut(browserTarget(base, address), "://")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, "?")
		host, _, _ = strings.Cut(host, "#")
		if scheme+"://"+host != origin {
			t.Fatalf("%q leads to %q, at %s://%s, judged as %q", s, address, scheme, host, origin)
		}
		if strings.ContainsFunc(address, notInAddress) {
			t.Fatalf("%q leads to %q", s, address)
		}
		if o, again, ok := leaveFor(address); !ok || again != address || o != origin {
			t.Fatalf("%q, read again, is %q at %q, %v", address, again, o, ok)
		}
	})
}
