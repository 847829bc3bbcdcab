package exchange_test

import (
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// connect has a person allow an application, which then holds a refresh token.
func (r *rig) connect(p person, s exchange.Tokens, app string, scopes ...string) (client.GrantID, token.FamilyID) {
	r.t.Helper()
	u := core.Unit{}
	if !r.store.View(r.t.Context()).Client(app).Exists() {
		u = append(u, client.Create{ID: app, Name: app, Type: "web", Auth: "none", Scopes: scopes, Created: r.clock.now(), TokenFormat: client.JWT})
	}
	grant, family := client.NewGrantID(r.clock.now(), secret.Random16()), token.NewFamilyID(r.clock.now(), secret.Random16())
	head := r.store.View(r.t.Context()).Head()
	u = append(u, client.Allow{ID: grant, User: p.id, Client: app, Scopes: scopes, Rev: head, Created: r.clock.now()},
		token.Open{ID: family, Client: app, Session: s.Session.ID, User: p.id, Rev: head, Scopes: scopes, Created: r.clock.now(), IdleUntil: r.clock.now().Add(day), MaxUntil: r.clock.now().Add(day), Consent: grant})
	if _, err := r.store.Commit(r.t.Context(), u); err != nil {
		r.t.Fatal(err)
	}
	return grant, family
}

// stands says whether a refresh family still does.
func (r *rig) familyStands(id token.FamilyID) bool {
	r.t.Helper()
	v := r.store.View(r.t.Context())
	l := v.Lineage(id)
	if err := v.Err(); err != nil {
		r.t.Fatal(err)
	}
	return l.Alive(session.Judge(l.Session, l.User, r.clock.now()))
}

// AS-22, AS-34: people see what they allowed and take it back; what hung on it
// is dead at once, in every session, and nothing else is.
func TestRemovingAnApplication(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana, ben := r.person(), r.person()
		a, b := r.signIn(t, ana), r.signIn(t, ben)
		notes, family := r.connect(ana, a, "notes", "openid", "notes:read")
		r.clock.add(time.Minute)
		_, films := r.connect(ana, a, "films", "openid")
		_, his := r.connect(ben, b, "notes", "openid")
		who, err := r.Cookie(t.Context(), a.Cookie)
		if err != nil {
			t.Fatal(err)
		}
		list := func() (ids []string) {
			all, err := r.Connected(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range all {
				if c.Client.ID != c.Consent.Client || c.Used.IsZero() {
					t.Errorf("listed: %+v", c)
				}
				ids = append(ids, c.Client.ID)
			}
			return ids
		}
		if got := list(); !slices.Equal(got, []string{"films", "notes"}) {
			t.Fatalf("connected: %v", got)
		}
		refused(t, r.RemoveApp(t.Context(), home, "", "notes"), "session.presented")
		refused(t, r.RemoveApp(t.Context(), home, a.Cookie, "unknown"), "consent.own")
		refused(t, r.RemoveApp(t.Context(), home, a.Cookie, "\x00"), "consent.own")
		refused(t, r.RemoveApp(t.Context(), home, b.Cookie, "films"), "consent.own") // SES-10: somebody else's
		if err := r.RemoveApp(t.Context(), home, a.Cookie, "notes"); err != nil {
			t.Fatal(err)
		}
		if got := list(); !slices.Equal(got, []string{"films"}) {
			t.Errorf("connected: %v", got)
		}
		if r.familyStands(family) || !r.familyStands(films) || !r.familyStands(his) {
			t.Error("removing one application ends another's tokens, or not its own")
		}
		if !r.pipe.Feed.Dead(a.Session.Rev, revocation.Name{Unit: revocation.Grant, ID: notes.String()}) {
			t.Error("no reader of the feed is told")
		}
		refused(t, r.RemoveApp(t.Context(), home, a.Cookie, "notes"), "consent.own")
		if _, err := r.Cookie(t.Context(), a.Cookie); err != nil {
			t.Errorf("the session ended with it: %v", err)
		}
	})
}

// Signing out of one application ends its tokens and nothing else; what was
// allowed stays.
func TestSigningOutOfOneApplication(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana := r.person()
		a := r.signIn(t, ana)
		notes, family := r.connect(ana, a, "notes", "openid")
		_, films := r.connect(ana, a, "films", "openid")
		refused(t, r.SignOutApp(t.Context(), home, a.Cookie, "unknown"), "consent.own")
		if err := r.SignOutApp(t.Context(), home, a.Cookie, "notes"); err != nil {
			t.Fatal(err)
		}
		if r.familyStands(family) || !r.familyStands(films) {
			t.Error("signing out of one application ends another, or not that one")
		}
		if c := r.store.View(t.Context()).Consent(ana.id, "notes"); !c.Stands() || c.ID != notes {
			t.Errorf("the consent is %+v", c)
		}
		if !r.pipe.Feed.Dead(a.Session.Rev, revocation.Name{Unit: revocation.Grant, ID: notes.String()}) {
			t.Error("no reader of the feed is told")
		}
	})
}

// OAU-12: what ended stays so when its session is lifted over a later cut: a
// change of the password brings no application back that was signed out, or
// removed and allowed again, or paused and resumed.
func TestAChangedPasswordBringsNoApplicationBack(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana := r.person()
		a := r.signIn(t, ana)
		_, severed := r.connect(ana, a, "notes", "openid")
		_, removed := r.connect(ana, a, "films", "openid")
		_, paused := r.connect(ana, a, "books", "openid")
		_, stands := r.connect(ana, a, "maps", "openid")
		if err := r.SignOutApp(t.Context(), home, a.Cookie, "notes"); err != nil {
			t.Fatal(err)
		}
		if err := r.RemoveApp(t.Context(), home, a.Cookie, "films"); err != nil {
			t.Fatal(err)
		}
		guard := r.store.View(t.Context()).Client("books").Guard
		for _, u := range []core.Unit{{revocation.Next{}, client.Pause{ID: "books", Guard: guard}}, {client.Resume{ID: "books", Guard: guard + 1}}} {
			if _, err := r.store.Commit(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.ChangePassword(t.Context(), home, a.Cookie, password, newPassword); err != nil {
			t.Fatal(err)
		}
		films := r.store.View(t.Context()).Consent(ana.id, "films")
		if _, err := r.store.Commit(t.Context(), core.Unit{client.Widen{ID: films.ID, From: films.Changed, Scopes: []string{"openid"}, Changed: r.clock.now()}}); err != nil {
			t.Fatal(err)
		}
		for name, id := range map[string]token.FamilyID{"notes": severed, "films": removed, "books": paused} {
			if r.familyStands(id) {
				t.Errorf("%s stands again", name)
			}
		}
		if !r.familyStands(stands) {
			t.Error("the change ended an application that stood")
		}
	})
}
