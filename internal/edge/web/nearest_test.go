package web

import (
	"os/exec"
	"strings"
	"testing"
)

// One test for each kind of difference that keeps an application from being sent back.
func TestWhereTwoAddressesPart(t *testing.T) {
	const is = "https://app.example/callback"
	for sent, want := range map[string]string{
		"https://app.example/callback/":      `one "/" more at the end of the path`,
		"http://app.example/callback":        `"http:" instead of "https:"`,
		"https://app.example:8443/callback":  `port "8443" instead of ""`,
		"https://www.app.example/callback":   `host "www.app.example" instead of "app.example"`,
		"https://APP.example/callback":       `host "APP.example" instead of "app.example"`,
		"https://app.example/Callback":       "capitals and small letters of the path",
		"https://app.example/cb":             `path "/cb" instead of "/callback"`,
		"https://app.example/callback?x=1":   `query "x=1" instead of ""`,
		"https://app.example/callback#x":     `fragment "x", which none may have`,
		"https://a@app.example/callback":     `"a@" before the host`,
		"https://app.example/%63allback":     `path "/%63allback" instead of "/callback"`,
		"https://app.example/callback%zz":    "they part at character 29",
		"https://app.example/callback?":      "they part at character 29",
		"https://app.example/call\nback":     "they part at character 25",
		"https://app.example@evil/callback":  `"app.example@" before the host`,
		"https://app.example.evil/callback":  `host "app.example.evil" instead of "app.example"`,
		"https:///callback":                  `host "" instead of "app.example"`,
		"":                                   "none was sent",
		"https://app.example/callback":       "the same",
		"https://app.example/a/../callback/": `path "/a/../callback/" instead of "/callback"`,
	} {
		if got := difference(sent, is); got != want {
			t.Errorf("%q: %s, want %s", sent, got, want)
		}
	}
	if got := difference("https://app.example/cb", "https://app.example/cb/"); got != `one "/" less at the end of the path` {
		t.Error(got)
	}
}

func TestTheNearestAddressIsMarked(t *testing.T) {
	all := RedirectDetails("notes", "https://app.example/callback/", []string{"http://localhost:5173/callback", "https://app.example/callback", "com.example.app:/cb"})
	var marked []string
	for _, d := range all {
		if d.Mark != "" {
			marked = append(marked, d.Value+" "+d.Mark)
		}
	}
	if len(marked) != 1 || marked[0] != `https://app.example/callback nearest: one "/" more at the end of the path` {
		t.Errorf("marked %q", marked)
	}
	if last := all[len(all)-1].Value; last != "doorward clients edit notes --add-redirect https://app.example/callback/" {
		t.Errorf("the fix is %q", last)
	}
	if all := RedirectDetails("notes", "javascript:alert(1)", nil); len(all) != 2 {
		t.Errorf("without any address registered: %v", all)
	}
}

// What a stranger sent is copied into a shell: it stays one word.
func TestTheFixIsOneCommand(t *testing.T) {
	for _, s := range []string{"https://a.example/'; touch /tmp/x; '", "https://a.example/$(id)", "https://a.example/`id`", "https://a.example/a&b", "https://a.example/?a=b&c=d", "plain", "", "a\nb", "*"} {
		got, err := exec.Command("sh", "-c", "printf %s "+quoted(s)).Output()
		if err != nil || string(got) != s {
			t.Errorf("%q is read as %q, %v", s, got, err)
		}
	}
}

func FuzzRedirectDetails(f *testing.F) {
	f.Add("https://app.example/callback/", "https://app.example/callback")
	f.Add("\x00", "")
	f.Fuzz(func(t *testing.T, sent, registered string) {
		marks := 0
		for _, d := range RedirectDetails("notes", sent, []string{registered, "https://app.example/"}) {
			if d.Mark != "" {
				marks++
			}
		}
		if marks != 1 || strings.Contains(difference(sent, registered), "\n") {
			t.Errorf("%d marks", marks)
		}
	})
}
