package browser

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/edge/web/ui"
	"github.com/doorward/doorward/test/rig"
	"github.com/doorward/doorward/test/screenshots/gallery"
)

// A stop is one page that exists, where a visitor finds it. docs/pages.md says
// what each keeps; whoever adds a page adds its line here.
type stop struct {
	name string
	path string // {session} is another session of hers, {notme} the link of a mail
	in   bool   // signed in
}

var stops = []stop{
	{"sign-in", "/sign-in", false},
	{"sign-in-bound", "/sign-in?return_to=%2Faccount%2Fsessions", false},
	{"sign-up", "/sign-up", false},
	{"verify", "/verify", false},
	{"invite", "/invite?t=nothing", false},
	{"setup", "/setup", false},
	{"recover", "/recover", false},
	{"recover-check", "/recover/check", false},
	{"recover-link", "/recover/link?t=nothing", false},
	{"recover-new", "/recover/new", false},
	{"signed-out", "/signed-out", false},
	{"sign-out-nobody", "/sign-out", false},
	{"return", "/return", false},
	{"error", "/error", false},
	{"nowhere", "/no/such/page", false},
	{"not-me-unknown", "/not-me/nothing", false},
	{"not-me", "{notme}", false},
	{"sign-in-already", "/sign-in", true},
	{"step-up", "/step-up?return_to=%2Faccount%2Fsessions%2Fend-all", true},
	{"sign-out", "/sign-out", true},
	{"account", "/account", true},
	{"sessions", "/account/sessions", true},
	{"session", "/account/sessions/{session}", true},
	{"session-end", "/account/sessions/{session}/end", true},
	{"session-unknown", "/account/sessions/{session}/unknown", true},
	{"end-others", "/account/sessions/end-others", true},
	{"end-all", "/account/sessions/end-all", true},
	{"apps", "/account/apps", true},
	{"app-remove", "/account/apps/notes/remove", true},
	{"consent", "{consent}", true},
	{"consent-gone", "/consent?flow=nothing", true},
	{"choose-account", "{choose}", true},
	{"wrong-address", "{wrong}", false},
	{"device", "/device", true},
	{"device-code", "/device?user_code=WDJB-MJHT", true},
	{"device-done", "/device/done?was=denied", true},
	{"security", "/account/security", true},
	{"profile", "/account/profile", true},
	{"delete", "/account/delete", true},
	{"export", "/account/export", true},
	{"delete-cancel", "/deletion/cancel?t=nothing", false},
	{"activity", "/account/activity", true},
	{"activity-refused", "/account/activity?kind=refused", true},
	{"dev-mail", "/dev/mail", true},
}

// A house is a running server, somebody who is signed in twice, and a visitor.
type house struct {
	*rig.Server
	ana           rig.User
	her, stranger *Tab
	session       string
	notme         string
	consent       string
	choose        string
}

// asks is the address of a request of somebody else's application.
func (h *house) asks(more string) string {
	return "/oauth/authorize?client_id=notes&response_type=code&scope=openid+notes:read+notes:write&state=s&code_challenge=" + strings.Repeat("a", 43) + "&code_challenge_method=S256&redirect_uri=" + url.QueryEscape(h.URL+"/signed-out") + more
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{Server: rig.Start(t, rig.SQLite, rig.Env("DOORWARD_SIGN_UP_OPEN=open", "DOORWARD_LIMITS_SCALE=1000"))}
	h.ana = h.User("ana")
	h.her, h.stranger = New(t).Tab(), New(t).Tab()
	h.enter(h.her)
	wrong := New(t).Tab()
	wrong.Go(h.URL + "/sign-in")
	signIn(wrong, h.ana.Email, "not her password at all")
	wrong.Until("the refusal", `document.querySelector("[role=alert]")`)
	wrong.Type(`input[name="password"]`, h.ana.Password)
	wrong.Press(submit)
	wrong.Until("the account", `location.pathname === "/account"`)
	h.her.Go(h.URL + "/account/sessions")
	h.session = h.her.Eval(`(document.querySelector("a[href$='/unknown']").pathname.split("/")[3])`)
	h.her.Go(h.URL + "/dev/mail")
	h.notme = h.her.Eval(`document.querySelector("a[href*='/not-me/']").pathname`)
	for _, args := range [][]string{
		{"clients", "create", "--metadata", "-"},
		{"scopes", "describe", "notes:read", "--says", "read your notes"},
		{"scopes", "describe", "notes:write", "--says", "write your notes", "--optional"},
	} {
		if r := h.CLI(`{"client_id":"notes","client_name":"Notes","doorward_type":"web","token_endpoint_auth_method":"none","redirect_uris":["`+h.URL+`/signed-out"],"scope":"openid notes:read notes:write"}`, args...); r.Code != 0 {
			t.Fatal(r.Stderr)
		}
	}
	for place, more := range map[*string]string{&h.consent: "", &h.choose: "&prompt=select_account"} {
		h.her.Go(h.URL + h.asks(more))
		*place = h.her.Eval(`location.pathname + location.search`)
	}
	h.allow(h.her)
	return h
}

