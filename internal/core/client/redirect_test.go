package client

import (
	"net/url"
	"strings"
	"testing"
)

// Attack OAU-03, checks AS-01 and AS-04: what may be registered to go back to,
// for each type, in production and in development.
func TestAddressesThatMayBeRegistered(t *testing.T) {
	type for_ struct{ all, native, dev bool }
	for s, want := range map[string]for_{
		"https://app.example/cb":                           {all: true},
		"https://app.example":                              {all: true},
		"https://app.example:8443/cb?x=1":                  {all: true},
		"https://xn--bcher-kva.example/cb":                 {all: true},
		"http://127.0.0.1/cb":                              {native: true, dev: true},
		"http://127.0.0.1:9/cb":                            {native: true, dev: true},
		"http://[::1]:9/cb":                                {native: true, dev: true},
		"http://localhost:5173/cb":                         {dev: true}, // a name that others may answer for
		"com.example.app:/cb":                              {native: true},
		"com.example.app://cb":                             {native: true},
		"com.example.app:":                                 {},
		"myapp:/cb":                                        {}, // nobody owns the name
		"myapp://cb":                                       {},
		"com..example:/cb":                                 {},
		".example:/cb":                                     {},
		"com.example.app:cb":                               {},
		"":                                                 {},
		"/cb":                                              {},
		"//app.example/cb":                                 {},
		"javascript:alert(1)":                              {},
		"JavaScript:alert(1)":                              {},
		"data:text/html,x":                                 {},
		"vbscript:x":                                       {},
		"file:///etc/passwd":                               {},
		"blob:https://x":                                   {},
		"java\tscript:x":                                   {},
		"http://app.example/cb":                            {},
		"http://127.0.0.2/cb":                              {},
		"http://127.1/cb":                                  {},
		"http://2130706433/cb":                             {},
		"http://localhost.evil.example/cb":                 {},
		"http://127.0.0.1@evil.example/":                   {},
		"https://app.example/cb#f":                         {},
		"https://app.example/cb#":                          {},
		"https://a@app.example/cb":                         {},
		"https://a@b@app.example/cb":                       {},
		"https://app.example%40evil/":                      {},
		"https://app.example/../x":                         {},
		"https://app.example/cb/..":                        {},
		"https://app.example/cb/./x":                       {},
		"https://app.example/%2e%2e/x":                     {},
		"https://*.example/cb":                             {},
		"https://App.example/cb":                           {},
		"HTTPS://app.example/cb":                           {},
		"https://app.example./cb":                          {},
		"https://app.example:443/cb":                       {},
		"https://app.example:/cb":                          {},
		"https://app.example:99999/cb":                     {},
		"https://app.example:0443/cb":                      {},
		"https:/\\evil":                                    {},
		"https:\\\\evil":                                   {},
		"https:evil":                                       {},
		"https:///cb":                                      {},
		"https://app.example/c b":                          {},
		"https://app.example/ü":                            {},
		" https://app.example/cb":                          {},
		"https://app.example/cb\n":                         {},
		"https://app.example/" + strings.Repeat("a", 2048): {},
	} {
		for _, kind := range []string{"web", "spa", "native", "machine"} {
			for _, dev := range []bool{false, true} {
				good := want.all || want.native && kind == "native" || want.dev && dev
				c := Client{ID: "a", Type: kind, Auth: "none", TokenFormat: JWT, RedirectURIs: []string{s}}
				if word, ok := c.Valid(dev); ok != good || !ok && word != WordRedirect {
					t.Errorf("%s, development %v: %q: %v (%v)", kind, dev, s, ok, word)
				}
				c.RedirectURIs, c.PostLogout = nil, []string{s}
				if word, ok := c.Valid(dev); ok != good || !ok && word != WordPostLogout {
					t.Errorf("%s, development %v: after sign-out %q: %v (%v)", kind, dev, s, ok, word)
				}
			}
		}
	}
}

