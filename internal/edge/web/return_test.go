package web_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

func leave(to string, finished bool) web.ReturnPage {
	return web.ReturnPage{Shell: ui.Shell{App: &ui.App{Name: "Notes", Domain: "app.notes.example"}}, To: to, Finished: finished}
}

// ways are the addresses a page refreshes to and links to.
func ways(t *testing.T, page string) (refresh, link string) {
	for _, n := range elements(t, page) {
		if equiv, _ := attr(n, "http-equiv"); n.Data == "meta" && equiv == "refresh" {
			content, _ := attr(n, "content")
			refresh = strings.TrimPrefix(content, "0; url=")
		}
		if n.Data == "a" {
			link, _ = attr(n, "href")
		}
	}
	return refresh, link
}

func TestLeavingReachesTheExactAddress(t *testing.T) {
	for to, refreshes := range map[string]bool{
		"https://app.notes.example/callback?code=c_9F&state=a%3Bb%27c%22&iss=https%3A%2F%2Fauth.example.com": true,
		"http://127.0.0.1:4711/callback?code=x":       true,
		"com.example.notes:/callback?code=x&state=y":  false,
		"com.example.notes://callback?code=x&state=y": false,
	} {
		refresh, link := ways(t, render(t, leave(to, false)))
		if link != to {
			t.Errorf("link to %q, want %q", link, to)
		}
		want := ""
		if refreshes {
			want = to
		}
		if refresh != want {
			t.Errorf("refresh to %q, want %q", refresh, want)
		}
		if refresh, _ := ways(t, render(t, leave(to, true))); refresh != "" {
			t.Errorf("finished, and still refreshes to %q", refresh)
		}
	}
}

func FuzzReturn(f *testing.F) {
	for _, seed := range []string{"https://app.example/cb?code=1", "javascript:alert(1)", "JavaScript:alert(1)//a.b", "data:text/html,x",
		"com.example:/x", "//evil.example", "https:evil", "\tjavascript:alert(1)", "https://a/' ; url=javascript:alert(1)", "https://a/\" onclick=x", "a.b:\x00", "https://a/\"x", "https://a/b^c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, to string) {
		var out bytes.Buffer
		if to == "" || leave(to, false).Render(&out) != nil {
			return
		}
		refresh, link := ways(t, out.String())
		for _, got := range []string{refresh, link} {
			u, err := url.Parse(got)
			if err != nil {
				t.Fatalf("%q leads to %q", to, got)
			}
			switch {
			case got == "", u.Scheme == "https", u.Scheme == "http", strings.Contains(u.Scheme, "."):
			default:
				t.Errorf("%q leads to %q", to, got)
			}
		}
		if !utf8.ValidString(to) || strings.ContainsAny(to, " \"<>^") {
			t.Errorf("%q passed", to)
		}
		// The link writes some signs as %XX; the address is the same.
		a, err1 := url.PathUnescape(refresh)
		b, err2 := url.PathUnescape(link)
		if refresh != "" && (a != b || err1 != nil || err2 != nil) {
			t.Errorf("refresh to %q, link to %q", refresh, link)
		}
	})
}
