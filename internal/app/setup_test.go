package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// The setup code goes to a terminal and into no log; without a terminal
// nothing is told, and once there was an administrator never.
func TestTheSetupLinkIsForTheTerminal(t *testing.T) {
	c, problems := Load(nil, nil, map[string]string{"issuer": "http://localhost:8400", "data": t.TempDir(), "listen": "127.0.0.1:8400"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var logged bytes.Buffer
	s, err := build(context.Background(), c, now, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.tellSetup(t.Context(), w)
	w.Close()
	if said, _ := io.ReadAll(r); len(said) > 0 {
		t.Errorf("a log was told %q", said)
	}
	var out bytes.Buffer
	if err := s.offerSetup(t.Context(), &out); err != nil || !strings.Contains(out.String(), "http://localhost:8400/setup#") {
		t.Errorf("a terminal is told %q, %v", out.String(), err)
	}
	_, code, _ := strings.Cut(strings.TrimSpace(out.String()), "#")
	if code == "" || strings.Contains(logged.String(), code) {
		t.Errorf("the log has %q", logged.String())
	}
}
