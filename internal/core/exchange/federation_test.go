package exchange_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
)

const pipeline = "https://ci.example.com"

// deployer is a machine without a secret, which its pipeline's tokens are
// traded for.
func (r *rig) deployer(set []byte, change func(f *client.Federation)) client.Federation {
	r.t.Helper()
	f := client.Federation{Client: "deployer", Issuer: pipeline, Rule: client.Rule{Claims: map[string]string{"sub": "repo:example/shop", "/env/name": "live"}, JWKS: set}}
	if change != nil {
		change(&f)
	}
	made, err := r.manage.Federate(r.t.Context(), settle.Caller{Actor: "host:0"}, f)
	if err != nil {
		r.t.Fatal(err)
	}
	return made
}

func machine(id string) client.Client {
	return client.Client{ID: id, Name: id, Type: "machine", Auth: client.AuthNone, Resources: []string{"https://api." + id + ".example"}, Scopes: []string{"deploy", "read"}}
}

// ciToken is a token of the pipeline's, with changes.
func (r *rig) ciToken(k *jose.SigningKey, changes ...any) string {
	r.t.Helper()
	now := r.clock.now().Unix()
	claims := map[string]any{"iss": pipeline, "sub": "repo:example/shop", "aud": []string{"sigstore", issuer}, "iat": now, "nbf": now, "exp": now + 600, "env": map[string]any{"name": "live"}, "run": 7}
	typ := "JWT"
	for i := 0; i < len(changes); i += 2 {
		switch name := changes[i].(string); {
		case name == "typ":
			typ = changes[i+1].(string)
		case changes[i+1] == nil:
			delete(claims, name)
		default:
			claims[name] = changes[i+1]
		}
	}
	return signed(r.t, k, typ, claims)
}