// allow lets the application know who she is, and no more.
func (h *house) allow(tab *Tab) {
	tab.t.Helper()
	tab.Go(h.URL + strings.Replace(h.asks(""), "openid+notes:read+notes:write", "openid", 1))
	tab.Until("the question", `location.pathname === "/consent"`)
	tab.Press(`form[action="/consent"] button:not([hidden])`)
	tab.Until("the application", `location.pathname === "/signed-out"`)
}

func (h *house) enter(tab *Tab) {
	tab.t.Helper()
	tab.Go(h.URL + "/sign-in")
	signIn(tab, h.ana.Email, h.ana.Password)
	tab.Until("the account", `location.pathname === "/account"`)
}

func (h *house) at(s stop) string {
	return h.URL + strings.NewReplacer("{session}", h.session, "{notme}", h.notme, "{consent}", h.consent, "{choose}", h.choose, "{wrong}", strings.Replace(h.asks(""), "signed-out", "evil", 1)).Replace(s.path)
}

func (h *house) tab(s stop) *Tab {
	if s.in {
		return h.her
	}
	return h.stranger
}

func (t *Tab) width(w int64) {
	t.t.Helper()
	t.do("set the width", chromedp.EmulateViewport(w, 720))
}

// call runs a command of the browser's own protocol.
func call[P, R any](t *Tab, c cdp.Command[P, R], p P) {
	t.t.Helper()
	t.do("call "+string(c.Method), func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, c, p)
		return chromedp.Void{}, err
	})
}

// faults are what a page's own structure says against it, asked in the page.
const faults = `JSON.stringify((() => {
	const bad = [], all = [...document.querySelectorAll("*")], say = (what, e) => bad.push(what + ": " + e.outerHTML.slice(0, 120));
	const seen = e => e.checkVisibility() && e.getClientRects().length > 0;
	if (document.documentElement.scrollWidth > innerWidth) bad.push("scrolls sideways: " + document.documentElement.scrollWidth + " px");
	if (!document.documentElement.lang) bad.push("no language");
	for (const e of all) {
		if (e.tagName === "STYLE" || e.tagName === "SCRIPT" && e.textContent.trim()) say("inline", e);
		for (const a of e.attributes) if (a.name === "style" || a.name.startsWith("on")) say("inline " + a.name, e);
		if (e.tabIndex > 0) say("positive tabindex", e);
	}
	let level = 0;
	const heads = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter(seen);
	if (heads.filter(h => h.tagName === "H1").length !== 1) bad.push("not one h1");
	for (const h of heads) { const n = +h.tagName[1]; if (n > level + 1) say("heading skips", h); level = n; }
	for (const e of document.querySelectorAll("input:not([type=hidden])")) {
		if (!e.labels.length) say("no label", e);
		if (e.type !== "checkbox" && e.type !== "radio" && !/^(username( webauthn)?|current-password|new-password|one-time-code|name|email|off)$/.test(e.autocomplete)) say("autocomplete", e);
		if (parseFloat(getComputedStyle(e).fontSize) < 16 && e.type !== "checkbox" && e.type !== "radio") say("text under 16 px", e);
	}
	for (const e of document.querySelectorAll("a,button,summary,input:not([type=hidden])")) {
		if (!seen(e)) continue;
		const r = e.getBoundingClientRect(), sentence = e.tagName === "A" && getComputedStyle(e).display === "inline" && e.parentElement.textContent.trim() !== e.textContent.trim();
		if (!sentence && (r.height < 24 || r.width < 24)) say("target of " + Math.round(r.width) + " x " + Math.round(r.height), e);
		if (!(e.innerText || e.ariaLabel || e.labels?.length)) say("no name", e);
	}
	const alert = document.querySelector("[role=alert]"), active = document.activeElement;
	const first = [...document.querySelectorAll("main input:not([type=hidden])")].find(e => !e.value && !e.readOnly && seen(e) && e.type !== "checkbox" && !("fragment" in e.dataset)); // a link fills that one
	if (alert && alert.tabIndex === -1 && active !== alert) bad.push("the error box has no focus");
	if (!alert && first && document.body.className === "hosted" && active !== first) say("the first empty field has no focus, but " + active.tagName, first);
	for (const r of performance.getEntriesByType("resource")) if (new URL(r.name).origin !== location.origin) bad.push("asks " + r.name);
	return bad;
})())`

