package exchange_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
)

const (
	paymentSchema = `{"type":"object","required":["amount"],"properties":{"type":{"const":"payment"},"amount":{"type":"string","pattern":"^[0-9]+$"}},"additionalProperties":false}`
	payTwelve     = `{"amount":"12","type":"payment"}`
	payTen        = `{"amount":"10","type":"payment"}`
)

func (r *rig) pays() {
	r.t.Helper()
	_, err := r.manage.DeclareDetails(r.t.Context(), settle.Caller{Actor: "host:0"}, client.DetailType{Name: "payment", Schema: paymentSchema, Says: "pay {amount} euros"})
	if err != nil {
		r.t.Fatal(err)
	}
}

// Authorization details are asked for as they are declared, allowed one by one,
// and never more of them given than was allowed (RFC 9396; attack OAU-12).
func TestAuthorizationDetails(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.pays()
		r.pushes(nil, func(c *client.Client) {
			c.FirstParty, c.DetailTypes, c.Grants = false, []string{"payment"}, []string{client.GrantCode, client.GrantRefresh, client.GrantClient}
		})
		r.pushes(nil, func(c *client.Client) { c.ID = "other" })
		who := r.person()
		cookie := r.seat(who).Cookie
		for _, c := range []struct{ id, details, want string }{
			{"notes", `[{"type":"payment"}]`, "request.details"},
			{"notes", `[{"type":"transfer"}]`, "request.details"},
			{"notes", `[{"type":"payment","amount":"twelve"}]`, "request.details"},
			{"notes", `{"type":"payment","amount":"12"}`, "request.details"},
			{"notes", `[]`, "request.details"},
			{"other", `[` + payTwelve + `]`, "request.details"},
			{"notes", `[` + payTwelve + `]`, "passed"},
		} {
			in := r.asked("client_id", c.id, "authorization_details", c.details)
			a, err := r.Look(t.Context(), home, cookie, in)
			if named(err) != c.want || c.want != "passed" && a.Back != notesBack {
				t.Errorf("%s %s: %s, back to %q", c.id, c.details, named(err), a.Back)
			}
		}
		allowed := func(details string) client.Request {
			t.Helper()
			in := r.asked("authorization_details", details)
			a, err := r.Look(t.Context(), home, cookie, in)
			if err != nil || a.Missing != exchange.AConsent {
				t.Fatalf("%d: %v", a.Missing, err)
			}
			if says, err := r.Spoken(t.Context(), a.Details); err != nil || !strings.HasPrefix(says[0], "pay 1") {
				t.Errorf("people read %q: %v", says, err)
			}
			if err := r.Allow(t.Context(), home, cookie, in, []string{"openid"}); err != nil {
				t.Fatal(err)
			}
			return in
		}
		code := func(in client.Request, asked exchange.Asked) (exchange.Granted, error) {
			t.Helper()
			a, err := r.Authorize(t.Context(), home, cookie, in)
			if err != nil || a.Code == "" {
				t.Fatalf("%+v: %v", a, err)
			}
			return r.Code(t.Context(), home, notesProof, exchange.CodeInput{Code: a.Code, Redirect: notesBack, Asked: asked})
		}
		// The same, in another spelling, is not asked for again; another is, and both
		// together are when each was.
		allowed(`[{"type":"payment", "amount":"12"}]`)
		if _, err := code(r.asked("authorization_details", `[{"amount":"\u0031\u0032","type":"payment"}]`), exchange.Asked{}); err != nil {
			t.Fatal(err)
		}
		in := allowed(`[` + payTwelve + `,` + payTen + `]`)
		if c := read(t, r.store, func(v core.View) client.Consent { return v.Consent(who.id, "notes") }); !slices.Equal(c.Terms.Details, []string{payTwelve, payTen}) {
			t.Errorf("allowed are %v", c.Terms.Details)
		}
		_, err := code(in, exchange.Asked{Details: `[{"type":"payment","amount":"11"}]`})
		refused(t, err, "request.details")
		g, err := code(in, exchange.Asked{Details: `[` + payTen + `]`})
		if err != nil || !slices.Equal(g.Details, []string{payTen}) {
			t.Fatalf("%v: %v", g.Details, err)
		}
		if c := r.inspected(t, g.Access); !slices.Equal(c.Details, []string{payTen}) {
			t.Errorf("the access token is for %v", c.Details)
		}
		// A refresh has what was allowed, or less.
		again, err := r.RefreshGrant(t.Context(), home, notesProof, g.Refresh, exchange.Asked{})
		if err != nil || !slices.Equal(again.Details, []string{payTwelve, payTen}) {
			t.Fatalf("%v: %v", again.Details, err)
		}
		_, err = r.RefreshGrant(t.Context(), home, notesProof, again.Refresh, exchange.Asked{Details: `[{"type":"payment","amount":"11"}]`})
		refused(t, err, "request.details")
		if again, err = r.RefreshGrant(t.Context(), home, notesProof, again.Refresh, exchange.Asked{Details: `[` + payTwelve + `]`}); err != nil || !slices.Equal(again.Details, []string{payTwelve}) {
			t.Fatalf("%v: %v", again.Details, err)
		}
		// A machine's own are as declared; a pushed request's too.
		m, err := r.ClientCredentials(t.Context(), home, notesProof, exchange.Asked{Details: `[` + payTwelve + `]`})
		if err != nil || !slices.Equal(m.Details, []string{payTwelve}) {
			t.Fatalf("%v: %v", m.Details, err)
		}
		_, err = r.ClientCredentials(t.Context(), home, notesProof, exchange.Asked{Details: `[{"type":"payment"}]`})
		refused(t, err, "request.details")
		_, err = r.Push(t.Context(), home, notesProof, r.asked("authorization_details", `[{"type":"payment"}]`))
		refused(t, err, "request.details")
		// Nobody may ask for what is not declared any more.
		if err := r.manage.UndeclareDetails(t.Context(), settle.Caller{Actor: "host:0"}, "payment"); err != nil {
			t.Fatal(err)
		}
		_, err = r.Authorize(t.Context(), home, cookie, in)
		refused(t, err, "request.details")
		refused(t, r.manage.UndeclareDetails(t.Context(), settle.Caller{Actor: "host:0"}, "payment"), "details.found")
		_, err = r.manage.DeclareDetails(t.Context(), settle.Caller{Actor: "host:0"}, client.DetailType{Name: "payment", Schema: `{"$ref":"https://evil.example/"}`, Says: "pay"})
		refused(t, err, "details.form")
	})
}

