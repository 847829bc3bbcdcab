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
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/token"
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
		// It may ask about tokens all the same, and end them.
		if err := r.RevokeGrant(t.Context(), home, r.assertion(k), "junk"); err != nil {
			t.Error(err)
		}
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

// FP-02: what is bound to a certificate is worth nothing without it, at
// whatever takes the token (RFC 8705 section 3).
func TestTokensAreBoundToTheirCertificate(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		k, set := signer(t, jose.ES256)
		for _, format := range []string{client.JWT, client.Opaque} {
			c := robot(set)
			c.ID, c.TokenFormat, c.CertificateBound, c.Resources = "robot-"+format, format, true, []string{"https://api.robot.example/" + format}
			r.register(c)
			mine, _ := selfSigned(t)
			other, _ := selfSigned(t)
			proof := func() exchange.ClientProof {
				p := r.assertion(k, "iss", c.ID, "sub", c.ID)
				p.Certificates = []*x509.Certificate{mine}
				return p
			}
			g, err := r.ClientCredentials(t.Context(), home, proof(), exchange.Asked{})
			if err != nil {
				t.Fatal(err)
			}
			thumb := token.CertificateHash([]*x509.Certificate{mine})
			if g.Confirm.X5T != thumb || g.Confirm.JKT != "" {
				t.Errorf("%s: bound to %+v", format, g.Confirm)
			}
			in, err := r.Introspect(t.Context(), home, proof(), g.Access)
			if err != nil || !in.Active || in.Claims.Confirm.X5T != thumb {
				t.Errorf("%s: introspected as %+v, %v", format, in, err)
			}
			show := func(certificate string) error {
				_, err := r.Access(t.Context(), token.Shown{Access: g.Access, Certificate: certificate})
				return err
			}
			if err := show(thumb); err != nil {
				t.Errorf("%s: beside its certificate: %v", format, err)
			}
			refused(t, show(""), "token.certificate")
			refused(t, show(token.CertificateHash([]*x509.Certificate{other})), "token.certificate")
			// The proof of a key stands for no certificate.
			h := newHolder(t)
			_, err = r.Access(t.Context(), h.proves(t, token.Shown{Access: g.Access, DPoP: true, Method: "GET", Address: issuer + "/x"}, r.clock.now()))
			refused(t, err, "token.certificate")
			// Both at once: both are asked for.
			both := proof()
			both.Key, err = r.Prove(h.proves(t, token.Shown{Method: "POST", Address: issuer + "/oauth/token"}, r.clock.now()))
			if err != nil {
				t.Fatal(err)
			}
			if g, err = r.ClientCredentials(t.Context(), home, both, exchange.Asked{}); err != nil || g.Confirm.X5T != thumb || g.Confirm.JKT == "" {
				t.Fatalf("%s: %+v %v", format, g.Confirm, err)
			}
			refused(t, show(thumb), "token.sender")
			s := h.proves(t, token.Shown{Access: g.Access, DPoP: true, Method: "GET", Address: issuer + "/x", Certificate: thumb}, r.clock.now())
			if _, err := r.Access(t.Context(), s); err != nil {
				t.Errorf("%s: both: %v", format, err)
			}
		}
	})
}

// FP-02: the refresh token of an application that cannot prove which one it is
// is worth nothing without the certificate of the first time (RFC 8705 section
// 4); one that can proves itself, and may renew its certificate.
func TestRefreshTokensOfPublicApplicationsAreBoundToTheirCertificate(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		mine, _ := selfSigned(t)
		other, _ := selfSigned(t)
		of := r.signIn(t, r.person())
		r.application(t, "public", func(c *manage.NewClient) {
			c.Auth, c.Secret, c.Type, c.FirstParty, c.CertificateBound = client.AuthNone, "", "native", true, true
		})
		confidential := r.application(t, "confidential", func(c *manage.NewClient) { c.CertificateBound = true })
		thumb := func(c *x509.Certificate) string { return token.CertificateHash([]*x509.Certificate{c}) }
		with := func(p exchange.ClientProof, c *x509.Certificate) exchange.ClientProof {
			if c != nil {
				p.Certificates = []*x509.Certificate{c}
			}
			return p
		}
		public := exchange.ClientProof{ID: "public"}
		g := r.given(t, r, of, with(public, mine), "openid offline_access")
		if g.Confirm.X5T != thumb(mine) || g.Refresh == "" {
			t.Fatalf("%+v", g)
		}
		if _, err := r.UserInfo(t.Context(), token.Shown{Access: g.Access, Certificate: thumb(mine)}); err != nil {
			t.Errorf("userinfo beside the certificate: %v", err)
		}
		_, err := r.UserInfo(t.Context(), token.Shown{Access: g.Access})
		refused(t, err, "token.certificate")
		for _, c := range []*x509.Certificate{other, nil} {
			_, err := r.RefreshGrant(t.Context(), home, with(public, c), g.Refresh, exchange.Asked{})
			refused(t, err, map[bool]string{true: "client.authentic", false: "dpop.grant"}[c == nil])
		}
		next, err := r.RefreshGrant(t.Context(), home, with(public, mine), g.Refresh, exchange.Asked{})
		if err != nil || next.Confirm.X5T != thumb(mine) {
			t.Errorf("with its certificate: %+v %v", next.Confirm, err)
		}
		g = r.given(t, r, of, with(confidential, mine), "openid offline_access")
		next, err = r.RefreshGrant(t.Context(), home, with(confidential, other), g.Refresh, exchange.Asked{})
		if err != nil || next.Confirm.X5T != thumb(other) {
			t.Errorf("a renewed certificate: %+v %v", next.Confirm, err)
		}
	})
}
