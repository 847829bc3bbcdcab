package door

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// Certificate is refused when it cannot be read: what a proxy says of its
// client is taken whole, or the request is not.
var Certificate = check.New(check.Check{Number: 945, ID: "request.certificate", Fault: fault.Malformed, Shown: "request.certificate",
	Says: "The certificate that a proxy passes on is one, and can be read.", Source: "RFC 9440 section 2.2; RFC 9700 section 4.13",
	Title: "The certificate of this request cannot be read."})

// maxCertificates bounds a chain that a client shows.
const maxCertificates = 8

// Certificates are those that the sender of a request proved to hold the key
// of: its own first, then what it sent of those above it; none when it showed
// none. They were shown in the TLS of this very connection, or to a trusted
// proxy. From anybody else the header says nothing (check AS-37).
func (d *Door) Certificates(r *http.Request) ([]*x509.Certificate, error) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		if len(r.TLS.PeerCertificates) > maxCertificates {
			return nil, check.Refuse(Certificate)
		}
		return r.TLS.PeerCertificates, nil
	}
	if d.Certificate == "" {
		return nil, nil
	}
	values := r.Header.Values(d.Certificate)
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !d.trusts(peer.Addr()) || len(values) == 1 && values[0] == "" {
		return nil, nil
	}
	switch len(values) {
	case 0:
		return nil, nil
	case 1:
		if c, ok := passedOn(values[0]); ok {
			return []*x509.Certificate{c}, nil
		}
	}
	return nil, check.Refuse(Certificate)
}

// passedOn reads a certificate as proxies write it: the bytes between colons
// (RFC 9440 section 2.1), or PEM in the encoding of URLs.
func passedOn(value string) (*x509.Certificate, bool) {
	var der []byte
	if inner, ok := strings.CutPrefix(value, ":"); ok {
		b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(inner, ":"))
		if err != nil || !strings.HasSuffix(inner, ":") {
			return nil, false
		}
		der = b
	} else {
		text, err := url.PathUnescape(value)
		block, rest := pem.Decode([]byte(text))
		if err != nil || block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 || strings.TrimSpace(string(rest)) != "" || !strings.HasPrefix(text, "-----BEGIN ") {
			return nil, false
		}
		der = block.Bytes
	}
	c, err := x509.ParseCertificate(der)
	return c, err == nil
}
