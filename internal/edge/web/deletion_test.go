package web_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/outbox"
)

// An account is deleted by its page, after a fresh proof; every page of the
// account says until when it can be kept, here and by the mail's link.
func TestDeletingTheAccount(t *testing.T) {
	m := newPostOffice(t, live)
	b := m.browser().signIn(ana)
	b.get("/account").is(200).lacks("will be deleted")
	b.get("/account/profile").is(200).says("Delete your account").lacks("will be deleted")
	m.clock.pass(11 * time.Minute)
	form := b.get("/account/delete").is(200).says("Goes for good", "will be deleted on").form("/account/delete")
	b.post("/account/delete", with(form, "csrf", "x")).is(422)
	b.post("/account/delete", with(form, "user", "somebody")).is(400)
	b.post("/account/delete", form).to("/step-up?return_to=%2Faccount%2Fdelete")
	step := b.get("/step-up?return_to=%2Faccount%2Fdelete").is(200).says("Before your account is to be deleted").form("/step-up")
	b.post("/step-up", with(step, "password", password)).to("/account/delete")
	b.post("/account/delete", b.get("/account/delete").form("/account/delete")).to("/account")
	const band = "Your account will be deleted on 29 Nov 2026"
	keep := b.get("/account").is(200).says(band).form("/account/keep")
	b.get("/account/profile").is(200).says(band).lacks("Delete your account")
	b.get("/account/delete").to("/account")
	m.browser().signIn(ana).get("/account").is(200).says(band)

	// Not by another's form, and not by a page elsewhere.
	m.browser().post("/account/keep", keep).to("/sign-in")
	b.post("/account/keep", with(keep, "csrf", "x")).is(422).says(band)
	b.post("/account/keep", keep).to("/account?kept=1")
	b.get("/account?kept=1").is(200).says("Your account stays").lacks("will be deleted")
	m.letter(ana, outbox.DeletionAsked)

	b.post("/account/delete", b.get("/account/delete").form("/account/delete")).to("/account")
	b.get("/account?kept=1").is(200).says(band).lacks("Your account stays")
	link := m.letter(ana, outbox.DeletionAsked).Link
	phone := m.browser()
	for range 20 {
		phone.get(link).is(200).says("Keep your account?", ana)
	}
	b.get("/account").says(band)
	back := phone.get(link).form("/deletion/cancel")
	phone.post("/deletion/cancel", with(back, "csrf", "x")).is(422)
	phone.follow(phone.post("/deletion/cancel", back)).is(200).says("Your account stays", "choose another password")
	phone.get(link).is(409).says("This was used already.")
	b.get("/account").is(200).lacks("will be deleted")
	phone.get("/deletion/cancel?t=nothing").is(404)
}
