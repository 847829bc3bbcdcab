package clients

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// The certified client of OpenID for Node, as an application would use it.
func TestOpenIDClient(t *testing.T) { script(t, "openid-client.mjs") }

// The smaller one below it, which takes every answer apart by itself.
func TestOAuth4WebAPI(t *testing.T) { script(t, "oauth4webapi.mjs") }

// script runs a script of node/ against a server on each engine. Each test of
// it is a test here.
func script(t *testing.T, name string) {
	// What a test reads it is run anew for.
	for _, file := range []string{name, "harness.mjs", "node_modules/.package-lock.json"} {
		if _, err := os.ReadFile(filepath.Join("node", file)); err != nil {
			t.Fatalf("the clients for Node are not installed: make need (%v)", err)
		}
	}
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		h := &hand{t: t, s: rig.Start(t, engine)}
		h.user = h.s.User("ana")
		h.visitor = h.s.Visitor(h.user)
		at := httptest.NewServer(h)
		defer at.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", "--dns-result-order=ipv4first", name)
		cmd.Dir = "node"
		cmd.Env = append(os.Environ(), "DOORWARD_HAND="+at.URL, "DOORWARD_ISSUER="+h.s.URL)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, r := range h.reports {
			t.Run(r.Name, func(t *testing.T) {
				if r.Error != "" {
					t.Error(r.Error)
				}
			})
		}
		if len(h.reports) == 0 {
			t.Error("nothing was tested")
		}
	})
}

// A hand does for a script what a client does not do: it is the person at the
// browser, and the operator.
type hand struct {
	t *testing.T
	s *rig.Server

	mu       sync.Mutex
	user     rig.User
	visitor  *rig.Visitor
	reports  []report
	received []string
}

type report struct{ Name, Error string }

func (h *hand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/listen" {
		h.received = append(h.received, r.FormValue("logout_token"))
		return
	}
	var out any = struct{}{}
	var err error
	switch r.URL.Path {
	case "/visit":
		out, err = h.visit(r)
	case "/register":
		var metadata map[string]any
		if err = json.UnmarshalRead(r.Body, &metadata); err == nil {
			c := h.s.Register(metadata)
			out = map[string]string{"client_id": c.ID, "client_secret": c.Secret}
		}
	case "/person":
		out = map[string]string{"id": h.user.ID, "email": h.user.Email}
	case "/command":
		var in struct{ Args []string }
		if err = json.UnmarshalRead(r.Body, &in, json.MatchCaseInsensitiveNames(true)); err == nil {
			out = h.s.CLI("", in.Args...)
		}
	case "/received":
		out = h.received
	case "/report":
		var in report
		err = json.UnmarshalRead(r.Body, &in, json.MatchCaseInsensitiveNames(true))
		h.reports = append(h.reports, in)
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := json.MarshalWrite(w, out); err != nil {
		h.t.Error(err)
	}
}

func (h *hand) visit(r *http.Request) (any, error) {
	in := struct {
		URL, Form string
		Fresh     bool
		Refuses   bool
		Says      map[string]string
	}{}
	if err := json.UnmarshalRead(r.Body, &in, json.MatchCaseInsensitiveNames(true)); err != nil {
		return nil, err
	}
	if in.Fresh {
		h.visitor = h.s.Visitor(h.user)
	}
	h.visitor.Refuses, h.visitor.Says = in.Refuses, in.Says
	landing := h.visitor.Visit(in.URL)
	out := map[string]any{"method": landing.Method, "form": landing.Form.Encode(), "path": landing.Path,
		"status": landing.Page.Status, "text": landing.Text(), "pages": strings.Join(h.visitor.Pages, " ")}
	if landing.URL != nil {
		out["url"] = landing.URL.String()
	}
	return out, nil
}
