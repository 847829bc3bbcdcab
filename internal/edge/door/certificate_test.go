package door

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/check"
)

func someCertificate(t testing.TB) *x509.Certificate {
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
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func inHeader(c *x509.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(c.Raw) + ":"
}

func asPEM(c *x509.Certificate) string {
	return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
}

// AS-37: a certificate in a header counts when a trusted proxy sends it, and
// when the operator said in which header.
func TestWhoShowsACertificate(t *testing.T) {
	in, mine := someCertificate(t), someCertificate(t)
	twice := []string{inHeader(in), inHeader(in)}
	for _, c := range []struct {
		name, peer, header string
		values             []string
		tls                *tls.ConnectionState
		want               *x509.Certificate
		refused            bool
	}{
		{"a proxy, RFC 9440", "10.0.0.3:1", "Client-Cert", []string{inHeader(in)}, nil, in, false},
		{"a proxy, PEM", "10.0.0.3:1", "Client-Cert", []string{asPEM(in)}, nil, in, false},
		{"a proxy in IPv6 clothes", "[::ffff:10.0.0.3]:1", "Client-Cert", []string{inHeader(in)}, nil, in, false},
		{"a stranger", "203.0.113.9:1", "Client-Cert", []string{inHeader(in)}, nil, nil, false},
		{"a stranger, nonsense", "203.0.113.9:1", "Client-Cert", []string{"x"}, nil, nil, false},
		{"no address at all", "@", "Client-Cert", []string{inHeader(in)}, nil, nil, false},
		{"a header that nobody configured", "10.0.0.3:1", "", []string{inHeader(in)}, nil, nil, false},
		{"another header", "10.0.0.3:1", "X-Other", []string{inHeader(in)}, nil, nil, false},
		{"twice", "10.0.0.3:1", "Client-Cert", twice, nil, nil, true},
		{"two in one", "10.0.0.3:1", "Client-Cert", []string{strings.Join(twice, ", ")}, nil, nil, true},
		{"empty: the client showed none", "10.0.0.3:1", "Client-Cert", []string{""}, nil, nil, false},
		{"none", "10.0.0.3:1", "Client-Cert", nil, nil, nil, false},
		{"nonsense", "10.0.0.3:1", "Client-Cert", []string{"(null)"}, nil, nil, true},
		{"half", "10.0.0.3:1", "Client-Cert", []string{inHeader(in)[:200]}, nil, nil, true},
		{"no end", "10.0.0.3:1", "Client-Cert", []string{strings.TrimSuffix(inHeader(in), ":")}, nil, nil, true},
		{"a chain in PEM", "10.0.0.3:1", "Client-Cert", []string{asPEM(in) + asPEM(mine)}, nil, nil, true},
		{"words before", "10.0.0.3:1", "Client-Cert", []string{"x%0A" + asPEM(in)}, nil, nil, true},
		{"something else in PEM", "10.0.0.3:1", "Client-Cert", []string{strings.ReplaceAll(asPEM(in), "CERTIFICATE", "PUBLIC%20KEY")}, nil, nil, true},
		{"in TLS", "203.0.113.9:1", "", nil, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{mine}}, mine, false},
		{"in TLS, another in the header", "203.0.113.9:1", "Client-Cert", []string{inHeader(in)}, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{mine}}, mine, false},
		{"a long chain in TLS", "203.0.113.9:1", "", nil, &tls.ConnectionState{PeerCertificates: make([]*x509.Certificate, 9)}, nil, true},
	} {
		r := httptest.NewRequest("POST", "/oauth/token", nil)
		r.RemoteAddr, r.Header["Client-Cert"], r.TLS = c.peer, c.values, c.tls
		d := newDoor(proxies)
		d.Certificate = c.header
		got, err := d.Certificates(r)
		var refusal *check.Refusal
		if errors.As(err, &refusal) != c.refused || c.refused && refusal.Check() != Certificate {
			t.Errorf("%s: %v", c.name, err)
		}
		if (len(got) > 0) != (c.want != nil) || c.want != nil && !got[0].Equal(c.want) {
			t.Errorf("%s: %d certificates, not the one that was wanted", c.name, len(got))
		}
	}
}

// What a proxy writes is a certificate or nothing, in one spelling.
func FuzzCertificate(f *testing.F) {
	c := someCertificate(f)
	for _, s := range []string{"", ":", "::", ":AA==:", inHeader(c), asPEM(c), "-----BEGIN%20CERTIFICATE-----", "%", inHeader(c) + ";a=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := passedOn(s)
		if ok != (got != nil) {
			t.Fatalf("%q: %v %v", s, got, ok)
		}
		if again, fine := passedOn(":" + base64.StdEncoding.EncodeToString(rawOf(got)) + ":"); ok && (!fine || !again.Equal(got)) {
			t.Errorf("%q is not its own certificate", s)
		}
	})
}

func rawOf(c *x509.Certificate) []byte {
	if c == nil {
		return nil
	}
	return c.Raw
}
