// Package drill_test runs the drill against the real program, as it is and
// behind transports that break it.
package drill_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/drill"
	"github.com/doorward/doorward/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// options drill a server of the rig from within this process.
func options(s *rig.Server, transport http.RoundTripper) drill.Options {
	return drill.Options{
		Manage: func(_ context.Context, method, path string, body, out any) error {
			a := s.Socket(method, path, body)
			if a.Status/100 != 2 {
				return fmt.Errorf("%s %s: %d %s", method, path, a.Status, a.Body)
			}
			if len(a.Body) == 0 {
				return nil
			}
			return json.Unmarshal(a.Body, out)
		},
		Transport: transport, Now: time.Now, Version: "test",
		Sleep: func(ctx context.Context, d time.Duration) error {
			if d >= time.Minute {
				s.Clock("+" + d.String())
				return nil
			}
			time.Sleep(d)
			return ctx.Err()
		},
	}
}

// The program holds against every attack, leaves nobody who can sign in, and
// keeps the secrets of the drill to itself.
func TestADeploymentHolds(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine, rig.Env("DOORWARD_LIMITS_SCALE=1"))
		page := filepath.Join(t.TempDir(), "report.html")
		r := s.CLI("", "drill", "--json", "--report", page)
		var report drill.Report
		if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil || r.Code != 0 {
			t.Fatalf("the drill ended with %d: %v\n%s\n%s", r.Code, err, r.Stdout, r.Stderr)
		}
		for _, result := range report.Results {
			if result.Outcome != drill.Held && !(result.ID == "expired" && result.Outcome == drill.Skipped) {
				t.Errorf("%s: %s %v", result.ID, result.Outcome, result.What)
			}
		}
		if len(report.Results) != len(drill.All()) || report.Target != s.URL || report.Requests < 200 {
			t.Errorf("the report says %d results, %d requests, target %s", len(report.Results), report.Requests, report.Target)
		}
		written, err := os.ReadFile(page)
		if err != nil || !strings.Contains(string(written), "alg-none") {
			t.Errorf("the page says %.200s (%v)", written, err)
		}
		for _, text := range []string{r.Stdout, r.Stderr, string(written)} {
			for _, secret := range []string{"dw_st_", "dw_rt_", "dw_cs_", "eyJ"} {
				if strings.Contains(text, secret) {
					t.Errorf("the report holds a secret: %s", secret)
				}
			}
		}
		for _, left := range report.Left {
			t.Errorf("the drill left %s", left)
		}
		nothingLeft(t, s)
		// One that needs time, with a clock that has it.
		o := options(s, s.Client().Transport)
		o.Only, o.Wait = []string{"expired"}, true
		report, err = drill.Run(t.Context(), o)
		if err != nil || report.Held != 1 {
			t.Errorf("expired: %+v %v", report, err)
		}
		nothingLeft(t, s)
	})
}

// nothingLeft expects that nobody of the drill is there, or signed in.
func nothingLeft(t *testing.T, s *rig.Server) {
	t.Helper()
	var users struct {
		Users []struct {
			Email string `json:"email"`
			State string `json:"state"`
		} `json:"users"`
	}
	s.Socket("GET", "/api/v1/users", nil).Want(t, 200).Into(t, &users)
	for _, u := range users.Users {
		if strings.HasPrefix(u.Email, "drill-") || u.Email == "" {
			t.Errorf("%+v is left", u)
		}
	}
	if live := s.Socket("GET", "/api/v1/sessions?q=state:live", nil).Want(t, 200); strings.Contains(string(live.Body), "drill-") {
		t.Errorf("somebody of the drill is still signed in: %s", live.Body)
	}
}

// Each attack names checks that there are, and cases of docs/attacks.md that
// one of these checks says to stop.
func TestAttacksNameWhatStopsThem(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range drill.All() {
		if seen[a.ID] || a.Group == "" || !strings.HasSuffix(a.Tries, ".") || len(a.Of) == 0 {
			t.Errorf("%s is there twice, or says too little", a.ID)
		}
		seen[a.ID] = true
		for _, id := range a.Expects {
			if id != "signin.failed" && check.Named(id) == nil {
				t.Errorf("%s expects %s, which is no check", a.ID, id)
			}
		}
	}
}

