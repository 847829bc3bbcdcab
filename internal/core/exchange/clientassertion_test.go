package exchange_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// signer makes a key of somebody else's, and the set that publishes it.
func signer(t testing.TB, alg jose.Alg) (*jose.SigningKey, []byte) {
	t.Helper()
	k, err := jose.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.Set(k.Key()))
	if err != nil {
		t.Fatal(err)
	}
	return k, set
}

// register registers an application.
func (r *rig) register(c client.Client) {
	r.t.Helper()
	if _, err := r.manage.CreateClients(r.t.Context(), settle.Caller{Actor: "host:0"}, []manage.NewClient{{Client: c}}); err != nil {
		r.t.Fatal(err)
	}
}

// A robot is a machine that proves itself by a key.
func robot(set []byte) client.Client {
	return client.Client{ID: "robot", Name: "Robot", Type: "machine", Auth: client.AuthKey, Resources: []string{"https://api.robot.example"}, Scopes: []string{"robots:move"},
		Settings: client.Settings{Answers: client.Answers{JWKS: set}}}
}

// signed signs claims, or fails.
func signed(t testing.TB, k *jose.SigningKey, typ string, claims map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.Sign(typ, raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var assertions atomic.Int64

// assertion makes a good assertion of the robot's, with changes; a nil takes a
// claim out.
func (r *rig) assertion(k *jose.SigningKey, changes ...any) exchange.ClientProof {
	r.t.Helper()
	now := r.clock.now().Unix()
	claims := map[string]any{"iss": "robot", "sub": "robot", "aud": issuer, "jti": fmt.Sprint("a", assertions.Add(1)), "iat": now, "exp": now + 60}
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
	return exchange.ClientProof{Assertion: signed(r.t, k, typ, claims), Endpoint: "/oauth/introspect"}
}

// What is believed of an assertion, and what not (attack OAU-14).
func TestClientsProveThemselvesByKey(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		other, _ := signer(t, jose.ES256)
		r.register(robot(set))
		r.apps()
		now := r.clock.now().Unix()
		long := fmt.Sprintf("%0300d", 1)
		mine := func(changes ...any) exchange.ClientProof { return r.assertion(k, changes...) }
		as := func(id string, p exchange.ClientProof) exchange.ClientProof { p.ID = id; return p }
		for i, c := range []struct {
			what  string
			proof exchange.ClientProof
			word  string // empty: it holds
		}{
			{"for the issuer", mine(), ""},
			{"for the token endpoint", mine("aud", issuer+"/oauth/token"), ""},
			{"for the endpoint", mine("aud", issuer+"/oauth/introspect"), ""},
			{"for the issuer in a list", mine("aud", []string{issuer}), ""},
			{"for two names of ours", mine("aud", []string{issuer, issuer + "/oauth/token"}), ""},
			{"with the client's id beside it", as("robot", mine()), ""},
			{"of the newer type", mine("typ", "client-authentication+jwt"), ""},
			{"of the longest life", mine("exp", now+330), ""},
			{"just over, by a slow clock", mine("exp", now-29), ""},
			{"without iat", mine("iat", nil), ""},

			{"for nobody", mine("aud", nil), "signature"},
			{"for an empty list", mine("aud", []string{}), "aud"},
			{"for another server's token endpoint", mine("aud", "https://other.example.com/oauth/token"), "aud"},
			{"for us and another server", mine("aud", []string{issuer, "https://other.example.com"}), "aud"},
			{"for a number", mine("aud", 7), "signature"},
			{"for the issuer with a slash", mine("aud", issuer+"/"), "aud"},
			{"by another", mine("iss", "notes"), "iss and sub"},
			{"about another, by its id", as("robot", mine("sub", "notes")), "iss and sub"},
			{"about nobody", as("robot", mine("sub", nil)), "iss and sub"},
			{"sent as another", as("notes", mine()), "signature"},
			{"without exp", mine("exp", nil), "signature"},
			{"over", mine("exp", now-31), "exp"},
			{"for ten years", mine("exp", now+10*365*86400), "exp"},
			{"for six minutes", mine("exp", now+360), "exp"},
			{"exp of text", mine("exp", fmt.Sprint(now+60)), "signature"},
			{"exp of a fraction", mine("exp", float64(now)+60.5), "signature"},
			{"not yet", mine("nbf", now+60), "exp"},
			{"made in the future", mine("iat", now+60), "exp"},
			{"without jti", mine("jti", nil), "jti"},
			{"with a long jti", mine("jti", long), "jti"},
			{"signed by another key", r.assertion(other), "signature"},
			{"an access token's type", mine("typ", "at+jwt"), "signature"},
			{"no JWT", exchange.ClientProof{ID: "robot", Assertion: "x"}, "signature"},
			{"no JWT and nobody", exchange.ClientProof{Assertion: "x"}, "signature"},
		} {
			_, err := r.Introspect(t.Context(), elsewhere(i), c.proof, "junk")
			if c.word == "" {
				if err != nil {
					t.Errorf("%s: %v", c.what, err)
				}
				continue
			}
			if got := refused(t, err, "client.authentic").Word.String(); !slices.Contains([]string{c.word + " of client_assertion", "the " + c.word + " of client_assertion", "exp, nbf or iat of client_assertion"}, got) {
				t.Errorf("%s: refused for %q, want %q", c.what, got, c.word)
			}
		}
		// A secret is nothing that this client has.
		for i, secret := range []string{"", "x", appSecret + "robot"} {
			_, err := r.Introspect(t.Context(), elsewhere(50+i), exchange.ClientProof{ID: "robot", Secret: secret}, "junk")
			refused(t, err, "client.authentic")
		}
		// Nor is an assertion anything of a client that has a secret (attack OAU-08).
		_, err := r.Introspect(t.Context(), elsewhere(60), r.assertion(k, "iss", "notes", "sub", "notes"), "junk")
		refused(t, err, "client.authentic")
	})
}

