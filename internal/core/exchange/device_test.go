package exchange_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// A television is a public client that has no browser.
func television(id string) client.Client {
	return client.Client{ID: id, Name: "Television", Type: "native", Auth: client.AuthNone, Grants: []string{client.GrantDevice, client.GrantRefresh},
		Resources: []string{"https://api." + id + ".example"}, Scopes: []string{"openid", "films:watch", "offline_access"}}
}

var tv = exchange.ClientProof{ID: "tv"}

// begin lets a device wait.
func (n *node) begin(t *testing.T, by settle.Caller, p exchange.ClientProof) exchange.DeviceWaiting {
	t.Helper()
	w, err := n.DeviceBegin(t.Context(), by, p, exchange.Asked{Scope: "openid films:watch offline_access"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// polls is what a device's question is answered with: a code, or a check.
func (n *node) polls(t *testing.T, w exchange.DeviceWaiting) (exchange.Granted, string) {
	t.Helper()
	out, err := n.DeviceRedeem(t.Context(), home, tv, w.DeviceCode, exchange.Asked{})
	var r *check.Refusal
	if errors.As(err, &r) && r.Check().Code != "" {
		return out, r.Check().Code
	}
	return out, named(err)
}

func TestADeviceIsAllowed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.register(television("tv"))
		p := r.person()
		in := r.signIn(t, p)
		w := r.begin(t, from("203.0.113.9"), tv)
		if len(w.UserCode) != 9 || w.UserCode[4] != '-' || strings.Trim(w.UserCode, "BCDFGHJKLMNPQRSTVWXZ-") != "" || !strings.HasPrefix(w.DeviceCode, "dw_dc_") || len(w.DeviceCode) != 49 || w.Interval != 5*time.Second {
			t.Fatalf("%+v", w)
		}
		if _, got := r.polls(t, w); got != "authorization_pending" {
			t.Fatal(got)
		}
		ask, err := r.DeviceLook(t.Context(), home, in.Cookie, " "+strings.ToLower(strings.ReplaceAll(w.UserCode, "-", " ")))
		if err != nil || ask.Client.ID != "tv" || ask.IP != "203.0.113.9" || ask.Agent != userAgent || !slices.Equal(ask.Scopes, []string{"openid", "films:watch", "offline_access"}) || ask.Code != w.UserCode || ask.At.IsZero() {
			t.Fatalf("%+v, %v", ask, err)
		}
		r.clock.add(5 * time.Second)
		if _, got := r.polls(t, w); got != "authorization_pending" {
			t.Fatal(got)
		}
		if err := r.DeviceAllow(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		r.clock.add(5 * time.Second)
		out, got := r.polls(t, w)
		if got != "passed" || out.Access == "" || out.Refresh == "" || out.IDToken == "" {
			t.Fatalf("%s, %+v", got, out)
		}
		c := r.inspected(t, out.Access)
		consent := read(t, r.store, func(v core.View) client.Consent { return v.Consent(p.id, "tv") })
		if c.Subject != p.id.String() || c.Client != "tv" || c.Scope != "openid films:watch offline_access" || c.Grant != consent.ID.String() || c.Session != in.Session.ID.String() || !consent.Covers([]string{"films:watch"}) {
			t.Errorf("%+v", c)
		}
		if _, err := r.RefreshGrant(t.Context(), home, tv, out.Refresh, exchange.Asked{}); err != nil {
			t.Error(err)
		}
		// One redemption, and no second answer.
		r.clock.add(time.Minute)
		if _, got := r.polls(t, w); got != "device.unspent" {
			t.Error(got)
		}
		_, err = r.DeviceLook(t.Context(), home, in.Cookie, w.UserCode)
		refused(t, err, "device.known")
		refused(t, r.DeviceDeny(t.Context(), home, in.Cookie, w.UserCode), "device.known")
	})
}

// What a device may not (attack OAU-24): ask too often, go on after the end or
// after a no, redeem twice, redeem what another was given.
func TestADeviceWaitsAsItIsTold_OAU24(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.register(television("tv"))
		r.register(television("other"))
		r.apps()
		in := r.signIn(t, r.person())
		w := r.begin(t, home, tv)
		wants := func(after time.Duration, want string) {
			t.Helper()
			r.clock.add(after)
			if out, got := r.polls(t, w); got != want || out.Access != "" {
				t.Errorf("after %v: %s, want %s", after, got, want)
			}
		}
		r.spy.take()
		wants(0, "authorization_pending")
		wants(3*time.Second, "slow_down") // from now on ten seconds
		wants(8*time.Second, "slow_down") // fifteen
		wants(14*time.Second, "authorization_pending")
		for _, u := range r.spy.take() {
			if _, err := entry(u); err == nil {
				t.Errorf("a question is in the ledger: %v", u)
			}
		}
		_, err := r.DeviceRedeem(t.Context(), home, exchange.ClientProof{ID: "other"}, w.DeviceCode, exchange.Asked{})
		refused(t, err, "device.authentic")
		for _, code := range []string{"", "x", w.UserCode, w.DeviceCode + "A", "dw_dc_" + strings.Repeat("A", 43), token.NewLink([32]byte{1})} {
			_, err := r.DeviceRedeem(t.Context(), home, tv, code, exchange.Asked{})
			refused(t, err, "device.authentic")
		}
		_, err = r.DeviceRedeem(t.Context(), home, proof("notes"), w.DeviceCode, exchange.Asked{})
		refused(t, err, "client.grant")
		_, err = r.DeviceBegin(t.Context(), home, proof("notes"), exchange.Asked{})
		refused(t, err, "client.grant") // off for whom it was not turned on (check DV-05)
		_, err = r.DeviceBegin(t.Context(), home, tv, exchange.Asked{Scope: "admin"})
		refused(t, err, "client.scope")
		_, err = r.DeviceBegin(t.Context(), home, tv, exchange.Asked{Resources: []string{"https://api.notes.example"}})
		refused(t, err, "client.resource")

		if _, err := r.DeviceLook(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		if err := r.DeviceDeny(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		wants(20*time.Second, "access_denied")
		wants(20*time.Second, "device.unspent")

		w = r.begin(t, home, tv)
		wants(10*time.Minute, "expired_token")
		_, err = r.DeviceLook(t.Context(), home, in.Cookie, w.UserCode)
		refused(t, err, "device.known")
	})
}

// The answer is the person's who typed the code, and hangs on what it was given
// with (attacks OAU-23 and OAU-12).
func TestWhoTypedTheCodeAnswers_OAU23(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.register(television("tv"))
		ana, ben := r.signIn(t, r.person()), r.signIn(t, r.person())
		w := r.begin(t, home, tv)
		refused(t, r.DeviceAllow(t.Context(), home, ben.Cookie, w.UserCode), "device.entered") // nobody typed it
		if _, err := r.DeviceLook(t.Context(), home, ana.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		refused(t, r.DeviceAllow(t.Context(), home, ben.Cookie, w.UserCode), "device.entered")
		refused(t, r.DeviceDeny(t.Context(), home, ben.Cookie, w.UserCode), "device.entered")
		refused(t, r.DeviceAllow(t.Context(), home, "", w.UserCode), "session.presented")
		if err := r.DeviceAllow(t.Context(), home, ana.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Cookie: ana.Cookie}); err != nil {
			t.Fatal(err)
		}
		if _, got := r.polls(t, w); got != "device.stands" {
			t.Errorf("after signing out: %s", got)
		}
		w = r.begin(t, home, tv)
		r.exec(`update clients set paused = 1 where id = 'tv'`)
		_, err := r.DeviceLook(t.Context(), home, ben.Cookie, w.UserCode)
		refused(t, err, "client.standing")
	})
}

