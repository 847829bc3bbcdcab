package rig

import (
	"io"
	"net/http"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// chrome is what a browser calls itself.
const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36"

// A Browser is one browser with a page open: it keeps cookies and says where
// its page is from.
type Browser struct {
	// Origin of the page that asks. Empty stands for a program that is no
	// browser: it says nothing of where it is.
	Origin  string
	Cookies map[string]string
	// Access and Session are those of the last sign-in or refresh.
	Access, Session string

	s *Server
	c *http.Client
}

// Browser opens a browser at a page of the server's own.
func (s *Server) Browser() *Browser {
	return &Browser{Origin: s.URL, Cookies: map[string]string{}, s: s, c: s.Client()}
}

// Client is an HTTP client for the server's address that follows no
// redirects and keeps no cookies.
func (s *Server) Client() *http.Client {
	return &http.Client{Transport: recorder{s.record, s.http}, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// An Answer is a response, read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Err is why there is no answer.
	Err error
}

// Do asks with the browser's cookies and origin. A body that is not text goes
// as JSON; headers are names and values and win over the browser's own.
func (b *Browser) Do(method, path string, body any, headers ...string) Answer {
	b.s.t.Helper()
	a := b.Try(method, path, body, headers...)
	if a.Err != nil {
		b.s.t.Fatalf("%s %s: %v", method, path, a.Err)
	}
	return a
}

// Try is Do for when there may be no answer.
func (b *Browser) Try(method, path string, body any, headers ...string) Answer {
	own := []string{"User-Agent", chrome}
	if b.Origin != "" {
		site := "cross-site"
		if b.Origin == b.s.URL {
			site = "same-origin"
		}
		own = append(own, "Sec-Fetch-Site", site)
		if method != http.MethodGet && method != http.MethodHead || site == "cross-site" {
			own = append(own, "Origin", b.Origin)
		}
	}
	if len(b.Cookies) > 0 {
		own = append(own, "Cookie", b.Cookie())
	}
	r := b.s.request(method, b.s.URL+path, body, own)
	over := b.s.request(method, b.s.URL+path, nil, headers)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
	}
	for name, values := range over.Header {
		r.Header[name] = values
	}
	r.Host = over.Host
	a := b.s.try(b.c, r)
	b.keep(a)
	return a
}

// Cookie is the Cookie header that the browser sends.
func (b *Browser) Cookie() string {
	pairs := make([]string, 0, len(b.Cookies))
	for name, value := range b.Cookies {
		pairs = append(pairs, name+"="+value)
	}
	sort.Strings(pairs)
	return strings.Join(pairs, "; ")
}

func (b *Browser) keep(a Answer) {
	for _, c := range a.Cookies() {
		if c.MaxAge < 0 {
			delete(b.Cookies, c.Name)
			continue
		}
		b.Cookies[c.Name] = c.Value
	}
	if token := a.Header.Get("X-New-Access-Token"); token != "" {
		b.Access = token
		var in struct {
			Session struct {
				ID string `json:"id"`
			} `json:"session"`
		}
		if json.Unmarshal(a.Body, &in) == nil {
			b.Session = in.Session.ID
		}
	}
}

// Refresh trades the refresh token.
func (b *Browser) Refresh() Answer { return b.Do(http.MethodPost, "/session/refresh", nil) }

// Bearer asks with an access token and nothing else, as a program.
func (s *Server) Bearer(method, path, token string) Answer {
	s.t.Helper()
	b := s.Browser()
	b.Origin = ""
	return b.Do(method, path, nil, "Authorization", "Bearer "+token)
}

// Cookies are those that the answer sets.
func (a Answer) Cookies() []*http.Cookie { return (&http.Response{Header: a.Header}).Cookies() }

// Into reads the body's JSON into v: once, without duplicates.
func (a Answer) Into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("the answer %d %q is not JSON: %v", a.Status, tail(string(a.Body), 300), err)
	}
}

// A Refusal is what a problem (RFC 9457) or an OAuth error says.
type Refusal struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Check  string `json:"check"`
	Ref    string `json:"ref"`
	Error  string `json:"error"`
}

// Refusal reads the body of a refusal.
func (a Answer) Refusal(t testing.TB) (r Refusal) {
	t.Helper()
	a.Into(t, &r)
	return r
}

// Want expects a status.
func (a Answer) Want(t testing.TB, status int) Answer {
	t.Helper()
	if a.Err != nil || a.Status != status {
		t.Fatalf("answered %d %q (%v), want %d", a.Status, tail(string(a.Body), 300), a.Err, status)
	}
	return a
}

func (s *Server) ask(c *http.Client, r *http.Request) Answer {
	s.t.Helper()
	a := s.try(c, r)
	if a.Err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, a.Err)
	}
	return a
}

func (s *Server) try(c *http.Client, r *http.Request) Answer {
	response, err := c.Do(r)
	if err != nil {
		return Answer{Err: err, Header: http.Header{}}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body, Err: err}
}