// Attacks OAU-01 and OAU-02, check AS-01: the same text, but for the port of a
// program's loopback address.
func TestAnAddressIsTheRegisteredOne(t *testing.T) {
	registered := []string{"https://app.example/cb", "http://127.0.0.1/cb", "http://[::1]:9/cb?x=1", "http://127.0.0.1", "com.example.app:/cb", "http://localhost:3000/cb"}
	for s, want := range map[string]struct{ web, native bool }{
		"https://app.example/cb":             {true, true},
		"http://127.0.0.1/cb":                {true, true},
		"http://localhost:3000/cb":           {true, true},
		"com.example.app:/cb":                {true, true},
		"http://127.0.0.1:51004/cb":          {false, true},
		"http://127.0.0.1:51004":             {false, true},
		"http://[::1]:51004/cb?x=1":          {false, true},
		"http://[::1]/cb?x=1":                {false, true},
		"http://127.0.0.1:51004/cb2":         {},
		"http://127.0.0.1:51004/cb/":         {},
		"http://127.0.0.1:51004/cb?a":        {},
		"http://127.0.0.1:51004/cb#a":        {},
		"http://127.0.0.1:51004/CB":          {},
		"http://127.0.0.1:51004/x/../cb":     {},
		"http://127.0.0.1:0/cb":              {},
		"http://127.0.0.1:080/cb":            {},
		"http://127.0.0.1:65536/cb":          {},
		"http://127.0.0.1:99999999999999/cb": {},
		"http://127.0.0.1:/cb":               {},
		"http://127.0.0.1:x/cb":              {},
		"http://127.0.0.1:+1/cb":             {},
		"http://127.0.0.1:1@evil.example/cb": {},
		"http://127.0.0.1:1.evil.example/cb": {},
		"http://127.0.0.1.evil.example/cb":   {},
		"http://127.0.0.1@evil.example/cb":   {},
		"http://127.0.0.1\\@evil.example/":   {},
		"http://127.0.0.2:1/cb":              {},
		"http://127.1:1/cb":                  {},
		"http://[::1]:1/cb?x=2":              {},
		"http://[::2]:1/cb?x=1":              {},
		"https://127.0.0.1:1/cb":             {},
		"HTTP://127.0.0.1:1/cb":              {},
		"http://localhost:3001/cb":           {}, // never the name
		"http://localhost:1/cb":              {},
		"com.example.app:51004/cb":           {},
		"https://app.example:8443/cb":        {},
		"https://app.example@evil/cb":        {},
		"https://a@b@app.example/cb":         {},
		"https://app.example.evil/cb":        {},
		"https://appXexample/cb":             {},
		"https://app.example/cb/../x":        {},
		"https://app.example/cb%2f..":        {},
		"https://app.example/CB":             {},
		"https://app.example/cb/":            {},
		"https://app.example:443/cb":         {},
		"https://app.example/cb?":            {},
		"https://app.example/cb#":            {},
		"http://app.example/cb":              {},
		"":                                   {},
	} {
		for kind, good := range map[string]bool{"web": want.web, "spa": want.web, "native": want.native} {
			if got := (Client{ID: "a", Type: kind, RedirectURIs: registered}).Redirects(s); got != good {
				t.Errorf("%s: %q: %v", kind, s, got)
			}
		}
	}
}

// What may be registered to go back to is read in one way, and is no script
// (attack OAU-03).
func FuzzRedirectURI(f *testing.F) {
	for _, s := range []string{"https://app.example/cb", "http://127.0.0.1:9/cb", "com.example.app:/cb", "javascript:alert(1)", "https://a@b/c", "https://app.example/../cb", "a.b:c", "x.y://h#f", "https:\\\\e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !RedirectURI(s) {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.String() != s || u.User != nil || strings.Contains(s, "#") || strings.ContainsAny(s, " \t\r\n\\") || !strings.Contains(u.Scheme, ".") && u.Scheme != "https" && u.Scheme != "http" {
			t.Errorf("%q may be registered", s)
		}
	})
}

// However an address is written that passes for a program's own, it leads to
// this machine and to the path that was registered (attacks OAU-01, OAU-02).
func FuzzRedirects(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:1/cb", "http://[::1]:65535/cb", "http://127.0.0.1:1@e/cb", "http://127.0.0.1:01/cb", "http://127.0.0.1:1/cb?", "https://app.example/cb"} {
		f.Add(s)
	}
	c := Client{ID: "a", Type: "native", RedirectURIs: []string{"http://127.0.0.1/cb", "http://[::1]/cb", "https://app.example/cb"}}
	f.Fuzz(func(t *testing.T, s string) {
		if !c.Redirects(s) || s == "https://app.example/cb" {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" || u.Path != "/cb" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") {
			t.Errorf("%q passes", s)
		}
	})
}
