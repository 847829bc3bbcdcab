package web_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

func asking() web.ConsentPage {
	return web.ConsentPage{Shell: ui.Shell{App: &ui.App{Name: "Notes", Domain: "app.notes.example"}}, Form: ui.Form{CSRF: "t"}, Flow: "f", Person: web.Person{Email: ana},
		Change: "/choose-account?flow=f", Asked: []web.Permission{web.MayUse("openid", ""), web.MayUse("notes:read", "read your notes")},
		Optional: []web.Permission{web.MayUse("notes:write", "write notes")}, Lasts: web.LastsWhenAway(15*24*time.Hour, 90*24*time.Hour), At: []string{"https://api.notes.example"}}
}

// AS-33: who asks, for what, where and for how long is on the page, in words.
func TestConsentNamesWhatIsAsked(t *testing.T) {
	t.Parallel()
	page := read(t, render(t, asking()))
	for _, words := range []string{"Let Notes use your account?", "You are ana@example.com.", "know that it is you whenever you come back", "read your notes",
		"also write notes (optional)", "https://api.notes.example", "When it was not used for 15 days, and after 90 days at the latest", "You will go back to app.notes.example."} {
		if !strings.Contains(page, words) {
			t.Errorf("the page does not say %q:\n%s", words, page)
		}
	}
	if strings.Contains(page, "notes:read “") {
		t.Error("a scope stands for its sentence")
	}
}

// Saying yes takes a press of the button: Enter in a box presses the first one, which closes a dialog that there is not
// (HTML section 4.10.21.3; one that is disabled is passed over by Chromium), and nothing has the focus but the title.
func TestConsentHasNoDefaultButton(t *testing.T) {
	t.Parallel()
	for _, p := range []ui.Page{asking(), web.DeviceConfirmPage{Shell: asking().Shell, Code: "WDJB-MJHT"}} {
		var first, focused *html.Node
		for _, n := range elements(t, render(t, p)) {
			if n.Data == "button" && first == nil {
				first = n
			}
			if _, ok := attr(n, "autofocus"); ok {
				focused = n
			}
		}
		if focused == nil || focused.Data != "h1" {
			t.Errorf("%T: the focus is on %v", p, focused)
		}
		if _, boxes := p.(web.ConsentPage); !boxes {
			continue
		}
		does, _ := attr(first, "formmethod")
		if _, hidden := attr(first, "hidden"); does != "dialog" || !hidden {
			t.Errorf("%T: the default button is %q", p, text(first))
		}
	}
}

// The names of the fields are what programs rely on that fill forms in.
func TestFormsOfConsentAndDevice(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page ui.Page
		want map[string][]string
	}{
		{asking(), map[string][]string{"/consent": {"csrf", "flow", "scope"}, "/consent/cancel": {"csrf", "flow"}}},
		{web.DevicePage{Form: ui.Form{CSRF: "t"}}, map[string][]string{"/device": {"csrf", "user_code"}}},
		{web.DeviceConfirmPage{Shell: asking().Shell, Form: ui.Form{CSRF: "t"}, Code: "WDJB-MJHT"}, map[string][]string{"/device/confirm": {"csrf", "flow"}, "/device/deny": {"csrf", "flow"}}},
		{web.ChoosePage{Form: ui.Form{CSRF: "t"}, Person: web.Person{Email: ana}}, map[string][]string{"/choose-account": {"csrf", "flow"}}},
		{web.AppPage{Connected: web.Connected{ID: "notes"}, Form: ui.Form{CSRF: "t"}}, map[string][]string{"/account/apps/notes/remove": {"csrf"}}},
	} {
		got := map[string][]string{}
		for _, n := range elements(t, render(t, test.page)) {
			if n.Data != "form" {
				continue
			}
			at, _ := attr(n, "action")
			for c := range n.Descendants() {
				if name, ok := attr(c, "name"); c.Data == "input" && ok {
					got[at] = append(got[at], name)
				}
			}
		}
		if len(got) != len(test.want) {
			t.Errorf("%T: forms %v", test.page, got)
		}
		for at, names := range test.want {
			if !slices.Equal(got[at], names) {
				t.Errorf("%T: the form to %s has %v, want %v", test.page, at, got[at], names)
			}
		}
	}
}

// Attack OAU-27: the one page that posts elsewhere may post to one origin, and what it carries stays text.
func TestAnAnswerInAForm(t *testing.T) {
	t.Parallel()
	page := web.FormPostPage{Shell: asking().Shell, To: "https://app.notes.example/cb?x=1", Answer: []web.Detail{{Name: "code", Value: "dw_ac_x"}}}
	for _, value := range []string{"plain", `"><script>alert(1)</script>`, "</form><form action=//evil.example>", "a\u2028b", "%22%3E", "{{.}}", "'", "\x01"} {
		page.Answer = append(page.Answer[:1], web.Detail{Name: "state", Value: value})
		w := httptest.NewRecorder()
		if err := ui.Write(w, 200, page); err != nil {
			t.Fatal(err)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "; form-action 'self' https://app.notes.example;") || strings.Count(csp, "https:") != 1 {
			t.Errorf("the policy is %s", csp)
		}
		forms, sent := 0, map[string]string{}
		for _, n := range elements(t, w.Body.String()) {
			switch n.Data {
			case "form":
				forms++
				if at, _ := attr(n, "action"); at != page.To {
					t.Errorf("posts to %q", at)
				}
			case "input":
				name, _ := attr(n, "name")
				sent[name], _ = attr(n, "value")
			case "script":
				if n.FirstChild != nil {
					t.Errorf("%q made a script", value)
				}
			}
		}
		if forms != 1 || sent["state"] != value && value != "\x01" || sent["code"] != "dw_ac_x" {
			t.Errorf("%q: %d forms, sent %q", value, forms, sent)
		}
	}
	// Every other page keeps its forms here.
	w := httptest.NewRecorder()
	if err := ui.Write(w, 200, asking()); err != nil || !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'self';") {
		t.Errorf("the policy of consent is %s, %v", w.Header().Get("Content-Security-Policy"), err)
	}
	for _, to := range []string{"javascript:alert(1)", "com.example.notes:/cb", "https://app.example;script-src *", "https://a@b/", "//x", "https://*/", "data:text/html,x", "https://app.example 'unsafe-inline'/"} {
		page.To = to
		if err := ui.Write(httptest.NewRecorder(), 200, page); err == nil {
			t.Errorf("posts to %q", to)
		}
	}
}

// A scope that nobody described is named, and never left out.
func TestEveryScopeHasASentence(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{"openid": "know that it is you whenever you come back", "email": "know your e-mail address", "offline_access": "keep working when you are away",
		"orders:read": "use “orders:read”, which the people who run this server have not described"} {
		p := asking()
		p.Asked = []web.Permission{web.MayUse(scope, "")}
		if page := read(t, render(t, p)); !strings.Contains(page, want) {
			t.Errorf("%s: the page does not say %q", scope, want)
		}
	}
}
