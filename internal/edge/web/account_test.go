package web_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

func TestEachSessionHasTheFormThatEndsIt(t *testing.T) {
	page := web.SessionsPage{
		Form:      ui.Form{CSRF: "token"},
		Sessions:  []web.Session{{ID: "ses_1"}, {ID: "ses_2", Current: true}, {ID: "a/../b"}},
		EndOthers: &web.Effect{}, EndAll: &web.Effect{},
	}
	var actions []string
	for _, n := range elements(t, render(t, page)) {
		if n.Data == "form" {
			action, _ := attr(n, "action")
			actions = append(actions, action)
		}
	}
	want := []string{ // this browser first
		"/account/sessions/ses_2/end", "/account/sessions/ses_1/end", "/account/sessions/a%2F..%2Fb/end",
		"/account/sessions/end-others", "/account/sessions/end-all",
	}
	if !slices.Equal(actions, want) {
		t.Errorf("forms %v, want %v", actions, want)
	}
}

func TestNoFormForWhatWouldEndNothing(t *testing.T) {
	page := render(t, web.SessionsPage{Sessions: []web.Session{{ID: "ses_1", Current: true}}})
	if strings.Contains(page, "end-others") || strings.Contains(page, "end-all") {
		t.Error("a form for nothing")
	}
	if !strings.Contains(page, "You are signed in nowhere else.") {
		t.Error("the empty list says nothing")
	}
}

// The effect is said before the act and after it, with the hour until when the rest works.
func TestTheEffectIsSaid(t *testing.T) {
	until := time.Date(2026, 11, 3, 14, 6, 0, 0, time.UTC)
	effect := web.Effect{
		Ends:  []ui.Message{web.EndsSession("Firefox on Linux", "auth.example.com")},
		Lasts: []ui.Message{web.LastsAlone(until)},
	}
	for name, p := range map[string]ui.Page{
		"Ends now":  web.EndPage{Asks: web.AskEndAll(), Effect: effect},
		"Ended now": web.SignedOutPage{Effect: &effect, SignIn: "/sign-in"},
	} {
		var got string
		for _, n := range elements(t, render(t, p)) {
			if n.Data == "dl" {
				got = strings.Join(strings.Fields(text(n)), " ")
			}
		}
		want := name + "Firefox on Linux at auth.example.com. Can still workAccess tokens at APIs that check tokens by themselves: until 14:06 UTC at the latest, if you do it now."
		if got != want {
			t.Errorf("says %q, want %q", got, want)
		}
	}
}

func TestActivityIsNoFinerThanKnown(t *testing.T) {
	now := time.Date(2026, 11, 3, 14, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0: "active now", 5 * time.Minute: "active now", 6 * time.Minute: "active within the last hour",
		time.Hour: "active within the last hour", 61 * time.Minute: "last active 3 Nov 2026, 12:59 UTC",
	} {
		page := web.SessionsPage{Now: now, Sessions: []web.Session{{ID: "s", Current: true, LastSeen: now.Add(-ago)}}}
		var said []string
		for _, n := range elements(t, render(t, page)) {
			if n.Data == "li" {
				said = append(said, text(n))
			}
		}
		if !slices.Contains(said, want) {
			t.Errorf("%v ago: %q, want %q", ago, said, want)
		}
	}
}
