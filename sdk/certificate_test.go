package doorward

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A shower is a client with a certificate that it signed itself.
type shower struct {
	tls.Certificate
	thumb string
}

func newShower(t testing.TB) shower {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return shower{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.RawURLEncoding.EncodeToString(sum[:])}
}

func (s shower) header() string {
	return ":" + base64.StdEncoding.EncodeToString(s.Certificate.Certificate[0]) + ":"
}

func (s shower) pem() string {
	return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Certificate[0]})))
}

func (i *issuer) boundTo(s signer, cnf map[string]any) string {
	return s.mint(i.claims(map[string]any{"cnf": cnf}))
}

// FP-02: a stolen token that is bound to a certificate, over real TLS.
func TestTokensBoundToACertificate(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	v := i.verifier(t)
	api := httptest.NewUnstartedServer(v.Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	api.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	api.StartTLS()
	defer api.Close()
	mine, other, h := newShower(t), newShower(t), newHolder(jose.ES256)
	call := func(token string, with *shower) (int, problem) {
		t.Helper()
		c := api.Client().Transport.(*http.Transport).Clone()
		c.DisableKeepAlives = true
		if with != nil {
			c.TLSClientConfig.Certificates = []tls.Certificate{with.Certificate}
		}
		r, _ := http.NewRequest("GET", api.URL+"/notes/n1", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var p problem
		_ = json.NewDecoder(res.Body).Decode(&p)
		if res.StatusCode == 401 && !strings.Contains(res.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("challenge %q", res.Header.Get("WWW-Authenticate"))
		}
		return res.StatusCode, p
	}
	bound := map[string]any{"x5t#S256": mine.thumb}
	for _, test := range []struct {
		name  string
		cnf   map[string]any
		with  *shower
		check string
	}{
		{"its certificate", bound, &mine, ""},
		{"no certificate", bound, nil, checkCertificate},
		{"another's certificate", bound, &other, checkCertificate},
		{"bound to nothing", nil, &other, ""},
		{"bound to an empty hash, no certificate", map[string]any{"x5t#S256": ""}, nil, checkSender},
		{"bound to a hash of another kind", map[string]any{"x5t": mine.thumb}, &mine, checkSender},
		{"bound to a key as well", map[string]any{"x5t#S256": mine.thumb, "jkt": h.thumb}, &mine, checkSender},
	} {
		token := s.mint(i.claims(nil))
		if test.cnf != nil {
			token = i.boundTo(s, test.cnf)
		}
		status, p := call(token, test.with)
		if (status == 200) != (test.check == "") || p.Check != test.check {
			t.Errorf("%s: %d %+v", test.name, status, p)
		}
	}
	// Both bindings hold together: the key's proof without the certificate is not enough.
	both := i.boundTo(s, map[string]any{"x5t#S256": mine.thumb, "jkt": h.thumb})
	if _, p, _ := guarded(t, v, dpopRequest(both, h.proof(i.clock.now(), both, nil, nil))); p.Check != checkCertificate {
		t.Errorf("without the certificate: %+v", p)
	}
	wantRefused(t, v, i.boundTo(s, bound), checkSender)
}

// AS-37: what a proxy passes on counts from the proxy alone, and where the API
// said so.
func TestCertificatesFromAProxy(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	mine, other := newShower(t), newShower(t)
	token := i.boundTo(s, map[string]any{"x5t#S256": mine.thumb})
	proxies := netip.MustParsePrefix("10.0.0.0/8")
	with := i.verifier(t, ProxyCertificate("client-cert", proxies))
	for _, test := range []struct {
		name   string
		v      *Verifier
		peer   string
		values []string
		ok     bool
	}{
		{"from a proxy", with, "10.0.0.3:1", []string{mine.header()}, true},
		{"from a proxy, in PEM", with, "10.0.0.3:1", []string{mine.pem()}, true},
		{"from a stranger", with, "203.0.113.9:1", []string{mine.header()}, false},
		{"twice", with, "10.0.0.3:1", []string{mine.header(), mine.header()}, false},
		{"two in one", with, "10.0.0.3:1", []string{mine.header() + "," + mine.header()}, false},
		{"another's", with, "10.0.0.3:1", []string{other.header()}, false},
		{"nonsense", with, "10.0.0.3:1", []string{"(null)"}, false},
		{"none", with, "10.0.0.3:1", nil, false},
		{"an API that did not say so", i.verifier(t), "10.0.0.3:1", []string{mine.header()}, false},
	} {
		r := request(token)
		r.RemoteAddr, r.Header["Client-Cert"] = test.peer, test.values
		if _, p, ran := guarded(t, test.v, r); ran != test.ok || !ran && p.Check != checkCertificate {
			t.Errorf("%s: %v %+v", test.name, ran, p)
		}
	}
	for name, o := range map[string]Option{"no header": ProxyCertificate("", proxies), "no networks": ProxyCertificate("Client-Cert"), "everybody": ProxyCertificate("Client-Cert", netip.MustParsePrefix("0.0.0.0/0")), "none": ProxyCertificate("Client-Cert", netip.Prefix{})} {
		if _, err := New(t.Context(), i.URL, Audience("a"), Stateless(), o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzPassedOnCertificate(f *testing.F) {
	c := newShower(f)
	for _, s := range []string{"", ":", "::", c.header(), c.pem(), "-----BEGIN%20CERTIFICATE-----", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := readCertificate(s); ok != (c != nil) {
			t.Errorf("%q: %v %v", s, c, ok)
		}
	})
}