// Who cannot prove that a deployment is theirs does not drill it.
func TestOnlyOnesOwnIsDrilled(t *testing.T) {
	s, other := rig.Start(t, rig.SQLite), rig.Start(t, rig.SQLite)
	before := s.State()
	sent := atomic.Int64{}
	elsewhere := through(func(r *http.Request) (*http.Response, error) {
		sent.Add(1)
		r.URL.Host = strings.TrimPrefix(other.URL, "http://")
		r.Host = r.URL.Host
		return other.Client().Transport.RoundTrip(r)
	})
	report, err := drill.Run(t.Context(), options(s, elsewhere))
	if _, ok := err.(*drill.Problem); !ok || len(report.Results) != 0 || sent.Load() > 60 {
		t.Errorf("somebody else's server was drilled: %v %+v, %d requests", err, report, sent.Load())
	}
	if r := other.CLI("", "drill", "--data", t.TempDir()); r.Code != 3 {
		t.Errorf("without a socket the drill ends with %d %s", r.Code, r.Stderr)
	}
	if s.State() != before {
		t.Error("a drill that was not begun left sessions")
	}
	// A nonce answers at its address until the drill is over, and no other does.
	var made struct {
		Nonce string `json:"nonce"`
	}
	s.Socket("POST", "/api/v1/drill", nil).Want(t, 201).Into(t, &made)
	at := "/.well-known/doorward-drill/"
	if a := s.Browser().Do("GET", at+made.Nonce, nil).Want(t, 200); strings.TrimSpace(string(a.Body)) != made.Nonce {
		t.Errorf("the nonce is answered %q", a.Body)
	}
	s.Browser().Do("GET", at+made.Nonce+"x", nil).Want(t, 404)
	other.Browser().Do("GET", at+made.Nonce, nil).Want(t, 404)
	s.Clock("+31m")
	s.Browser().Do("GET", at+made.Nonce, nil).Want(t, 404)
	s.Clock("+0s")
	s.Socket("DELETE", "/api/v1/drill/"+made.Nonce, nil).Want(t, 200)
	s.Browser().Do("GET", at+made.Nonce, nil).Want(t, 404)
	s.Socket("DELETE", "/api/v1/drill/"+made.Nonce, nil).Want(t, 404)
}

// A drill that is stopped takes away what it made.
func TestAStoppedDrillCleansUp(t *testing.T) {
	s := rig.Start(t, rig.SQLite)
	ctx, stop := context.WithCancel(t.Context())
	o := options(s, s.Client().Transport)
	o.After = func(r drill.Result) {
		if r.ID == "kid-traversal" {
			stop()
		}
	}
	report, err := drill.Run(ctx, o)
	if err == nil || len(report.Results) != 3 {
		t.Errorf("stopped after three: %v, %d results", err, len(report.Results))
	}
	nothingLeft(t, s)
}

// through is a transport that breaks a server.
type through func(*http.Request) (*http.Response, error)

func (f through) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body puts another body into a response.
func body(response *http.Response, status int, text string) *http.Response {
	response.Body.Close()
	response.StatusCode, response.Body, response.ContentLength = status, io.NopCloser(strings.NewReader(text)), int64(len(text))
	return response
}

