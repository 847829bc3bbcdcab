package web_test

import (
	"testing"

	"github.com/doorward/doorward/internal/core/outbox"
)

func TestChangeOfThePassword(t *testing.T) {
	m := newPostOffice(t, live)
	elsewhere, b := m.browser().signIn(ana), m.browser().signIn(ana)
	b.get("/.well-known/change-password").to("/account/security#password")
	form := b.get("/account/security").is(200).says("Sign-in methods", "Last changed").form("/account/security")
	session, key := b.jar["__Host-doorward_session"], b.jar["__Host-doorward_flow"]
	b.post("/account/security", with(form, "password", "wrong", "new_password", newPassword)).is(422).says("That password does not match.")
	m.clock.pass(2e9)
	b.post("/account/security", with(form, "password", password, "new_password", "short")).is(422).says("needs at least 15")
	m.clock.pass(2e9)
	b.post("/account/security", with(form, "password", password, "new_password", newPassword, "csrf", "x")).is(422)
	b.post("/account/security", with(form, "password", password, "new_password", newPassword)).to("/account/security?changed=1")
	b.get("/account/security?changed=1").is(200).says("Your password was changed. Everybody else was signed out.")
	if b.jar["__Host-doorward_session"] == session || b.jar["__Host-doorward_flow"] == key {
		t.Error("SES-02: the session or the key of forms is the one from before")
	}
	m.letter(ana, outbox.PasswordChanged)
	elsewhere.get("/account").to("/sign-in")
	b.get("/account").is(200)
	m.browser().get("/account/security").to("/sign-in?return_to=%2Faccount%2Fsecurity")
	m.browser().post("/account/security", form).to("/sign-in?return_to=%2Faccount%2Fsecurity")
}
