package gallery

import (
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

func recovering() []State {
	ask := func(name, email string, alert *ui.Alert) State {
		return State{"recover" + name, web.RecoverPage{Shell: shell(nil, alert), Form: form, Email: email, Explain: explain[:2]}}
	}
	code := func(name string, alert *ui.Alert) State {
		return State{"recover-check" + name, web.CodePage{Shell: shell(nil, alert), Form: form, ID: "once_01a", Lead: web.CodeSent(), Action: "/recover/check", Again: "/recover", Explain: explain[:2]}}
	}
	link := web.LinkPage{Shell: shell(nil, nil), Form: form, Heading: ui.Say("recover.title"), Says: ui.Say("recover.link_says", "email", mail),
		Does: ui.Say("recover.link_submit"), Action: "/recover/link", Token: "Q7", Again: "/recover", AskAgain: ui.Say("once.again"), Explain: explain[:2]}
	beside, old := link, link
	beside.Status = ui.Say("recover.beside", "about", mail, "email", "ben@example.com")
	old.Token, old.Alert = "", web.OnceRefused(token.OnceInTime, ref)
	choose := func(name string, alert *ui.Alert) State {
		return State{"recover-new" + name, web.NewPasswordPage{Shell: shell(nil, alert), Form: form, ID: "once_01a", Email: mail, Least: 15, Explain: explain[:2]}}
	}
	ended := []web.Session{{Device: "Firefox on Linux", IP: "203.0.113.7", Created: now.Add(-29 * time.Hour)}, {Device: "Safari on iPhone", IP: "198.51.100.23", Created: now.Add(-time.Hour)}, {Created: now}}
	return []State{
		ask("", "", nil),
		ask("-wrong", "ana", web.AddressUnreadable("address.form", ref)),
		ask("-slowed", mail, web.Slowed(now, 5*time.Minute, "recover.limit", ref)),
		code("", nil),
		code("-wrong", web.CodeWrong("once.fits", ref)),
		code("-void", web.OnceRefused(token.OnceTries, ref)),
		{"recover-link", link},
		{"recover-link-beside", beside},
		{"recover-link-old", old},
		choose("", nil),
		choose("-weak", web.PasswordRefused(factor.Common, 15, "password.good", ref)),
		{"recover-done", web.RecoveredPage{Shell: shell(nil, nil), Email: mail, Ended: ended, SignIn: "/sign-in"}},
		{"recover-done-none", web.RecoveredPage{Shell: shell(nil, nil), Email: mail, SignIn: "/sign-in"}},
	}
}

func securing() []State {
	page := func(name string, alert *ui.Alert) State {
		return State{"security" + name, web.SecurityPage{Shell: shell(nil, alert), Form: ui.Form{CSRF: form.CSRF}, Email: mail, Changed: now.Add(-100 * 24 * time.Hour), Least: 15, Explain: explain[:2]}}
	}
	done := page("-changed", nil)
	changed := done.Page.(web.SecurityPage)
	changed.Status = web.PasswordChanged()
	done.Page = changed
	return []State{
		page("", nil),
		page("-wrong", web.StepUpWrong("signin.failed", ref)),
		page("-weak", web.PasswordRefused(factor.TooShort, 15, "password.good", ref)),
		done,
		{"security-none", web.SecurityPage{Shell: shell(nil, nil), Form: form, Email: mail}},
	}
}

func profile() []State {
	page := func(name, typed string, alert *ui.Alert) State {
		return State{"profile" + name, web.ProfilePage{Shell: shell(nil, alert), Form: ui.Form{CSRF: form.CSRF}, Person: ana, Typed: typed, Explain: explain[:2]}}
	}
	link := func(name, act string, heading, says, does ui.Message) State {
		return State{"address-" + name, web.LinkPage{Shell: shell(nil, nil), Form: ui.Form{CSRF: form.CSRF}, Heading: heading, Says: says, Does: does, Action: act, Token: "Q7", Explain: explain[:2]}}
	}
	deletion := func(name string, alert *ui.Alert) State {
		return State{"delete" + name, web.DeletePage{Shell: shell(nil, alert), Form: ui.Form{CSRF: form.CSRF}, Email: mail, When: now.Add(7 * 24 * time.Hour), Explain: explain[:2]}}
	}
	return []State{
		page("", "", nil),
		page("-wrong", "ana", web.AddressUnreadable("address.form", ref)),
		{"address-check", web.CodePage{Shell: shell(nil, nil), Form: form, ID: "once_01a", Lead: ui.Say("code.sent_new"), Action: "/account/email/check", Again: "/account/profile"}},
		link("confirm", "/address/confirm", ui.Say("profile.confirm_title"), ui.Say("profile.confirm_says", "email", mail), ui.Say("profile.confirm_submit")),
		link("undo", "/address/undo", ui.Say("profile.undo_title"), ui.Say("profile.undo_says", "email", mail), ui.Say("profile.undo_submit")),
		{"profile-leaving", web.ProfilePage{Shell: shell(nil, nil), Form: ui.Form{CSRF: form.CSRF}, Person: ana, Leaving: now.Add(7 * 24 * time.Hour), Explain: explain[:2]}},
		{"account-leaving", web.HomePage{Shell: shell(nil, nil), Form: ui.Form{CSRF: form.CSRF}, Person: ana, Facts: exchange.Facts{Sessions: 2}, Leaving: now.Add(7 * 24 * time.Hour)}},
		{"export", web.ExportPage{Shell: shell(nil, nil), Form: ui.Form{CSRF: form.CSRF}, Explain: explain[:2]}},
		deletion("", nil),
		deletion("-last", web.LastAdministrator("admin.not_last", ref)),
		link("cancel", "/deletion/cancel", ui.Say("delete.keep_title"), ui.Say("delete.keep_says", "email", mail), ui.Say("delete.keep")),
		{"address-kept", web.AccountKept(shell(nil, nil))},
		{"address-moved", web.AddressMoved(shell(nil, nil))},
		{"address-back", web.AddressBack(shell(nil, nil))},
	}
}
