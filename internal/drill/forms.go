package drill

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// strangers are pages of other sites, by what a browser says of them.
var strangers = map[string][]string{
	"another origin":             {"Origin", "https://doorward-drill.invalid", "Sec-Fetch-Site", "cross-site"},
	"another origin, unlabelled": {"Origin", "https://doorward-drill.invalid", "Sec-Fetch-Site", ""},
	"a null origin":              {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
	"a null origin, unlabelled":  {"Origin", "null", "Sec-Fetch-Site", ""},
	"a sibling":                  {"Origin", "null", "Sec-Fetch-Site", "same-site"},
	"no origin, from elsewhere":  {"Origin", "", "Sec-Fetch-Site", "cross-site"},
}

var formAttacks = []Attack{
	{ID: "csrf", Group: Forms, Tries: "A form without its token, with another browser's, or from another site changes nothing.", Of: []string{"SES-15", "SES-01"}, Expects: []string{"form.token", "request.site"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			page := t.page(b, "/sign-out")
			form := page.form()
			t.holds(form.Get("csrf") != "", "the form has no token")
			post := func(form url.Values, headers ...string) answer {
				return b.copy().do(http.MethodPost, "/sign-out", form, headers...)
			}
			statuses := []int{http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusBadRequest}
			for name, headers := range strangers {
				t.refused("a form from "+name, post(form, headers...), statuses...)
			}
			bare := url.Values{}
			t.refused("no token", post(bare), statuses...)
			bare.Set("csrf", strings.Repeat("A", len(form.Get("csrf"))))
			t.refused("a token of nobody", post(bare), statuses...)
			other := t.signIn(t.ben)
			bare.Set("csrf", t.page(other, "/sign-out").form().Get("csrf"))
			t.refused("another session's token", post(bare), statuses...)
			t.lives(b, "afterwards")
		}},
	{ID: "cross-site", Group: Forms, Tries: "No page of another site signs anybody in, out or on.", Of: []string{"SES-15"}, Expects: []string{"request.site", "client.first_party", "request.media"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			credentials := map[string]string{"email": t.ana.email, "password": t.ana.password}
			for name, headers := range strangers {
				for _, act := range []struct {
					method, path string
					body         any
				}{{http.MethodPost, "/session/refresh", nil}, {http.MethodDelete, "/session", nil}, {http.MethodPost, "/sessions/end-others", nil}, {http.MethodDelete, "/sessions/" + b.session, nil}, {http.MethodPost, "/session", credentials}} {
					a := b.copy().do(act.method, act.path, act.body, headers...)
					t.refused(name, a, http.StatusForbidden)
					t.holds(len(a.header["Set-Cookie"]) == 0, "%s from %s sets cookies", a.what, name)
				}
			}
			for _, media := range []string{"text/plain", "application/x-www-form-urlencoded"} {
				a := t.browser().do(http.MethodPost, "/session", fmt.Sprintf(`{"email":%q,"password":%q}`, t.ana.email, t.ana.password), "Content-Type", media)
				t.refused("JSON as "+media, a, http.StatusUnsupportedMediaType)
			}
			t.gives("by its cookie afterwards", b.get("/session"), http.StatusOK)
		}},
	{ID: "cors", Group: Forms, Tries: "No page of another origin may read an answer that is somebody's.", Of: []string{"OAU-34"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			for _, origin := range []string{"https://doorward-drill.invalid", "null", t.target + ".invalid", t.target + "0", strings.Replace(t.target, "://", "://x.", 1)} {
				for _, method := range []string{http.MethodGet, http.MethodOptions} {
					for _, path := range []string{"/session", "/sessions", "/session/refresh", "/account", "/sign-in"} {
						a := b.copy().do(method, path, nil, "Origin", origin, "Sec-Fetch-Site", "cross-site")
						if a.err != nil {
							t.lost(origin, a)
							continue
						}
						allowed := a.header.Get("Access-Control-Allow-Origin")
						t.holds(allowed == "" && a.header.Get("Access-Control-Allow-Credentials") == "", "%s lets %s read: %q", a.what, origin, allowed)
					}
				}
			}
		}},
	{ID: "clickjacking", Group: Forms, Tries: "No page of ours is framed, runs what is not ours, is kept, or tells where somebody came from.", Of: []string{"SES-16"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			for _, path := range []string{"/sign-in", "/account", "/account/sessions", "/sign-out", "/step-up", "/sign-up", "/recover", "/error", "/nothing-here"} {
				a := b.copy().get(path)
				if a.err != nil {
					t.lost("nothing else", a)
					continue
				}
				policy := a.header.Get("Content-Security-Policy")
				for _, part := range []string{"frame-ancestors 'none'", "default-src 'none'", "base-uri 'none'", "form-action 'self'"} {
					t.holds(strings.Contains(policy, part), "%s: the policy has no %s", path, part)
				}
				t.holds(!strings.Contains(policy, "unsafe-"), "%s: the policy allows what is inline", path)
				want := map[string]string{"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin"}
				for name, value := range want {
					t.holds(a.header.Get(name) == value, "%s: %s is %q, not %q", path, name, a.header.Get(name), value)
				}
				t.holds(!t.secure || a.header.Get("Strict-Transport-Security") != "", "%s: there is no Strict-Transport-Security", path)
			}
		}},
	{ID: "host-header", Group: Forms, Tries: "Another host's name is answered with nothing of ours, and no name that was sent is in a page or a link.", Of: []string{"REC-03"}, Expects: []string{"request.host"},
		run: func(t *try) {
			const evil = "doorward-drill.invalid"
			for _, path := range []string{"/sign-in", "/session", "/.well-known/openid-configuration", "/account"} {
				a := t.browser().get(path, "Host", evil)
				// A proxy in front may know no such host, and close or refuse by itself.
				t.holds(a.err != nil || a.status >= 400 && a.status < 500 || a.status/100 == 3 && !strings.Contains(a.header.Get("Location"), evil), "%s for another host was answered %d", a.what, a.status)
				if a.check != "" {
					t.refused("another host", a, http.StatusMisdirectedRequest, http.StatusBadRequest, http.StatusNotFound)
				}
				a = t.browser().get(path, "X-Forwarded-Host", evil, "Forwarded", "host="+evil+";proto=http", "X-Forwarded-Proto", "http", "X-Original-Url", "/"+evil)
				if a.err != nil {
					t.lost("forwarded names", a)
					continue
				}
				t.holds(!strings.Contains(a.body, evil) && !strings.Contains(a.header.Get("Location"), evil), "%s repeats a forwarded name", a.what)
			}
		}},
	{ID: "open-redirect", Group: Forms, Tries: "After a sign-in nobody is sent to another host.", Of: []string{"OAU-07"}, Expects: []string{"request.query", "request.size", "request.body"},
		run: func(t *try) {
			for _, to := range []string{"//e.invalid", `/\e.invalid`, "/\t/e.invalid", "/%09/e.invalid", "/%5ce.invalid", "https:e.invalid", "https://e.invalid", `\\e.invalid`, "/.//e.invalid", "///e.invalid", "javascript:alert(1)", "/%2f%2fe.invalid"} {
				b := t.browser()
				page := t.page(b, "/sign-in")
				form := page.form()
				form.Set("username", t.ana.email)
				form.Set("password", t.ana.password)
				form.Set("return_to", to)
				a := b.do(http.MethodPost, "/sign-in", form)
				switch {
				case a.err != nil:
					t.lost(to, a)
				case a.status/100 == 3:
					where := a.header.Get("Location")
					t.holds(where == "/account" || strings.HasPrefix(where, t.target+"/"), "%q leads to %q", to, where)
					t.holds(a.status == http.StatusSeeOther, "the password is sent on with a redirect %d", a.status)
				case a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable:
					t.skip("the server is busy: try again later")
				default:
					t.refused(to, a, http.StatusBadRequest, http.StatusUnprocessableEntity)
				}
			}
		}},
	{ID: "mass-assignment", Group: Forms, Tries: "A body says nothing that its address does not know, nothing twice, and nothing in another shape.", Of: []string{"REC-01", "IDN-13", "OAU-06"}, Expects: []string{"request.body", "request.query"},
		run: func(t *try) {
			head := fmt.Sprintf(`"email":%q,"password":%q`, t.ana.email, t.ana.password)
			for what, body := range map[string]string{"verified": `{` + head + `,"verified":true}`, "a user": `{` + head + `,"user_id":"` + t.ben.id + `"}`, "a scope": `{` + head + `,"scope":"admin"}`,
				"a member twice": `{` + head + `,"email":"x@doorward.invalid"}`, "other letters": `{` + head + `,"Email":"x@doorward.invalid"}`, "a list": fmt.Sprintf(`{"email":[%q,"x@doorward.invalid"],"password":%q}`, t.ana.email, t.ana.password),
				"depth": `{` + head + `,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "two documents": `{` + head + `}{` + head + `}`, "__proto__": `{` + head + `,"__proto__":{"verified":true}}`} {
				t.refused(what, t.browser().do(http.MethodPost, "/session", body), http.StatusBadRequest)
			}
			b := t.signIn(t.ana)
			t.refused("an unknown parameter", b.copy().get("/sessions?user_id="+t.ben.id), http.StatusBadRequest)
		}},
	{ID: "oversized", Group: Forms, Tries: "What is too large, or encoded, is not read.", Of: []string{"DOS-04", "JWT-08", "JWT-10"}, Expects: []string{"request.size", "request.media", "request.body", "request.query"},
		run: func(t *try) {
			large := fmt.Sprintf(`{"email":%q,"password":%q}`, t.ana.email, strings.Repeat("a", 1<<17))
			cut := func(what string, a answer, statuses ...int) {
				// Whoever stops reading may close before the answer is heard.
				if a.err != nil && t.ctx.Err() == nil {
					return
				}
				t.refused(what, a, statuses...)
			}
			cut("a body of 128 KiB", t.browser().do(http.MethodPost, "/session", large), http.StatusRequestEntityTooLarge)
			cut("gzip", t.browser().do(http.MethodPost, "/session", `{}`, "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType, http.StatusBadRequest)
			cut("a token of 40 KiB", t.bearer(http.MethodGet, "/session", strings.Repeat(".", 40<<10)), http.StatusRequestHeaderFieldsTooLarge, http.StatusBadRequest, http.StatusUnauthorized)
			cut("an address of 6 KiB", t.browser().get("/session?"+strings.Repeat("a", 6<<10)), http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusBadRequest)
			var cookies strings.Builder
			for i := range 100 {
				fmt.Fprintf(&cookies, "c%d=v; ", i)
			}
			cut("a hundred cookies", t.browser().get("/session", "Cookie", cookies.String()), http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge, http.StatusBadRequest)
			t.gives("afterwards", t.stranger().get("/healthz"), http.StatusOK)
		}},
	{ID: "enumeration", Group: Forms, Tries: "Whether there is an account is not told: by words, headers or cookies. The times are shown and not judged.", Of: []string{"ENM-01", "ENM-02"}, Expects: []string{"signin.failed"},
		run: func(t *try) { enumerate(t) }},
	{ID: "rate-limits", Group: Forms, Tries: "Guessing is slowed down, whatever address the guesser says to come from.", Of: []string{"MFA-04", "DOS-01"}, Expects: []string{"limit.address", "limit.network", "signin.failed", "password.capacity"},
		run: func(t *try) {
			slowed := answer{}
			for i := range 40 {
				a := t.browser().do(http.MethodPost, "/session", map[string]string{"email": t.ben.email, "password": fmt.Sprintf("guess number %d of many", i)}, "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i), "X-Real-Ip", fmt.Sprintf("198.51.100.%d", i))
				if a.err != nil {
					t.lost("a guess", a)
					return
				}
				if a.status == http.StatusTooManyRequests {
					slowed = a
					break
				}
				t.refused("a guess", a, http.StatusUnauthorized, http.StatusServiceUnavailable)
			}
			t.holds(slowed.status == http.StatusTooManyRequests, "forty wrong passwords for one address, one after another, were all compared")
			t.holds(slowed.status == 0 || slowed.header.Get("Retry-After") != "", "who is slowed down is not told until when")
			if slowed.status != 0 && slowed.check != "limit.network" {
				// The right password waits as well: known and unknown look alike.
				a := t.browser().do(http.MethodPost, "/session", map[string]string{"email": t.ben.email, "password": "a wrong guess of many"})
				t.holds(a.err != nil || a.status != http.StatusCreated, "a wrong password signed in")
			}
		}},
}

// enumerate asks in turn for an account that is there and one that is not.
func enumerate(t *try) {
	unknown := "no" + t.ben.email[1:]
	unknown = unknown[:len(t.ben.email)] // as long, for the page repeats it
	surfaces := map[string]func(email string) answer{
		"POST /session": func(email string) answer {
			return t.browser().do(http.MethodPost, "/session", map[string]string{"email": email, "password": "a wrong guess of many"})
		},
		"POST /sign-in": func(email string) answer {
			b := t.browser()
			form := t.page(b, "/sign-in").form()
			form.Set("username", email)
			form.Set("password", "a wrong guess of many")
			return b.do(http.MethodPost, "/sign-in", form)
		},
	}
	var times []string
	for _, name := range []string{"POST /session", "POST /sign-in"} {
		ask := surfaces[name]
		var took [2][]time.Duration
		for range 3 {
			var pair [2]answer
			for i, email := range []string{t.ben.email, unknown} {
				a := ask(email)
				// Both rest after a failure; neither is compared before.
				for n := 0; a.status == http.StatusTooManyRequests && n < 3; n++ {
					if t.Sleep(t.ctx, 3100*time.Millisecond) != nil {
						t.skip("the drill was stopped")
					}
					a = ask(email)
				}
				t.refused("a wrong password", a, http.StatusUnauthorized, http.StatusUnprocessableEntity)
				a.body = strings.ReplaceAll(a.body, email, "TYPED")
				pair[i] = a
				took[i] = append(took[i], a.took)
			}
			t.holds(same(pair[0], pair[1]), "%s: a known and an unknown address are answered differently", name)
		}
		for i := range took {
			slices.Sort(took[i])
		}
		times = append(times, fmt.Sprintf("%s: known %v, unknown %v", name, took[0][1].Round(time.Millisecond), took[1][1].Round(time.Millisecond)))
	}
	t.seen = strings.Join(times, "; ")
}