// Attack OAU-14: an assertion is good once, on all nodes together, wherever it
// is used first, and it is used up by what is refused afterwards, too.
func TestAssertionsAreGoodOnce_OAU14(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.EdDSA)
		r.register(robot(set))
		second := r.open()
		for i, first := range []func(p exchange.ClientProof) error{
			func(p exchange.ClientProof) error {
				_, err := r.Introspect(t.Context(), home, p, "junk")
				return err
			},
			func(p exchange.ClientProof) error {
				_, err := r.ClientCredentials(t.Context(), home, p, exchange.Asked{})
				return err
			},
			func(p exchange.ClientProof) error {
				_, err := r.ClientCredentials(t.Context(), home, p, exchange.Asked{Scope: "robots:build"})
				refused(t, err, "client.scope")
				return nil
			},
		} {
			p := r.assertion(k)
			if err := first(p); err != nil {
				t.Fatal(err)
			}
			for k, n := range []*node{r.node, second} {
				_, err := n.Introspect(t.Context(), elsewhere(10*i+k), p, "junk")
				if w := refused(t, err, "client.authentic").Word.String(); w != "jti of client_assertion" {
					t.Errorf("refused for %s", w)
				}
				_, err = n.ClientCredentials(t.Context(), elsewhere(10*i+k), p, exchange.Asked{})
				refused(t, err, "client.authentic")
			}
		}
		// It is remembered for as long as anybody would believe it.
		p := r.assertion(k, "exp", r.clock.now().Unix()+300)
		if _, err := r.Introspect(t.Context(), home, p, "junk"); err != nil {
			t.Fatal(err)
		}
		r.clock.add(329 * time.Second)
		if _, err := r.store.Commit(t.Context(), core.Unit{token.Outlive{Before: r.clock.now()}}); err != nil {
			t.Fatal(err)
		}
		_, err := r.Introspect(t.Context(), elsewhere(70), p, "junk")
		refused(t, err, "client.authentic")
	})
}

