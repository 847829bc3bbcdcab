package client

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

var certNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// An authority signs certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  crypto.Signer
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, key: newKey(t)}
	a.cert = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true}, a.key)
	return a
}

// sign makes a certificate for a key; by itself when the authority has none.
func (a *authority) sign(c *x509.Certificate, key crypto.Signer) *x509.Certificate {
	a.t.Helper()
	c.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = certNow.Add(-time.Hour), certNow.Add(time.Hour)
	}
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

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// AS-26: who signed it, what it says, when and what for: each is looked at
// (RFC 8705 section 2.1).
func TestACertificateOfAnAuthority(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	uri, _ := url.Parse("spiffe://example.org/batch")
	name := pkix.Name{CommonName: "batch", Organization: []string{"Example, Inc."}, Country: []string{"DE"}}
	full := func() *x509.Certificate {
		return &x509.Certificate{Subject: name, DNSNames: []string{"a.example.org", "batch.example.org"}, URIs: []*url.URL{uri}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 7)},
			EmailAddresses: []string{"batch@example.org"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	}
	key := newKey(t)
	good := ca.sign(full(), key)
	between := &authority{t: t, key: newKey(t)}
	between.cert = ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true}, between.key)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	server := full()
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	past := full()
	past.NotBefore, past.NotAfter = certNow.Add(-2*time.Hour), certNow.Add(-time.Minute)
	future := full()
	future.NotBefore, future.NotAfter = certNow.Add(time.Minute), certNow.Add(time.Hour)
	of := func(n Named) Client { return Client{ID: "batch", Auth: AuthCertificate, Settings: Settings{Named: n}} }
	dns := of(Named{SANDNS: "batch.example.org"})

	for _, c := range []struct {
		name   string
		client Client
		shown  []*x509.Certificate
		roots  *x509.CertPool
		word   check.Word
	}{
		{"by its DNS name", dns, []*x509.Certificate{good}, ca.pool(), 0},
		{"by its DNS name in capitals", of(Named{SANDNS: "BATCH.example.org"}), []*x509.Certificate{good}, ca.pool(), 0},
		{"by its subject", of(Named{SubjectDN: `CN=batch,O=Example\, Inc.,C=DE`}), []*x509.Certificate{good}, ca.pool(), 0},
		{"by its subject as OpenSSL writes it", of(Named{SubjectDN: `CN = batch, O = Example\2C Inc., C = DE`}), []*x509.Certificate{good}, ca.pool(), 0},
		{"by its URI", of(Named{SANURI: "spiffe://example.org/batch"}), []*x509.Certificate{good}, ca.pool(), 0},
		{"by its IP address", of(Named{SANIP: "192.0.2.7"}), []*x509.Certificate{good}, ca.pool(), 0},
		{"by its e-mail address", of(Named{SANEmail: "batch@example.org"}), []*x509.Certificate{good}, ca.pool(), 0},
		{"by an authority in between", dns, []*x509.Certificate{between.sign(full(), key), between.cert}, ca.pool(), 0},

		{"another DNS name", of(Named{SANDNS: "example.org"}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"part of a subject", of(Named{SubjectDN: "CN=batch"}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"a subject in the other order", of(Named{SubjectDN: `C=DE,O=Example\, Inc.,CN=batch`}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"another URI", of(Named{SANURI: "spiffe://example.org/batch/"}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"another address", of(Named{SANIP: "192.0.2.8"}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"another e-mail address", of(Named{SANEmail: "Batch@example.org"}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"the common name as a DNS name", of(Named{SANDNS: "batch"}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"no name registered", of(Named{}), []*x509.Certificate{good}, ca.pool(), WordCertName},
		{"none shown", dns, nil, ca.pool(), WordNoCertificate},
		{"of another authority", dns, []*x509.Certificate{other.sign(full(), key)}, ca.pool(), WordCertChain},
		{"signed by itself", dns, []*x509.Certificate{(&authority{t: t, key: key}).sign(full(), key)}, ca.pool(), WordCertChain},
		{"with the authority shown beside it", dns, []*x509.Certificate{other.sign(full(), key), other.cert}, ca.pool(), WordCertChain},
		{"signed by another application", dns, []*x509.Certificate{(&authority{t: t, key: key, cert: good}).sign(full(), newKey(t)), good}, ca.pool(), WordCertChain},
		{"no authority is known here", dns, []*x509.Certificate{good}, nil, WordCertChain},
		{"the authorities are none", dns, []*x509.Certificate{good}, x509.NewCertPool(), WordCertChain},
		{"for servers", dns, []*x509.Certificate{ca.sign(server, key)}, ca.pool(), WordCertChain},
		{"of the past", dns, []*x509.Certificate{ca.sign(past, key)}, ca.pool(), WordCertChain},
		{"of the future", dns, []*x509.Certificate{ca.sign(future, key)}, ca.pool(), WordCertChain},
		{"a weak key", dns, []*x509.Certificate{ca.sign(full(), weak)}, ca.pool(), WordCertKey},
		{"not registered for certificates", Client{ID: "batch", Auth: "client_secret_basic", Settings: Settings{Named: Named{SANDNS: "batch.example.org"}}}, []*x509.Certificate{good}, ca.pool(), WordCertChain},
	} {
		word, ok := c.client.Certified(c.shown, c.roots, jose.KeySet{}, certNow)
		if ok != (c.word == 0) || !ok && word != c.word {
			t.Errorf("%s: %v %s", c.name, ok, word)
		}
	}
}

// AS-26: signed by nobody, the key itself is the proof (RFC 8705 section 2.2).
func TestACertificateOfARegisteredKey(t *testing.T) {
	key := newKey(t)
	own := (&authority{t: t, key: key}).sign(&x509.Certificate{Subject: pkix.Name{CommonName: "x"}}, key)
	again := (&authority{t: t, key: key}).sign(&x509.Certificate{NotBefore: certNow.Add(-2 * time.Hour), NotAfter: certNow.Add(-time.Hour)}, key)
	stolen := newKey(t)
	forged := (&authority{t: t, key: stolen}).sign(&x509.Certificate{Subject: pkix.Name{CommonName: "x"}}, stolen)
	keys := func(use string, k *ecdsa.PrivateKey) jose.KeySet {
		made, err := jose.NewKey("", jose.ES256, k.Public())
		if err != nil {
			t.Fatal(err)
		}
		j := made.JWK()
		s, err := jose.ReadJWKS(fmt.Appendf(nil, `{"keys":[{"kty":"EC","crv":"P-256","x":%q,"y":%q,"use":%q}]}`, j.X, j.Y, use))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c := Client{ID: "batch", Auth: AuthSelfSigned}
	for _, test := range []struct {
		name  string
		shown *x509.Certificate
		keys  jose.KeySet
		want  bool
	}{
		{"its key", own, keys("sig", key), true},
		{"its key, renewed and of the past", again, keys("sig", key), true},
		{"another key of the same name", forged, keys("sig", key), false},
		{"no keys", own, jose.KeySet{}, false},
		{"a key to encrypt to", own, keys("enc", key), false},
	} {
		if _, ok := c.Certified([]*x509.Certificate{test.shown}, nil, test.keys, certNow); ok != test.want {
			t.Errorf("%s: %v", test.name, ok)
		}
	}
	if _, ok := c.Certified(nil, nil, keys("sig", key), certNow); ok {
		t.Error("nothing was shown")
	}
}

func TestCertificateNamesOfARegistration(t *testing.T) {
	good := Client{ID: "batch", Type: "machine", Auth: AuthCertificate, TokenFormat: JWT}
	for name, c := range map[string]struct {
		n    Named
		auth string
		ok   bool
	}{
		"a subject":         {Named{SubjectDN: "CN=batch,O=Example"}, AuthCertificate, true},
		"none":              {Named{}, AuthCertificate, false},
		"two":               {Named{SubjectDN: "CN=batch", SANDNS: "a.example"}, AuthCertificate, false},
		"no subject":        {Named{SubjectDN: "batch"}, AuthCertificate, false},
		"DNS with a star":   {Named{SANDNS: "*.example.org"}, AuthCertificate, false},
		"URI without":       {Named{SANURI: "batch"}, AuthCertificate, false},
		"no address":        {Named{SANIP: "192.0.2"}, AuthCertificate, false},
		"no mail address":   {Named{SANEmail: "batch"}, AuthCertificate, false},
		"a name for nobody": {Named{SANDNS: "a.example"}, "client_secret_basic", false},
	} {
		one := good
		one.Auth, one.Named = c.auth, c.n
		if word, ok := one.validSettings(); ok != c.ok || !ok && word != WordNamed {
			t.Errorf("%s: %v %s", name, ok, word)
		}
	}
	var s Settings
	if err := json.Unmarshal([]byte(`{"tls_client_auth_san_dns":"a.example","tls_client_certificate_bound_access_tokens":true}`), &s); err != nil || s.SANDNS != "a.example" || !s.CertificateBound {
		t.Errorf("%+v %v", s, err)
	}
}

func TestNamesAsText(t *testing.T) {
	for _, test := range []struct {
		text string
		want distinguished
	}{
		{"CN=a", distinguished{{{"2.5.4.3", "a"}}}},
		{"cn=a,O=b", distinguished{{{"2.5.4.10", "b"}}, {{"2.5.4.3", "a"}}}},
		{"OU=Sales+CN=J.  Smith,DC=example,DC=net", distinguished{{{"0.9.2342.19200300.100.1.25", "net"}}, {{"0.9.2342.19200300.100.1.25", "example"}}, {{"2.5.4.11", "Sales"}, {"2.5.4.3", "J.  Smith"}}}},
		{`CN=James \"Jim\" Smith\, III,DC=net`, distinguished{{{"0.9.2342.19200300.100.1.25", "net"}}, {{"2.5.4.3", `James "Jim" Smith, III`}}}},
		{`CN=James Smith\, III,DC=net`, distinguished{{{"0.9.2342.19200300.100.1.25", "net"}}, {{"2.5.4.3", "James Smith, III"}}}},
		{`CN=Before\0dAfter`, distinguished{{{"2.5.4.3", "Before\rAfter"}}}},
		{`1.3.6.1.4.1.1466.0=#0C024869`, distinguished{{{"1.3.6.1.4.1.1466.0", "Hi"}}}},
		{`CN=Lu\C4\8Di\C4\87`, distinguished{{{"2.5.4.3", "Lučić"}}}},
		{`CN=\ a\ `, distinguished{{{"2.5.4.3", " a "}}}},
		{`CN= a `, distinguished{{{"2.5.4.3", "a"}}}},
		{`CN=\#a`, distinguished{{{"2.5.4.3", "#a"}}}},
		{"", nil}, {"CN", nil}, {"CN=", nil}, {"=a", nil}, {"CN=a,", nil}, {",CN=a", nil}, {"XX=a", nil}, {`CN=a\`, nil}, {`CN=a\z`, nil}, {"CN=a;O=b", nil},
		{`CN="a"`, nil}, {"CN=#zz", nil}, {"CN=#0C03AA", nil}, {"CN=#020101", nil}, {`CN=a\00`, nil}, {`CN=\ff`, nil}, {"2.05=a", nil}, {"2=a", nil}, {"CN=a\x00", nil},
	} {
		got, ok := parseName(test.text)
		if ok != (test.want != nil) || ok && !got.is(test.want) {
			t.Errorf("%q is read as %v, %v", test.text, got, ok)
		}
	}
}

// What Go writes of a subject is read as that subject and no other, and nothing
// makes the reader stumble.
func FuzzName(f *testing.F) {
	for _, s := range []string{"CN=a,O=b", `CN=\ a\,+OU=#0C024869`, "1.2.3=#0C0141", "DC=x,DC=y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := parseName(s)
		if !ok {
			return
		}
		var seq pkix.RDNSequence
		for _, set := range d {
			var one pkix.RelativeDistinguishedNameSET
			for _, a := range set {
				var kind asn1.ObjectIdentifier
				for _, p := range splitNumbers(a.kind) {
					kind = append(kind, p)
				}
				one = append(one, pkix.AttributeTypeAndValue{Type: kind, Value: a.value})
			}
			seq = append(seq, one)
		}
		raw, err := asn1.Marshal(seq)
		if err != nil {
			return // a number that no certificate can hold
		}
		if got, read := nameIn(raw); !read || !got.is(d) {
			t.Errorf("%q is %v, and in a certificate %v", s, d, got)
		}
	})
}

func splitNumbers(s string) (out []int) {
	n := 0
	for _, c := range s + "." {
		if c == '.' {
			out, n = append(out, n), 0
			continue
		}
		n = n*10 + int(c-'0')
	}
	return out
}
