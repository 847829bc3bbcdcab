package doorward

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// ProxyCertificate is for an API behind proxies that end TLS and ask clients
// for certificates: the header in which they pass one on, as RFC 9440 has it
// (Client-Cert) or as PEM in the encoding of URLs, and the networks that the
// proxies are in. From any other address the header says nothing. The proxies
// must remove it from what comes in. Without this option a token that is bound
// to a certificate counts when the connection to this process shows it: have the
// server ask for one, with tls.RequestClientCert.
func ProxyCertificate(header string, proxies ...netip.Prefix) Option {
	return func(s *settings) error {
		if header == "" || len(proxies) == 0 {
			return errors.New("say in which header certificates come, and from which networks")
		}
		for _, p := range proxies {
			if !p.IsValid() || p.Bits() == 0 {
				return errors.New("the proxies' networks are none, or everybody")
			}
		}
		s.certificates = passedOn{http.CanonicalHeaderKey(header), slices.Clone(proxies)}
		return nil
	}
}

// A passedOn says where certificates come from that proxies pass on.
type passedOn struct {
	header  string
	proxies []netip.Prefix
}

// thumbprint is that of the certificate which the sender of a request proved to
// hold the key of (x5t#S256, RFC 8705 section 3.1); empty when there is none.
func (p passedOn) thumbprint(r *http.Request) string {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return thumbprintOf(r.TLS.PeerCertificates[0])
	}
	values := r.Header[p.header]
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || len(values) != 1 || !slices.ContainsFunc(p.proxies, func(n netip.Prefix) bool { return n.Contains(peer.Addr().Unmap()) }) {
		return ""
	}
	c, ok := readCertificate(values[0])
	if !ok {
		return ""
	}
	return thumbprintOf(c)
}

func thumbprintOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// readCertificate reads a certificate as proxies write it.
func readCertificate(value string) (*x509.Certificate, bool) {
	var der []byte
	if inner, ok := strings.CutPrefix(value, ":"); ok {
		b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(inner, ":"))
		if err != nil || !strings.HasSuffix(inner, ":") {
			return nil, false
		}
		der = b
	} else {
		said, err := url.PathUnescape(value)
		block, rest := pem.Decode([]byte(said))
		if err != nil || block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" || !strings.HasPrefix(said, "-----BEGIN ") {
			return nil, false
		}
		der = block.Bytes
	}
	c, err := x509.ParseCertificate(der)
	return c, err == nil
}

// beside refuses a token that is bound to a certificate, unless the request
// shows that one (RFC 8705 section 3).
func (a *attempt) beside(c *claims) error {
	if c.x5t == "" {
		return nil
	}
	shown := a.v.certificates.thumbprint(a.r)
	if subtle.ConstantTimeCompare([]byte(shown), []byte(c.x5t)) == 1 {
		return nil
	}
	detail := "the token is bound to another certificate than the one that was shown"
	if shown == "" {
		detail = "the token is bound to a certificate, and none was shown"
	}
	r := refuse(checkCertificate, detail)
	r.named = true
	return r
}
