package client

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// ByCertificate says whether the application proves itself by a certificate.
func (c Client) ByCertificate() bool { return c.Auth == AuthCertificate || c.Auth == AuthSelfSigned }

// A Named is what the certificate of an application says of it, for
// tls_client_auth: exactly one of these (RFC 8705 section 2.1.2).
type Named struct {
	SubjectDN string `json:"tls_client_auth_subject_dn,omitzero"`
	SANDNS    string `json:"tls_client_auth_san_dns,omitzero"`
	SANURI    string `json:"tls_client_auth_san_uri,omitzero"`
	SANIP     string `json:"tls_client_auth_san_ip,omitzero"`
	SANEmail  string `json:"tls_client_auth_san_email,omitzero"`
}

// Words about certificates.
var (
	WordNamed         = check.NewWord(215, "tls_client_auth_subject_dn or tls_client_auth_san_dns, _uri, _ip or _email")
	WordNoCertificate = check.NewWord(216, "no certificate was shown")
	WordCertName      = check.NewWord(217, "the name in the certificate")
	WordCertChain     = check.NewWord(218, "who signed the certificate, its times or its use")
	WordCertKey       = check.NewWord(219, "the key of the certificate")
)

// valid says whether exactly one name is there, in a form that a certificate
// can have.
func (n Named) valid() bool {
	count := 0
	for _, s := range []string{n.SubjectDN, n.SANDNS, n.SANURI, n.SANIP, n.SANEmail} {
		if s != "" {
			count++
		}
	}
	if count != 1 {
		return false
	}
	switch {
	case n.SubjectDN != "":
		_, ok := parseName(n.SubjectDN)
		return ok
	case n.SANDNS != "":
		return len(n.SANDNS) <= 253 && strings.Trim(strings.ToLower(n.SANDNS), "abcdefghijklmnopqrstuvwxyz0123456789-._") == "" && !strings.HasPrefix(n.SANDNS, ".") && !strings.HasSuffix(n.SANDNS, ".")
	case n.SANURI != "":
		u, err := url.Parse(n.SANURI)
		return err == nil && len(n.SANURI) <= maxName && u.Scheme != "" && u.String() == n.SANURI
	case n.SANIP != "":
		_, err := netip.ParseAddr(n.SANIP)
		return err == nil
	}
	local, domain, ok := strings.Cut(n.SANEmail, "@")
	return ok && local != "" && domain != "" && len(n.SANEmail) <= 254 && !strings.ContainsAny(n.SANEmail, " \t\r\n\x00")
}

// in says whether a certificate has the name.
func (n Named) in(c *x509.Certificate) bool {
	switch {
	case n.SubjectDN != "":
		want, ok := parseName(n.SubjectDN)
		got, read := nameIn(c.RawSubject)
		return ok && read && want.is(got)
	case n.SANDNS != "":
		return slices.ContainsFunc(c.DNSNames, func(s string) bool { return strings.EqualFold(s, n.SANDNS) })
	case n.SANURI != "":
		return slices.ContainsFunc(c.URIs, func(u *url.URL) bool { return u.String() == n.SANURI })
	case n.SANIP != "":
		want, err := netip.ParseAddr(n.SANIP)
		for _, ip := range c.IPAddresses {
			if a, ok := netip.AddrFromSlice(ip); ok && err == nil && a.Unmap() == want.Unmap() {
				return true
			}
		}
		return false
	case n.SANEmail != "":
		return slices.Contains(c.EmailAddresses, n.SANEmail)
	}
	return false
}

// Certified says whether certificates that a caller proved to hold the key of,
// its own first, prove that it is this application, and which part did not.
// roots sign for tls_client_auth; without any it proves nothing. keys are the
// application's own, for self_signed_tls_client_auth, where nobody signs and
// times do not matter: the key is the proof (RFC 8705 section 2.2).
func (c Client) Certified(shown []*x509.Certificate, roots *x509.CertPool, keys jose.KeySet, now time.Time) (check.Word, bool) {
	switch {
	case len(shown) == 0 || shown[0] == nil:
		return WordNoCertificate, false
	case !strong(shown[0]):
		return WordCertKey, false
	case c.Auth == AuthSelfSigned:
		return WordCertKey, slices.ContainsFunc(keys.Keys(), func(k jose.PublicKey) bool { return k.Is(shown[0].PublicKey) })
	case c.Auth != AuthCertificate || roots == nil:
		return WordCertChain, false
	}
	between := x509.NewCertPool()
	for _, one := range shown[1:] {
		between.AddCert(one)
	}
	if _, err := shown[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return WordCertChain, false
	}
	return WordCertName, c.Named.in(shown[0])
}

// strong says whether the key of a certificate is worth anything: elliptic
// curves, or RSA of at least 2,048 bits (NIST SP 800-131A).
func strong(c *x509.Certificate) bool {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize >= 256
	case ed25519.PublicKey:
		return true
	}
	return false
}
