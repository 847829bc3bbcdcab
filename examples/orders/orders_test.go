package orders

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	doorward "github.com/doorward/doorward/sdk"
	"github.com/go-jose/go-jose/v4"
)

var start = time.Date(2026, 11, 3, 9, 14, 0, 0, time.UTC)

// An app is the orders handler behind a verifier of a small issuer.
type app struct {
	http.Handler
	store  *Store
	issuer string
	signer jose.Signer
}

func newApp(t *testing.T) *app {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: "k1", Algorithm: "ES256"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{store: new(Store), signer: signer}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"issuer": a.issuer, "jwks_uri": a.issuer + "/jwks"})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	a.issuer = server.URL
	v, err := doorward.New(t.Context(), a.issuer, doorward.Audience("orders"), doorward.Stateless(),
		doorward.WithClock(func() time.Time { return start }), doorward.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	a.Handler = New(v, a.store)
	return a
}

// token is a good one for the subject, with changes.
func (a *app) token(t *testing.T, subject string, change map[string]any) string {
	claims := map[string]any{
		"iss": a.issuer, "sub": subject, "aud": "orders", "client_id": "doorward", "jti": "j1", "scope": "openid orders:read",
		"iat": start.Unix(), "exp": start.Unix() + 300,
	}
	maps.Copy(claims, change)
	payload, _ := json.Marshal(claims)
	jws, err := a.signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := jws.CompactSerialize()
	return token
}

func (a *app) get(path, token string) (*http.Response, string) {
	r := httptest.NewRequest("GET", path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, r)
	body, _ := io.ReadAll(rec.Body)
	return rec.Result(), string(body)
}

func TestOwnOrdersOnly(t *testing.T) {
	a := newApp(t)
	a.store.Add("usr_ana", Order{"123", "two lamps"})
	a.store.Add("usr_ben", Order{"124", "a saw"})
	a.store.Add("usr_ana", Order{"125", "a kettle"})
	ana := a.token(t, "usr_ana", nil)

	res, body := a.get("/orders", ana)
	if want := `{"orders":[{"id":"123","what":"two lamps"},{"id":"125","what":"a kettle"}]}`; res.StatusCode != 200 || strings.TrimSpace(body) != want {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Error("private data may be cached")
	}
	if res, body := a.get("/orders/125", ana); res.StatusCode != 200 || !strings.Contains(body, "kettle") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := a.get("/orders", a.token(t, "usr_eve", nil)); res.StatusCode != 200 || strings.TrimSpace(body) != `{"orders":[]}` {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// Another person's order answers exactly as a missing one: status, headers and
// body, but for the reference, which is new each time.
func TestForeignOrderIsAMissingOne(t *testing.T) {
	a := newApp(t)
	a.store.Add("usr_ben", Order{"124", "a saw"})
	ana := a.token(t, "usr_ana", nil)
	foreign, foreignBody := a.get("/orders/124", ana)
	missing, missingBody := a.get("/orders/999", ana)
	ref := regexp.MustCompile(`"ref":"[^"]+"`)
	if foreign.StatusCode != 404 || missing.StatusCode != 404 {
		t.Errorf("%d and %d", foreign.StatusCode, missing.StatusCode)
	}
	if f, m := ref.ReplaceAllString(foreignBody, ""), ref.ReplaceAllString(missingBody, ""); f != m || f == foreignBody {
		t.Errorf("told apart:\n%s\n%s", foreignBody, missingBody)
	}
	if !maps.EqualFunc(foreign.Header, missing.Header, func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }) {
		t.Errorf("told apart:\n%v\n%v", foreign.Header, missing.Header)
	}
	if strings.Contains(foreignBody, "saw") || strings.Contains(foreignBody, "ben") {
		t.Error("the refusal tells of the order")
	}
	if res, _ := a.get("/orders/124", a.token(t, "usr_ben", nil)); res.StatusCode != 200 {
		t.Error("its owner was refused")
	}
}

func TestWhoMayNotRead(t *testing.T) {
	a := newApp(t)
	a.store.Add("usr_ana", Order{"123", "two lamps"})
	for name, c := range map[string]struct {
		token  string
		status int
		check  string
	}{
		"nobody":        {"", 401, "token.present"},
		"no scope":      {a.token(t, "usr_ana", map[string]any{"scope": "openid"}), 403, "scope.held"},
		"another API":   {a.token(t, "usr_ana", map[string]any{"aud": "billing"}), 401, "token.audience"},
		"expired":       {a.token(t, "usr_ana", map[string]any{"exp": start.Unix() - 60}), 401, "token.time"},
		"somebody else": {a.token(t, "usr_ana", map[string]any{"iss": "https://evil.example"}), 401, "token.issuer"},
	} {
		for _, path := range []string{"/orders", "/orders/123"} {
			res, body := a.get(path, c.token)
			if res.StatusCode != c.status || !strings.Contains(body, `"check":"`+c.check+`"`) || strings.Contains(body, "lamps") {
				t.Errorf("%s, %s: %d %s", name, path, res.StatusCode, body)
			}
		}
	}
}

func TestSamples(t *testing.T) {
	s := &Store{Samples: []string{"two lamps", "a kettle"}}
	s.Add("usr_ben", Order{"124", "a saw"})
	first := s.Of("usr_ana")
	if len(first) != 2 || first[0] != (Order{"123", "two lamps"}) || first[1] != (Order{"125", "a kettle"}) {
		t.Errorf("%v", first)
	}
	if again := s.Of("usr_ana"); len(again) != 2 || again[0] != first[0] {
		t.Errorf("%v", again)
	}
	if other := s.Of("usr_eve"); len(other) != 2 || other[0].ID != "126" {
		t.Errorf("%v", other)
	}
	if bens := s.Of("usr_ben"); len(bens) != 1 {
		t.Errorf("%v", bens)
	}
}

// The page runs under a policy without inline script or style, and its files
// keep to that.
func TestPage(t *testing.T) {
	a := newApp(t)
	for path, kind := range map[string]string{
		"/demo": "text/html; charset=utf-8", "/demo/orders.css": "text/css; charset=utf-8", "/demo/orders.js": "text/javascript; charset=utf-8",
	} {
		res, body := a.get(path, "")
		h := res.Header
		if res.StatusCode != 200 || h.Get("Content-Type") != kind || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, res.StatusCode, h)
		}
		csp := h.Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "require-trusted-types-for 'script'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if strings.Contains(body, "://") {
			t.Errorf("%s names another origin", path)
		}
	}
	_, html := a.get("/demo", "")
	if regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:>|[^>]*>[^<])|javascript:`).MatchString(html) {
		t.Error("the page has inline script or style")
	}
	for _, id := range []string{"orders", "order-list", "sign-in", "sign-out", "foreign", "refusal", "exchanges"} {
		if strings.Count(html, ` id="`+id+`"`) != 1 {
			t.Errorf("no single #%s", id)
		}
	}
	if !strings.Contains(html, `href="/sign-in?return_to=/demo"`) || !strings.Contains(html, `href="/account/sessions"`) || !strings.Contains(html, "<noscript>") {
		t.Error("a way is missing")
	}
	_, js := a.get("/demo/orders.js", "")
	if regexp.MustCompile(`localStorage|sessionStorage|indexedDB|document\.cookie|innerHTML|outerHTML|insertAdjacentHTML|eval\(`).MatchString(js) {
		t.Error("the script keeps a token where others can read it, or writes markup")
	}
	if res, _ := a.get("/demo/other", ""); res.StatusCode != 404 {
		t.Errorf("%d", res.StatusCode)
	}
}
