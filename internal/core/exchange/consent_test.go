package exchange_test

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/outbox"
)

const backTo = "https://notes.example.com/cb"

// notes registers an application of somebody else's.
func (r *rig) notes(scopes string) client.Request {
	r.t.Helper()
	if _, err := r.store.Commit(r.t.Context(), core.Unit{client.Create{ID: "notes", Name: "Notes", Type: "web", Auth: "none", RedirectURIs: []string{backTo}, Scopes: strings.Fields(scopes), TokenFormat: client.JWT, Created: r.clock.now()}}); err != nil {
		r.t.Fatal(err)
	}
	return client.Request{Client: "notes", Type: "code", Redirect: backTo, Scope: scopes, Challenge: strings.Repeat("a", 43), Method: "S256", Asked: r.clock.now()}
}

// Each check of a consent refuses by itself, and changes nothing.
func TestAllowingIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana := r.person()
		in := r.signIn(t, ana)
		ask := r.notes("openid notes:read")
		out := ask
		out.Redirect = backTo + "/"
		refused(t, r.Allow(t.Context(), home, in.Cookie, out, []string{"openid"}), "request.client")
		out.Client = "nobody"
		refused(t, r.Allow(t.Context(), home, in.Cookie, out, []string{"openid"}), "request.client")
		refused(t, r.Allow(t.Context(), home, "", ask, []string{"openid"}), "session.presented")
		refused(t, r.Allow(t.Context(), home, in.Cookie, ask, []string{"openid", "admin"}), "client.scope")
		refused(t, r.Allow(t.Context(), home, in.Cookie, ask, nil), "client.scope")
		narrow := ask
		narrow.Scope = "openid"
		refused(t, r.Allow(t.Context(), home, in.Cookie, narrow, []string{"notes:read"}), "client.scope")
		if c := r.store.View(t.Context()).Consent(ana.id, "notes"); c.Exists() {
			t.Errorf("there is a consent: %+v", c)
		}
		r.pause(t, ana)
		r.catchUp(t)
		refused(t, r.Allow(t.Context(), home, in.Cookie, ask, []string{"openid"}), "session.alive")
	})
}

// A look at a request uses nothing up; what was declined is not asked for again, and is in no code.
func TestWhatWasAllowedIsGiven(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana := r.person()
		in := r.signIn(t, ana)
		ask := r.notes("openid notes:read notes:write")
		ask.ID = []byte("one")
		missing := func(r *rig, q client.Request) exchange.Missing {
			t.Helper()
			a, err := r.Look(t.Context(), home, in.Cookie, q)
			if err != nil {
				t.Fatal(err)
			}
			if a.Code != "" {
				t.Error("a look gives a code")
			}
			return a.Missing
		}
		if missing(r, ask) != exchange.AConsent {
			t.Error("no consent is missing")
		}
		if err := r.Allow(t.Context(), home, in.Cookie, ask, []string{"openid", "notes:read"}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if missing(r, ask) != exchange.Nothing {
				t.Error("what was declined is asked for again")
			}
		}
		if a, err := r.Authorize(t.Context(), home, in.Cookie, ask); err != nil || a.Code == "" {
			t.Fatalf("%+v, %v", a, err)
		}
		_, err := r.Authorize(t.Context(), home, in.Cookie, ask)
		refused(t, err, "request.unanswered")
		c := r.store.View(t.Context()).Consent(ana.id, "notes")
		if !slices.Equal(c.Scopes, []string{"openid", "notes:read"}) || !slices.Equal(c.Terms.Declined, []string{"notes:write"}) || c.Terms.Policy {
			t.Errorf("the consent is %+v", c)
		}
		// Only what was declined: there is nothing to give, so it is asked.
		only := ask
		only.ID, only.Scope = nil, "notes:write"
		if missing(r, only) != exchange.AConsent {
			t.Error("nothing at all is given")
		}
		// Cancelled once, the request is over, and the ledger says by whom.
		cancelled := only
		cancelled.ID, cancelled.Refused = []byte("two"), true
		_, err = r.Authorize(t.Context(), home, in.Cookie, cancelled)
		refused(t, err, "authorize.allowed")
		cancelled.Refused = false
		_, err = r.Authorize(t.Context(), home, in.Cookie, cancelled)
		refused(t, err, "request.unanswered")
	})
}

