package door

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/doorward/doorward/internal/core/risk"
)

// Whoever asks has one address, in one spelling; what a stranger says of
// another changes nothing.
func FuzzCaller(f *testing.F) {
	for _, s := range []string{"198.51.100.1", "198.51.100.1, 10.0.0.9", "::ffff:198.51.100.1", "fe80::1%eth0", "a", ",,,", "1.1.1.1,", "2001:db8::1, 10.0.0.3"} {
		f.Add("10.0.0.3:1", s)
		f.Add("203.0.113.9:1", s)
	}
	f.Add("[::ffff:10.0.0.3]:1", "::1")
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		alone := newDoor(proxies).Caller(r).Addr
		r.Header["X-Forwarded-For"] = []string{forwarded}
		d := newDoor(proxies)
		got := d.Caller(r).Addr
		if got.Is4In6() || got.Zone() != "" || !d.trusts(alone) && got != alone {
			t.Errorf("%q behind %q is %v, alone %v", forwarded, peer, got, alone)
		}
		if again, err := netip.ParseAddr(got.String()); got.IsValid() && (err != nil || again != got || !risk.Network(got).IsValid()) {
			t.Errorf("%v is not its own spelling", got)
		}
		if strangers := newDoor(nil).Caller(r).Addr; strangers != alone {
			t.Errorf("nobody is trusted, and %q makes %v of %v", forwarded, strangers, alone)
		}
	})
}

// Only what a browser says of itself makes a page ours.
func FuzzFrom(f *testing.F) {
	own := "https://auth.example.com"
	for _, site := range []string{"", "none", "same-origin", "same-site", "cross-site", "x"} {
		for _, origin := range []string{"", "null", own, "https://app.example.com", own + ".evil.example", "HTTPS://AUTH.EXAMPLE.COM"} {
			f.Add(site, origin)
		}
	}
	f.Fuzz(func(t *testing.T, site, origin string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Sec-Fetch-Site"], r.Header["Origin"] = []string{site}, []string{origin}
		got, err := newDoor(nil).From(r)
		if err == nil && got != origin && !(got == own && site == "same-origin") || err == nil && (got == "" || got == "null") {
			t.Errorf("site %q origin %q is from %q", site, origin, got)
		}
		if (newDoor(nil).FromOwn(r) == nil) != (err == nil && got == own) {
			t.Errorf("site %q origin %q is from %q, as our own it is judged otherwise", site, origin, got)
		}
	})
}

// A cookie has one value, and that value is what was sent for it.
func FuzzCookie(f *testing.F) {
	for _, s := range []string{"__Host-doorward_session=a", "__Host-doorward_session=a; __Host-doorward_session=b", `__Host-doorward_session="a"`, "doorward_session=a", "__host-doorward_session=a", " __Host-doorward_session = a ;;", "__Host-doorward_session=", "x=y; __Host-doorward_session=a=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = []string{header}
		d := newDoor(nil)
		value, twice := d.Cookie(r, SessionCookie)
		if twice && value != "" || value != "" && strings.Count(header, d.Name(SessionCookie)+"=")+strings.Count(header, d.Name(SessionCookie)+" ") < 1 || !strings.Contains(header, value) {
			t.Errorf("%q has the value %q, twice %v", header, value, twice)
		}
		if value == "" {
			return
		}
		r.Header["Cookie"] = []string{d.Name(SessionCookie) + "=" + value}
		if again, twice := d.Cookie(r, SessionCookie); again != value || twice {
			t.Errorf("%q has the value %q, which sent alone is %q", header, value, again)
		}
	})
}

// Of an OAuth form only what is known, once and as text, is left.
func FuzzOAuthForm(f *testing.F) {
	f.Add("token=x&token_type_hint=y", "application/x-www-form-urlencoded")
	f.Add("token=x&token=y", "application/x-www-form-urlencoded; charset=utf-8")
	f.Add("token=%00&a=%ff", "application/x-www-form-urlencoded;charset=UTF-8;x=y")
	f.Add("client_id=a;b", "text/plain")
	f.Fuzz(func(t *testing.T, body, media string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header["Content-Type"] = []string{media}
		v, err := OAuthForm(httptest.NewRecorder(), r, "token", "client_id")
		if err != nil {
			return
		}
		for name, vs := range v {
			if len(vs) != 1 || !utf8.ValidString(vs[0]) || strings.ContainsRune(vs[0], 0) || name != "token" && name != "client_id" || len(body) > MaxBody {
				t.Errorf("%q was read as %v", body, v)
			}
		}
	})
}

// What may pass the door has a path, a host and a size.
func FuzzBounds(f *testing.F) {
	f.Add("/session?a=b", "auth.example.com", "a=b; c=d")
	f.Add("/%00", "evil.example", strings.Repeat("a=b;", 60))
	f.Add("/%ff", "auth.example.com:443", "")
	f.Fuzz(func(t *testing.T, target, host, cookies string) {
		r, err := http.NewRequest("GET", "https://auth.example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = r.URL.Parse(target); err != nil {
			return
		}
		r.RequestURI, r.Host, r.Header["Cookie"] = target, host, []string{cookies}
		if newDoor(nil).bounds(r) != nil {
			return
		}
		if host != "auth.example.com" || len(target) > maxURL || !utf8.ValidString(r.URL.Path) || strings.Contains(r.URL.Path, "\x00") || strings.Count(cookies, ";") >= maxCookies {
			t.Errorf("%q for %q was let in", target, host)
		}
	})
}

// A form with boxes is read in one way: every other field once, none unknown, and no text that is none.
func FuzzBoxes(f *testing.F) {
	for _, s := range []string{"csrf=x&flow=y&scope=a&scope=b", "scope=", "csrf=x&csrf=y", "other=1", "scope=%00", "%zz", "a=b;c=d", "scope=%ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		form, ticked, err := Boxes(httptest.NewRecorder(), r, "scope", "csrf", "flow")
		if err != nil {
			return
		}
		for name, vs := range form {
			if len(vs) != 1 || name != "csrf" && name != "flow" || !utf8.ValidString(vs[0]) || strings.ContainsRune(vs[0], 0) {
				t.Errorf("%q is read as %q: %q", text, name, vs)
			}
		}
		for _, v := range ticked {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				t.Errorf("%q ticks %q", text, v)
			}
		}
	})
}
