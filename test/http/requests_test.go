package http_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

func TestOtherMethodsAreRefused(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		for _, e := range endpoints {
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get", "PROPFIND"} {
				if slices.Contains(e.allow, method) {
					continue
				}
				other := e
				other.method = method
				a := c.ask(other, e.path, e.body)
				what := method + " " + e.path
				if e.probe {
					wantStatus(t, what, a, 405)
				} else {
					wantClear(t, what, a, 405)
				}
				allow := strings.Split(a.Header.Get("Allow"), ", ")
				slices.Sort(allow)
				if !slices.Equal(allow, e.allow) {
					t.Errorf("%s: Allow is %q, want %q", what, allow, e.allow)
				}
			}
		}
		c.intact(t)
	})
}

// Attacks MFA-08 and TEN-02.
func TestOtherAddressesAreNotThere(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		for _, path := range []string{"/nothing", "/session/nothing", "/sessions/a/b", "/oauth/nothing", "/.well-known/nothing", "/.git/config", "/api/v1/nothing",
			"/api/v1/audit/tail", "/metrics", "/debug/pprof/", "/revocations/stream/x", "/SESSION", "/session%2frefresh", "/session/", "/healthz/", "/%00", "/%ff", "/session;x=1"} {
			for _, method := range []string{"GET", "POST", "DELETE"} {
				b := c.Browser()
				wantClear(t, method+" "+path, b.Do(method, path, nil), 404)
			}
			wantClear(t, "the socket's "+path, c.Socket("GET", strings.Replace(path, "/api/v1/", "/api/v2/", 1), nil), 404)
		}
		c.intact(t)
	})
}

// Attacks REC-03, OAU-06, DOS-04 and TEN-14.
func TestSpoiledRequestsAreRefused(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		for _, e := range endpoints {
			body := any(nil)
			if e.body != "" {
				body = e.body
			}
			if !e.probe && !e.socket {
				for _, host := range []string{"evil.example", "localhost", c.Address(), strings.TrimPrefix(c.URL, "http://") + ".evil.example", "user@" + strings.TrimPrefix(c.URL, "http://")} {
					// The last is no host at all: net/http refuses it before us.
					wantStatus(t, e.String()+" for "+host, c.ask(e, e.path, body, "Host", host), 421, 400)
				}
			}
			if !e.probe {
				var cookies strings.Builder
				for i := range 60 {
					fmt.Fprintf(&cookies, "c%d=v; ", i)
				}
				wantClear(t, e.String()+" with 60 cookies", c.ask(e, e.path, body, "Cookie", cookies.String()), 413)
				wantClear(t, e.String()+" with a query of 5 KiB", c.ask(e, e.path+"?x="+strings.Repeat("a", 5<<10), body), 413)
				wantClear(t, e.String()+" with an address of 10 KiB", c.ask(e, e.path+"/"+strings.Repeat("a", 10<<10), body), 413)
			}
			wantStatus(t, e.String()+" with a cookie of 30 KiB", c.ask(e, e.path, body, "Cookie", "x="+strings.Repeat("a", 30<<10)), 431)
			wantStatus(t, e.String()+" with an address of 40 KiB", c.ask(e, e.path+"?"+strings.Repeat("a", 40<<10), body), 431, 413)
			if !e.oauth {
				for _, query := range []string{"unknown=1", "access_token=x", "%zz", "a=1;b=2", "=x", "%00=x"} {
					wantClear(t, e.String()+"?"+query, c.ask(e, e.path+"?"+query, body), 400)
				}
			}
			for _, p := range e.params {
				for _, query := range []string{p + "=1&" + p + "=1", p + "=%ff", p + "=%00", p + "=x%20y", strings.ToUpper(p) + "=1", p + "[]=1"} {
					wantClear(t, e.String()+"?"+query, c.ask(e, e.path+"?"+query, body), 400, 422)
				}
			}
		}
		c.intact(t)
	})
}

// wantStatus is wantClear where net/http may have answered before us.
func wantStatus(t *testing.T, what string, a rig.Answer, statuses ...int) {
	t.Helper()
	if a.Err != nil || !slices.Contains(statuses, a.Status) {
		t.Errorf("%s: answered %d %.200q (%v), want %v", what, a.Status, a.Body, a.Err, statuses)
	}
}

