package session

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A browser has a short name in words, whatever it calls itself.
func FuzzNamed(f *testing.F) {
	for _, s := range []string{"", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36", "curl/8.0", "(((", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", ";;/;/ /", "a/b c/d (e; f) g/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		name := Named(agent)
		if name == "" || utf8.ValidString(agent) && !utf8.ValidString(name) || len(name) > 2*len(agent)+32 {
			t.Errorf("%q is called %q", agent, name)
		}
	})
}

// A device cookie has one spelling of each mark, and few of them.
func FuzzParseMarks(f *testing.F) {
	f.Add(Marks{}.With([32]byte{1}).With([32]byte{2}).String())
	f.Add("..")
	f.Add(strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, cookie string) {
		m := ParseMarks(cookie)
		again := ParseMarks(m.String())
		if len(m) > marksAtMost || again.String() != m.String() {
			t.Errorf("%q has the marks %q, and those %q", cookie, m, again)
		}
		for _, mark := range m {
			if !strings.Contains(cookie, mark) {
				t.Errorf("%q has the mark %q", cookie, mark)
			}
		}
	})
}
