package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/doorward/doorward/test/rig"
)

// withoutScript turns the scripts of a tab's pages off.
func (t *Tab) withoutScript() {
	t.t.Helper()
	t.do("turn scripts off", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}

// newestMail is what /dev/mail shows on top.
func (t *Tab) newestMail(at string, says string) string {
	t.t.Helper()
	t.Go(at + "/dev/mail")
	for range 100 {
		if text := t.Eval(`document.querySelector("section.card")?.innerText ?? ""`); strings.Contains(text, says) {
			return text
		}
		t.Reload()
	}
	t.t.Fatalf("no mail says %q:\n%s", says, t.See())
	return ""
}

// The whole way of a person into a new server, with script and without: the
// administrator by the setup link, a stranger by sign-up and the code of the
// mail, an invited one by the link of theirs.
func TestBecomingAPerson(t *testing.T) {
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script %v", script), func(t *testing.T) {
			s := rig.Start(t, rig.SQLite, rig.Env("DOORWARD_SIGN_UP_OPEN=open"))
			tab := func() *Tab {
				b := New(t)
				t.Cleanup(func() {
					if c := b.Complaints(); len(c) > 0 {
						t.Errorf("the browser complained: %s", strings.Join(c, "; "))
					}
				})
				tab := b.Tab()
				if !script {
					tab.withoutScript()
				}
				return tab
			}
			says := func(words string) string { return fmt.Sprintf("document.body.innerText.includes(%q)", words) }

			root := tab()
			link := strings.TrimSpace(s.CLI("", "setup-link").Stdout)
			root.Go(link)
			_, code, _ := strings.Cut(link, "#")
			if script {
				root.Until("the code in its field, and no longer in the address", fmt.Sprintf(`document.querySelector("#code").value === %q && location.hash === ""`, code))
			} else {
				root.Type("#code", code)
			}
			root.Type("#username", "root@example.com")
			root.Type("#new-password", "a boat under the wide bridge")
			root.Picture(fmt.Sprintf("setup-filled-%v", script))
			root.Press(submit)
			root.Until("the administrator's account", `location.pathname === "/account" && `+says("root@example.com"))

			eve := tab()
			eve.Go(s.URL + "/sign-in")
			eve.Press(`a[href="/sign-up"]`)
			eve.Type("#username", "eve@example.com")
			eve.Type("#name", "Eve")
			if script {
				// The browser itself holds the rule: nothing is sent yet.
				eve.Type("#new-password", "short")
				eve.Press(submit)
				eve.Until("the rule", `location.pathname === "/sign-up" && document.querySelector("#new-password:invalid")`)
			}
			eve.Type("#new-password", " nine geese over the harbour")
			eve.Press(submit)
			eve.Until("the wait for the code", `location.pathname === "/verify" && `+says("Check your e-mail"))
			mail := tab().newestMail(s.URL, "is your code")
			eve.Type("#code", strings.TrimSpace(strings.Split(mail, " is your code")[0]))
			eve.Picture(fmt.Sprintf("verify-filled-%v", script))
			eve.Press(`form[action="/verify"] button`)
			eve.Until("her account", `location.pathname === "/account" && `+says("You are signed in as Eve (eve@example.com)"))

			if r := s.CLI("", "users", "invite", "--email", "ana@example.com", "--name", "Ana"); r.Code != 0 {
				t.Fatalf("users invite: %s", r.Stderr)
			}
			ana := tab()
			ana.newestMail(s.URL, "You are invited")
			ana.Press(`section.card a[href*="/invite?t="]`)
			ana.Until("the invitation", says("You are invited"))
			if script {
				ana.Until("the link out of the history", `location.search === ""`)
			}
			ana.Type("#new-password", "four lamps on a windy hill")
			ana.Press(`form[action="/invite"] button:not([type=button])`)
			ana.Until("her account", `location.pathname === "/account" && `+says("You are signed in as Ana (ana@example.com)"))
		})
	}
}