// breaking are servers that each do one thing wrong, and the attacks that must
// find it.
func breaking(next http.RoundTripper) map[string]struct {
	transport http.RoundTripper
	found     []string
} {
	var n atomic.Int64
	after := func(f func(sent string, r *http.Request, response *http.Response) *http.Response) http.RoundTripper {
		return through(func(r *http.Request) (*http.Response, error) {
			var sent []byte
			if r.Body != nil {
				sent, _ = io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(sent))
			}
			response, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			return f(string(sent), r, response), nil
		})
	}
	return map[string]struct {
		transport http.RoundTripper
		found     []string
	}{
		"says yes to everything": {after(func(_ string, _ *http.Request, response *http.Response) *http.Response {
			if response.StatusCode >= 400 && response.StatusCode < 500 {
				return body(response, 200, `{}`)
			}
			return response
		}), []string{"alg-none", "key-confusion", "kid-traversal", "key-in-header", "stripped-signature", "typ-swap", "wrong-issuer", "token-places", "expired", "proof-forged", "bound-token-theft", "fixation", "cookie-twice", "token-cut",
			"refresh-reuse", "foreign-session", "sign-out", "csrf", "cross-site", "host-header", "mass-assignment", "oversized", "enumeration", "rate-limits",
			"code-replay", "foreign-code", "pkce-downgrade", "redirect-corpus", "parameters-twice", "missing-grants", "kinds-of-code", "rotation-oauth"}},
		"takes every token for active": {after(func(_ string, r *http.Request, response *http.Response) *http.Response {
			if r.URL.Path == "/oauth/introspect" {
				return body(response, 200, `{"active":true}`)
			}
			return response
		}), []string{"wrong-audience", "alg-none", "sign-out", "refresh-reuse"}},
		"refuses for another reason": {after(func(_ string, _ *http.Request, response *http.Response) *http.Response {
			if response.StatusCode == 401 {
				return body(response, 401, `{"check":"address.free"}`)
			}
			return response
		}), []string{"alg-none", "token-cut", "refresh-reuse"}},
		"has no headers of its own": {after(func(_ string, _ *http.Request, response *http.Response) *http.Response {
			for _, name := range []string{"Content-Security-Policy", "X-Frame-Options"} {
				response.Header.Del(name)
			}
			for i, line := range response.Header["Set-Cookie"] {
				response.Header["Set-Cookie"][i] = strings.ReplaceAll(line, "; HttpOnly", "")
			}
			return response
		}), []string{"cookie-flags", "clickjacking"}},
		"forks refresh families": {after(func(_ string, r *http.Request, response *http.Response) *http.Response {
			if r.URL.Path == "/session/refresh" {
				for i, line := range response.Header["Set-Cookie"] {
					response.Header["Set-Cookie"][i] = strings.Replace(line, "dw_rt_", fmt.Sprintf("dw_rt_%d", n.Add(1)), 1)
				}
			}
			return response
		}), []string{"refresh-grace", "parallel-refresh"}},
		"lets every origin read": {after(func(_ string, r *http.Request, response *http.Response) *http.Response {
			if o := r.Header.Get("Origin"); o != "" {
				response.Header.Set("Access-Control-Allow-Origin", o)
				response.Header.Set("Access-Control-Allow-Credentials", "true")
			}
			return response
		}), []string{"cors", "cors-oauth"}},
		"leads wherever it is told": {after(func(sent string, r *http.Request, response *http.Response) *http.Response {
			if form, err := url.ParseQuery(sent); err == nil && response.StatusCode == 303 && form.Get("return_to") != "" {
				response.Header.Set("Location", form.Get("return_to"))
			}
			return response
		}), []string{"open-redirect"}},
		"knows no such person": {after(func(sent string, _ *http.Request, response *http.Response) *http.Response {
			if strings.Contains(sent, "norill-") || strings.Contains(sent, "email\":\"no") {
				response.Header.Set("X-Known", "no")
			}
			return response
		}), []string{"enumeration"}},
		"fails": {after(func(_ string, r *http.Request, response *http.Response) *http.Response {
			if response.StatusCode == 400 {
				return body(response, 500, `{}`)
			}
			return response
		}), []string{"mass-assignment"}},
	}
}

// A server that does one thing wrong is told so, by the attack that is for it;
// and there is no attack that could not tell.
func TestABrokenServerIsFound(t *testing.T) {
	found := map[string]bool{}
	s := rig.Start(t, rig.SQLite)
	for name, b := range breaking(s.Client().Transport) {
		o := options(s, b.transport)
		o.Only, o.Wait = b.found, true
		report, err := drill.Run(t.Context(), o)
		if err != nil {
			t.Fatalf("a server that %s: %v", name, err)
		}
		for _, result := range report.Results {
			if result.Outcome != drill.Broke || len(result.What) == 0 {
				t.Errorf("a server that %s: %s is %s (%v)", name, result.ID, result.Outcome, result.What)
			}
			found[result.ID] = true
		}
		nothingLeft(t, s)
	}
	for _, a := range drill.All() {
		if !found[a.ID] {
			t.Errorf("no broken server shows that %s can find anything", a.ID)
		}
	}
}
