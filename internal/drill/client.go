package drill

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

// A run is one drill under way.
type run struct {
	Options
	ctx      context.Context
	target   string // the issuer
	nonce    string
	secure   bool // cookies have their prefix
	http     *http.Client
	pace     *time.Ticker
	requests atomic.Int64

	ana, ben      person
	reader, other application // reader owns the server's own tokens, other none
	web, spare    application // people sign in to these
	people        []person
	apps          []application
}

// A hundred requests a second at most.
const pace = 10 * time.Millisecond

func (r *run) open() {
	transport := r.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	r.secure = strings.HasPrefix(r.target, "https://")
	r.pace = time.NewTicker(pace)
	r.http = &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (r *run) finish() {
	r.pace.Stop()
	if c, ok := r.Transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// cookie is a cookie's full name at this target.
func (r *run) cookie(name string) string {
	if r.secure {
		return "__Host-" + name
	}
	return name
}

const (
	sessionCookie = "doorward_session"
	refreshCookie = "doorward_refresh"
	formCookie    = "doorward_flow"
)

// A browser is one that keeps cookies and says where its page is from.
type browser struct {
	r       *run
	origin  string // of the page that asks; empty for a program
	cookies map[string]string
	access  string
	session string // its id
}

// browser opens a page of the target's own.
func (r *run) browser() *browser {
	return &browser{r: r, origin: r.target, cookies: map[string]string{}}
}

// stranger is a program without a page.
func (r *run) stranger() *browser { return &browser{r: r, cookies: map[string]string{}} }

// copy is another browser with the same cookies.
func (b *browser) copy() *browser {
	return &browser{r: b.r, origin: b.origin, cookies: maps.Clone(b.cookies), access: b.access, session: b.session}
}

// An answer is a response, read.
type answer struct {
	what   string // method and path
	status int
	header http.Header
	body   string
	took   time.Duration
	check  string // that refused
	err    error
}

func (b *browser) get(path string, headers ...string) answer {
	return b.do(http.MethodGet, path, nil, headers...)
}

// do sends a request: body is nil, a form, or what is sent as JSON. Headers
// are names and values and win over the browser's own; an empty value takes
// one away.
func (b *browser) do(method, path string, body any, headers ...string) answer {
	a := answer{what: method + " " + strings.SplitN(path, "?", 2)[0]}
	if len(a.what) > 80 {
		a.what = a.what[:80]
	}
	select {
	case <-b.r.pace.C:
	case <-b.r.ctx.Done():
		a.err = context.Cause(b.r.ctx)
		return a
	}
	request, err := b.request(method, path, body, headers)
	if err != nil {
		a.err = err
		return a
	}
	b.r.requests.Add(1)
	began := b.r.Now()
	response, err := b.r.http.Do(request)
	if err != nil {
		a.err = err
		return a
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	a.took = b.r.Now().Sub(began)
	a.status, a.header, a.body, a.err = response.StatusCode, response.Header, string(text), err
	var told struct {
		Check string `json:"check"`
	}
	if json.Unmarshal(text, &told) == nil {
		a.check = told.Check
	} else if m := pageCheck.FindStringSubmatch(a.body); m != nil {
		a.check = m[1]
	}
	b.keep(response)
	return a
}

// pageCheck finds the check on a page that refuses.
var pageCheck = regexp.MustCompile(`<code>([a-z_.]+) · [0-9A-Z]{4}-[0-9A-Z]{2}</code>`)

func (b *browser) request(method, path string, body any, headers []string) (*http.Request, error) {
	var content []byte
	media := ""
	switch v := body.(type) {
	case nil:
	case url.Values:
		content, media = []byte(v.Encode()), "application/x-www-form-urlencoded"
	case string:
		content, media = []byte(v), "application/json"
	default:
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
		media = "application/json"
	}
	request, err := http.NewRequestWithContext(b.r.ctx, method, b.r.target+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if content == nil {
		request.Body, request.GetBody, request.ContentLength = nil, nil, 0
	}
	h := request.Header
	h.Set("User-Agent", "doorward-drill/"+b.r.Version)
	if media != "" {
		h.Set("Content-Type", media)
	}
	if b.origin != "" {
		site := "cross-site"
		if b.origin == b.r.target {
			site = "same-origin"
		}
		h.Set("Sec-Fetch-Site", site)
		if method != http.MethodGet || site == "cross-site" {
			h.Set("Origin", b.origin)
		}
	}
	if len(b.cookies) > 0 {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(b.cookies)) {
			pairs = append(pairs, name+"="+b.cookies[name])
		}
		h.Set("Cookie", strings.Join(pairs, "; "))
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch name, value := headers[i], headers[i+1]; {
		case name == "Host":
			request.Host = value
		case value == "":
			h.Del(name)
		case i >= 2 && headers[i-2] == name:
			h.Add(name, value)
		default:
			h.Set(name, value)
		}
	}
	return request, nil
}

func (b *browser) keep(response *http.Response) {
	for _, c := range response.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	if token := response.Header.Get("X-New-Access-Token"); token != "" {
		b.access = token
	}
}

// bearer asks with an access token and nothing else.
func (r *run) bearer(method, path, token string) answer {
	return r.stranger().do(method, path, nil, "Authorization", "Bearer "+token)
}

// introspect asks as an application whether a token is active.
func (r *run) introspect(by application, token string) (active bool, a answer) {
	credential := url.QueryEscape(by.id) + ":" + url.QueryEscape(by.secret)
	a = r.stranger().do(http.MethodPost, "/oauth/introspect", url.Values{"token": {token}}, "Authorization", "Basic "+b64std(credential))
	var out struct {
		Active bool `json:"active"`
	}
	if a.err == nil && json.Unmarshal([]byte(a.body), &out) != nil {
		a.err = fmt.Errorf("the answer %d is no introspection", a.status)
	}
	return out.Active, a
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)

// form reads the hidden fields of a page's form.
func (a answer) form() url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(a.body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}