// A pipeline's token buys a machine's, when it is of the issuer, for us, in
// time and of this workload, and nothing else does (attack IDN-08).
func TestAForeignTokenIsTraded_IDN08(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.RS256)
		other, _ := signer(t, jose.RS256)
		r.register(machine("deployer"))
		r.register(machine("idle"))
		r.apps()
		f := r.deployer(set, func(f *client.Federation) { f.Rule.Scopes, f.Rule.Lifetime = []string{"deploy"}, 120 })
		self := exchange.ClientProof{ID: "deployer"}
		now := r.clock.now().Unix()
		out, err := r.Assertion(t.Context(), home, self, r.ciToken(k), exchange.Asked{})
		if err != nil {
			t.Fatal(err)
		}
		if c := r.inspected(t, out.Access); c.Subject != "deployer" || c.Client != "deployer" || c.Scope != "deploy" || c.Grant != f.ID.String() || c.Session != "" ||
			!slices.Equal(c.Audience, []string{issuer, "https://api.deployer.example"}) || c.ExpiresAt.Sub(c.IssuedAt) != 2*time.Minute || out.Refresh != "" {
			t.Errorf("%+v", c)
		}
		// It ends with what it was traded for.
		short, err := r.Assertion(t.Context(), home, self, r.ciToken(k, "exp", now+40), exchange.Asked{})
		if err != nil || short.ExpiresAt.Unix() != now+40 {
			t.Errorf("until %v: %v", short.ExpiresAt, err)
		}
		for i, c := range []struct {
			what, token string
			proof       exchange.ClientProof
			asked       exchange.Asked
			want        string
		}{
			{"again: it is the pipeline's, not used up", r.ciToken(k), self, exchange.Asked{}, "passed"},
			{"for us alone", r.ciToken(k, "aud", issuer), self, exchange.Asked{}, "passed"},
			{"without iat and nbf", r.ciToken(k, "iat", nil, "nbf", nil), self, exchange.Asked{}, "passed"},
			{"of another key", r.ciToken(other), self, exchange.Asked{}, "assertion.trusted"},
			{"of another issuer", r.ciToken(k, "iss", "https://other.example.com"), self, exchange.Asked{}, "assertion.trusted"},
			{"of no issuer", r.ciToken(k, "iss", nil), self, exchange.Asked{}, "assertion.trusted"},
			{"an access token", r.ciToken(k, "typ", "at+jwt"), self, exchange.Asked{}, "assertion.trusted"},
			{"one of ours", out.Access, self, exchange.Asked{}, "assertion.trusted"},
			{"no JWT", "x", self, exchange.Asked{}, "assertion.trusted"},
			{"nothing", "", self, exchange.Asked{}, "assertion.trusted"},
			{"exp of text", r.ciToken(k, "exp", fmt.Sprint(now+60)), self, exchange.Asked{}, "assertion.trusted"},
			{"without exp", r.ciToken(k, "exp", nil), self, exchange.Asked{}, "assertion.trusted"},
			{"for another", r.ciToken(k, "aud", "sigstore"), self, exchange.Asked{}, "assertion.audience"},
			{"for nobody", r.ciToken(k, "aud", []string{}), self, exchange.Asked{}, "assertion.audience"},
			{"over", r.ciToken(k, "exp", now-31), self, exchange.Asked{}, "assertion.in_time"},
			{"not yet", r.ciToken(k, "nbf", now+31), self, exchange.Asked{}, "assertion.in_time"},
			{"from the future", r.ciToken(k, "iat", now+31), self, exchange.Asked{}, "assertion.in_time"},
			{"for ten years", r.ciToken(k, "exp", now+10*365*86400), self, exchange.Asked{}, "assertion.in_time"},
			{"of another repository", r.ciToken(k, "sub", "repo:example/shop2"), self, exchange.Asked{}, "assertion.fits"},
			{"of another environment", r.ciToken(k, "env", map[string]any{"name": "test"}), self, exchange.Asked{}, "assertion.fits"},
			{"of a flat environment", r.ciToken(k, "env", "live", "/env/name", "live"), self, exchange.Asked{}, "assertion.fits"},
			{"of no environment", r.ciToken(k, "env", nil), self, exchange.Asked{}, "assertion.fits"},
			{"a scope that the rule does not give", r.ciToken(k), self, exchange.Asked{Scope: "read"}, "client.scope"},
			{"another's resource", r.ciToken(k), self, exchange.Asked{Resources: []string{"https://api.notes.example"}}, "client.resource"},
			{"for a machine without a federation", r.ciToken(k), exchange.ClientProof{ID: "idle"}, exchange.Asked{}, "assertion.trusted"},
			{"for an application of people", r.ciToken(k), proof("notes"), exchange.Asked{}, "client.grant"},
			{"for nobody we know", r.ciToken(k), exchange.ClientProof{ID: "nobody"}, exchange.Asked{}, "client.authentic"},
			{"for the pages themselves", r.ciToken(k), exchange.ClientProof{ID: client.BuiltIn}, exchange.Asked{}, "client.grant"},
			{"with a secret beside it", r.ciToken(k), exchange.ClientProof{ID: "deployer", Secret: "x"}, exchange.Asked{}, "client.authentic"},
		} {
			if got, err := r.Assertion(t.Context(), elsewhere(i), c.proof, c.token, c.asked); named(err) != c.want || c.want != "passed" && got.Access != "" {
				t.Errorf("%s: %s, want %s", c.what, named(err), c.want)
			}
		}
		// Without a federation the machine is nobody: it has no secret.
		_, err = r.ClientCredentials(t.Context(), home, self, exchange.Asked{})
		refused(t, err, "client.authentic")
		// What was got by a federation ends with it, and nothing is got any more.
		if _, err := r.manage.Unfederate(t.Context(), settle.Caller{Actor: "host:0"}, f.ID); err != nil {
			t.Fatal(err)
		}
		r.accessRefused(t, out.Access, "token.alive")
		_, err = r.Assertion(t.Context(), elsewhere(99), self, r.ciToken(k), exchange.Asked{})
		refused(t, err, "assertion.trusted")
		_, err = r.manage.Unfederate(t.Context(), settle.Caller{Actor: "host:0"}, f.ID)
		refused(t, err, "federation.found")
	})
}

