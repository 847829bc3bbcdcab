package door

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/ledger"
)

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}

func newDoor(trusted []netip.Prefix) *Door {
	return &Door{Issuer: &url.URL{Scheme: "https", Host: "auth.example.com"}, Trusted: trusted, Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Tally: func(ledger.Tally) {}}
}

// DOS-01, MFA-12: only a trusted proxy says who is behind it, and only the
// nearest address that is no proxy counts.
func TestWhoAsks(t *testing.T) {
	for _, c := range []struct {
		name, peer, want string
		forwarded        []string
		trusted          []netip.Prefix
	}{
		{"nobody is trusted", "203.0.113.9:1", "203.0.113.9", []string{"198.51.100.1"}, nil},
		{"a stranger forwards", "203.0.113.9:1", "203.0.113.9", []string{"198.51.100.1"}, proxies},
		{"a proxy forwards", "10.0.0.3:1", "198.51.100.1", []string{"198.51.100.1"}, proxies},
		{"a proxy forwards what a stranger made up", "10.0.0.3:1", "198.51.100.1", []string{"1.1.1.1, 198.51.100.1"}, proxies},
		{"two proxies", "10.0.0.3:1", "198.51.100.1", []string{"198.51.100.1, 10.0.0.4"}, proxies},
		{"in two headers", "10.0.0.3:1", "198.51.100.1", []string{"1.1.1.1", "198.51.100.1"}, proxies},
		{"nonsense at the end", "10.0.0.3:1", "10.0.0.3", []string{"198.51.100.1, a"}, proxies},
		{"nothing", "10.0.0.3:1", "10.0.0.3", nil, proxies},
		{"an IPv6 zone", "10.0.0.3:1", "fe80::1", []string{"fe80::1%eth0"}, proxies},
		{"IPv4 in IPv6", "[::ffff:10.0.0.3]:1", "198.51.100.1", []string{"::ffff:198.51.100.1"}, proxies},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.forwarded
		if got := newDoor(c.trusted).Caller(r).Addr.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// SES-15: where a page is from, by what browsers say of it.
func TestWhereAPageIsFrom(t *testing.T) {
	own, other := "https://auth.example.com", "https://app.example.com"
	for _, c := range []struct {
		site, origin, want string
		refused            bool
	}{
		{"", "", "", false},
		{"none", "", "", false},
		{"same-origin", "", own, false},
		{"same-origin", "null", own, false},
		{"same-origin", own, own, false},
		{"", own, own, false},
		{"", other, other, false},
		{"same-site", other, other, false},
		{"cross-site", other, other, false},
		{"cross-site", "", "", true},
		{"cross-site", "null", "", true},
		{"same-site", "null", "", true},
		{"", "null", "", true},
		{"nonsense", "", "", true},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		got, err := newDoor(nil).From(r)
		if got != c.want || (err != nil) != c.refused {
			t.Errorf("site %q origin %q: %q, %v", c.site, c.origin, got, err)
		}
		if err := newDoor(nil).FromOwn(r); (err == nil) != (!c.refused && (got == "" || got == own)) {
			t.Errorf("site %q origin %q as our own: %v", c.site, c.origin, err)
		}
	}
}

// An error that is no refusal tells nothing but a reference.
func TestWhatFailsTellsNothing(t *testing.T) {
	d := newDoor(nil)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "https://auth.example.com/", nil)
	d.On(Problem, func(http.ResponseWriter, *http.Request) error { return io.ErrUnexpectedEOF }).ServeHTTP(w, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "EOF") || !strings.Contains(w.Body.String(), `"ref":"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"email":"a@x.example","password":"x"}`))
	f.Add([]byte(`{"email":"a","email":"b"}`))
	f.Add([]byte(`{"EMAIL":"a"}`))
	f.Add([]byte(`{"email":["a"]}`))
	f.Add([]byte("{\"email\":\"\\u0000\"}"))
	f.Add([]byte(strings.Repeat("[", 40)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var in struct {
			Email    string `json:"email"`
			Password string `json:"password"`
		}
		if ReadJSON(b, &in) != nil {
			return
		}
		if !utf8.Valid(b) || strings.ContainsRune(in.Email+in.Password, 0) || strings.Count(string(b), `"email"`) > 1 && in.Email == "" {
			t.Errorf("%q was read as %+v", b, in)
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add("username=a&password=b")
	f.Add("username=a&username=b")
	f.Add("username=%00")
	f.Add("username=%ff")
	f.Add("a;b=c")
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := values(raw, []string{"username", "password"}, Body)
		if err != nil {
			return
		}
		for name, vs := range v {
			if len(vs) != 1 || !utf8.ValidString(vs[0]) || strings.ContainsRune(vs[0], 0) || name != "username" && name != "password" {
				t.Errorf("%q was read as %v", raw, v)
			}
		}
	})
}

func FuzzBasicClient(f *testing.F) {
	f.Add("Basic YXBpOnNlY3JldA==")
	f.Add("basic YXBpOg==")
	f.Add("Basic YXBpOnNlY3JldB==")
	f.Add("Basic !")
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Authorization"] = []string{header}
		id, secret, ok, err := BasicClient(r)
		if ok == (err != nil) || ok && (!utf8.ValidString(id) || !utf8.ValidString(secret)) || !ok && id+secret != "" {
			t.Errorf("%q was read as %q %q %v %v", header, id, secret, ok, err)
		}
		if token, _, err := Bearer(r); err == nil && strings.ContainsAny(token, " \t,") {
			t.Errorf("%q has the token %q", header, token)
		}
	})
}

func TestStatusOfEveryFault(t *testing.T) {
	for _, c := range check.Catalogue() {
		if s := Status(c.Fault); s < 400 || s == 500 && c != broken {
			t.Errorf("%s is answered with %d", c.ID, s)
		}
	}
}
