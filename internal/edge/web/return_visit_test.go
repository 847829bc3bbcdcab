package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

const notesApp = "https://notes.example.com"

// register adds a first-party application with pages at an origin.
func (g *rig) register(id, origin string, first bool) {
	g.t.Helper()
	u := core.Unit{client.Create{ID: id, Name: "Notes", Type: "spa", FirstParty: first, Auth: "none", Origins: []string{origin}, Created: g.clock.Now()}}
	if first {
		u = append(u, client.Claim{Origin: origin, Client: id})
	}
	if _, err := g.store.Commit(g.t.Context(), u); err != nil {
		g.t.Fatal(err)
	}
}

// A page of a first-party application at another origin gets its person back, by a page that leaves: no answer to a
// form ever leads off this origin.
func TestSignInLeadsBackToTheApplication(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	g.register("notes", notesApp, true)
	b := g.browser()
	there := notesApp + "/list?a=b&c=%20d#here"
	ours := "/return?to=https://notes.example.com/list?a%3Db%26c%3D%2520d%23here"
	page := b.get("/sign-in?return_to=" + url.QueryEscape(there)).is(200)
	form := page.form("/sign-in")
	if got := form.Get("return_to"); got != ours {
		t.Fatalf("the form leads to %q", got)
	}
	b.post("/sign-in", with(form, "username", ana, "password", password)).to(ours)
	out := b.get(ours).is(200).says("You are signed in. Going back to notes.example.com.")
	if refresh, link := ways(t, out.body); refresh != there || link != there {
		t.Errorf("refreshes to %q, links to %q", refresh, link)
	}
	// Signed in already, and by fresh proof.
	page = b.get("/sign-in?return_to=" + url.QueryEscape(there)).is(200)
	b.post("/sign-in/continue", page.form("/sign-in/continue")).to(ours)
	page = b.get("/step-up?return_to=" + url.QueryEscape(there)).is(200)
	b.post("/step-up", with(page.form("/step-up"), "password", password)).to(ours)
	// Whoever is not signed in is, first.
	g.browser().get(ours).to("/sign-in?return_to=" + url.QueryEscape(ours))
	// A page of our own is one, however it is written.
	b.get("/step-up?return_to=" + url.QueryEscape(live+"/account/sessions")).is(200)
	b.get("/return?to=" + url.QueryEscape(live+"/account/sessions")).to("/account/sessions")
}

// Attack OAU-07: nobody is sent to an origin that no first-party application registered.
func TestReturnToAnUnregisteredOrigin(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	g.register("notes", notesApp, true)
	g.register("partner", "https://evil.example", false)
	b := g.browser().signIn(ana)
	for _, bad := range []string{"https://evil.example/", "https://evil.example:443/", "http://notes.example.com/", "https://notes.example.com.evil.example/",
		"https://notes.example.com@evil.example/", "https://evil.example/?https://notes.example.com", "https:evil.example", "https:///evil.example",
		"https://notes.example.com\\@evil.example/", "https://notes.example.com%2eevil.example/", "https://NOTES.example.com.evil.example/",
		"//evil.example", "javascript:alert(1)//https://notes.example.com", "https://evil.example#https://notes.example.com", "null", "https://"} {
		for _, at := range []string{"/sign-in", "/step-up", "/sign-out", "/return"} {
			param := "?return_to="
			if at == "/return" {
				param = "?to="
			}
			a := b.get(at + param + url.QueryEscape(bad))
			if strings.Contains(a.body, "evil") || strings.Contains(a.header.Get("Location"), "evil") || strings.Contains(a.body, "alert(1)") {
				t.Errorf("%s: %q is in the answer %d", at, bad, a.code)
			}
		}
	}
	b.get("/return?to=https://evil.example/").is(403).says("return.registered")
}

// Two readers of one address agree on where it leads.
func TestLeavingIsNormal(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	g.register("notes", notesApp, true)
	b := g.browser().signIn(ana)
	for from, to := range map[string]string{
		notesApp:                         notesApp + "/",
		notesApp + "/a/../b":             notesApp + "/a/../b",
		notesApp + "/a%2Fb?x=%0d%0a&y":   notesApp + "/a%2Fb?x=%0d%0a&y",
		notesApp + "/#a/b?c":             notesApp + "/#a/b?c",
		notesApp + "/?x=//evil.example/": notesApp + "/?x=//evil.example/",
	} {
		if _, link := ways(t, b.get("/return?to="+url.QueryEscape(from)).is(200).body); link != to {
			t.Errorf("%q leads to %q, want %q", from, link, to)
		}
	}
}
