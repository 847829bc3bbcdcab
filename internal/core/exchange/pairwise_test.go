package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/token"
)

// consents writes down that a person allowed an application.
func (r *rig) consents(t *testing.T, p person, app string, scopes ...string) {
	t.Helper()
	allow := client.Allow{ID: client.NewGrantID(r.clock.now(), secret.Random16()), User: p.id, Client: app, Scopes: scopes, Rev: read(t, r.store, core.View.Head), Created: r.clock.now()}
	if _, err := r.store.Commit(t.Context(), core.Unit{allow}); err != nil {
		t.Fatal(err)
	}
}

// The applications of one host know a person by a name of their own, wherever
// a sub leaves; what ends the person ends those tokens, and a resource server is
// told in the names that it knows. Check OI-06.
func TestPairwiseNames(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		const elsewhere = "https://other.example.net/callback"
		pairwise := func(c *manage.NewClient) {
			c.FirstParty, c.SubjectType, c.Resources = false, client.SubjectPairwise, []string{"notes-api"}
		}
		one, two := r.application(t, "one", pairwise), r.application(t, "two", pairwise)
		other := r.application(t, "other", pairwise, func(c *manage.NewClient) {
			c.RedirectURIs, c.Resources = []string{elsewhere}, []string{"notes-api", "other-api"}
		})
		// Tokens that a service trades are for one that it is not for itself: with the person's id.
		trader := manage.NewClient{Secret: appSecret + "trader", Client: client.Client{ID: "trader", Name: "trader", Type: "machine", Grants: []string{client.GrantExchange},
			Resources: []string{"trader-api"}, Settings: client.Settings{Trade: client.Trade{Audiences: []string{"traded-api"}}}}}
		apart := manage.NewClient{Secret: appSecret + "apart", Client: client.Client{ID: "apart", Name: "apart", Type: "machine", Resources: []string{"other-api", "traded-api"}, Scopes: []string{exchange.FeedScope}}}
		if _, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{trader, apart}); err != nil {
			t.Fatal(err)
		}
		reader := manage.NewClient{Secret: appSecret + "reader", Client: client.Client{ID: "reader", Name: "reader", Type: "machine", Resources: []string{"notes-api"}, Scopes: []string{exchange.FeedScope}}}
		if _, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{reader}); err != nil {
			t.Fatal(err)
		}
		p, q := r.person(), r.person()
		in, also := r.signIn(t, p), r.signIn(t, q)
		given := func(of exchange.Tokens, who person, proof exchange.ClientProof, redirect string) exchange.Granted {
			t.Helper()
			if !read(t, r.store, func(v core.View) client.Consent { return v.Consent(who.id, proof.ID) }).Exists() {
				r.consents(t, who, proof.ID, "openid")
			}
			ask := r.asking(t, r, proof.ID, "openid")
			ask.Redirect = redirect
			a, err := r.Authorize(t.Context(), home, of.Cookie, ask)
			if err != nil || a.Code == "" {
				t.Fatalf("no code: %v, missing %d", err, a.Missing)
			}
			g, err := r.Code(t.Context(), home, proof, exchange.CodeInput{Code: a.Code, Redirect: redirect, Verifier: verifier})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		sub := func(g exchange.Granted) string {
			t.Helper()
			who, err := r.UserInfo(t.Context(), token.Shown{Access: g.Access})
			if err != nil || who.User.ID != p.id && who.User.ID != q.id || who.Subject != r.inspected(t, g.Access).Subject {
				t.Fatalf("%+v, %v", who, err)
			}
			return who.Subject
		}
		a, b, c, d := given(in, p, one, callback), given(in, p, two, callback), given(in, p, other, elsewhere), given(also, q, one, callback)
		for _, s := range []string{sub(a), sub(b), sub(c), sub(d)} {
			if _, err := identity.ParseUserID(s); err == nil || strings.Contains(s, p.id.String()) || client.ValidID(s) || len(s) > 255 {
				t.Errorf("%q is no name of a sector's own", s)
			}
		}
		if sub(a) != sub(b) || sub(a) == sub(c) || sub(a) == sub(d) {
			t.Errorf("one host: %s and %s; another: %s; another person: %s", sub(a), sub(b), sub(c), sub(d))
		}
		r.clock.add(100 * day) // whatever keys took turns meanwhile
		if err := r.manage.TurnKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		in = r.signIn(t, p)
		again := given(in, p, one, callback)
		if sub(again) != token.PairwiseSubject(r.keys.Keys.Ring().Pairwise, "app.example.com", p.id) {
			t.Error("the name changed")
		}

		before := read(t, r.store, core.View.Head)
		two2 := r.open()
		if err := two2.keys.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.pause(t, p)
		r.accessRefused(t, again.Access, "token.alive")
		two2.catchUp(t)
		two2.accessRefused(t, again.Access, "token.alive")
		names := func(reader string) (names []string) {
			t.Helper()
			page, err := two2.Revocations(t.Context(), home, exchange.ClientProof{ID: reader, Secret: appSecret + reader}, before, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				if e.Name.Unit == revocation.User {
					names = append(names, e.Name.ID)
				}
			}
			slices.Sort(names)
			return names
		}
		key := r.keys.Keys.Ring().Pairwise
		want := []string{token.PairwiseSubject(key, "app.example.com", p.id), token.PairwiseSubject(key, "other.example.net", p.id)}
		slices.Sort(want)
		if got := names("reader"); !slices.Equal(got, want) {
			t.Errorf("a resource server is told of %v, want %v", got, want)
		}
		want = []string{token.PairwiseSubject(key, "other.example.net", p.id), p.id.String()}
		slices.Sort(want)
		if got := names("apart"); !slices.Equal(got, want) {
			t.Errorf("one that traded tokens are for is told of %v, want %v", got, want)
		}
	})
}

