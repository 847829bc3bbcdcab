package http_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// An endpoint is one method at one address of the program, and a request for
// it that is good but for what a test spoils.
type endpoint struct {
	method, path string
	allow        []string // every method of the address
	socket       bool     // on the host's socket, for operators
	probe        bool     // for probes, which know no name
	oauth        bool     // where unknown parameters are ignored (RFC 6749 section 3.1)
	metadata     bool     // where unknown members are (RFC 7591 section 2)
	media        string   // of the body that it reads
	body         string
	params       []string // of the query
	by           string   // how callers prove themselves: cookie, basic
}

func (e endpoint) String() string { return e.method + " " + e.path }

const (
	jsonMedia = "application/json"
	formMedia = "application/x-www-form-urlencoded"
)

var (
	sessionMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "POST"}
	documents      = []string{"GET", "HEAD"}
)

// endpoints are all of the JSON surface. The hosted pages have tests of their
// own.
var endpoints = []endpoint{
	{method: "POST", path: "/session", allow: sessionMethods, media: jsonMedia, body: `{"email":"ana@example.com","password":"not her password"}`},
	{method: "GET", path: "/session", allow: sessionMethods, by: "cookie"},
	{method: "DELETE", path: "/session", allow: sessionMethods, by: "cookie"},
	{method: "POST", path: "/session/sign-up", allow: []string{"OPTIONS", "POST"}, media: jsonMedia, body: `{"email":"ann@example.com","password":"not her password"}`},
	{method: "POST", path: "/session/continue", allow: []string{"OPTIONS", "POST"}, media: jsonMedia, body: `{"flow":"once_00000000000000000000000000.` + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" + `","method":"email_code","code":"1234 5678"}`},
	{method: "POST", path: "/session/refresh", allow: []string{"OPTIONS", "POST"}, by: "cookie"},
	{method: "GET", path: "/session/exchanges", allow: []string{"GET", "HEAD", "OPTIONS"}, by: "cookie", params: []string{"after"}},
	{method: "GET", path: "/sessions", allow: []string{"GET", "HEAD", "OPTIONS"}, by: "cookie"},
	{method: "DELETE", path: "/sessions/ses_00000000000000000000000000", allow: []string{"DELETE", "OPTIONS"}, by: "cookie"},
	{method: "POST", path: "/sessions/end-others", allow: []string{"OPTIONS", "POST"}, by: "cookie"},
	{method: "GET", path: "/revocations", allow: documents, by: "basic", params: []string{"after", "wait"}},
	{method: "POST", path: "/oauth/introspect", allow: []string{"POST"}, by: "basic", oauth: true, media: formMedia, body: "token=x"},
	{method: "GET", path: "/oauth/jwks", allow: documents, oauth: true},
	{method: "GET", path: "/.well-known/openid-configuration", allow: documents, oauth: true},
	{method: "GET", path: "/.well-known/oauth-authorization-server", allow: documents, oauth: true},
	{method: "GET", path: "/sdk/doorward.js", allow: documents},
	{method: "GET", path: "/.well-known/doorward-drill/nothing", allow: documents},
	{method: "GET", path: "/healthz", allow: documents, probe: true, oauth: true},
	{method: "GET", path: "/readyz", allow: documents, probe: true, oauth: true},

	{method: "GET", path: "/api/v1/openapi.json", allow: documents, socket: true},
	{method: "POST", path: "/api/v1/users", allow: []string{"GET", "HEAD", "POST"}, socket: true, media: jsonMedia, body: `{"email":"new@example.com","name":"New"}`},
	{method: "GET", path: "/api/v1/users", allow: []string{"GET", "HEAD", "POST"}, socket: true, params: []string{"after", "limit"}},
	{method: "GET", path: "/api/v1/users/nobody@example.com", allow: []string{"DELETE", "GET", "HEAD", "PATCH"}, socket: true},
	{method: "DELETE", path: "/api/v1/users/nobody@example.com", allow: []string{"DELETE", "GET", "HEAD", "PATCH"}, socket: true},
	{method: "POST", path: "/api/v1/users/invite", allow: []string{"POST"}, socket: true, media: jsonMedia, body: `{"email":"new@example.com","name":"New"}`},
	{method: "POST", path: "/api/v1/setup-link", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/users/nobody@example.com/pause", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/users/nobody@example.com/restore", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/users/nobody@example.com/recover", allow: []string{"POST"}, socket: true, media: jsonMedia, body: `{"print_link":false}`},
	{method: "PATCH", path: "/api/v1/users/nobody@example.com", allow: []string{"DELETE", "GET", "HEAD", "PATCH"}, socket: true, media: jsonMedia, body: `{"name":"New"}`},
	{method: "POST", path: "/api/v1/users/nobody@example.com/set-admin", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/users/nobody@example.com/unset-admin", allow: []string{"POST"}, socket: true},
	{method: "GET", path: "/api/v1/users/export", allow: documents, socket: true, params: []string{"hashes"}},
	{method: "GET", path: "/api/v1/doctor", allow: documents, socket: true},
	{method: "GET", path: "/api/v1/audit", allow: documents, socket: true, params: []string{"q", "after", "limit"}},
	{method: "GET", path: "/api/v1/audit/export", allow: documents, socket: true, params: []string{"q"}},
	{method: "GET", path: "/api/v1/audit/verify", allow: documents, socket: true},
	{method: "GET", path: "/api/v1/explain/7KQ2-M4", allow: documents, socket: true},
	{method: "POST", path: "/api/v1/clients", allow: []string{"GET", "HEAD", "POST"}, socket: true, metadata: true, media: jsonMedia, body: `{"client_id":"new","client_name":"New"}`},
	{method: "GET", path: "/api/v1/clients", allow: []string{"GET", "HEAD", "POST"}, socket: true},
	{method: "GET", path: "/api/v1/scopes", allow: documents, socket: true},
	{method: "PUT", path: "/api/v1/scopes/notes:read", allow: []string{"DELETE", "PUT"}, socket: true, media: jsonMedia, body: `{"says":"read your notes","optional":true}`},
	{method: "DELETE", path: "/api/v1/scopes/nothing", allow: []string{"DELETE", "PUT"}, socket: true},
	{method: "GET", path: "/api/v1/sessions", allow: documents, socket: true, params: []string{"q"}},
	{method: "GET", path: "/api/v1/sessions/ses_00000000000000000000000000", allow: documents, socket: true},
	{method: "POST", path: "/api/v1/users/nobody@example.com/end-tokens", allow: []string{"POST"}, socket: true},
	{method: "DELETE", path: "/api/v1/clients/nobody", allow: []string{"DELETE", "GET", "HEAD", "PATCH"}, socket: true},
	{method: "GET", path: "/api/v1/clients/nobody", allow: []string{"DELETE", "GET", "HEAD", "PATCH"}, socket: true},
	{method: "PATCH", path: "/api/v1/clients/nobody", allow: []string{"DELETE", "GET", "HEAD", "PATCH"}, socket: true, metadata: true, media: jsonMedia, body: `{"client_name":"New"}`},
	{method: "POST", path: "/api/v1/clients/nobody/pause", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/clients/nobody/resume", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/clients/nobody/rotate-secret", allow: []string{"POST"}, socket: true, media: jsonMedia, body: `{"overlap":60}`},
	{method: "GET", path: "/api/v1/registration-tokens", allow: []string{"GET", "HEAD", "POST"}, socket: true},
	{method: "POST", path: "/api/v1/registration-tokens", allow: []string{"GET", "HEAD", "POST"}, socket: true, media: jsonMedia, body: `{"uses":1}`},
	{method: "POST", path: "/api/v1/clients/nobody/end-tokens", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/clients/nothing/shared-secret", allow: []string{"DELETE", "POST"}, socket: true, media: jsonMedia, body: `{"alg":"HS256"}`},
	{method: "DELETE", path: "/api/v1/clients/nothing/shared-secret", allow: []string{"DELETE", "POST"}, socket: true},
	{method: "POST", path: "/api/v1/tokens/verify", allow: []string{"POST"}, socket: true, media: jsonMedia, body: `{"token":"junk"}`},
	{method: "POST", path: "/api/v1/tokens/revoke", allow: []string{"POST"}, socket: true, media: jsonMedia, body: `{"token":"junk"}`},
	{method: "GET", path: "/api/v1/jobs", allow: documents, socket: true},
	{method: "GET", path: "/api/v1/jobs/job_00000000000000000000000000", allow: documents, socket: true},
	{method: "POST", path: "/api/v1/jobs/job_00000000000000000000000000/stop", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/jobs/job_00000000000000000000000000/resume", allow: []string{"POST"}, socket: true},
	{method: "POST", path: "/api/v1/drill", allow: []string{"POST"}, socket: true},
	{method: "DELETE", path: "/api/v1/drill/nothing", allow: []string{"DELETE"}, socket: true},
	{method: "POST", path: "/api/v1/sessions/end", allow: []string{"POST"}, socket: true, media: jsonMedia, body: `{"id":"ses_00000000000000000000000000"}`},
}

// A scene is a server with people on it, who must notice nothing of what
// strangers do to it.
type scene struct {
	*rig.Server
	ana    rig.User
	here   *rig.Browser
	reader rig.Client
	before string
	people string
}

const appOrigin = "https://notes.example.com"

func setScene(t *testing.T, engine rig.Engine) *scene {
	t.Helper()
	s := rig.Start(t, engine)
	c := &scene{Server: s, ana: s.User("ana"), reader: s.API("reader", "notes-api")}
	s.App("notes", appOrigin, "notes-api")
	c.here = s.SignIn(c.ana)
	s.SignIn(c.ana)
	c.before, c.people = s.State(), c.kept()
	return c
}

// lastUse of a secret is no change to an application: a test that proves itself
// by it makes one.
var lastUse = regexp.MustCompile(`,"used":"[^"]*"`)