// Of many who come with one assertion at the same time, on two nodes, one is
// served (attack OAU-14).
func TestAssertionsAreGoodOnceInARace(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		r.register(robot(set))
		nodes := []*node{r.node, r.open()}
		for _, n := range nodes {
			n.warm(t)
		}
		for range 5 {
			p := r.assertion(k)
			var served atomic.Int64
			together(8, func(i int) {
				var err error
				if i%2 == 0 {
					_, err = nodes[i/2%2].ClientCredentials(t.Context(), elsewhere(i), p, exchange.Asked{})
				} else {
					_, err = nodes[i/2%2].Introspect(t.Context(), elsewhere(i), p, "junk")
				}
				if got := named(err); got == "passed" {
					served.Add(1)
				} else if got != "client.authentic" && got != "limit.client" {
					t.Error(got)
				}
			})
			if served.Load() != 1 {
				t.Errorf("%d of 8 were served", served.Load())
			}
			r.clock.add(time.Minute)
		}
	})
}

// The algorithm is the key's, and the registered one where there is one
// (attacks JWT-01 and JWT-02).
func TestAssertionsAreOfTheRegisteredAlgorithm(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.PS256)
		c := robot(set)
		c.AuthAlg = "PS256"
		r.register(c)
		if _, err := r.Introspect(t.Context(), home, r.assertion(k), "junk"); err != nil {
			t.Fatal(err)
		}
		c.ID, c.AuthAlg = "other", "ES256"
		r.register(c)
		_, err := r.Introspect(t.Context(), home, r.assertion(k, "iss", "other", "sub", "other"), "junk")
		refused(t, err, "client.authentic")
		// The public key is no secret, however it is written.
		now := r.clock.now().Unix()
		signed := secret.Encode(fmt.Appendf(nil, `{"alg":"HS256","kid":%q,"typ":"JWT"}`, k.KID())) + "." +
			secret.Encode(fmt.Appendf(nil, `{"iss":"robot","sub":"robot","aud":%q,"jti":"h","exp":%d}`, issuer, now+60))
		mac := hmac.New(sha256.New, set)
		mac.Write([]byte(signed))
		text := signed + "." + secret.Encode(mac.Sum(nil))
		_, err = r.Introspect(t.Context(), home, exchange.ClientProof{Assertion: text}, "junk")
		refused(t, err, "client.authentic")
	})
}

// A published is a key source of one address.
type published struct {
	set   []byte
	asked atomic.Int64
	newer []byte // what it has when it is asked again
}

func (p *published) Keys(_ context.Context, address string, has func([]byte) bool) ([]byte, error) {
	if address != "https://robot.example.com/jwks" {
		return nil, fmt.Errorf("no such address %s", address)
	}
	p.asked.Add(1)
	if !has(p.set) {
		p.set = p.newer
	}
	return p.set, nil
}

// Keys at an address are asked for, and asked for again when one is not there.
func TestClientsPublishTheirKeys(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		newer, next := signer(t, jose.ES256)
		at := &published{set: set, newer: next}
		n := r.open(lifetimes(func(p *exchange.Policy) { p.Keys = at }))
		c := robot(nil)
		c.JWKSURI = "https://robot.example.com/jwks"
		r.register(c)
		for _, by := range []*jose.SigningKey{k, newer} {
			if _, err := n.Introspect(t.Context(), home, r.assertion(by), "junk"); err != nil {
				t.Fatal(err)
			}
		}
		_, err := n.Introspect(t.Context(), home, r.assertion(k), "junk") // was taken away
		refused(t, err, "client.authentic")
		// A client whose keys stand in its registration is asked nowhere.
		c.ID, c.JWKS, c.JWKSURI = "inline", set, ""
		r.register(c)
		asked := at.asked.Load()
		if _, err := n.Introspect(t.Context(), home, r.assertion(k, "iss", "inline", "sub", "inline"), "junk"); err != nil || at.asked.Load() != asked {
			t.Errorf("asked %d times, %v", at.asked.Load()-asked, err)
		}
	})
}
