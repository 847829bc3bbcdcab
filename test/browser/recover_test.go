package browser

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Forgotten, in a browser without JavaScript: the mail's code, a new password,
// signed out everywhere, and in again with it.
func TestForgottenPasswordWithoutScript(t *testing.T) {
	at := demo(t)
	home := New(t)
	laptop := home.Tab()
	laptop.Go(at + "/sign-in")
	signIn(laptop, anaEmail, anaPassword)
	laptop.Until("her account", `location.pathname === "/account"`)

	b := New(t)
	tab := b.Tab()
	tab.withoutScript()
	tab.Go(at + "/sign-in")
	tab.Press(`a[href="/recover"]`)
	tab.Type(`input[name="username"]`, anaEmail)
	tab.Picture("recover")
	tab.Press(submit)
	tab.Until("the page of the code", `location.pathname === "/recover/check"`)
	check := tab.Eval(`location.href`)

	mail := b.Tab()
	mail.Go(at + "/dev/mail")
	mail.Until("the mail", `document.body.innerText.includes("Get back into your account")`)
	code := regexp.MustCompile(`\d{4} \d{4}`).FindString(mail.Eval(`document.body.innerText`))
	if code == "" {
		t.Fatal("the mail has no code")
	}
	tab.Go(check)
	tab.Type(`input[name="code"]`, code)
	tab.Picture("recover-check")
	tab.Press(submit)
	tab.Until("the last step", `location.pathname === "/recover/new"`)
	const chosen = "eleven quiet boats at the pier"
	tab.Type(`input[name="password"]`, chosen)
	tab.Picture("recover-new")
	tab.Press(submit)
	tab.Until("what ended", `location.pathname === "/recover/done" && document.body.innerText.includes("We signed out 1 browser:")`)
	tab.Picture("recover-done")

	laptop.Go(at + "/account")
	laptop.Until("the laptop is signed out", `location.pathname === "/sign-in"`)
	tab.Press(`a.main`)
	tab.Until("the sign-in page", `location.pathname === "/sign-in"`)
	signIn(tab, anaEmail, chosen)
	tab.Until("her account again", `location.pathname === "/account" && document.body.innerText.includes("`+anaEmail+`")`)
	if u, err := url.Parse(tab.Eval(`location.href`)); err != nil || u.RawQuery != "" {
		t.Errorf("the way ends at %v", u)
	}
	if c := b.Complaints(); len(c) > 0 {
		t.Errorf("the browser complained: %s", strings.Join(c, "; "))
	}
}
