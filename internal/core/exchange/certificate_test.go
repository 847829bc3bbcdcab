package exchange_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
)

// An authority signs certificates; without a certificate of its own they are
// signed by the key they are for.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, key: ecKey(t)}
	a.cert = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true}, a.key)
	return a
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (a *authority) sign(c *x509.Certificate, key crypto.Signer) *x509.Certificate {
	a.t.Helper()
	c.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	c.NotBefore, c.NotAfter = time.Unix(0, 0), time.Unix(1<<33, 0)
	parent := a.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// selfSigned makes a certificate that only its key speaks for.
func selfSigned(t testing.TB) (*x509.Certificate, []byte) {
	t.Helper()
	k := ecKey(t)
	made, err := jose.NewKey("", jose.ES256, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.Set(made))
	if err != nil {
		t.Fatal(err)
	}
	return (&authority{t: t, key: k}).sign(&x509.Certificate{Subject: pkix.Name{CommonName: "own"}}, k), set
}

func trusting(a *authority) option {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return func(s *setup) { s.policy.Authorities = func() *x509.CertPool { return pool } }
}

// AS-26: applications that prove themselves by certificates, and what does not
// stand for one (RFC 8705 section 2).
func TestClientsProveThemselvesByCertificate(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ca := newAuthority(t)
		n := r.on(r.store, trusting(ca))
		own, set := selfSigned(t)
		good := ca.sign(&x509.Certificate{DNSNames: []string{"batch.example.org"}}, ecKey(t))
		r.register(client.Client{ID: "batch", Name: "Batch", Type: "machine", Auth: client.AuthCertificate, Scopes: []string{"batch:run"}, Settings: client.Settings{Named: client.Named{SANDNS: "batch.example.org"}}})
		r.register(client.Client{ID: "own", Name: "Own", Type: "machine", Auth: client.AuthSelfSigned, Scopes: []string{"own:run"}, Settings: client.Settings{Answers: client.Answers{JWKS: set}}})
		r.register(robot(set))
		r.apps()
		for i, c := range []struct {
			what  string
			node  *node
			proof exchange.ClientProof
			word  string
		}{
			{"by an authority", n, exchange.ClientProof{ID: "batch", Certificates: []*x509.Certificate{good}}, "-"},
			{"by its own key", n, exchange.ClientProof{ID: "own", Certificates: []*x509.Certificate{own}}, "-"},
			{"by its own key, where no authority is known", r.node, exchange.ClientProof{ID: "own", Certificates: []*x509.Certificate{own}}, "-"},
			{"no certificate", n, exchange.ClientProof{ID: "batch"}, "no certificate was shown"},
			{"no certificate, own", n, exchange.ClientProof{ID: "own"}, "no certificate was shown"},
			{"as another", n, exchange.ClientProof{ID: "own", Certificates: []*x509.Certificate{good}}, "the key of the certificate"},
			{"as another, by the authority", n, exchange.ClientProof{ID: "batch", Certificates: []*x509.Certificate{ca.sign(&x509.Certificate{DNSNames: []string{"evil.example.org"}}, ecKey(t))}}, "the name in the certificate"},
			{"signed by itself", n, exchange.ClientProof{ID: "batch", Certificates: []*x509.Certificate{own}}, "who signed the certificate, its times or its use"},
			{"where no authority is known", r.node, exchange.ClientProof{ID: "batch", Certificates: []*x509.Certificate{good}}, "who signed the certificate, its times or its use"},
			{"a secret beside it", n, exchange.ClientProof{ID: "batch", Secret: "x", Certificates: []*x509.Certificate{good}}, ""},
			{"of a client that signs assertions", n, exchange.ClientProof{ID: "robot", Certificates: []*x509.Certificate{own}}, ""},
			{"of a client with a secret", n, exchange.ClientProof{ID: "notes", Certificates: []*x509.Certificate{own}}, ""},
			{"of nobody", n, exchange.ClientProof{ID: "nobody", Certificates: []*x509.Certificate{own}}, ""},
			{"without an id", n, exchange.ClientProof{Certificates: []*x509.Certificate{own}}, ""},
		} {
			_, err := c.node.ClientCredentials(t.Context(), elsewhere(i), c.proof, exchange.Asked{})
			if c.word == "-" {
				if err != nil {
					t.Errorf("%s: %v", c.what, err)
				}
				continue
			}
			if got := refused(t, err, "client.authentic").Word.String(); got != c.word {
				t.Errorf("%s: refused for %q, want %q", c.what, got, c.word)
			}
		}
		// Whoever tries many is slowed down, as by secrets.
		var slow bool
		for range 40 {
			_, err := n.ClientCredentials(t.Context(), home, exchange.ClientProof{ID: "batch", Certificates: []*x509.Certificate{own}}, exchange.Asked{})
			slow = slow || named(err) == "limit.client"
		}
		if !slow {
			t.Error("nobody was slowed down")
		}
		if _, err := n.ClientCredentials(t.Context(), elsewhere(99), exchange.ClientProof{ID: "batch", Certificates: []*x509.Certificate{good}}, exchange.Asked{}); err != nil {
			t.Errorf("the application itself, from elsewhere: %v", err)
		}
	})
}