func TestOnlySomeApplicationsCanBePairwise(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for what, c := range map[string]client.Client{
			"addresses on two hosts": {Type: "web", RedirectURIs: []string{callback, "https://other.example.net/callback"}},
			"no address":             {Type: "machine"},
			"one of ours":            {Type: "web", RedirectURIs: []string{callback}, FirstParty: true},
			"another word":           {Type: "web", RedirectURIs: []string{callback}, Settings: client.Settings{SubjectType: "Pairwise"}},
		} {
			c.Name = what
			if c.SubjectType == "" {
				c.SubjectType = client.SubjectPairwise
			}
			_, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: c}})
			if e := refused(t, err, "client.metadata"); e.Word != client.WordSubject {
				t.Errorf("%s: %s", what, e.Word)
			}
		}
	})
}

// An application that goes back to several hosts is of the sector that a list
// speaks for, once every address of it is listed there (OpenID Connect Core
// section 8.1).
func TestASectorIsSpokenForByAList(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		const list, elsewhere = "https://sector.example.com/uris.json", "https://other.example.net/callback"
		docs := &shelf{at: map[string]string{list: `["` + callback + `"]`}, media: "application/json"}
		n := r.open()
		n.manage = manage.New(n.pipe, nil, manage.Keys{Follow: n.keys, KEK: r.kek, Policy: keyPolicy}, manage.Policy{Issuer: issuer, PasswordMin: 15, Documents: docs})
		c := manage.NewClient{Client: client.Client{ID: "both", Name: "Both", Type: "web", RedirectURIs: []string{callback, elsewhere}, Scopes: []string{"openid"},
			Settings: client.Settings{SubjectType: client.SubjectPairwise, SectorURI: list}}}
		_, err := n.manage.CreateClients(t.Context(), operator, []manage.NewClient{c})
		refused(t, err, "client.metadata")
		docs.put(list, `["`+elsewhere+`","`+callback+`"]`)
		if _, err := n.manage.CreateClients(t.Context(), operator, []manage.NewClient{c}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, r.store, func(v core.View) string { return v.Client("both").Sector() }); got != "sector.example.com" {
			t.Errorf("the sector is %q", got)
		}
		_, _, err = n.manage.EditClient(t.Context(), operator, "both", nil, func(c client.Client) (client.Client, bool) {
			c.RedirectURIs = append(slices.Clone(c.RedirectURIs), "https://third.example.org/callback")
			return c, true
		})
		refused(t, err, "client.metadata")
	})
}
