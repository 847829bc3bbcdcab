package http_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	doorward "github.com/doorward/doorward/sdk"
	"github.com/doorward/doorward/test/rig"
)

// An API with the Go SDK takes what this server bound to a key, with a proof of
// it alone, and asks about opaque tokens no less.
func TestBoundTokensAtAnAPI(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		h, thief := s.Holder(), s.Holder()
		for _, format := range []string{"jwt", "opaque"} {
			c := machine(s, "job-"+format, map[string]any{"doorward_token_format": format})
			v, err := doorward.New(t.Context(), s.URL, doorward.Audience(c.ID+"-api"), doorward.Client(c.ID, c.Secret), doorward.HTTPClient(s.Client()),
				doorward.PublicURL("https://api.example.com/v1"), doorward.Logger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			api := v.Require()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
			ask := func(scheme, token, proof string) *httptest.ResponseRecorder {
				r := httptest.NewRequest("GET", "/jobs", nil)
				r.Header.Set("Authorization", scheme+" "+token)
				if proof != "" {
					r.Header.Set("DPoP", proof)
				}
				w := httptest.NewRecorder()
				api.ServeHTTP(w, r)
				return w
			}
			token := granted(t, s.Token(c, proofAt(s, h), machineGrant)).Access
			proof := func(of *rig.Holder) string { return of.Proof("GET", "https://api.example.com/v1/jobs", token, nil) }
			if w := ask("DPoP", token, proof(h)); w.Code != http.StatusNoContent {
				t.Errorf("%s, by its key: %d %s", format, w.Code, w.Body)
			}
			for name, w := range map[string]*httptest.ResponseRecorder{"as Bearer": ask("Bearer", token, proof(h)), "by a thief": ask("DPoP", token, proof(thief)), "without a proof": ask("DPoP", token, ""),
				"for another address": ask("DPoP", token, h.Proof("GET", "https://api.example.com/jobs", token, nil))} {
				if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "DPoP ") {
					t.Errorf("%s, %s: %d %v", format, name, w.Code, w.Header())
				}
			}
			free := granted(t, s.Token(c, "", machineGrant)).Access
			if w := ask("Bearer", free, ""); w.Code != http.StatusNoContent {
				t.Errorf("%s, a free one: %d %s", format, w.Code, w.Body)
			}
		}
	})
}
