package doorward

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// outline is a list of checks as text: those that held, then the one that did not.
func outline(checks []Check) string {
	var out []string
	for _, c := range checks {
		if !c.Held {
			out = append(out, "!"+c.ID)
			continue
		}
		out = append(out, c.ID)
	}
	return strings.Join(out, " ")
}

const token = "token.place token.present token.form token.type token.algorithm token.key token.signature token.issuer token.audience token.time token.revoked token.certificate token.sender"

func upTo(id string) string {
	before, _, _ := strings.Cut(token, id)
	return before + "!" + id
}

func TestExplain(t *testing.T) {
	i, s, v, good := good(t)
	ended := s.mint(i.claims(map[string]any{"sid": "ses_9", "rev": 10}))
	i.revoke("session", "ses_9")
	v.mustPoll(t)
	ask := func(text string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		if text != "" {
			r.Header.Set("Authorization", "Bearer "+text)
		}
		return r
	}
	two := ask(good)
	two.Header.Add("Authorization", "Bearer "+good)
	for name, c := range map[string]struct {
		r    *http.Request
		want string
	}{
		"good":            {ask(good), token},
		"none":            {ask(""), upTo("token.present")},
		"two":             {two, "!token.place"},
		"no token":        {ask("x"), upTo("token.form")},
		"changed":         {ask(good[:len(good)-6] + "AAAAAA"), upTo("token.signature")},
		"another issuer":  {ask(s.mint(i.claims(map[string]any{"iss": "https://other.example"}))), upTo("token.issuer")},
		"another API":     {ask(s.mint(i.claims(map[string]any{"aud": "other"}))), upTo("token.audience")},
		"expired":         {ask(s.mint(i.claims(map[string]any{"exp": start.Add(-time.Hour).Unix()}))), upTo("token.time")},
		"an ended one":    {ask(ended), upTo("token.revoked")},
		"opaque, made up": {ask(opaquePrefix + "x"), "token.place token.present !token.form"},
	} {
		got := v.Explain(c.r)
		if outline(got) != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, outline(got), c.want)
		}
		if last := got[len(got)-1]; !last.Held && last.Detail == "" {
			t.Errorf("%s: %s does not say why", name, last.ID)
		}
	}

	// Behind a route its guards are among the checks.
	var inside string
	guards := []Guard{Scope("notes:read"), Fresh(10 * time.Minute)}
	h := v.Require(guards...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = outline(v.Explain(r)) }))
	h.ServeHTTP(httptest.NewRecorder(), ask(good))
	if want := token + " scope.held proof.fresh"; inside != want {
		t.Errorf("behind the route:\ngot  %s\nwant %s", inside, want)
	}

	// Nobody is asked when nothing is known: the missing knowledge is named.
	i.away.Store(true)
	i.clock.advance(time.Hour + time.Minute)
	if got := outline(v.Explain(ask(s.mint(i.claims(map[string]any{"exp": start.Add(3 * time.Hour).Unix()}))))); got != strings.Replace(upTo("token.key"), "!token.key", "!server.reached", 1) {
		t.Errorf("without keys: %s", got)
	}
}

// In development, where the server is on the same machine, a 401 says all of
// that; elsewhere it does not.
func TestDevelopmentListsTheChecks(t *testing.T) {
	i, s, v, _ := good(t)
	stale := s.mint(i.claims(map[string]any{"auth_time": start.Add(-time.Hour).Unix()}))
	ask := func(h http.Handler, text string) (status int, checks []Check) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+text)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var body struct{ Checks []Check }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		return w.Code, body.Checks
	}
	h := v.Require(Scope("notes:read"), Fresh(time.Minute))(http.NotFoundHandler())
	if status, checks := ask(h, stale); status != 401 || outline(checks) != token+" scope.held !proof.fresh" {
		t.Errorf("%d %s", status, outline(checks))
	}
	if status, checks := ask(h, "x"); status != 401 || outline(checks) != upTo("token.form") {
		t.Errorf("%d %s", status, outline(checks))
	}
	if status, checks := ask(v.Require(Scope("notes:burn"))(http.NotFoundHandler()), stale); status != 403 || checks != nil {
		t.Errorf("%d %s", status, outline(checks))
	}
	v.development = false
	if status, checks := ask(h, "x"); status != 401 || checks != nil {
		t.Errorf("in production: %d %s", status, outline(checks))
	}
}
