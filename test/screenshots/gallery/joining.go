package gallery

import (
	"time"

	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// link is the token of a mail's link.
const link = "vlN6IY2Twd5NvvRHpwREChc0z6aIa7G1dIBYLMs3Q6s"

func joining() []State {
	signUp := func(name string, email string, alert *ui.Alert) State {
		return State{"signup" + name, web.SignUpPage{Shell: shell(nil, alert), Form: form, Email: email, Least: 15, Explain: explain}}
	}
	code := func(name string, alert *ui.Alert, meant string) State {
		return State{"verify-code" + name, web.CheckMailPage{Shell: shell(nil, alert), Form: form, ID: "once_06h04yypzdz1z4kva20mdge3rm", Email: mail, Meant: meant, Back: "/sign-up",
			Explain: explain}}
	}
	confirm := func(name string, alert *ui.Alert, choose bool, other *web.Person) State {
		return State{"verify-link" + name, web.ConfirmPage{Shell: shell(nil, alert), Form: form, At: "/verify", Link: link, Email: mail, Choose: choose, Least: 15, Other: other, Explain: explain}}
	}
	over := func(name string, p web.LinkOverPage) State {
		p.Shell, p.Form = shell(nil, nil), form
		return State{"verify-" + name, p}
	}
	invite := func(name string, alert *ui.Alert, other *web.Person) State {
		return State{"invite" + name, web.ConfirmPage{Shell: shell(nil, alert), Form: form, At: "/invite", Link: link, Email: mail, Name: "Ana", Invited: true, Choose: true, Least: 15,
			Other: other, Explain: explain}}
	}
	setup := func(name string, alert *ui.Alert) State {
		return State{"setup" + name, web.SetupPage{Shell: shell(nil, alert), Form: form, Least: 15, Explain: explain}}
	}
	return []State{
		signUp("", "", nil),
		signUp("-missing", "", web.SignUpMissing(true, true)),
		signUp("-address", "ana@example", web.AddressUnreadable("address.form", ref)),
		signUp("-common", mail, web.PasswordRefused(factor.Common, 15, "password.good", ref)),
		signUp("-short", mail, web.PasswordRefused(factor.TooShort, 15, "password.good", ref)),
		signUp("-domain", mail, web.DomainClosed("signup.domain", ref)),
		{"signup-closed", web.SignUpPage{Shell: shell(nil, nil), Form: form, Closed: true}},
		{"signup-already", web.SignUpPage{Shell: shell(nil, nil), Form: form, Already: &web.Already{Person: ana, Another: "/sign-up?another=1"}}},
		code("", nil, ""),
		code("-meant", nil, "gmail.com"),
		code("-wrong", web.CodeWrong("once.fits", ref), ""),
		code("-void", web.CodeOver(ui.Say("verify.code_void"), "once.tries", ref), ""),
		{"verify-elsewhere", web.CheckMailPage{Shell: shell(nil, nil), Form: form}},
		confirm("", nil, false, nil),
		confirm("-choose", nil, true, nil),
		confirm("-other", nil, true, &web.Person{Name: "Ben", Email: "ben@example.com"}),
		confirm("-there", web.AccountThere("address.free", ref), false, nil),
		invite("", nil, nil),
		invite("-weak", web.PasswordRefused(factor.ContextWord, 15, "password.good", ref), nil),
		invite("-other", nil, &web.Person{Name: "Ben", Email: "ben@example.com"}),
		over("invited-late", web.LinkOverPage{What: web.LinkEnded(now), Now: ui.Say("invite.ended_now")}),
		setup("", nil),
		setup("-missing", web.SetupMissing(true, true, true)),
		setup("-wrong", web.SetupCodeWrong("once.known", ref)),
		over("used", web.LinkOverPage{What: web.LinkUsed(now), Now: ui.Say("verify.used_now"), On: true}),
		over("ended", web.LinkOverPage{What: web.LinkEnded(now.Add(time.Hour)), Now: ui.Say("verify.ended_now"), Link: link}),
		over("void", web.LinkOverPage{What: web.LinkVoid(), Now: ui.Say("verify.ended_now"), Link: link}),
		over("unknown", web.LinkOverPage{What: web.LinkUnknown(), Now: ui.Say("verify.unknown_now")}),
		over("made", web.LinkOverPage{What: web.AccountMade(), Now: ui.Say("verify.made_now"), On: true}),
	}
}