// AS-24, JW-18: a token is for the resources that were agreed, or for fewer.
func TestResourcesNarrow(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.pushes(nil, func(c *client.Client) {
			c.Resources = []string{"https://a.example", "https://b.example", "https://c.example"}
		})
		cookie := r.seat(r.person()).Cookie
		code := func(asked ...string) (exchange.Granted, error) {
			t.Helper()
			q := url.Values{"client_id": {"notes"}, "response_type": {"code"}, "redirect_uri": {notesBack}, "scope": {"notes:read"}, "resource": {"https://a.example", "https://b.example"}}
			a, err := r.Authorize(t.Context(), home, cookie, client.ReadRequest(q, r.clock.now()))
			if err != nil {
				t.Fatal(err)
			}
			return r.Code(t.Context(), home, notesProof, exchange.CodeInput{Code: a.Code, Redirect: notesBack, Asked: exchange.Asked{Resources: asked}})
		}
		for want, asked := range map[string][]string{"https://a.example https://b.example": nil, "https://b.example": {"https://b.example"}} {
			g, err := code(asked...)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := r.Inspect(t.Context(), g.Access, asked...); len(asked) > 0 && (err != nil || strings.Join(c.Audience, " ") != want) {
				t.Errorf("%v: the token is for %v: %v", asked, c.Audience, err)
			}
			_, err = r.RefreshGrant(t.Context(), home, notesProof, g.Refresh, exchange.Asked{Resources: []string{"https://c.example"}})
			refused(t, err, "client.resource")
			if _, err = r.RefreshGrant(t.Context(), home, notesProof, g.Refresh, exchange.Asked{Resources: []string{"https://a.example"}}); err != nil {
				t.Error(err)
			}
		}
		_, err := code("https://c.example") // registered, and not agreed
		refused(t, err, "client.resource")
		_, err = code("https://other.example")
		refused(t, err, "client.resource")
	})
}
