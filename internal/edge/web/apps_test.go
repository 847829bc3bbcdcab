package web_test

import (
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

// allow has a person allow an application.
func (g *rig) allow(email, app string, scopes ...string) {
	g.t.Helper()
	var u core.Unit
	if !g.store.View(g.t.Context()).Client(app).Exists() {
		u = append(u, client.Create{ID: app, Name: strings.ToUpper(app[:1]) + app[1:], Type: "web", Auth: "none", RedirectURIs: []string{"https://" + app + ".example.com/cb"}, Created: g.clock.Now()})
	}
	u = append(u, client.Allow{ID: client.NewGrantID(g.clock.Now(), secret.Random16()), User: g.people[email], Client: app, Scopes: scopes, Created: g.clock.Now()})
	if _, err := g.store.Commit(g.t.Context(), u); err != nil {
		g.t.Fatal(err)
	}
}

// AS-34: what was allowed is listed in the words in which it was asked, and taken back by a form that says the effect.
func TestConnectedApps(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	g.allow(ana, "notes", "openid", "notes:read", "offline_access")
	g.allow(ben, "films", "openid")
	if _, err := g.store.Commit(t.Context(), core.Unit{client.Describe{Name: "notes:read", Says: "read your notes", Changed: g.clock.Now()}}); err != nil {
		t.Fatal(err)
	}
	b := g.browser()
	b.get("/account/apps").to("/sign-in?return_to=%2Faccount%2Fapps")
	b.signIn(ana)
	page := b.get("/account/apps").is(200).says("Notes", "notes.example.com", "know that it is you whenever you come back", "read your notes", "keep working when you are away",
		"Ends now What you allowed Notes.", "Refresh tokens at once", "Can still work Access tokens at APIs that check tokens by themselves").lacks("Films")
	form := page.form("/account/apps/notes/remove")
	// Looking changes nothing, and what is not hers is not there.
	for range 3 {
		b.get("/account/apps/notes/remove").is(200).says("Remove Notes?")
		b.get("/account/apps/notes/sign-out").is(200).says("Sign out of Notes?", "What you allowed stays.")
	}
	for _, other := range []string{"films", "nothing", "%00", "..%2fnotes"} {
		b.get("/account/apps/" + other + "/remove").is(404)
		b.post("/account/apps/"+other+"/remove", form).is(404)
	}
	// SES-15: only a form of this browser's.
	b.post("/account/apps/notes/remove", form, header("Sec-Fetch-Site", "cross-site")).is(403)
	b.post("/account/apps/notes/remove", with(form, "csrf", "x")).is(422).says("This page was open for a long time, so we made a new one.")
	g.browser().post("/account/apps/notes/remove", form).to("/sign-in?return_to=%2Faccount%2Fapps")
	b.get("/account/apps").says("Notes")
	b.post("/account/apps/notes/sign-out", form).to("/account/apps?gone=tokens")
	b.get("/account/apps?gone=tokens").is(200).says("Done.", "Ended now Refresh tokens at once", "Notes")
	b.post("/account/apps/notes/remove", form).to("/account/apps?gone=app")
	b.get("/account/apps?gone=app").is(200).says("Ended now What you allowed the app.", "No app uses your account.")
	b.post("/account/apps/notes/remove", form).is(404)
	b.get("/account/activity").says("You removed an app that you had allowed, from Firefox on Linux.", "You signed out of one app, from Firefox on Linux.")
}