// A person is told by mail of an application that may do more than know who they are, once.
func TestTheMailOfAConnectedApp(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana := r.person()
		in := r.in(elsewhere(2), ana)
		ask := r.notes("openid email notes:read offline_access")
		count := func() (n int) {
			for _, m := range r.mailed() {
				if m.Kind == outbox.AppConnected {
					n++
				}
			}
			return n
		}
		allow := func(scopes ...string) {
			t.Helper()
			r.clock.add(time.Second)
			if err := r.Allow(t.Context(), elsewhere(2), in.Cookie, ask, scopes); err != nil {
				t.Fatal(err)
			}
		}
		if allow("openid", "email"); count() != 0 {
			t.Error("a mail says that an application knows who somebody is")
		}
		if allow("openid", "email", "notes:read"); count() != 1 {
			t.Fatalf("%d mails", count())
		}
		m := r.lastMail(ana.email)
		if f := m.Facts; f.App != "Notes" || f.Link != "/account/apps" || f.Place != "Vietnam" || f.Device != "Firefox on Linux" {
			t.Errorf("the mail says %+v", m.Facts)
		}
		if allow("openid", "notes:read", "offline_access"); count() != 1 {
			t.Errorf("%d mails", count())
		}
	}, mailing)
}

// Allowing more races taking it back: what hung on the consent before is dead either way, at both nodes.
func TestAllowAgainstRemove(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		x := r.race(t)
		ask := r.notes("openid notes:read")
		for round := range 12 {
			p := r.person()
			in := x.nodes[0].signIn(t, p)
			_, family := r.connect(p, in, "notes", "openid")
			var allowed, removed error
			x.run(round%2 == 0, [2]func(*node){
				func(n *node) { allowed = n.Allow(t.Context(), home, in.Cookie, ask, []string{"openid", "notes:read"}) },
				func(n *node) { removed = n.RemoveApp(t.Context(), home, in.Cookie, "notes") },
			})
			if allowed != nil || removed != nil {
				t.Fatalf("allowing: %v, removing: %v", allowed, removed)
			}
			if r.familyStands(family) {
				t.Errorf("round %d: what was removed stands", round)
			}
			// Whoever was last, counts.
			if c := r.store.View(t.Context()).Consent(p.id, "notes"); c.Cut == 0 || c.Stands() != slices.Contains(c.Scopes, "notes:read") {
				t.Errorf("round %d: the consent is %+v", round, c)
			}
		}
		x.told(t)
	})
}

// A code that was made before its consent was taken back buys nothing (attack OAU-12).
func TestACodeAgainstRemove(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.signIn(t, p)
		ask, verifier := r.notes("openid"), strings.Repeat("v", 43)
		h := sha256.Sum256([]byte(verifier))
		ask.Challenge = base64.RawURLEncoding.EncodeToString(h[:])
		if err := r.Allow(t.Context(), home, in.Cookie, ask, []string{"openid"}); err != nil {
			t.Fatal(err)
		}
		a, err := r.Authorize(t.Context(), home, in.Cookie, ask)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.SignOutApp(t.Context(), home, in.Cookie, "notes"); err != nil {
			t.Fatal(err)
		}
		_, err = r.Code(t.Context(), home, exchange.ClientProof{ID: "notes"}, exchange.CodeInput{Code: a.Code, Redirect: backTo, Verifier: verifier})
		refused(t, err, "code.stands")
	})
}

// A person is told by mail which device they allowed, and from where it asked.
func TestTheMailOfADevice(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana := r.person()
		in := r.signIn(t, ana)
		if _, err := r.store.Commit(t.Context(), core.Unit{client.Create{ID: "films", Name: "Films", Type: "native", Auth: "none", Scopes: []string{"openid"}, Grants: []string{client.GrantDevice}, TokenFormat: client.JWT, Created: r.clock.now()}}); err != nil {
			t.Fatal(err)
		}
		w, err := r.DeviceBegin(t.Context(), elsewhere(2), exchange.ClientProof{ID: "films"}, exchange.Asked{Scope: "openid"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.DeviceLook(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		if err := r.DeviceAllow(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		m := r.lastMail(ana.email)
		if f := m.Facts; m.Kind != outbox.DeviceAllowed || f.App != "Films" || f.Place != "Vietnam" || f.IP != elsewhere(2).Addr.String() || f.Device != "Firefox on Linux" {
			t.Errorf("the mail is %v: %+v", m.Kind, f)
		}
	}, mailing)
}
