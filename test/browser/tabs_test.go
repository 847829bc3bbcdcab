package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// Mission S6: signing out in one tab tells the others. One that shows nobody's
// account stays as it is, with what was typed.
func TestSigningOutInOneTabTellsTheOthers(t *testing.T) {
	h := open(t)
	b := New(t)
	one, two, form := b.Tab(), b.Tab(), b.Tab()
	form.Go(h.URL + "/sign-up")
	form.Type(`input[name="username"]`, "half@typed.example")
	h.enter(one)
	two.Go(h.URL + "/account/sessions?ended=")
	two.Until("her sessions", `document.querySelector(".rows")`)
	one.Go(h.URL + "/sign-out")
	one.Press(submit)
	one.Until("the end", `location.pathname === "/signed-out"`)
	two.Until("the sign-in of the other tab", `location.pathname === "/sign-in" && location.search.includes("sessions")`)
	if typed := form.Eval(`document.querySelector('input[name="username"]').value`); typed != "half@typed.example" {
		t.Errorf("the form holds %q", typed)
	}
	// A link to that page ends nobody's sign-in, and tells nobody so.
	h.enter(one)
	two.Go(h.URL + "/account")
	one.Go(h.URL + "/signed-out?ended=here")
	one.Until("her account", `location.pathname === "/account"`)
	two.do("wait for what does not come", chromedp.Reload())
	two.Until("her account", `location.pathname === "/account"`)
}
