package exchange_test

import (
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

const vaultOrigin = "https://vault.example.com"

// vault is a first-party application whose access tokens are opaque.
func (r *rig) vault() {
	r.t.Helper()
	_, err := r.manage.CreateClients(r.t.Context(), settle.Caller{Actor: "host:0"}, []manage.NewClient{{Secret: appSecret + "vault",
		Client: client.Client{ID: "vault", Name: "Vault", Type: "web", Auth: "client_secret_basic", FirstParty: true, TokenFormat: client.Opaque,
			Origins: []string{vaultOrigin}, Resources: []string{"https://api.vault.example"}, Scopes: []string{"vault:open"}}}})
	if err != nil {
		r.t.Fatal(err)
	}
}

// An application gets access tokens in the format it is registered with, from
// each exchange that gives them, and they mean the same.
func TestOpaqueAccessTokens(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		r.vault()
		p := r.person()
		in := r.signInFrom(t, p, vaultOrigin)
		next, err := r.Refresh(t.Context(), home, exchange.RefreshInput{Token: in.Refresh, Origin: vaultOrigin})
		if err != nil {
			t.Fatal(err)
		}
		resumed, err := r.Resume(t.Context(), home, in.Cookie, vaultOrigin)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, text := range []string{in.Access, next.Access, resumed.Access} {
			if !strings.HasPrefix(text, token.AccessPrefix) {
				t.Fatalf("%.20q is not opaque", text)
			}
			c := r.inspected(t, text)
			if c.Subject != p.id.String() || c.Client != "vault" || c.Scope != "vault:open" || c.Session != in.Session.ID.String() || c.KID != r.ring.Opaque[0].KID ||
				!c.AuthTime.Equal(in.Session.AuthTime.Truncate(time.Second)) || seen[c.JTI] {
				t.Errorf("%+v", c)
			}
			seen[c.JTI] = true
			who, err := r.Bearer(t.Context(), token.Alone(text))
			if err != nil || who.User.ID != p.id || who.Session.ID != in.Session.ID {
				t.Errorf("Bearer: %+v, %v", who, err)
			}
			got, err := r.Introspect(t.Context(), home, proof("vault"), text)
			if err != nil || !got.Active || got.Claims.JTI != c.JTI {
				t.Errorf("introspected: %+v, %v", got, err)
			}
			foreign, err := r.Introspect(t.Context(), home, proof("shop"), text)
			inactive(t, "of a foreign audience", foreign, err)
		}
		if other := r.signInFrom(t, p, notesOrigin); strings.HasPrefix(other.Access, token.AccessPrefix) {
			t.Error("another application's token is opaque")
		}
		// It is verified without the database.
		r.clock.add(5*time.Minute - time.Second)
		r.inspected(t, in.Access)
		r.clock.add(time.Second)
		r.accessRefused(t, in.Access, "token.in_time")
	})
}

// SES-08: every kind of token, cut at each byte, extended, with the halves of
// two, or under another kind's prefix, is refused; and as what it is not, too.
func TestTokensAreWholeOrNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.vault()
		p := r.person()
		jwt, opaque := r.signIn(t, p), r.signInFrom(t, p, vaultOrigin)
		again := r.signInFrom(t, p, vaultOrigin)
		kinds := map[string][2]string{ // one, and another of its kind
			"jwt": {jwt.Access, r.refresh(t, jwt.Refresh).Access}, "opaque": {opaque.Access, again.Access},
			"refresh": {opaque.Refresh, again.Refresh}, "cookie": {opaque.Cookie, again.Cookie},
		}
		takers := map[string]func(string) error{
			"access": func(s string) error { _, err := r.Inspect(t.Context(), s, issuer); return err },
			"bearer": func(s string) error { _, err := r.Bearer(t.Context(), token.Alone(s)); return err },
			"cookie": func(s string) error { _, err := r.Cookie(t.Context(), s); return err },
			"refresh": func(s string) error {
				_, err := r.Refresh(t.Context(), home, exchange.RefreshInput{Token: s})
				return err
			},
		}
		fits := func(kind, taker string) bool {
			return kind == taker || (kind == "jwt" || kind == "opaque") && (taker == "access" || taker == "bearer")
		}
		allowed := map[string]bool{"token.form": true, "token.signature": true, "session.presented": true, "refresh.form": true, "refresh.authentic": true}
		for kind, pair := range kinds {
			one, two := pair[0], pair[1]
			var broken []string
			for i := range len(one) {
				broken = append(broken, one[:i])
				if i%7 == 0 {
					broken = append(broken, one[:i]+"A"+one[i:], one[:i]+two[min(i+1, len(two)):])
				}
			}
			for _, prefix := range []string{"dw_at_", "dw_rt_", "dw_st_", "dw_ak_", "dw_at"} {
				if kind != "jwt" && one[:6] != prefix {
					broken = append(broken, prefix+one[6:])
				}
			}
			for end := range strings.SplitSeq("A,=,.,AAAA", ",") {
				broken = append(broken, one+end)
			}
			for taker, take := range takers {
				if taker == "refresh" {
					r.clock.add(time.Hour) // its network's budget
				}
				for _, s := range broken {
					if err := take(s); !allowed[named(err)] {
						t.Fatalf("%s: a broken %s of %d bytes for %d: %v", taker, kind, len(s), len(one), named(err))
					}
				}
				if err := take(one); !fits(kind, taker) && !allowed[named(err)] {
					t.Errorf("%s takes a %s: %v", taker, kind, named(err))
				}
			}
		}
	}, lifetimes(func(p *exchange.Policy) { p.Token.Access = 30 * day; p.Scale = 1 << 20 }))
}

// OAU-35, SES-11: whatever a token hangs on ends, and the opaque token ends
// with it on every node, at introspection and as a bearer.
func TestAnOpaqueTokenEndsWithItsSession(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.vault()
		other := r.open(behind)
		p := r.person()
		in, kept := r.signInFrom(t, p, vaultOrigin), r.signInFrom(t, p, vaultOrigin)
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Bearer: token.Alone(in.Access)}); err != nil {
			t.Fatal(err)
		}
		other.catchUp(t)
		for _, n := range []*node{r.node, other} {
			n.accessRefused(t, in.Access, "token.alive")
			got, err := n.Introspect(t.Context(), home, proof("vault"), in.Access)
			inactive(t, "signed out", got, err)
			n.inspected(t, kept.Access)
		}
		r.pause(t, p)
		other.catchUp(t)
		for _, n := range []*node{r.node, other} {
			n.accessRefused(t, kept.Access, "token.alive")
		}
	})
}

// JWT-11: a token that is both expired and not ours is not ours; nothing of
// it is told.
func TestExpiredAndForged(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.vault()
		p := r.person()
		for _, in := range []exchange.Tokens{r.signIn(t, p), r.signInFrom(t, p, vaultOrigin)} {
			text := in.Access
			i := len(text) - 20
			forged := text[:i] + swap(text[i:i+1]) + text[i+1:]
			r.clock.add(time.Hour)
			for s, want := range map[string][]string{text: {"token.in_time"}, forged: {"token.form", "token.signature"}} {
				c, err := r.Inspect(t.Context(), s, issuer)
				if got := named(err); got != want[0] && got != want[len(want)-1] || c.Subject != "" || c.JTI != "" {
					t.Errorf("%s, %+v, want %v", got, c, want)
				}
			}
		}
	})
}
