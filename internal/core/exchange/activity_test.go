package exchange_test

import (
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
)

func everything(ledger.Entry) bool { return true }

// A person pages through what happened to their account, newest first, and
// reads of a session of their own what the ledger holds; nobody else does
// (attack SES-10).
func TestActivityAndStory(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, q := r.person(), r.person()
		mine := r.signIn(t, p)
		his := r.signIn(t, q)
		who, other := r.live(t, mine.Cookie), r.live(t, his.Cookie)
		var want []string
		for range 70 {
			r.clock.add(time.Second)
			want = append(want, "session.end session.own")
			refused(t, r.End(t.Context(), home, exchange.Credential{Cookie: mine.Cookie}, his.Session.ID), "session.own")
			if len(want)%30 == 0 {
				if _, err := r.pipe.Seal(t.Context(), ledger.Audit, r.ring.Ledger); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.clock.add(time.Second)
		mine = r.refresh(t, mine.Refresh) // no news: it happens every few minutes
		want = append(want, "signin.password")
		var got []string
		var before ledger.ID
		pages := 0
		for {
			page, next, err := r.Activity(t.Context(), who, before, everything)
			if err != nil {
				t.Fatal(err)
			}
			pages++
			got = append(got, told(page)...)
			if page[0].Personal.IP != home.Addr.String() {
				t.Errorf("the first of page %d came from %q", pages, page[0].Personal.IP)
			}
			if before = next; before.IsZero() {
				break
			}
		}
		if !slices.Equal(got, want) || pages != 3 {
			t.Errorf("%d pages say %d things: %v", pages, len(got), got)
		}
		page, next, err := r.Activity(t.Context(), who, ledger.ID{}, func(e ledger.Entry) bool { return !e.Refused })
		if err != nil || !next.IsZero() || !slices.Equal(told(page), []string{"signin.password"}) {
			t.Errorf("what passed is %v, then %v, %v", told(page), next, err)
		}
		s, story, err := r.Story(t.Context(), who, mine.Session.ID)
		if err != nil || s.ID != mine.Session.ID || len(story) != 72 || told(story)[0] != "signin.password" || told(story)[71] != "refresh" {
			t.Errorf("the story of %v has %d entries, %v", s.ID, len(story), err)
		}
		for _, id := range []session.ID{mine.Session.ID, {}, {1}} {
			s, story, err := r.Story(t.Context(), other, id)
			refused(t, err, "session.own")
			if s.Exists() || len(story) > 0 {
				t.Error("a foreign session is told")
			}
		}
		r.clock.add(exchange.ActivityFor)
		if page, _, err := r.Activity(t.Context(), who, ledger.ID{}, everything); err != nil || len(page) != 0 {
			t.Errorf("after 90 days there are %v, %v", told(page), err)
		}
	})
}
