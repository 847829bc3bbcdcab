package drill

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
)

// refresh trades the refresh token of a browser.
func (b *browser) refresh() answer { return b.do(http.MethodPost, "/session/refresh", nil) }

// head is the position at which the feed stands.
func (t *try) head() uint64 {
	p := t.feed(0, "0s")
	return p.Head
}

type feedPage struct {
	Events []struct {
		Unit string `json:"unit"`
		ID   string `json:"id"`
	} `json:"events"`
	Next uint64 `json:"next"`
	Head uint64 `json:"head"`
}

func (t *try) feed(after uint64, wait string) (p feedPage) {
	a := t.stranger().get(fmt.Sprintf("/revocations?after=%d&wait=%s", after, wait), "Authorization", "Basic "+b64std(t.reader.id+":"+t.reader.secret))
	t.gives("of the feed", a, http.StatusOK)
	_ = json.Unmarshal([]byte(a.body), &p)
	return p
}

// told waits until the feed tells of a session or its person.
func (t *try) told(after uint64, session string) bool {
	for range 5 {
		p := t.feed(after, "2s")
		for _, e := range p.Events {
			if e.Unit == "session" && e.ID == session {
				return true
			}
		}
		if p.Next < after || len(t.broke) > 0 {
			return false
		}
		after = p.Next
	}
	return false
}

// dead expects that nothing of a browser works any more.
func (t *try) dead(b *browser, when string) {
	t.refused("the cookie "+when, b.copy().get("/session"), http.StatusUnauthorized)
	t.refused("the access token "+when, t.bearer(http.MethodGet, "/session", b.access), http.StatusUnauthorized)
	active, a := t.introspect(t.reader, b.access)
	t.gives("of the access token "+when, a, http.StatusOK)
	t.holds(!active, "introspected, the access token is active %s", when)
	t.refused("the refresh token "+when, b.copy().refresh(), http.StatusUnauthorized)
}

var ended = []string{"session.presented", "session.alive", "refresh.alive", "refresh.form", "token.alive"}

