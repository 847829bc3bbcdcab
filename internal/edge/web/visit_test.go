package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

var everyForm = []string{"/sign-in", "/sign-in/continue", "/step-up", "/sign-out", "/account/sessions/end-others", "/account/sessions/end-all"}

// Attack SES-15: what another site sends is refused, whatever it carries, and changes nothing.
func TestOtherSitesMayNotSendForms(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b := g.browser().signIn(ana)
	g.browser().signIn(ana)
	forms := append([]string{"/account/sessions/" + g.sessions(ana)[0] + "/end"}, everyForm...)
	good := url.Values{"csrf": b.get("/sign-out").form("/sign-out")["csrf"]}
	for name, edits := range map[string][]edit{
		"cross-site":           {header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")},
		"cross-site, null":     {header("Sec-Fetch-Site", "cross-site")},
		"sibling":              {header("Sec-Fetch-Site", "same-site"), header("Origin", "http://localhost:9999")},
		"old browser":          {without("Sec-Fetch-Site"), header("Origin", "https://evil.example")},
		"old browser, null":    {without("Sec-Fetch-Site")},
		"cross-site, our name": {header("Sec-Fetch-Site", "cross-site"), header("Origin", "http://localhost:8400.evil.example")},
		"two origins":          {func(r *http.Request) { r.Header["Origin"] = []string{"null", "https://evil.example"} }},
	} {
		for _, at := range forms {
			form := good
			if at == "/sign-in" || at == "/step-up" {
				form = with(good, "username", ana, "password", password)
			}
			a := b.post(at, form, edits...).is(403).says("This form did not come from our page", "request.site")
			if a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s, %s: sets a cookie", name, at)
			}
		}
	}
	if n := len(g.sessions(ana)); n != 2 {
		t.Errorf("%d sessions stand, want 2", n)
	}
	// A client that is no browser fills the form it was given.
	b.post("/sign-out", good, without("Sec-Fetch-Site"), without("Origin")).to("/signed-out?ended=here")
}

// A form whose token does not fit comes back filled, with one sentence, and nothing was changed.
// Attack SES-01.
func TestFormsOfAnotherBrowserComeBack(t *testing.T) {
	t.Parallel()
	g := newRig(t, dev, 1000)
	b, other := g.browser().signIn(ana), g.browser()
	foreign := other.get("/sign-in").form("/sign-in").Get("csrf")
	one := "/account/sessions/" + g.sessions(ana)[0] + "/end"
	const old = "This page was open for a long time, so we made a new one."
	for _, csrf := range []string{foreign, "", "AAAA", foreign + "=", strings.Repeat("A", 43)} {
		for _, at := range append([]string{one}, everyForm...) {
			form := url.Values{"csrf": {csrf}}
			if at == "/sign-in" || at == "/step-up" {
				form = with(form, "username", ana, "password", password)
			}
			a := b.post(at, form).is(422).says(old)
			again := a.form(at)
			if strings.Contains(a.body, password) || at == "/sign-in" && again.Get("username") != ana {
				t.Errorf("%s comes back as %v", at, again)
			}
		}
	}
	if n := len(g.sessions(ana)); n != 1 {
		t.Errorf("%d sessions stand, want 1", n)
	}
	a := b.post("/sign-in", url.Values{"csrf": {foreign}, "username": {ana}, "return_to": {"/account/sessions"}}).is(422)
	form := a.form("/sign-in")
	b.post("/sign-in", with(form, "password", password)).to("/account/sessions")
}

func TestBlockedCookiesAreSaid(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000).browser()
	form := b.get("/sign-in").form("/sign-in")
	clear(b.jar)
	a := b.post("/sign-in", with(form, "username", ana, "password", password)).is(422)
	a.says("Your browser refused our cookie", "Allow cookies for localhost:8400 and try again.")
	if len(b.sessions(ana)) != 0 {
		t.Error("somebody is signed in")
	}
	// It was only old: the page that came back works.
	b.post("/sign-in", with(a.form("/sign-in"), "password", password)).to("/account")
	// Whoever has other cookies of ours allows cookies.
	delete(b.jar, "doorward_flow")
	b.post("/sign-out", url.Values{}).is(422).says("This page was open for a long time")
}

