package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/token"
)

// An application's tokens live as long as it is registered with, within the
// bounds, and no event is forgotten before the longest of them.
func TestTokensLiveAsLongAsTheirApplicationSays(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		p := r.person()
		short := r.signInFrom(t, p, shopOrigin)
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Bearer: token.Shown{Access: short.Access}}); err != nil {
			t.Fatal(err)
		}
		before := r.events()
		if e := before[len(before)-1]; e.Until.Sub(e.At) != 10*time.Minute {
			t.Errorf("an event lives %s", e.Until.Sub(e.At))
		}
		r.edit(t, "notes", func(c *client.Client) { c.AccessLife, c.RefreshIdle, c.RefreshMax = 3600, 7200, 10800 })
		in := r.signInFrom(t, p, notesOrigin)
		if got := in.ExpiresAt.Sub(r.clock.now()); got > time.Hour || got < time.Hour-time.Second {
			t.Errorf("its access token lives %s", got)
		}
		if other := r.signInFrom(t, p, shopOrigin); other.ExpiresAt.Sub(r.clock.now()) > 5*time.Minute {
			t.Error("another application's lives as long")
		}
		r.clock.add(59 * time.Minute)
		r.inspected(t, in.Access)
		out, err := r.Refresh(t.Context(), home, exchange.RefreshInput{Token: in.Refresh, Origin: notesOrigin})
		if err != nil {
			t.Fatal(err)
		}
		r.clock.add(2*time.Hour - time.Second) // almost unused for too long
		if out, err = r.Refresh(t.Context(), home, exchange.RefreshInput{Token: out.Refresh, Origin: notesOrigin}); err != nil {
			t.Fatal(err)
		}
		r.clock.add(time.Minute + time.Second) // three hours since it began
		_, err = r.Refresh(t.Context(), home, exchange.RefreshInput{Token: out.Refresh, Origin: notesOrigin})
		refused(t, err, "refresh.in_time")

		last := r.signInFrom(t, p, notesOrigin)
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Bearer: token.Shown{Access: last.Access}}); err != nil {
			t.Fatal(err)
		}
		// A minute before it would have expired, long after what an event lives
		// otherwise, a node that comes new to the feed still knows.
		r.clock.add(59 * time.Minute)
		if _, err := r.store.Commit(t.Context(), core.Unit{revocation.Forget{Now: r.clock.now()}}); err != nil {
			t.Fatal(err)
		}
		two := r.open(behind)
		two.accessRefused(t, last.Access, "token.alive")
		r.pipe.Feed.Sweep(r.clock.now())
		r.accessRefused(t, last.Access, "token.alive")
	})
}

func TestLifetimesHaveBounds(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for word, l := range map[string]client.Lifetimes{
			"doorward_access_token_lifetime": {AccessLife: 59},
			"doorward_id_token_lifetime":     {IDLife: 3601},
			"doorward_refresh_token_idle":    {RefreshIdle: 7200, RefreshMax: 3600},
			"doorward_refresh_token_max":     {RefreshMax: 90*24*3600 + 1}, // beyond the deployment's
		} {
			_, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: client.Client{Name: "x", Type: "spa", Settings: client.Settings{Lifetimes: l}}}})
			if e := refused(t, err, "client.metadata"); e.Word.String() != word {
				t.Errorf("%+v: %s", l, e.Word)
			}
		}
		for _, l := range []client.Lifetimes{{AccessLife: 3601}, {AccessLife: -1}, {IDLife: 59}, {RefreshIdle: 299}, {RefreshMax: 299}, {RefreshIdle: 90*24*3600 + 1}} {
			_, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: client.Client{Name: "x", Type: "spa", Settings: client.Settings{Lifetimes: l}}}})
			refused(t, err, "client.metadata")
		}
	})
}
