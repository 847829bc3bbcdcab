package doorwardtest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/doorwardtest"
	doorward "github.com/doorward/doorward/sdk"
)

const origin = "https://notes.example.com"

// notes is a server with an application and a person on it.
func notes(t *testing.T) (*doorwardtest.Server, doorwardtest.User, *doorward.Verifier) {
	t.Helper()
	s := doorwardtest.Start(t)
	s.Client(t, doorwardtest.Client{ID: "notes", Origins: []string{origin}, Resources: []string{"notes-api"}, Scopes: []string{"account", "notes:read"}})
	return s, s.User(t, "ana@example.com", "four lamps on a hill"), s.Verifier(t, "notes-api")
}

// refusedBy asserts by which check a token is refused; "" is none.
func refusedBy(t *testing.T, v *doorward.Verifier, token, check string) {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	var r *doorward.Refusal
	switch {
	case err == nil && check == "":
	case errors.As(err, &r) && r.Check == check:
	default:
		t.Errorf("%v, want the refusal of %q", err, check)
	}
}

func TestAWholeServer(t *testing.T) {
	s, ana, v := notes(t)
	tokens := s.SignIn(t, ana, origin)
	who, err := v.Verify(t.Context(), tokens.Access)
	if err != nil || who.Subject != ana.ID || who.Session != tokens.Session || !who.HasScope("notes:read") || !who.SignedInAt.Equal(s.Clock.Now()) {
		t.Fatalf("%+v, %v", who, err)
	}
	// A token of the server's own pages is for no API.
	refusedBy(t, v, s.SignIn(t, ana).Access, "token.audience")

	// Time passes when the test says so.
	s.Clock.Advance(5*time.Minute + 29*time.Second)
	s.Settle(t)
	refusedBy(t, v, tokens.Access, "")
	s.Clock.Advance(time.Second)
	refusedBy(t, v, tokens.Access, "token.time")
	fresh := s.Refresh(t, tokens)
	if refusedBy(t, v, fresh.Access, ""); fresh.Session != tokens.Session {
		t.Error("a refresh began another session")
	}

	// What ends is known when the call returns.
	s.End(t, fresh.Session)
	refusedBy(t, v, fresh.Access, "token.revoked")
	out := s.SignIn(t, ana, origin)
	s.SignOut(t, out)
	refusedBy(t, v, out.Access, "token.revoked")
	last := s.SignIn(t, ana, origin)
	s.Pause(t, ana)
	refusedBy(t, v, last.Access, "token.revoked")
	if res := s.Do(t, "GET", "/session", nil, last); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the session of somebody paused is answered %d", res.StatusCode)
	}
}

// A day later the verifier knows that it is one, and follows on.
func TestAVerifierLivesByTheServersClock(t *testing.T) {
	s, ana, v := notes(t)
	s.Clock.Advance(26 * time.Hour)
	s.Settle(t)
	tokens := s.SignIn(t, ana, origin)
	who, err := v.Verify(t.Context(), tokens.Access)
	if err != nil || who.Stale || who.ViewAge > 5*time.Second {
		t.Fatalf("%+v, %v", who, err)
	}
	s.End(t, tokens.Session)
	refusedBy(t, v, tokens.Access, "token.revoked")
}

// Two servers in one process know nothing of each other.
func TestServersAreAlone(t *testing.T) {
	s, ana, _ := notes(t)
	_, _, other := notes(t)
	refusedBy(t, other, s.SignIn(t, ana, origin).Access, "token.key")
}

// What the server writes to people is in the inbox.
func TestTheInbox(t *testing.T) {
	s, ana, _ := notes(t)
	s.SignIn(t, ana, origin)
	if first := s.Inbox.All(t); len(first) > 0 {
		t.Errorf("the first sign-in of all is told: %+v", first)
	}
	s.SignIn(t, ana) // without the cookie that makes a browser known
	m := s.Inbox.Next(t, ana.Email)
	if m.To != ana.Email || m.Subject == "" || !strings.Contains(m.Text, s.URL+"/") || !m.At.Equal(s.Clock.Now()) {
		t.Errorf("%+v", m)
	}
	if all := s.Inbox.All(t); len(all) != 1 {
		t.Errorf("%d mails", len(all))
	}
}
