package rig

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// A record is everything that a server said, and the secrets that it gave to
// somebody. What is said twice is kept once.
type record struct {
	mu      sync.Mutex
	secrets map[string]string // the text, and what it is
	said    map[string]string // the text, and where it was said first
}

func newRecord() *record { return &record{secrets: map[string]string{}, said: map[string]string{}} }

func (r *record) secret(what, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets[text] = what
}

func (r *record) heard(where string, text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.said[string(text)]; !known {
		r.said[string(text)] = where
	}
}

// recorder listens to answers.
type recorder struct {
	to   *record
	next http.RoundTripper
}

// tokens are the addresses whose answers hold secrets.
var tokens = []string{"/session", "/session/refresh", "/sign-in", "/sign-in/continue", "/step-up", "/session/continue", "/verify", "/invite", "/setup"}

func (l recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.Header.Get("Content-Type") == "text/event-stream" {
		return response, nil // it does not end
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), errorReader{err}))
	header := response.Header.Clone()
	if r.Method == http.MethodPost && slices.Contains(tokens, r.URL.Path) {
		body = l.to.given(header, body)
	}
	if r.URL.Host == "doorward" && r.URL.Path == "/api/v1/clients" && r.Method == http.MethodPost {
		return response, nil
	}
	header.Del("Date")
	var head bytes.Buffer
	_ = header.Write(&head)
	l.to.heard(r.Method+" "+r.URL.Path, append(head.Bytes(), body...))
	return response, nil
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) {
	if e.err == nil {
		return 0, io.EOF
	}
	return 0, e.err
}

// given takes the secrets out of an answer at the places where they belong:
// the two cookies, the header, the member.
func (r *record) given(header http.Header, body []byte) []byte {
	for _, c := range (&http.Response{Header: header}).Cookies() {
		if name := strings.TrimPrefix(c.Name, "__Host-"); c.Value != "" && (name == "doorward_session" || name == "doorward_refresh") {
			r.secret(name+" cookie", c.Value)
		}
	}
	header.Del("Set-Cookie")
	access := header.Get("X-New-Access-Token")
	header.Del("X-New-Access-Token")
	if access == "" {
		return body
	}
	r.secret("access token", access)
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	delete(members, "access_token")
	rest, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return body
	}
	return rest
}

// forms are the ways in which a secret could be written down: as it is, and
// its bytes.
func forms(text string) [][]byte {
	out := [][]byte{[]byte(text)}
	for prefix, cut := range map[string][2]int{"dw_st_": {1, 33}, "dw_rt_": {25, 57}} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			if raw, err := base64.RawURLEncoding.DecodeString(rest); err == nil && len(raw) >= cut[1] {
				out = append(out, raw[cut[0]:cut[1]])
			}
		}
	}
	return out
}

// checkSecrets fails the test when a secret of this run is anywhere but where
// it belongs: in what was said, in the log, in the database.
func (s *Server) checkSecrets() {
	s.t.Helper()
	places := map[string][]byte{"the log": []byte(s.log.String())}
	for name, raw := range s.Dump() {
		places[name] = raw
	}
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	secrets := map[string][][]byte{}
	for text, what := range s.record.secrets {
		secrets[what] = append(secrets[what], forms(text)...)
	}
	if kek, err := os.ReadFile(filepath.Join(s.Data, "kek")); err == nil {
		text := strings.TrimSpace(string(kek))
		raw, _ := base64.RawURLEncoding.DecodeString(text)
		secrets["key-encryption key"] = [][]byte{[]byte(text), raw}
	}
	for text, where := range s.record.said {
		places[fmt.Sprintf("the answer to %s: %s", where, tail(text, 300))] = []byte(text)
	}
	for place, text := range places {
		for what, all := range secrets {
			for _, secret := range all {
				if len(secret) > 0 && bytes.Contains(text, secret) {
					s.t.Errorf("a %s is in %s", what, place)
				}
			}
		}
	}
}
