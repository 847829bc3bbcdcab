package doorwardtest

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/app"
	doorward "github.com/doorward/doorward/sdk"
)

// A Server is a whole Doorward server in the test's process.
type Server struct {
	URL   string // the issuer: http://localhost and a port
	Clock *Clock
	Inbox *Inbox

	in   *app.Inside
	http *http.Client

	mu        sync.Mutex
	verifiers []*doorward.Verifier
}

// Start starts a server with nobody on it, and stops it when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Clock: newClock()}
	log := slog.New(slog.NewTextHandler(&talk{t: t}, &slog.HandlerOptions{Level: slog.LevelError}))
	if s.in, err = app.StartInside(t.Context(), listener, t.TempDir(), s.Clock.Now, log); err != nil {
		listener.Close()
		t.Fatal("doorwardtest: ", err)
	}
	s.URL = s.in.Issuer()
	s.Inbox = &Inbox{in: s.in, seen: map[string]bool{}}
	// The issuer's name, whatever the machine makes of it, is this listener.
	transport := &http.Transport{DialContext: (&net.Dialer{}).DialContext}
	s.http = &http.Client{Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, v := range s.verifiers {
			v.Close()
		}
		transport.CloseIdleConnections()
		if err := s.in.Close(); err != nil {
			t.Error("doorwardtest: ", err)
		}
	})
	return s
}

// talk is the server's log of what must not happen, in the test's output.
type talk struct {
	mu sync.Mutex
	t  testing.TB
}

func (l *talk) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// operate asks the management API, which must not refuse.
func (s *Server) operate(t testing.TB, method, path string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.in.Operate(w, r)
	if w.Code >= 300 {
		t.Fatalf("doorwardtest: %s %s: %d %s", method, path, w.Code, w.Body)
	}
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatal("doorwardtest: ", err)
		}
	}
}

// A User is a person on the server.
type User struct{ ID, Email, Password string }

// User makes a person with a verified address and a password of at least 15
// characters.
func (s *Server) User(t testing.TB, email, password string) User {
	t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	s.operate(t, "POST", "/api/v1/users", map[string]any{"email": email, "password": password, "verified": true}, &made)
	return User{made.ID, email, password}
}

// A Client is an application on the server.
type Client struct {
	ID           string
	Type         string   // spa (the default), web, native or machine
	Secret       string   // made for every type but spa and native
	Origins      []string // of its pages; with any it is a first-party application
	RedirectURIs []string
	Resources    []string // the audiences of its tokens
	Scopes       []string
	Grants       []string
}

// Client registers an application and gives it back with its secret.
func (s *Server) Client(t testing.TB, c Client) Client {
	t.Helper()
	if c.Type == "" {
		c.Type = "spa"
	}
	in := map[string]any{"client_id": c.ID, "client_name": c.ID, "doorward_type": c.Type, "doorward_first_party": len(c.Origins) > 0,
		"scope": strings.Join(c.Scopes, " ")}
	for name, list := range map[string][]string{"doorward_origins": c.Origins, "redirect_uris": c.RedirectURIs, "doorward_resources": c.Resources, "grant_types": c.Grants} {
		if len(list) > 0 {
			in[name] = list
		}
	}
	if c.Secret != "" {
		in["client_secret"] = c.Secret
	}
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	s.operate(t, "POST", "/api/v1/clients", in, &made)
	c.ID, c.Secret = made.ID, made.Secret
	return c
}

// Tokens are what a sign-in gave.
type Tokens struct {
	Access  string
	Session string // its id: the token's sid
	Expires time.Time
	// Cookies are the browser's two: of the session and of the refresh token.
	Cookies []*http.Cookie

	origin string
}

// SignIn signs a person in with their password: at a page of the server's own,
// or at one of an application's when its origin is given.
func (s *Server) SignIn(t testing.TB, u User, origin ...string) Tokens {
	t.Helper()
	from := s.URL
	if len(origin) > 0 {
		from = origin[0]
	}
	return s.tokens(t, "/session", map[string]string{"email": u.Email, "password": u.Password}, Tokens{origin: from}, http.StatusCreated)
}