// Codes are guessed neither in one session nor from one network (attack OAU-24).
func TestUserCodesAreNotGuessed_OAU24(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.register(television("tv"))
		in := r.signIn(t, r.person())
		w := r.begin(t, home, tv)
		guess := func(cookie string, by settle.Caller, code string) string {
			_, err := r.DeviceLook(t.Context(), by, cookie, code)
			return named(err)
		}
		for i := range 5 {
			if got := guess(in.Cookie, home, "BBBB-BBB"+string("BCDFG"[i])); got != "device.known" {
				t.Fatalf("guess %d: %s", i, got)
			}
		}
		// The right one does not get through, either, wherever it comes from.
		for i, code := range []string{"BBBB-BBBH", w.UserCode, ""} {
			if got := guess(in.Cookie, elsewhere(i), code); got != "device.calm" {
				t.Errorf("%q: %s", code, got)
			}
		}
		r.clock.add(2 * time.Minute) // one more
		if got := guess(in.Cookie, home, w.UserCode); got != "passed" {
			t.Error(got)
		}
		// Of one network.
		served := 0
		for i := range 30 {
			other := r.seat(r.person())
			for range 4 {
				if guess(other.Cookie, from("203.0.113.77"), fmt.Sprintf("CCCC-CC%cC", "BCDFGHJKLMNPQRSTVWXZBCDFGHJKLM"[i])) == "device.known" {
					served++
				}
			}
		}
		if served < 95 || served > 105 {
			t.Errorf("%d guesses of one network were answered", served)
		}
	})
}

// Of polls that come at the same time one is given tokens.
func TestADeviceCodeIsRedeemedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.register(television("tv"))
		in := r.signIn(t, r.person())
		nodes := []*node{r.node, r.open()}
		for _, n := range nodes {
			n.warm(t)
		}
		w := r.begin(t, home, tv)
		if _, err := r.DeviceLook(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		if err := r.DeviceAllow(t.Context(), home, in.Cookie, w.UserCode); err != nil {
			t.Fatal(err)
		}
		got := make([]string, 8)
		together(len(got), func(i int) { _, got[i] = nodes[i%2].polls(t, w) })
		slices.Sort(got)
		if want := append(slices.Repeat([]string{"device.unspent"}, 7), "passed"); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// A first-party device costs a fresh proof, and no device is allowed in a
// session that is in doubt (attack OAU-23, check DV-05).
func TestADeviceCostsAProof_OAU23(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ours := television("tv")
		ours.FirstParty = true
		r.register(ours)
		theirs := television("theirs")
		r.register(theirs)
		in := r.signIn(t, r.person())
		allow := func(id string) string {
			t.Helper()
			w := r.begin(t, home, exchange.ClientProof{ID: id})
			if _, err := r.DeviceLook(t.Context(), home, in.Cookie, w.UserCode); err != nil {
				t.Fatal(err)
			}
			return named(r.DeviceAllow(t.Context(), home, in.Cookie, w.UserCode))
		}
		if got := allow("tv"); got != "passed" {
			t.Error(got)
		}
		r.clock.add(10*time.Minute + time.Second)
		if got := allow("tv"); got != session.FreshEnough.ID {
			t.Errorf("after ten minutes: %s", got)
		}
		if got := allow("theirs"); got != "passed" {
			t.Errorf("another's: %s", got)
		}
		r.exec(`update sessions set auth_time = 0`)
		if got := allow("theirs"); got != session.FreshEnough.ID {
			t.Errorf("in doubt: %s", got)
		}
	})
}