var sessionAttacks = []Attack{
	{ID: "cookie-flags", Group: Sessions, Tries: "No script, no other site and no plain connection gets the cookies of a sign-in.", Of: []string{"SES-05"},
		run: func(t *try) {
			a := t.signInAs(t.browser(), t.ana)
			found := map[string]bool{}
			for _, line := range a.header["Set-Cookie"] {
				name, value, _ := strings.Cut(line, "=")
				value, _, _ = strings.Cut(value, ";")
				found[name] = true
				parts := []string{"HttpOnly", "SameSite=Lax", "Path=/"}
				if t.secure {
					parts = append(parts, "Secure")
				}
				for _, part := range parts {
					t.holds(strings.Contains(line, "; "+part), "the cookie %s has no %s", name, part)
				}
				t.holds(!strings.Contains(strings.ToLower(line), "domain="), "the cookie %s has a domain", name)
				t.holds(!strings.Contains(a.body, value), "the value of the cookie %s is in the body", name)
			}
			for _, name := range []string{sessionCookie, refreshCookie} {
				t.holds(found[t.cookie(name)], "the cookie %s was not set", t.cookie(name))
			}
			t.holds(strings.Contains(a.header.Get("Cache-Control"), "no-store"), "the answer with the tokens may be kept")
		}},
	{ID: "fixation", Group: Sessions, Tries: "A session planted in a browser is worth nothing after a sign-in there, and none is made of a chosen id.", Of: []string{"SES-02", "SES-04"}, Expects: ended,
		run: func(t *try) {
			random := secret.Random()
			name := t.cookie(sessionCookie)
			for what, chosen := range map[string]string{"a chosen id": secret.Encode(random[:]), "the right prefix": "dw_st_" + secret.Encode(random[:]), "nothing": ""} {
				b := t.browser()
				b.cookies[name] = chosen
				t.refused(what, b.get("/session"), http.StatusUnauthorized)
			}
			mallory := t.signIn(t.ben)
			b := mallory.copy()
			planted := mallory.copy()
			t.signInAs(b, t.ana)
			t.holds(b.cookies[name] != planted.cookies[name], "the session is as it was planted")
			t.refused("the planted session", planted.get("/session"), http.StatusUnauthorized)
			t.lives(b, "after the sign-in")
		}},
	{ID: "cookie-twice", Group: Sessions, Tries: "A second cookie of our name, as a sibling domain plants one, makes both count for nothing.", Of: []string{"SES-05"}, Expects: ended,
		run: func(t *try) {
			b := t.signIn(t.ana)
			for _, c := range []struct{ name, method, path string }{{sessionCookie, http.MethodGet, "/session"}, {refreshCookie, http.MethodPost, "/session/refresh"}} {
				own := t.cookie(c.name) + "=" + b.cookies[t.cookie(c.name)]
				for _, cookies := range []string{own + "; " + t.cookie(c.name) + "=x", t.cookie(c.name) + "=x; " + own, own + "; " + own} {
					t.refused(c.name+" twice", t.browser().do(c.method, c.path, nil, "Cookie", cookies), http.StatusUnauthorized, http.StatusBadRequest)
				}
			}
			t.lives(b, "afterwards")
		}},
	{ID: "token-cut", Group: Sessions, Tries: "A cookie cut short, made longer, or in other letters is none.", Of: []string{"SES-08"}, Expects: append([]string{"refresh.authentic"}, ended...),
		run: func(t *try) {
			b := t.signIn(t.ana)
			for _, c := range []struct{ name, method, path string }{{sessionCookie, http.MethodGet, "/session"}, {refreshCookie, http.MethodPost, "/session/refresh"}} {
				own := b.cookies[t.cookie(c.name)]
				for what, text := range map[string]string{"its end cut": own[:len(own)-1], "half of it": own[:len(own)/2], "more": own + "A", "padding": own + "=", "quotes": `"` + own + `"`, "other letters": strings.ToUpper(own)} {
					t.refused(c.name+" with "+what, t.browser().do(c.method, c.path, nil, "Cookie", t.cookie(c.name)+"="+text), http.StatusUnauthorized)
				}
			}
			t.lives(b, "afterwards")
		}},
	{ID: "refresh-grace", Group: Sessions, Tries: "A refresh whose answer was lost can be asked for again, and gives the same successor.", Of: []string{"OAU-10"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			again := b.copy()
			t.gives("once", b.refresh(), http.StatusOK)
			t.gives("again, at once", again.refresh(), http.StatusOK)
			name := t.cookie(refreshCookie)
			t.holds(b.cookies[name] == again.cookies[name], "the same refresh token has two successors")
			t.lives(b, "after it")
		}},
	{ID: "refresh-reuse", Group: Sessions, Tries: "A refresh token whose successor was used is somebody else's copy: the session and all its tokens end.", Of: []string{"OAU-10", "OAU-35"},
		Expects: append([]string{"refresh.unspent"}, ended...),
		run: func(t *try) {
			b := t.signIn(t.ana)
			thief := b.copy()
			t.gives("once", b.refresh(), http.StatusOK)
			t.gives("with the successor", b.refresh(), http.StatusOK)
			from := t.head()
			a := thief.refresh()
			t.refused("a token used two refreshes ago", a, http.StatusUnauthorized)
			t.holds(a.status != http.StatusUnauthorized || a.check == "" || a.check == "refresh.unspent", "the reuse was refused by %s, not for what it is", a.check)
			t.dead(b, "after the reuse")
			t.holds(t.told(from, b.session), "the feed did not tell that the session ended")
		}},
	{ID: "parallel-refresh", Group: Sessions, Tries: "Twenty tabs that refresh at once get one successor, and nobody is signed out.", Of: []string{"OAU-10"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			tabs := make([]*browser, 20)
			answers := make([]answer, len(tabs))
			var all sync.WaitGroup
			for i := range tabs {
				tabs[i] = b.copy()
				all.Go(func() { answers[i] = tabs[i].refresh() })
			}
			all.Wait()
			name := t.cookie(refreshCookie)
			for i, tab := range tabs {
				t.gives(fmt.Sprintf("in tab %d", i+1), answers[i], http.StatusOK)
				t.holds(tab.cookies[name] == tabs[0].cookies[name], "tab %d has another successor than tab 1", i+1)
			}
			t.gives("once more", tabs[0].refresh(), http.StatusOK)
			t.lives(tabs[0], "after twenty refreshes")
		}},
	{ID: "foreign-session", Group: Sessions, Tries: "Somebody else's session cannot be ended by its id, which is answered like an id that is not there.", Of: []string{"SES-10"}, Expects: []string{"session.own", "request.path"},
		run: func(t *try) {
			ana, ben := t.signIn(t.ana), t.signIn(t.ben)
			foreign := ben.do(http.MethodDelete, "/sessions/"+ana.session, nil)
			t.refused("somebody else's id", foreign, http.StatusNotFound)
			unknown := ben.do(http.MethodDelete, "/sessions/ses_"+strings.Repeat("0", max(0, len(ana.session)-4)), nil)
			t.refused("an unknown id", unknown, http.StatusNotFound)
			t.holds(same(foreign, unknown), "somebody else's session and an unknown one are answered differently")
			t.lives(ana, "afterwards")
			a := ben.get("/sessions")
			t.gives("of the other person", a, http.StatusOK)
			t.holds(!strings.Contains(a.body, ana.session), "somebody else's session is on the list")
		}},
	{ID: "sign-out", Group: Sessions, Tries: "After signing out the cookie, the refresh token and the access token are worth nothing, and the feed tells it.", Of: []string{"OAU-35"}, Expects: ended,
		run: func(t *try) {
			b := t.signIn(t.ana)
			t.lives(b, "before")
			kept, from := b.copy(), t.head()
			t.gives("to sign out", b.do(http.MethodDelete, "/session", nil), http.StatusNoContent)
			t.dead(kept, "after signing out")
			t.holds(t.told(from, kept.session), "the feed did not tell that the session ended")
		}},
}
