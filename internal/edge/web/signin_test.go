package web_test

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// What password managers look for. A change here breaks saved logins of people, so it is written out.
func TestTheFieldsPasswordManagersFind(t *testing.T) {
	page := render(t, web.SignInPage{Form: ui.Form{CSRF: "token"}})
	for _, want := range []string{
		`<form method="post" action="/sign-in">`,
		`<input id="username" name="username" type="email" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" required value="" autofocus>`,
		`<input id="current-password" name="password" type="password" autocomplete="current-password" autocapitalize="none" spellcheck="false" required enterkeyhint="go">`,
		`<button type="button" hidden aria-controls="current-password" aria-pressed="false" data-reveals="current-password">Show</button>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	page = render(t, web.StepUpPage{Form: ui.Form{CSRF: "token"}, Email: "ana@example.com", Why: web.AskedToEnd()})
	if want := `<input id="username" name="username" type="email" autocomplete="username" readonly value="ana@example.com">`; !strings.Contains(page, want) {
		t.Errorf("no %s in\n%s", want, page)
	}
}

func TestWhereTheFocusIs(t *testing.T) {
	for name, test := range map[string]struct {
		page web.SignInPage
		want string
	}{
		"first view":    {web.SignInPage{}, "username"},
		"e-mail known":  {web.SignInPage{Email: "ana@example.com"}, "current-password"},
		"after refusal": {web.SignInPage{Email: "ana@example.com", Shell: ui.Shell{Alert: web.SignInWrong("", "")}}, "alert"},
	} {
		t.Run(name, func(t *testing.T) {
			var focused []string
			for _, n := range elements(t, render(t, test.page)) {
				if _, ok := attr(n, "autofocus"); ok {
					id, _ := attr(n, "id")
					focused = append(focused, id)
				}
			}
			if len(focused) != 1 || focused[0] != test.want {
				t.Errorf("focus on %v, want %s", focused, test.want)
			}
		})
	}
}

// Names, addresses and e-mails are strangers' words.
func TestStrangersWordsStayWords(t *testing.T) {
	const hostile = `"><img src=x onerror=alert(1)>{n}`
	app := &ui.App{Name: hostile, Domain: hostile}
	shell := ui.Shell{Host: hostile, App: app}
	for _, p := range []ui.Page{
		web.SignInPage{Shell: shell, Form: ui.Form{CSRF: hostile, ReturnTo: hostile}, Email: hostile, Explain: []string{hostile}},
		web.SignInPage{Shell: shell, Already: &web.Already{Person: web.Person{Name: hostile, Email: hostile}, Another: "javascript:alert(1)"}},
		web.StepUpPage{Shell: shell, Why: web.AskedByApp(hostile), Email: hostile, Back: "javascript:alert(1)"},
		web.ReturnPage{Shell: shell, To: "https://app.example/"},
		web.ErrorPage{Shell: shell, Refusal: web.WrongAddress(hostile), Back: "javascript:alert(1)", Details: []web.Detail{{Name: hostile, Value: hostile}}},
		// OAU-27: what applications, devices and operators wrote.
		web.ConsentPage{Shell: shell, Form: ui.Form{CSRF: hostile}, Flow: hostile, Person: web.Person{Name: hostile, Email: hostile}, Change: "javascript:alert(1)",
			Asked: []web.Permission{web.MayUse(hostile, ""), web.MayUse("x", hostile)}, Optional: []web.Permission{web.MayUse(hostile, hostile)}, At: []string{hostile},
			Details: []web.Detailed{{Type: hostile, Says: hostile, Holds: []web.Detail{{Name: hostile, Value: hostile}}}}, Explain: []string{hostile}},
		web.DevicePage{Shell: shell, Code: hostile},
		web.DeviceConfirmPage{Shell: shell, Code: hostile, Device: hostile, Place: hostile, IP: hostile, Here: hostile, Change: "javascript:alert(1)"},
		web.ChoosePage{Shell: shell, Flow: hostile, Person: web.Person{Name: hostile, Email: hostile}, Another: "javascript:alert(1)"},
		web.FormPostPage{Shell: shell, To: "https://app.example/", Answer: []web.Detail{{Name: "state", Value: hostile}, {Name: "error_description", Value: hostile}}},
		web.AppsPage{Shell: shell, Apps: []web.Connected{{ID: hostile, Name: hostile, Domain: hostile, May: []web.Permission{web.MayUse(hostile, "")}}}},
		web.AppPage{Shell: shell, Connected: web.Connected{ID: hostile, Name: hostile}},
		web.EndPage{Shell: shell, Asks: web.AskEndSession(hostile), Action: hostile, Effect: web.Effect{Ends: []ui.Message{web.EndsPermission(hostile), web.TellsApp(hostile)}}},
		web.SessionsPage{Shell: shell, Sessions: []web.Session{{ID: hostile, Device: hostile, IP: hostile, Place: hostile, Apps: []string{hostile}}}},
	} {
		for _, n := range elements(t, render(t, p)) {
			if n.Data == "title" && strings.Contains(text(n), "<bdi>") {
				t.Errorf("%T: the title shows its own markup: %s", p, text(n))
			}
			if src, _ := attr(n, "src"); n.Data == "img" && src == "x" {
				t.Errorf("%T: an element got in", p)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") {
					t.Errorf("%T: <%s %s=%q>", p, n.Data, a.Key, a.Val)
				}
			}
		}
	}
}
