package drill

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// A try is one attack under way.
type try struct {
	*run
	Attack
	broke   []string
	skipped string
	seen    string
}

// stop ends a try from within.
type stop struct{}

func (r *run) try(a Attack) (out Result) {
	t := &try{run: r, Attack: a}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(stop{}) {
				panic(p)
			}
		}()
		a.run(t)
	}()
	out = Result{ID: a.ID, Group: a.Group, Tries: a.Tries, Of: a.Of, Expects: a.Expects, Outcome: Held, Seen: t.seen}
	switch {
	case len(t.broke) > 0:
		out.Outcome, out.What = Broke, t.broke[:min(len(t.broke), 5)]
	case t.skipped != "":
		out.Outcome, out.What = Skipped, []string{t.skipped}
	}
	return out
}

// skip ends a try that cannot be made.
func (t *try) skip(why string) {
	t.skipped = why
	panic(stop{})
}

// breaks says that something did not hold.
func (t *try) breaks(format string, args ...any) {
	t.broke = append(t.broke, fmt.Sprintf(format, args...))
}

// holds says what broke if it does not.
func (t *try) holds(ok bool, format string, args ...any) {
	if !ok {
		t.breaks(format, args...)
	}
}

// refused expects a refusal with one of these statuses, by a check that the
// attack names, and nothing given along with it.
func (t *try) refused(what string, a answer, statuses ...int) {
	switch {
	case a.err != nil:
		t.lost(what, a)
	case (a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable) && !slices.Contains(statuses, a.status):
		t.skip(fmt.Sprintf("%s with %s: the server is busy (%d %s); try again later", a.what, what, a.status, a.check))
	case !slices.Contains(statuses, a.status):
		t.breaks("%s with %s was answered %d, not %v", a.what, what, a.status, statuses)
	case a.check != "" && len(t.Expects) > 0 && !slices.Contains(t.Expects, a.check):
		t.breaks("%s with %s was refused by %s, not %v", a.what, what, a.check, t.Expects)
	case a.header.Get("X-New-Access-Token") != "":
		t.breaks("%s with %s was refused, and gave a token", a.what, what)
	}
}

// gives expects a status.
func (t *try) gives(what string, a answer, status int) {
	switch {
	case a.err != nil:
		t.lost(what, a)
	case a.status != status && (a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable):
		t.skip(fmt.Sprintf("%s %s: the server is busy (%d %s); try again later", a.what, what, a.status, a.check))
	case a.status != status:
		t.breaks("%s %s was answered %d %s, not %d", a.what, what, a.status, a.check, status)
	}
}

// lost is a request without an answer. One that the drill's own end cut off
// says nothing of the server.
func (t *try) lost(what string, a answer) {
	if t.ctx.Err() != nil {
		t.skip("the drill was stopped")
	}
	t.breaks("%s with %s was not answered: %v", a.what, what, errors.Unwrap(a.err))
}

// signIn signs a person of the drill in, waiting out a delay.
func (t *try) signIn(who person) *browser {
	b := t.browser()
	t.signInAs(b, who)
	return b
}

func (t *try) signInAs(b *browser, who person) answer {
	for range 5 {
		a := b.do(http.MethodPost, "/session", map[string]string{"email": who.email, "password": who.password})
		if a.status == http.StatusCreated {
			var in struct {
				Session struct {
					ID string `json:"id"`
				} `json:"session"`
			}
			if json.Unmarshal([]byte(a.body), &in) == nil {
				b.session = in.Session.ID
			}
			return a
		}
		after, err := strconv.Atoi(a.header.Get("Retry-After"))
		if a.err != nil || err != nil || after > 10 {
			break
		}
		if t.Sleep(t.ctx, time.Duration(after)*time.Second) != nil {
			break
		}
	}
	t.skip("the drill's own person could not sign in")
	return answer{}
}

// page opens a page of the target's; without it the try is over.
func (t *try) page(b *browser, at string) answer {
	a := b.get(at)
	t.gives("to be a page", a, http.StatusOK)
	if len(t.broke) > 0 {
		panic(stop{})
	}
	return a
}

// lives expects that the cookie and the tokens of a browser stand.
func (t *try) lives(b *browser, when string) {
	t.gives("by its cookie "+when, b.copy().get("/session"), http.StatusOK)
	t.gives("by its token "+when, t.bearer(http.MethodGet, "/session", b.access), http.StatusOK)
}

// same compares two answers but for what differs each time.
func same(a, b answer) bool {
	return a.status == b.status && steady(a) == steady(b)
}

func steady(a answer) string {
	body := once.ReplaceAllString(a.body, "ONCE")
	var lines []string
	for name, values := range a.header {
		switch name {
		case "Date", "Content-Length", "Age", "X-Request-Id", "Cf-Ray":
		case "Set-Cookie":
			for _, line := range values {
				cookie, _, _ := strings.Cut(line, "=")
				lines = append(lines, "Set-Cookie: "+cookie)
			}
		default:
			lines = append(lines, name+": "+strings.Join(values, "|"))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n\n" + body
}