// Attack SES-05.
func TestCredentialsAreSentOnce(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		bearer := "Bearer " + c.here.Access
		for _, e := range endpoints {
			if e.by == "" {
				continue
			}
			good := bearer
			if e.by == "basic" {
				good = basic(c.reader)
			}
			if e.path != "/session/refresh" {
				for _, twice := range [][]string{
					{"Authorization", good, "Authorization", good}, {"Authorization", good, "Authorization", "Bearer x"},
					{"Authorization", "Negotiate x"}, {"Authorization", good + ", " + good}, {"Authorization", good + " x"}, {"Authorization", strings.Fields(good)[0]},
				} {
					wantClear(t, fmt.Sprintf("%s with %.40q", e, twice), c.ask(e, e.path, e.body, twice...), 400)
				}
			}
			if e.by == "cookie" {
				// Whoever plants a second cookie beside ours gets neither.
				name, value := "doorward_session", c.here.Cookies["doorward_session"]
				if e.path == "/session/refresh" {
					name, value = "doorward_refresh", c.here.Cookies["doorward_refresh"]
				}
				for _, twice := range []string{name + "=" + value + "; " + name + "=" + value, name + "=x; " + name + "=" + value, name + "=" + value + "; " + name + "="} {
					a := c.ask(e, e.path, e.body, "Cookie", twice)
					wantClear(t, fmt.Sprintf("%s with the cookie twice", e), a, 400, 401)
					wantForgotten(t, a, name)
				}
			}
		}
		// A token in the address or the body is none (RFC 6750 section 5.3).
		b := c.Browser()
		wantClear(t, "a token in the address", b.Do("GET", "/session?access_token="+c.here.Access, nil), 400, 401)
		wantClear(t, "a token in a header of another name", b.Do("GET", "/session", nil, "X-Access-Token", c.here.Access), 401)
		wantClear(t, "a cookie of the other mode's name", b.Do("GET", "/session", nil, "Cookie", "__Host-doorward_session="+c.here.Cookies["doorward_session"]), 401)
		c.intact(t)
	})
}

// What no HTTP client sends: these go out byte by byte.
func TestBrokenHTTPIsRefused(t *testing.T) {
	c := setScene(t, rig.SQLite)
	good := `{"email":"ana@example.com","password":"` + c.ana.Password + `"}`
	post := "POST /session HTTP/1.1\r\nContent-Type: application/json\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(good))
	for name, text := range map[string]string{
		"no host":               "GET /session HTTP/1.1\r\n\r\n",
		"two hosts":             "GET /session HTTP/1.1\r\nHost: {HOST}\r\nHost: evil.example\r\n\r\n",
		"another host in line":  "GET http://evil.example/session HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
		"two lengths":           post + "Host: {HOST}\r\n" + length + "Content-Length: 3\r\n\r\n" + good,
		"bad chunk":             post + "Host: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + good,
		"two encodings":         post + "Host: {HOST}\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
		"another encoding":      post + "Host: {HOST}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"a space before colon":  post + "Host : {HOST}\r\n" + length + "\r\n" + good,
		"a control character":   post + "Host: {HOST}\r\nX: a\x01b\r\n" + length + "\r\n" + good,
		"HTTP/3.0":              "GET /session HTTP/3.0\r\nHost: {HOST}\r\n\r\n",
		"not HTTP":              "hello\r\n\r\n",
		"too large chunks":      post + "Host: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + strings.Repeat(" ", 0x20000) + "\r\n0\r\n\r\n",
		"an endless header":     "GET /session HTTP/1.1\r\nHost: {HOST}\r\nX: " + strings.Repeat("a", 100<<10),
		"a header line too big": "GET /session HTTP/1.1\r\nHost: {HOST}\r\n" + strings.Repeat("X: "+strings.Repeat("a", 1000)+"\r\n", 40) + "\r\n",
	} {
		a := c.Raw(text)
		if a.Err != nil && a.Status == 0 || a.Status < 400 || a.Status >= 500 && a.Status != http.StatusHTTPVersionNotSupported && a.Status != http.StatusNotImplemented {
			t.Errorf("%s: answered %d %s (%v)", name, a.Status, a.Body, a.Err)
		}
	}
	c.intact(t)
	// A body in pieces is a body.
	a := c.Raw(post + "Host: {HOST}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 10, good[:10], len(good)-10, good[10:]))
	if a.Status != 201 {
		t.Errorf("a chunked body is answered %d %s", a.Status, a.Body)
	}
}

// Attack DOS-03: a connection that sends its header or its body a byte now and
// then is closed, and others are served meanwhile. The server's own bounds are
// 5 and 15 seconds.
func TestSlowConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	c := setScene(t, rig.SQLite)
	var slow sync.WaitGroup
	for name, text := range map[string]string{
		"half a header":    "GET /session HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: ",
		"no header":        "",
		"half a line":      "GE",
		"half a body":      "POST /session HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"half a chunk":     "POST /session HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{",
		"half an HTTP/2":   "PRI * HTTP/2.0\r\n",
		"half a form":      "POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nu",
		"a TLS hello":      "\x16\x03\x01\x02\x00\x01",
		"half an upgrade":  "GET /session HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
		"a body of no use": "GET /session HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000\r\n\r\n",
	} {
		for range 10 {
			slow.Go(func() {
				began := time.Now()
				a := c.Raw(text)
				if took := time.Since(began); a.Status >= 200 && a.Status < 300 || a.Status >= 500 && a.Status != 505 || took > 18*time.Second {
					t.Errorf("after %v %s is answered %d (%v)", took, name, a.Status, a.Err)
				}
			})
		}
	}
	for range 20 {
		c.here.Do("GET", "/session", nil).Want(t, 200)
		c.Browser().Do("GET", "/healthz", nil).Want(t, 200)
	}
	slow.Wait()
	c.intact(t)
}