// Every page keeps the contract of docs/pages.md, in a real browser, at 320
// pixels (which is 400 % of 1280) and at 1280.
func TestThePageContract(t *testing.T) {
	h := open(t)
	titles := map[string]string{}
	for _, s := range stops {
		tab := h.tab(s)
		for _, width := range []int64{320, 1280} {
			tab.width(width)
			tab.Go(h.at(s))
			for _, b := range tab.faults() {
				t.Errorf("%s at %d: %s", s.name, width, b)
			}
		}
		if n := packed(tab.Eval(`document.documentElement.outerHTML`)); n > 4<<10 {
			t.Errorf("%s weighs %d bytes, compressed", s.name, n)
		}
		title, at := tab.Eval("document.title"), tab.Eval("location.pathname")
		if other, taken := titles[title]; taken && other != at && !strings.HasPrefix(title, "Error: ") && s.name != "sign-out-nobody" {
			t.Errorf("%s has the title of %s: %s", s.name, other, title)
		}
		titles[title] = at
	}
	for _, tab := range []*Tab{h.her, h.stranger} {
		if c := tab.Complaints(); len(c) > 0 {
			t.Errorf("the browser complained: %s", strings.Join(c, "; "))
		}
	}
}

// faults asks the page. What is loaded is focused a moment later, so a page
// with faults is asked again for a second.
func (t *Tab) faults() (bad []string) {
	t.t.Helper()
	for again := time.NewTicker(25 * time.Millisecond); ; <-again.C {
		bad = nil
		if err := json.Unmarshal([]byte(t.Eval(faults)), &bad); err != nil {
			t.t.Fatal(err)
		}
		if len(bad) == 0 || t.Eval(`String(performance.now() > 1000)`) == "true" {
			return bad
		}
	}
}

// Each state of each page fits in a language of longer words, at 320 pixels.
func TestALongerLanguageFits(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/s/", ui.Assets())
	for _, s := range gallery.States() {
		mux.HandleFunc("GET /"+s.Name, func(w http.ResponseWriter, _ *http.Request) {
			var html bytes.Buffer
			if err := s.In(ui.Pseudo).Page.Render(&html); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
			ui.Headers(w.Header())
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(gallery.Still(html.Bytes()))
		})
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	tab := New(t).Tab()
	tab.width(320)
	for _, s := range gallery.States() {
		tab.Go(server.URL + "/" + s.Name)
		if wide := tab.Eval(`(document.querySelectorAll("details").forEach(d => { d.name = ""; d.open = true }), String(document.documentElement.scrollWidth))`); wide != "320" {
			t.Errorf("%s is %s pixels wide", s.Name, wide)
		}
	}
}

func packed(text string) int {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text)) // into memory
	_ = z.Close()
	return b.Len()
}

