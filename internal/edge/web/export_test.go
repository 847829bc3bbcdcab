package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// A person takes out what is known of them as a file, after a fresh proof, by
// a form of ours and not by a link.
func TestTakingDataAlong(t *testing.T) {
	g := newRig(t, live, 1)
	b := g.browser().signIn(ana)
	b.get("/account/profile").is(200).says("Your data")
	page := b.get("/account/export").is(200).says("No password and nothing that opens your account is in it.")
	form := page.form("/account/export")
	b.post("/account/export", with(form, "csrf", "x")).is(422)
	b.post("/account/export", with(form, "user", ben)).is(400)
	g.browser().post("/account/export", form).is(422)
	a := b.post("/account/export", form).is(200)
	if a.header.Get("Content-Type") != "application/json" || a.header.Get("Content-Disposition") != `attachment; filename="account.json"` || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the file comes with %v", a.header)
	}
	var file struct {
		Account  struct{ Email, Name string }
		Sessions []struct{ ID, Method string }
		Activity []struct{ Exchange string }
	}
	if err := json.Unmarshal([]byte(a.body), &file, json.MatchCaseInsensitiveNames(true)); err != nil || file.Account.Email != ana || len(file.Sessions) != 1 || len(file.Activity) < 2 {
		t.Errorf("the file says %s (%v)", a.body, err)
	}
	for _, secret := range []string{"$argon2", "dw_", ben, "hash"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("the file holds %q", secret)
		}
	}
	for range 4 {
		b.post("/account/export", form).is(200)
	}
	b.post("/account/export", form).is(429)
	g.clock.pass(11 * time.Minute)
	b.post("/account/export", form).to("/step-up?return_to=%2Faccount%2Fexport")
	b.get("/step-up?return_to=%2Faccount%2Fexport").is(200).says("Before a copy of your data leaves")
}