// keysAt is a source of keys at one address.
type keysAt struct {
	set   atomic.Pointer[[]byte]
	asked atomic.Int32
}

func (k *keysAt) Keys(_ context.Context, address string, has func([]byte) bool) ([]byte, error) {
	k.asked.Add(1)
	set := k.set.Load()
	if address != "https://own.example/jwks" || set == nil {
		return nil, errors.New("nobody answers")
	}
	has(*set)
	return *set, nil
}

// The keys of a self-signed certificate may be where the application keeps them.
func TestACertificateOfKeysAtAnAddress(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		source := &keysAt{}
		n := r.on(r.store, func(s *setup) { s.policy.Keys = source })
		first, old := selfSigned(t)
		second, renewed := selfSigned(t)
		r.register(client.Client{ID: "own", Name: "Own", Type: "machine", Auth: client.AuthSelfSigned, Scopes: []string{"own:run"}, Settings: client.Settings{JWKSURI: "https://own.example/jwks"}})
		try := func(c *x509.Certificate) error {
			_, err := n.ClientCredentials(t.Context(), home, exchange.ClientProof{ID: "own", Certificates: []*x509.Certificate{c}}, exchange.Asked{})
			return err
		}
		refused(t, try(first), "client.authentic")
		source.set.Store(&old)
		if err := try(first); err != nil {
			t.Errorf("the key that is there: %v", err)
		}
		refused(t, try(second), "client.authentic")
		source.set.Store(&renewed)
		if err := try(second); err != nil {
			t.Errorf("the key that came: %v", err)
		}
		refused(t, try(first), "client.authentic")
		if source.asked.Load() != 5 {
			t.Errorf("asked %d times", source.asked.Load())
		}
	})
}

// An application whose tokens are bound to certificates gets none without one.
func TestTokensAreNotGivenWithoutTheirCertificate(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		c := robot(set)
		c.CertificateBound = true
		r.register(c)
		shown, _ := selfSigned(t)
		_, err := r.ClientCredentials(t.Context(), home, r.assertion(k), exchange.Asked{})
		if w := refused(t, err, "client.authentic").Word.String(); w != "no certificate was shown" {
			t.Errorf("refused for %q", w)
		}
		// It may ask about tokens all the same.
		if _, err := r.Introspect(t.Context(), home, r.assertion(k), "junk"); err != nil {
			t.Error(err)
		}
		p := r.assertion(k)
		p.Certificates = []*x509.Certificate{shown}
		if _, err := r.ClientCredentials(t.Context(), home, p, exchange.Asked{}); err != nil {
			t.Error(err)
		}
	})
}
