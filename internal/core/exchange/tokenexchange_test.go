package exchange_test

import (
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// services are three of a chain: each is called with tokens for it and calls
// the next. The cellar may impersonate.
func (r *rig) services(formats ...string) {
	r.t.Helper()
	format := client.JWT
	if len(formats) > 0 {
		format = formats[0]
	}
	of := func(id string, trade client.Trade) manage.NewClient {
		return manage.NewClient{Secret: appSecret + id, Client: client.Client{ID: id, Name: id, Type: "machine", TokenFormat: format, Grants: []string{client.GrantExchange, client.GrantClient},
			Resources: []string{"https://api." + id + ".example"}, Scopes: []string{"notes:read", "notes:write", "profile", "offline_access"}, Settings: client.Settings{Trade: trade}}}
	}
	_, err := r.manage.CreateClients(r.t.Context(), settle.Caller{Actor: "host:0"}, []manage.NewClient{
		of("front", client.Trade{Audiences: []string{"https://api.store.example", "https://api.notes.example"}}),
		of("store", client.Trade{Audiences: []string{"https://api.cellar.example"}}),
		of("cellar", client.Trade{Audiences: []string{"https://api.front.example"}, Impersonate: true}),
		of("picky", client.Trade{Clients: []string{"store"}}),
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func trading(subject string) exchange.ExchangeInput {
	return exchange.ExchangeInput{Subject: subject, SubjectType: exchange.TypeAccess}
}

// notesToken is a person's token that a first-party page got, for the front.
func (r *rig) notesToken(t *testing.T, p person) exchange.Tokens {
	t.Helper()
	return r.signInFrom(t, p, notesOrigin)
}

// A service calls the next with less than it was called with, and who acts is
// in the token, at most three of them (check DV-07, attack OAU-21).
func TestTokensAreTradedDown_OAU21(t *testing.T) {
	for _, format := range []string{client.JWT, client.Opaque} {
		t.Run(format, func(t *testing.T) {
			onEach(t, func(t *testing.T, r *rig) {
				r.apps()
				r.services(format)
				r.exec(`update clients set resources = 'https://api.notes.example` + "\n" + `https://api.front.example' where id = 'notes'`)
				p := r.person()
				in := r.notesToken(t, p)
				original := r.inspected(t, in.Access)
				r.clock.add(time.Minute)

				first, err := r.ExchangeToken(t.Context(), home, proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess,
					Asked: exchange.Asked{Scope: "notes:read", Resources: []string{"https://api.store.example"}}})
				if err != nil {
					t.Fatal(err)
				}
				c, err := r.Inspect(t.Context(), first.Access, "https://api.store.example")
				if err != nil || c.Subject != p.id.String() || c.Client != "front" || c.Scope != "notes:read" || !slices.Equal(c.Audience, []string{"https://api.store.example"}) ||
					c.Session != original.Session || c.Grant != original.Grant || c.ACR != original.ACR || !c.AuthTime.Equal(original.AuthTime) || !slices.Equal(c.Act, []string{"front"}) ||
					!c.ExpiresAt.Equal(original.ExpiresAt) || first.Refresh != "" || first.IDToken != "" || first.Issued != exchange.TypeAccess {
					t.Fatalf("%+v, %+v, %v", c, first, err)
				}
				second, err := r.ExchangeToken(t.Context(), home, proof("store"), trading(first.Access))
				if err != nil {
					t.Fatal(err)
				}
				if c, err = r.Inspect(t.Context(), second.Access, "https://api.cellar.example"); err != nil || c.Scope != "notes:read" || !slices.Equal(c.Act, []string{"store", "front"}) {
					t.Errorf("%+v, %v", c, err)
				}
				// The cellar may impersonate: nobody sees that it acts, but what came before stays.
				third, err := r.ExchangeToken(t.Context(), home, proof("cellar"), trading(second.Access))
				if err != nil {
					t.Fatal(err)
				}
				if c, err = r.Inspect(t.Context(), third.Access, "https://api.front.example"); err != nil || !slices.Equal(c.Act, []string{"store", "front"}) || c.Client != "cellar" {
					t.Errorf("%+v, %v", c, err)
				}
				fourth, err := r.ExchangeToken(t.Context(), home, proof("front"), exchange.ExchangeInput{Subject: third.Access, SubjectType: exchange.TypeAccess, Asked: exchange.Asked{Resources: []string{"https://api.store.example"}}})
				if err != nil {
					t.Fatal(err)
				}
				_, err = r.ExchangeToken(t.Context(), home, proof("store"), trading(fourth.Access))
				refused(t, err, "exchange.depth")

				// What ends the session ends all of them, and the strictest reader agrees until then.
				live, err := r.Introspect(t.Context(), home, proof("store"), first.Access)
				if err != nil || !live.Active || !slices.Equal(live.Claims.Act, []string{"front"}) {
					t.Errorf("%+v, %v", live, err)
				}
				r.exec(`update clients set settings = '{"doorward_revocation":"strict"}' where id = 'store'`)
				if live, err = r.Introspect(t.Context(), home, proof("store"), first.Access); err != nil || !live.Active {
					t.Errorf("strictly: %+v, %v", live, err)
				}
				if _, err := r.SignOut(t.Context(), home, exchange.Credential{Bearer: token.Shown{Access: in.Access}}); err != nil {
					t.Fatal(err)
				}
				for _, dead := range []string{first.Access, second.Access, third.Access, fourth.Access} {
					_, err := r.ExchangeToken(t.Context(), home, proof("front"), trading(dead))
					refused(t, err, "exchange.subject")
				}
				_, err = r.Inspect(t.Context(), third.Access, "https://api.front.example")
				refused(t, err, "token.alive")
			})
		})
	}
}

// What is not traded (attack OAU-21).
func TestTokensAreNotTradedUp_OAU21(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		r.services()
		r.exec(`update clients set resources = 'https://api.notes.example` + "\n" + `https://api.front.example` + "\n" + `https://api.picky.example' where id = 'notes'`)
		p := r.person()
		in := r.notesToken(t, p)
		own, err := r.ClientCredentials(t.Context(), home, proof("front"), exchange.Asked{})
		if err != nil {
			t.Fatal(err)
		}
		page := r.signIn(t, p) // for the server itself
		k, set := signer(t, jose.ES256)
		r.register(robot(set))
		store := exchange.Asked{Resources: []string{"https://api.store.example"}}
		for i, c := range []struct {
			what  string
			by    exchange.ClientProof
			in    exchange.ExchangeInput
			check string
		}{
			{"as it should be", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Asked: store}, "passed"},
			{"as a JWT", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeJWT, Wants: exchange.TypeJWT, Asked: store}, "passed"},
			{"with an actor", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Actor: own.Access, ActorType: exchange.TypeAccess, Asked: store}, "passed"},
			{"a scope that the subject has not", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Asked: exchange.Asked{Scope: "notes:read admin"}}, "client.scope"},
			{"offline access", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Asked: exchange.Asked{Scope: "offline_access"}}, "client.scope"},
			{"an audience outside the policy", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Asked: exchange.Asked{Resources: []string{"https://api.shop.example"}}}, "client.resource"},
			{"this server", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Asked: exchange.Asked{Resources: []string{issuer}}}, "client.resource"},
			{"a token for another", proof("store"), trading(in.Access), "exchange.subject"},
			{"a token for the server alone", proof("front"), trading(page.Access), "exchange.subject"},
			{"a token of an application outside the policy", proof("picky"), trading(in.Access), "exchange.subject"},
			{"a refresh token", proof("front"), trading(in.Refresh), "exchange.subject"},
			{"a cookie", proof("front"), trading(in.Cookie), "exchange.subject"},
			{"a stranger's", proof("front"), trading(signed(t, k, "at+jwt", map[string]any{"iss": issuer, "sub": p.id.String()})), "exchange.subject"},
			{"a foreign token without a federation", proof("front"), exchange.ExchangeInput{Subject: r.ciToken(k), SubjectType: exchange.TypeJWT}, "client.grant"},
			{"no token", proof("front"), trading(""), "exchange.types"},
			{"an ID token", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: "urn:ietf:params:oauth:token-type:id_token"}, "exchange.types"},
			{"for a refresh token", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Wants: "urn:ietf:params:oauth:token-type:refresh_token"}, "exchange.types"},
			{"an actor of no kind", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Actor: own.Access}, "exchange.types"},
			{"an actor's kind without one", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, ActorType: exchange.TypeAccess}, "exchange.types"},
			{"an actor that is another", proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Actor: page.Access, ActorType: exchange.TypeAccess, Asked: store}, "exchange.actor"},
			{"an application without the grant", proof("notes"), trading(in.Access), "client.grant"},
			{"a wrong secret", exchange.ClientProof{ID: "front", Secret: "x"}, trading(in.Access), "client.authentic"},
			{"no secret", exchange.ClientProof{ID: "front"}, trading(in.Access), "client.authentic"},
		} {
			if out, err := r.ExchangeToken(t.Context(), elsewhere(i), c.by, c.in); named(err) != c.check || c.check != "passed" && out.Access != "" {
				t.Errorf("%s: %s, want %s", c.what, named(err), c.check)
			}
		}
		// The actor is who the token names.
		with, err := r.ExchangeToken(t.Context(), home, proof("front"), exchange.ExchangeInput{Subject: in.Access, SubjectType: exchange.TypeAccess, Actor: own.Access, ActorType: exchange.TypeAccess, Asked: store})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := r.Inspect(t.Context(), with.Access, "https://api.store.example"); err != nil || !slices.Equal(c.Act, []string{"front"}) {
			t.Errorf("%+v, %v", c, err)
		}
		// A revoked, an expired subject, and one of a person who is paused.
		if _, err := r.Exchanges.Revoke(t.Context(), settle.Caller{Actor: "host:0"}, in.Access); err != nil {
			t.Fatal(err)
		}
		_, err = r.ExchangeToken(t.Context(), home, proof("front"), trading(in.Access))
		refused(t, err, "exchange.subject")
		in = r.notesToken(t, p)
		r.pause(t, p)
		_, err = r.ExchangeToken(t.Context(), home, proof("front"), trading(in.Access))
		refused(t, err, "exchange.subject")
		in = r.notesToken(t, r.person())
		r.clock.add(5 * time.Minute)
		_, err = r.ExchangeToken(t.Context(), home, proof("front"), trading(in.Access))
		refused(t, err, "exchange.subject")
	})
}

