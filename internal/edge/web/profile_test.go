package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/outbox"
)

func TestChangeOfTheAddress(t *testing.T) {
	m := newPostOffice(t, live)
	b, elsewhere := m.browser().signIn(ana), m.browser().signIn(ana)
	form := b.get("/account/profile").is(200).says("You sign in as ana@example.com.").form("/account/email")
	b.post("/account/email", with(form, "email", "nonsense")).is(422).says("Enter an email address in the correct format")
	b.post("/account/email", with(form, "email", "new@example.com", "verified", "true")).is(400) // IDN-13
	b.post("/account/email", with(form, "email", "new@example.com", "csrf", "x")).is(422)
	// ENM-01: one answer, whether somebody has the address or not.
	taken := b.follow(b.post("/account/email", with(form, "email", ben))).is(200).says("We sent a mail to the new address.")
	free := b.follow(b.post("/account/email", with(form, "email", "new@example.com"))).is(200)
	if read(t, taken.body) != read(t, free.body) {
		t.Error("the pages differ")
	}
	b.post("/account/email/check", with(free.form("/account/email/check"), "code", "00000000")).is(422).says("That code does not match.")
	code := m.letter("new@example.com", outbox.ConfirmNewAddress).Code
	b.post("/account/email/check", with(free.form("/account/email/check"), "code", code)).to("/account/profile?changed=1")
	b.get("/account/profile?changed=1").is(200).says("You sign in as new@example.com.", "The old address can take it back for a week.")
	elsewhere.get("/account").to("/sign-in")

	link := m.letter(ana, outbox.AddressChanging).Link
	owner := m.browser()
	for range 50 {
		owner.get(link).is(200).says("Take the change back?", "ana@example.com")
	}
	b.get("/account").is(200)
	back := owner.get(link).form("/address/undo")
	owner.post("/address/undo", with(back, "csrf", "x")).is(422)
	a := owner.post("/address/undo", back)
	if strings.Contains(a.header.Get("Location"), back.Get("t")) {
		t.Error("REC-12: the link's token is in an address")
	}
	owner.follow(a).is(200).says("Your old e-mail is back", "Choose a new password now.")
	owner.get(link).is(409).says("This was used already.")
	b.get("/account").to("/sign-in")
}

func TestTheLinkOfANewAddress(t *testing.T) {
	m := newPostOffice(t, live)
	b := m.browser().signIn(ana)
	b.post("/account/email", with(b.get("/account/profile").form("/account/email"), "email", "new@example.com")).is(303)
	link := m.letter("new@example.com", outbox.ConfirmNewAddress).Link
	phone := m.browser()
	page := phone.get(link).is(200).says("Sign in as new@example.com from now on")
	phone.follow(phone.post("/address/confirm", page.form("/address/confirm"))).is(200).says("Your e-mail was changed")
	b.get("/account").is(200).says("new@example.com") // the session that asked goes on
	m.clock.pass(11 * time.Minute)
	b.post("/account/email", with(b.get("/account/profile").form("/account/email"), "email", "third@example.com")).to("/step-up?return_to=%2Faccount%2Fprofile")
	b.get("/step-up?return_to=%2Faccount%2Fprofile").is(200).says("Before your e-mail is changed")
}
