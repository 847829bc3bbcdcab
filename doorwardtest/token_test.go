package doorwardtest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/doorward/doorward/doorwardtest"
	doorward "github.com/doorward/doorward/sdk"
)

// ask asks a guarded handler for something with a token, and gives the status
// and the challenge.
func ask(h http.Handler, token string) (int, string) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header().Get("WWW-Authenticate")
}

func TestTokensWithoutAServer(t *testing.T) {
	v := doorwardtest.Verifier(t, "notes-api")
	h := v.Require(doorward.Scope("notes:read"), doorward.Fresh(10*time.Minute), doorward.FeedWithin(5*time.Second))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := doorward.From(r.Context()); who.Subject != "ana" || who.Session == "" || !who.HasScope("notes:read") || who.Stale {
			t.Errorf("let by as %+v", who)
		}
	}))
	ana, read := doorwardtest.As("ana"), doorwardtest.Scope("notes:read")
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"good":           {doorwardtest.Token(t, ana, read, doorwardtest.Scope("notes:write")), 200},
		"for this API":   {doorwardtest.Token(t, ana, read, doorwardtest.For("other", "notes-api")), 200},
		"no scope":       {doorwardtest.Token(t, ana), 403},
		"for another":    {doorwardtest.Token(t, ana, read, doorwardtest.For("other")), 401},
		"expired":        {doorwardtest.Token(t, ana, read, doorwardtest.ExpiredAgo(time.Minute)), 401},
		"an old proof":   {doorwardtest.Token(t, ana, read, doorwardtest.SignedInAgo(time.Hour)), 401},
		"another issuer": {doorwardtest.Token(t, ana, read, doorwardtest.With("iss", "https://elsewhere.test")), 401},
		"no jti":         {doorwardtest.Token(t, ana, read, doorwardtest.With("jti", nil)), 401},
		"changed":        {doorwardtest.Token(t, ana, read) + "A", 401},
	} {
		if got, says := ask(h, c.token); got != c.status {
			t.Errorf("%s: %d %s, want %d", name, got, says, c.status)
		}
	}
	t.Run("in a part of the test", func(t *testing.T) {
		if got, says := ask(h, doorwardtest.Token(t, ana, read)); got != 200 {
			t.Errorf("%d %s", got, says)
		}
	})
}

func TestRevokedWithoutAServer(t *testing.T) {
	v := doorwardtest.Verifier(t, "notes-api")
	one, two := doorwardtest.Token(t), doorwardtest.Token(t)
	for _, token := range []string{one, two} {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	doorwardtest.Revoke(t, one)
	if _, err := v.Verify(t.Context(), one); err == nil {
		t.Error("a revoked token works")
	}
	if _, err := v.Verify(t.Context(), two); err != nil {
		t.Error(err)
	}
}