// kept is what operators see of people and applications.
func (c *scene) kept() string {
	return string(c.Socket("GET", "/api/v1/users", nil).Body) + lastUse.ReplaceAllString(string(c.Socket("GET", "/api/v1/clients", nil).Body), "")
}

// intact expects that nothing happened to anybody.
func (c *scene) intact(t *testing.T) {
	t.Helper()
	if after := c.State(); after != c.before {
		t.Errorf("the sessions changed from %s to %s", c.before, after)
	}
	if after := c.kept(); after != c.people {
		t.Errorf("people and applications changed from %s to %s", c.people, after)
	}
	c.here.Do("GET", "/session", nil).Want(t, 200)
	c.here.Refresh().Want(t, 200)
	c.SignIn(c.ana).Do("GET", "/session", nil).Want(t, 200)
}

// ask makes the endpoint's good request, spoiled as the caller says: another
// path (with a query), body, or headers.
func (c *scene) ask(e endpoint, path string, body any, headers ...string) rig.Answer {
	own := []string{}
	if e.media != "" {
		own = append(own, "Content-Type", e.media)
	}
	if e.by == "basic" {
		own = append(own, "Authorization", basic(c.reader))
	}
	for i := 0; i+1 < len(headers); i += 2 {
		at := slices.IndexFunc(own, func(s string) bool { return s == headers[i] })
		if at >= 0 {
			own = slices.Delete(own, at, at+2)
		}
	}
	own = append(own, headers...)
	if e.socket {
		return c.Socket(e.method, path, body, own...)
	}
	b := c.Browser()
	switch e.by {
	case "cookie":
		b.Cookies["doorward_session"], b.Cookies["doorward_refresh"] = c.here.Cookies["doorward_session"], c.here.Cookies["doorward_refresh"]
	case "basic":
		b.Origin = ""
	}
	return b.Try(e.method, path, body, own...)
}

// wantClear expects a refusal by one of these statuses that says what it is
// and has a reference.
func wantClear(t *testing.T, what string, a rig.Answer, statuses ...int) {
	t.Helper()
	if a.Err != nil || !slices.Contains(statuses, a.Status) {
		t.Errorf("%s: answered %d %.200q (%v), want %v", what, a.Status, a.Body, a.Err, statuses)
		return
	}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return
	}
	if r := a.Refusal(t); len(r.Ref) != 7 {
		t.Errorf("%s: the refusal %d says %s", what, a.Status, a.Body)
	}
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		if a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d without Retry-After", what, a.Status)
		}
	}
}