// What people do works where no script runs: signing in, reading and ending
// sessions, the story and activity, signing up, recovery, signing out.
func TestJourneysWithoutScript(t *testing.T) {
	h := open(t)
	tab := New(t).Tab()
	call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	h.enter(tab)
	tab.Go(h.URL + "/account/sessions")
	tab.Press(`a[href$="/account/sessions/` + h.session + `"]`)
	tab.Until("the story", `document.querySelector(".deeds")`)
	tab.Go(h.URL + "/account/activity")
	tab.Press(`a[href*="kind=signin"]`)
	tab.Until("the filter", `location.search === "?kind=signin"`)
	tab.Press(`a[href$="` + h.session + `/unknown"]`)
	tab.Until("the question", `location.pathname.endsWith("/unknown")`)
	tab.Press(submit)
	tab.Until("the end of it", `location.search === "?ended=unknown"`)
	tab.Go(h.URL + "/account/sessions")
	tab.Press(`form[action$="/end-others"] ~ *, .all summary`)
	tab.Press(`form[action$="/end-others"] button`)
	tab.Until("the end of the others", `location.search === "?ended=others"`)
	tab.Go(h.URL + h.asks(""))
	tab.Until("the question", `location.pathname === "/consent" && document.querySelector("details summary").innerText.includes("You allowed the rest")`)
	tab.Press(`input[name="scope"]`)
	tab.Press(`form[action="/consent"] button:not([hidden])`)
	tab.Until("the application's page", `location.pathname === "/signed-out"`)
	tab.Go(h.URL + "/account/apps")
	tab.Press(`a[href$="/notes/sign-out"]`)
	tab.Press(submit)
	tab.Until("the end of the tokens", `location.search === "?gone=tokens" && document.body.innerText.includes("write your notes")`)
	tab.Go(h.URL + "/account/apps/notes/remove")
	tab.Press(submit)
	tab.Until("the end of the permission", `location.search === "?gone=app"`)
	tab.Go(h.URL + "/sign-out")
	tab.Press(submit)
	tab.Until("the end", `location.pathname === "/signed-out"`)

	tab.Go(h.URL + "/sign-up")
	tab.Type(`input[name="username"]`, "eve@example.com")
	tab.Type(`input[name="password"]`, "seven green bottles on a wall")
	tab.Press(submit)
	tab.Until("the page for the code", `document.querySelector("input[autocomplete=one-time-code]")`)
	mail := New(t).Tab()
	mail.Go(h.URL + "/dev/mail")
	mail.Until("the code", `/\d{4} \d{4}/.test(document.body.innerText)`)
	tab.Type(`input[autocomplete=one-time-code]`, mail.Eval(`document.body.innerText.match(/\d{4} \d{4}/)[0]`))
	tab.Press(`form:has(input[autocomplete=one-time-code]) button:not([type=button])`)
	tab.Until("her account", `location.pathname === "/account"`)

	lost := New(t).Tab()
	call(lost, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	lost.Go(h.URL + "/sign-in")
	lost.Press(`a[href^="/recover"]`)
	lost.Type(`input[name="username"]`, h.ana.Email)
	lost.Press(submit)
	lost.Until("the page for the code", `document.querySelector("input[autocomplete=one-time-code]")`)
	for _, b := range []*Tab{tab, lost} {
		if c := b.Complaints(); len(c) > 0 {
			t.Errorf("the browser complained: %s", strings.Join(c, "; "))
		}
	}
}

// The keyboard reaches everything in reading order, shows where it is, and
// signs in by Enter.
func TestTheKeyboardWalk(t *testing.T) {
	h := open(t)
	h.stranger.width(1280)
	h.stranger.Go(h.URL + "/sign-in")
	h.stranger.walk()
	h.stranger.Go(h.URL + "/sign-in")
	h.stranger.Until("the focus", `document.activeElement.id === "username"`)
	h.stranger.do("type", chromedp.KeyEvent(h.ana.Email+"\t"+h.ana.Password+"\r"))
	h.stranger.Until("the account", `location.pathname === "/account"`)
	h.her.width(1280)
	h.her.Go(h.URL + "/account/sessions")
	h.her.walk()
	// No key says yes before a button was gone to: neither on the title, nor in a box.
	h.her.Go(h.URL + h.consent)
	h.her.Until("the focus on the title", `document.activeElement.tagName === "H1"`)
	h.her.do("press Enter", chromedp.KeyEvent("\r"))
	h.her.Eval(`(document.querySelector("input[name=scope]").focus(), "")`)
	h.her.do("press Enter", chromedp.KeyEvent("\r"))
	h.her.do("tick", chromedp.KeyEvent(" "))
	h.her.Until("the box to be ticked", `document.querySelector("input[name=scope]").checked && location.pathname === "/consent"`)
	h.her.Go(h.URL + h.consent)
	h.her.walk()
}

// walk presses Tab through the page from its start.
func (t *Tab) walk() {
	t.t.Helper()
	t.Eval(`(window.order = [...document.querySelectorAll("a[href],button,summary,input:not([type=hidden])")].filter(e => e.checkVisibility() && e.getClientRects().length), order[0].focus(), "")`)
	steps := t.Eval(`String(order.length)`)
	for i := range 60 {
		if fmt.Sprint(i) == steps {
			return
		}
		if i > 0 {
			t.do("press Tab", chromedp.KeyEvent("\t"))
		}
		t.Until("the focus in reading order", fmt.Sprintf(`document.activeElement === order[%d] && getComputedStyle(document.activeElement).outlineStyle !== "none"`, i))
	}
	t.t.Errorf("%s places for the focus", steps)
}

// A browser that she never used signs in; she reads the mail, says that it was
// not her, and the other is out. Her password opens nothing until recovery.
func TestFromANewBrowserToNotMe(t *testing.T) {
	h := open(t)
	thief := New(t).Tab()
	h.enter(thief)
	h.her.Go(h.URL + "/dev/mail")
	h.her.Until("the mail", `document.body.innerText.includes("New sign-in: ")`)
	h.her.Picture("mail-new-device")
	h.her.Press(`a[href*="/not-me/"]`)
	h.her.Until("the page", `document.title.startsWith("Was this not you?")`)
	h.her.Picture("not-me")
	h.her.Press(submit)
	h.her.Until("what comes next", `document.querySelector("a[href='/recover']")`)
	h.her.Picture("not-me-done")
	thief.Reload()
	thief.Until("the way in", `location.pathname === "/sign-in"`)
	signIn(thief, h.ana.Email, h.ana.Password)
	thief.Until("the refusal", `document.querySelector("[role=alert]")?.innerText.includes("password.trusted")`)
	// She gets back in by her mailbox; the old password stays dead.
	h.her.Press(`a[href='/recover']`)
	h.her.Type(`input[name="username"]`, h.ana.Email)
	h.her.Press(submit)
	h.her.Until("the page for the code", `document.querySelector("input[autocomplete=one-time-code]")`)
	mail := New(t).Tab()
	mail.Go(h.URL + "/dev/mail")
	mail.Until("the code", `/\d{4} \d{4}/.test(document.body.innerText)`)
	h.her.Type(`input[autocomplete=one-time-code]`, mail.Eval(`document.body.innerText.match(/\d{4} \d{4}/)[0]`))
	h.her.Press(submit)
	h.her.Type(`input[autocomplete="new-password"]`, "a quite new password of hers")
	h.her.Press(submit)
	h.her.Until("the end of recovery", `location.pathname === "/recover/done"`)
	h.her.Go(h.URL + "/sign-in")
	signIn(h.her, h.ana.Email, "a quite new password of hers")
	h.her.Until("her account", `location.pathname === "/account"`)
	if c := append(h.her.Complaints(), thief.Complaints()...); len(c) > 0 {
		t.Errorf("the browser complained: %s", strings.Join(c, "; "))
	}
}

// TestScreenshots makes the gallery: every page of the real program, light and
// dark, narrow and wide. `make screenshots` names the directory.
func TestScreenshots(t *testing.T) {
	if os.Getenv("DOORWARD_SCREENSHOTS") == "" {
		t.Skip("DOORWARD_SCREENSHOTS names no directory")
	}
	h := open(t)
	for _, s := range stops {
		tab := h.tab(s)
		for _, theme := range []string{"light", "dark"} {
			call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
			for _, width := range []int64{320, 1280} {
				tab.width(width)
				tab.Go(h.at(s))
				tab.Picture(fmt.Sprintf("%s-%s-%d", url.PathEscape(s.name), theme, width))
			}
		}
	}
}