// Refresh trades the refresh cookie for new tokens, as the page that signed in.
func (s *Server) Refresh(t testing.TB, old Tokens) Tokens {
	t.Helper()
	return s.tokens(t, "/session/refresh", nil, old, http.StatusOK)
}

func (s *Server) tokens(t testing.TB, path string, body any, from Tokens, want int) Tokens {
	t.Helper()
	res := s.Do(t, "POST", path, body, from)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		t.Fatalf("doorwardtest: %s: %d %s %v", path, res.StatusCode, text, err)
	}
	var out struct {
		Access  string `json:"access_token"`
		Expires int    `json:"expires_in"`
		Session struct {
			ID string `json:"id"`
		} `json:"session"`
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	cookies := res.Cookies()
	for _, old := range from.Cookies {
		if len(cookies) == 1 && old.Name != cookies[0].Name {
			cookies = append(cookies, old) // that of the session stays
		}
	}
	return Tokens{Access: out.Access, Session: out.Session.ID, Expires: s.Clock.Now().Add(time.Duration(out.Expires) * time.Second), Cookies: cookies, origin: from.origin}
}

// Do asks the server as the browser that holds the tokens: with its cookies and
// from its page. The body is sent as JSON; nil sends none.
func (s *Server) Do(t testing.TB, method, path string, body any, as Tokens) *http.Response {
	t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal("doorwardtest: ", err)
		}
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, in)
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if as.origin != "" && method != http.MethodGet && method != http.MethodHead {
		r.Header.Set("Origin", as.origin)
	}
	for _, c := range as.Cookies {
		r.AddCookie(c)
	}
	res, err := s.http.Do(r)
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	return res
}

// SignOut ends the session of the browser that holds the tokens.
func (s *Server) SignOut(t testing.TB, as Tokens) {
	t.Helper()
	res := s.Do(t, "DELETE", "/session", nil, as)
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("doorwardtest: sign-out: %d", res.StatusCode)
	}
	s.Settle(t)
}

// End ends a session, as an operator does. When it returns every verifier that
// the server has made knows.
func (s *Server) End(t testing.TB, session string) {
	t.Helper()
	s.operate(t, "POST", "/api/v1/sessions/end", map[string]string{"id": session}, nil)
	s.Settle(t)
}

// Pause takes a person's access away: all their sessions end.
func (s *Server) Pause(t testing.TB, u User) {
	t.Helper()
	s.operate(t, "POST", "/api/v1/users/"+u.ID+"/pause", nil, nil)
	s.Settle(t)
}

// Settle waits until every verifier that the server has made knows what is
// revoked, and by the present clock.
func (s *Server) Settle(t testing.TB) {
	t.Helper()
	at, err := s.in.Position(t.Context())
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	s.mu.Lock()
	all := append([]*doorward.Verifier(nil), s.verifiers...)
	s.mu.Unlock()
	caughtUp(t, all, at)
}

func caughtUp(t testing.TB, all []*doorward.Verifier, at uint64) {
	t.Helper()
	for _, v := range all {
		for late := time.Now().Add(20 * time.Second); v.View().Seq < at || v.View().Age > time.Second; time.Sleep(time.Millisecond) {
			if time.Now().After(late) {
				t.Fatalf("doorwardtest: a verifier stands at %+v, the server at %d", v.View(), at)
			}
		}
	}
}

// Verifier makes the verifier of an API of this audience, which lives by the
// server's clock and follows its revocations.
func (s *Server) Verifier(t testing.TB, audience string) *doorward.Verifier {
	t.Helper()
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	s.operate(t, "POST", "/api/v1/clients", map[string]any{"client_name": "API of a test", "doorward_type": "machine",
		"doorward_resources": []string{audience}, "scope": "revocations:read"}, &made)
	v, err := doorward.New(t.Context(), s.URL, doorward.Audience(audience), doorward.Client(made.ID, made.Secret), doorward.HTTPClient(s.http),
		doorward.WithClock(s.Clock.Now), doorward.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verifiers = append(s.verifiers, v)
	return v
}
