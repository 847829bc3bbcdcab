package gallery

import (
	"slices"
	"time"

	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

const flow = "dw_fl_AQz0Kk3mB9yQ2sLr8aXcZ1uHbJe6dGipT3nQm0Vw9yKf2sLr8aXcZ1uHbJe6dGi"

const day = 24 * time.Hour

func may(scopes ...string) []web.Permission {
	own := map[string]string{"notes:read": "read your notes", "notes:write": "write and delete your notes"}
	all := make([]web.Permission, len(scopes))
	for i, s := range scopes {
		all[i] = web.MayUse(s, own[s])
	}
	return all
}

// applications are the pages on which somebody allows one, and takes it back.
func applications() []State {
	away := web.LastsWhenAway(15*day, 90*day)
	consent := func(name string, change func(*web.ConsentPage)) State {
		p := web.ConsentPage{Shell: shell(notes, nil), Form: ui.Form{CSRF: form.CSRF}, Flow: flow, Person: web.Person{Name: "Ana Ruiz", Email: mail},
			Change: "/choose-account?flow=" + flow, Asked: may("openid", "profile", "email", "notes:read", "offline_access"), Lasts: away,
			At: []string{"https://api.notes.example"}, Explain: explain}
		change(&p)
		return State{"consent" + name, p}
	}
	device := func(name string, change func(*web.DeviceConfirmPage)) State {
		p := web.DeviceConfirmPage{Shell: shell(&ui.App{Name: "Films", Domain: "films.example"}, nil), Form: ui.Form{CSRF: form.CSRF}, Flow: flow, Code: "WDJB-MJHT",
			Person: ana, Change: "/sign-in?another=1", Device: "FilmsTV", Ago: 20 * time.Second, Place: "Hanoi, VN", IP: "203.0.113.88", Here: "Madrid, ES", Far: true,
			Asked: may("openid", "offline_access"), Lasts: away, Explain: explain}
		change(&p)
		return State{"device-confirm" + name, p}
	}
	typed := func(name, code string, alert *ui.Alert) State {
		return State{"device" + name, web.DevicePage{Shell: shell(nil, alert), Form: ui.Form{CSRF: form.CSRF}, Code: code, Explain: explain[:2]}}
	}
	post := web.FormPostPage{Shell: shell(notes, nil), To: "https://app.notes.example/callback",
		Answer: []web.Detail{{Name: "code", Value: "dw_ac_9F"}, {Name: "state", Value: `a;b'c"</script>`}, {Name: "iss", Value: "https://auth.example.com"}}}
	ends := web.Effect{Ends: []ui.Message{web.EndsPermission("Notes"), web.EndsTokens()}, Lasts: []ui.Message{web.LastsAlone(now.Add(5 * time.Minute))}}
	connected := web.Connected{ID: "notes", Name: "Notes", Domain: "app.notes.example", Since: now.Add(-60 * day), Used: now.Add(-3 * time.Hour),
		May: may("openid", "profile", "email", "notes:read", "offline_access"), Lasts: away, Effect: ends}
	machine := web.Connected{ID: "films", Name: "Films", Since: now.Add(-2 * time.Hour), May: may("openid", "films:watch"), Policy: true, Lasts: web.LastsWhileIn(30 * day), Effect: ends}
	apps := func(name string, gone *web.Effect, list ...web.Connected) State {
		return State{"apps" + name, web.AppsPage{Shell: shell(nil, nil), Form: ui.Form{CSRF: form.CSRF}, Apps: list, Gone: gone}}
	}
	tokens := connected
	tokens.Effect.Ends = ends.Ends[1:]
	return slices.Concat([]State{
		consent("", func(*web.ConsentPage) {}),
		consent("-optional", func(p *web.ConsentPage) { p.Optional = may("notes:write") }),
		consent("-new", func(p *web.ConsentPage) {
			p.Asked, p.Before, p.Since = may("notes:write"), may("openid", "profile"), now.Add(-180*day)
		}),
		consent("-self", func(p *web.ConsentPage) {
			p.Registered, p.Person, p.Lasts, p.At = 4*time.Minute, web.Person{Email: mail}, web.LastsWhileIn(30*day), nil
			p.Asked = may("openid", "never:described")
		}),
		consent("-details", func(p *web.ConsentPage) {
			p.Asked = may("openid")
			p.Details = []web.Detailed{{Type: "payment_initiation", Says: "make one payment from your account", Holds: []web.Detail{
				{Name: "amount", Value: "123.50 EUR"}, {Name: "to", Value: "Merchant A, DE02100100109307118603"}}}}
		}),
		consent("-old", func(p *web.ConsentPage) { p.Status = web.PageWasOld() }),
		{"choose", web.ChoosePage{Shell: shell(notes, nil), Form: ui.Form{CSRF: form.CSRF}, Flow: flow, Person: web.Person{Name: "Ana Ruiz", Email: mail}, Used: now, Another: "/sign-in?another=1"}},
		typed("", "", nil),
		typed("-code", "WDJB-MJHT", nil),
		typed("-wrong", "AAAA-BBBB", web.DeviceUnknown("device.known", ref)),
		typed("-missing", "", web.DeviceMissing()),
		typed("-slowed", "WDJB-MJHT", web.Slowed(now, 10*time.Minute, "limit.device", ref)),
		device("", func(*web.DeviceConfirmPage) {}),
		device("-near", func(p *web.DeviceConfirmPage) { p.Far, p.Place, p.Device, p.Asked = false, "", "", nil }),
		{"device-allowed", web.DeviceDonePage{Shell: shell(&ui.App{Name: "Films", Domain: "films.example"}, nil), Allowed: true}},
		{"device-denied", web.DeviceDonePage{Shell: shell(nil, nil)}},
		{"formpost", post},
		apps("", nil, connected, machine),
		apps("-none", nil),
		apps("-gone", &ends, machine),
		{"app-remove", web.AppPage{Shell: shell(nil, nil), Form: form, Connected: connected, Explain: explain[2:]}},
		{"app-signout", web.AppPage{Shell: shell(nil, nil), Form: form, Connected: tokens, Only: true, Explain: explain[2:]}},
	})
}