// Attack MFA-11.
func TestFormsThatCannotBeReadChangeNothing(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000).browser()
	good := with(b.get("/sign-in").form("/sign-in"), "username", ana, "password", password).Encode()
	body := func(s string) edit {
		return func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(s)) }
	}
	for name, c := range map[string]struct {
		code  int
		check string
		edit  edit
	}{
		"too large":         {413, "request.size", body(good + "&return_to=" + strings.Repeat("a", 65<<10))},
		"json":              {415, "request.media", header("Content-Type", "application/json")},
		"text":              {415, "request.media", header("Content-Type", "text/plain")},
		"multipart":         {415, "request.media", header("Content-Type", "multipart/form-data; boundary=x")},
		"no type":           {415, "request.media", without("Content-Type")},
		"encoded":           {415, "request.media", header("Content-Encoding", "gzip")},
		"field twice":       {400, "request.body", body(good + "&username=" + ben)},
		"unknown field":     {400, "request.body", body(good + "&admin=1")},
		"no UTF-8":          {400, "request.body", body(strings.Replace(good, "password=", "password=%ff", 1))},
		"NUL":               {400, "request.body", body(good + "%00")},
		"broken escape":     {400, "request.body", body(good + "%zz")},
		"query on a form":   {400, "request.query", func(r *http.Request) { r.URL.RawQuery = "return_to=/" }},
		"five hundred more": {400, "request.body", body(good + strings.Repeat("&a=1", 500))},
	} {
		a := b.post("/sign-in", url.Values{}, body(good), c.edit).is(c.code).says("We cannot read what your browser sent", c.check)
		if a.header.Get("Set-Cookie") != "" || len(b.sessions(ana)) != 0 {
			t.Errorf("%s: something was changed", name)
		}
	}
	for _, at := range []string{"/sign-in?return_to=/&return_to=/account", "/sign-in?x=<script>", "/account?x=1", "/sign-in?return_to=%ff", "/error?x=%3Cb%3E", "/sign-out?a=%zz"} {
		a := b.get(at).is(400).says("request.query")
		if strings.Contains(a.body, "<script>") || strings.Contains(a.body, "<b>") {
			t.Errorf("OAU-27: %s is in the page", at)
		}
	}
	b.post("/sign-in", url.Values{}, body(good)).to("/account") // so it was the change that was refused
}

// Attack REC-03: one host, and no word of any other.
func TestOneHost(t *testing.T) {
	t.Parallel()
	host := func(h string) edit { return func(r *http.Request) { r.Host = h } }
	b := newRig(t, live, 1000).browser()
	for _, h := range []string{"evil.example", "auth.example.com.evil.example", "auth.example.com:443", "AUTH.example.com", "127.0.0.1", ""} {
		a := b.get("/sign-in", host(h)).is(421).says("Open auth.example.com instead.")
		if strings.Contains(a.body, "evil") {
			t.Errorf("%s is in the page", h)
		}
	}
	a := b.get("/account", header("X-Forwarded-Host", "evil.example"), header("Forwarded", "host=evil.example;proto=http")).to("/sign-in")
	if strings.Contains(a.body, "evil") {
		t.Error("a forwarded host is in the page")
	}

	// In development people type an address; cookies are kept by name.
	b = newRig(t, dev, 1000).browser()
	for _, h := range []string{"127.0.0.1:8400", "[::1]:8400", "192.0.2.7"} {
		b.get("/sign-in?return_to=/account/sessions", host(h)).to("http://localhost:8400/sign-in?return_to=/account/sessions")
		b.post("/sign-in", url.Values{}, host(h)).is(421)
	}
	b.get("//evil.example/%2e%2e", func(r *http.Request) {
		r.Host = "127.0.0.1:8400"
		r.URL = &url.URL{Path: "/s/evil.example:80@"}
	}).to("http://localhost:8400/s/evil.example:80@")
	b.get("/sign-in", host("evil.example:8400")).is(421)
}