// A platform's token is traded by the federation of the machine, here as well.
func TestAForeignTokenIsExchanged_IDN08(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		r.register(machine("deployer"))
		r.deployer(set, nil)
		out, err := r.ExchangeToken(t.Context(), home, exchange.ClientProof{ID: "deployer"}, exchange.ExchangeInput{Subject: r.ciToken(k), SubjectType: exchange.TypeJWT})
		if err != nil || out.Issued != exchange.TypeAccess {
			t.Fatalf("%+v, %v", out, err)
		}
		if c := r.inspected(t, out.Access); c.Subject != "deployer" || len(c.Act) != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// What a service has for a machine ends when the machine's tokens are ended.
func TestAMachinesEndReachesWhoActsForIt(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.services()
		r.register(machine("deployer"))
		k, set := signer(t, jose.ES256)
		r.deployer(set, nil)
		r.exec(`update clients set resources = 'https://api.front.example' where id = 'deployer'`)
		r.exec(`update clients set scopes = 'notes:read' where id = 'deployer'`)
		own, err := r.Assertion(t.Context(), home, exchange.ClientProof{ID: "deployer"}, r.ciToken(k), exchange.Asked{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.ExchangeToken(t.Context(), home, proof("front"), exchange.ExchangeInput{Subject: own.Access, SubjectType: exchange.TypeAccess, Asked: exchange.Asked{Resources: []string{"https://api.store.example"}}})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := r.Inspect(t.Context(), out.Access, "https://api.store.example"); err != nil || c.Subject != "deployer" || !slices.Equal(c.Act, []string{"front"}) {
			t.Errorf("%+v, %v", c, err)
		}
		if err := r.manage.EndClient(t.Context(), settle.Caller{Actor: "host:0"}, "deployer"); err != nil {
			t.Fatal(err)
		}
		_, err = r.Inspect(t.Context(), out.Access, "https://api.store.example")
		refused(t, err, "token.alive")
	})
}

// OAU-34: a first-party service that acts for a person is not that person: what it traded for is no session, even where an
// operator lets it trade for this server.
func TestWhoActsForAPersonIsNotThem_OAU34(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		own := manage.NewClient{Secret: appSecret + "own", Client: client.Client{ID: "own", Name: "own", Type: "web", Auth: client.AuthBasic, FirstParty: true, TokenFormat: client.JWT,
			Grants: []string{client.GrantExchange}, Resources: []string{"https://api.own.example"}, Scopes: []string{"notes:read"}, Settings: client.Settings{Trade: client.Trade{Audiences: []string{issuer}}}}}
		if _, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{own}); err != nil {
			t.Fatal(err)
		}
		r.exec(`update clients set resources = 'https://api.own.example' where id = 'notes'`)
		in := r.notesToken(t, r.person())
		g, err := r.ExchangeToken(t.Context(), home, proof("own"), trading(in.Access))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Bearer(t.Context(), token.Shown{Access: g.Access})
		refused(t, err, "token.first_party")
	})
}