// Of two federations with one issuer each workload gets by its own.
func TestTwoFederationsOfOneIssuer(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		r.register(machine("deployer"))
		live := r.deployer(set, nil)
		test := r.deployer(set, func(f *client.Federation) {
			f.Rule.Claims = map[string]string{"/env/name": "test"}
			f.Rule.Scopes = []string{"read"}
		})
		for env, want := range map[string]client.Federation{"live": live, "test": test} {
			out, err := r.Assertion(t.Context(), home, exchange.ClientProof{ID: "deployer"}, r.ciToken(k, "env", map[string]any{"name": env}), exchange.Asked{})
			if err != nil {
				t.Fatal(err)
			}
			if c := r.inspected(t, out.Access); c.Grant != want.ID.String() {
				t.Errorf("%s: by %s", env, c.Grant)
			}
		}
		// The machine that is deleted takes its federations along.
		if err := r.manage.DeleteClient(t.Context(), settle.Caller{Actor: "host:0"}, "deployer"); err != nil {
			t.Fatal(err)
		}
		if left, err := r.manage.Federations(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("%v, %v", left, err)
		}
		_, err := r.Assertion(t.Context(), home, exchange.ClientProof{ID: "deployer"}, r.ciToken(k), exchange.Asked{})
		refused(t, err, "client.authentic")
	})
}

// What a federation must say.
func TestFederationsAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		_, set := signer(t, jose.ES256)
		r.register(machine("deployer"))
		r.apps()
		for word, change := range map[string]func(f *client.Federation){
			"client_id: not a machine that may use the jwt-bearer grant": func(f *client.Federation) { f.Client = "notes" },
			"issuer":                        func(f *client.Federation) { f.Issuer = "ci" },
			"jwks or jwks_uri: one of them": func(f *client.Federation) { f.Rule.JWKSURI = pipeline + "/jwks" },
			"claims":                        func(f *client.Federation) { f.Rule.Claims = map[string]string{"iss": pipeline} },
			"scopes":                        func(f *client.Federation) { f.Rule.Scopes = []string{"admin"} },
			"lifetime":                      func(f *client.Federation) { f.Rule.Lifetime = 3601 },
			"audiences":                     func(f *client.Federation) { f.Rule.Audiences = []string{""} },
		} {
			f := client.Federation{Client: "deployer", Issuer: pipeline, Rule: client.Rule{Claims: map[string]string{"sub": "x"}, JWKS: set}}
			change(&f)
			_, err := r.manage.Federate(t.Context(), settle.Caller{Actor: "host:0"}, f)
			if got := refused(t, err, "federation.valid").Word.String(); got != word {
				t.Errorf("refused for %q, want %q", got, word)
			}
		}
		for _, change := range []func(r *client.Rule){
			func(r *client.Rule) { r.Claims = nil },
			func(r *client.Rule) { r.Claims = map[string]string{"sub": ""} },
			func(r *client.Rule) { r.Claims = map[string]string{"/a~2": "x"} },
			func(r *client.Rule) { r.JWKS = nil },
			func(r *client.Rule) { r.JWKS = []byte(`{"keys":[]}`) },
			func(r *client.Rule) { r.JWKS, r.JWKSURI = nil, "http://ci.example.com/jwks" },
			func(r *client.Rule) { r.Lifetime = -1 },
		} {
			f := client.Federation{Client: "deployer", Issuer: pipeline, Rule: client.Rule{Claims: map[string]string{"sub": "x"}, JWKS: set}}
			change(&f.Rule)
			_, err := r.manage.Federate(t.Context(), settle.Caller{Actor: "host:0"}, f)
			refused(t, err, "federation.valid")
		}
		_, err := r.manage.Federate(t.Context(), settle.Caller{Actor: "host:0"}, client.Federation{Client: "nobody"})
		refused(t, err, "client.found")
	})
}