func TestOtherAddressesAndMethods(t *testing.T) {
	t.Parallel()
	b := newRig(t, dev, 1000).browser()
	b.get("/").to("/account")
	b.get("/account").to("/sign-in")
	b.get("/account/sessions").to("/sign-in?return_to=%2Faccount%2Fsessions")
	b.get("/step-up?return_to=/account/sessions").to("/sign-in?return_to=%2Faccount%2Fsessions")
	b.get("/sign-out").to("/signed-out")
	b.get("/signed-out").is(200).says("Nobody was signed in here.")
	b.get("/return").is(200).says("This sign-in already finished")
	b.get("/error?ref=7KQ2-M4").is(200).says("That did not work", "7KQ2-M4")
	if a := b.get("/error?ref=call+0900+now").is(200); strings.Contains(a.body, "0900") {
		t.Error("the error page says what a link tells it to")
	}
	for _, at := range []string{"/nothing", "/sign-in/", "/account/sessions/", "/s/", "/s/app.000000000000.css", "/sign-in/%3Cscript%3E"} {
		a := b.get(at).is(404).says("There is no such page", "request.path")
		if strings.Contains(a.body, "<script>") {
			t.Errorf("%s is in the page", at)
		}
	}
	for at, allow := range map[string]string{"/sign-in": "GET, HEAD, POST", "/sign-in/continue": "POST", "/account": "GET, HEAD", "/account/sessions/x/end": "GET, HEAD, POST"} {
		for _, method := range []string{"PUT", "DELETE", "OPTIONS", "TRACE", "get"} {
			a := b.send(httptest.NewRequest(method, at, nil), nil).is(405).says("This address does not do that", "request.method")
			if got := a.header.Get("Allow"); got != allow {
				t.Errorf("%s %s: Allow %q, want %q", method, at, got, allow)
			}
		}
	}
	b.get("/sign-in/continue").is(405)
	b.send(httptest.NewRequest("HEAD", "/sign-in", nil), nil).is(200)
}

// Attack SES-16: no page of ours is framed, kept, or read by another origin; nor is any refusal or redirect.
// AS-16, AS-17: nothing is framed, nothing is kept, and nobody is told where somebody came from.
func TestEveryAnswerHasTheHeaders(t *testing.T) {
	t.Parallel()
	g := newRig(t, live, 1000)
	b, nobody := g.browser().signIn(ana), g.browser()
	g.allow(ana, "films", "openid")
	ask := g.asker(false, "openid")
	answers := map[string]*answer{
		"wrong host": nobody.get("/sign-in", func(r *http.Request) { r.Host = "evil.example" }),
		"cross-site": nobody.post("/sign-in", url.Values{}, header("Sec-Fetch-Site", "cross-site")),
		"old form":   nobody.post("/sign-in", url.Values{}),
	}
	for _, at := range []string{"/", "/sign-in", "/step-up", "/sign-out", "/signed-out", "/return", "/error", "/account", "/account/sessions",
		"/account/sessions/end-others", "/account/sessions/end-all", "/account/sessions/" + g.sessions(ana)[0] + "/end", "/nothing", "/sign-in?x=1",
		"/account/apps", "/account/apps/films/remove", "/account/apps/films/sign-out", "/device", "/device/confirm", "/device/done?was=denied", "/consent?flow=x", "/choose-account?flow=x",
		ask(), ask("redirect_uri", "https://evil.example"), ask("prompt", "none"),
		b.get(ask()).header.Get("Location"), b.get(ask("prompt", "select_account")).header.Get("Location")} {
		answers["signed in, "+at], answers["nobody, "+at] = b.get(at), nobody.get(at)
	}
	for name, a := range answers {
		csp := a.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") || a.header.Get("X-Frame-Options") != "DENY" ||
			a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" ||
			a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: %d %v", name, a.code, a.header)
		}
		if a.code/100 == 3 && a.code != 303 {
			t.Errorf("OAU-28: %s: %d", name, a.code)
		}
	}
}

func TestTheFilesOfPagesAreServed(t *testing.T) {
	b := newRig(t, live, 1000).browser()
	page := b.get("/sign-in").is(200)
	n := 0
	for _, e := range elements(t, page.body) {
		at, _ := attr(e, "href")
		if e.Data != "link" {
			continue
		}
		n++
		if a := b.get(at).is(200); a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || a.header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: %v", at, a.header)
		}
	}
	if n != 2 {
		t.Errorf("%d files", n)
	}
}
