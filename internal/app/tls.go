package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
)

// secured are the bounds of every TLS connection here: 1.3, and of 1.2 what
// encrypts with authentication under keys that are thrown away (RFC 9325
// section 4.2; security defaults 3.5).
func secured(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate, CipherSuites: []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}}
}

// asking is secured that asks for a certificate of the client. Whoever shows
// one has proved to hold its key; whose it is, the exchange judges, since many
// are signed by nobody but themselves (RFC 8705 section 2.2). No connection is
// resumed: each one proves anew.
func asking(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	c := secured(certificate)
	c.ClientAuth, c.SessionTicketsDisabled = tls.RequestClientCert, true
	return c
}

// A watched is a value read from files, and read again when they change.
type watched[T any] struct {
	paths []string
	read  func() (T, error)
	now   func() time.Time
	log   *slog.Logger

	mu     sync.Mutex
	value  T
	seen   string // what the files looked like when value was read
	bad    string // when they could not be read
	looked time.Time
}

// lookEvery is how often files are looked at, at most.
const lookEvery = time.Second

// watch reads a value for the first time.
func watch[T any](now func() time.Time, log *slog.Logger, read func() (T, error), paths ...string) (*watched[T], error) {
	w := &watched[T]{paths: paths, read: read, now: now, log: log}
	w.looked, w.seen = now(), w.stamp()
	var err error
	w.value, err = read()
	return w, err
}

// stamp is how the files look from outside.
func (w *watched[T]) stamp() string {
	var b strings.Builder
	for _, p := range w.paths {
		if i, err := os.Stat(p); err == nil {
			fmt.Fprintf(&b, "%d %d;", i.ModTime().UnixNano(), i.Size())
		}
	}
	return b.String()
}

// get is the value as the files are now. While they cannot be read, as between
// the writing of one and of the other, the last one stays.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if since := now.Sub(w.looked); since >= 0 && since < lookEvery {
		return w.value
	}
	w.looked = now
	stamp := w.stamp()
	if stamp == w.seen {
		return w.value
	}
	v, err := w.read()
	switch {
	case err == nil:
		w.value, w.seen, w.bad = v, stamp, ""
		w.log.Info("files were read again", "paths", w.paths)
	case w.bad != stamp:
		w.bad = stamp
		w.log.Error("files changed and cannot be used: the last ones stay in use", "paths", w.paths, "cause", err)
	}
	return w.value
}

// serverCertificate is what this server proves itself by: the configured one,
// or in development one that it makes for itself.
func (s *server) serverCertificate() (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	t := s.config.TLS
	if t.Cert == "" {
		c, err := s.madeCertificate()
		return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c, err }, err
	}
	w, err := watch(s.now, s.log, func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("tls_cert and tls_key: %w", err)
		}
		return &c, nil
	}, t.Cert, t.Key)
	if err == nil {
		s.shows = w.get
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.get(), nil }, err
}

// madeCertificate makes a certificate for this machine's own names, for
// development, and leaves it where clients can be told to trust it.
func (s *server) madeCertificate() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), secret.Reader)
	if err != nil {
		return nil, err
	}
	number := secret.Random16()
	number[0] &= 0x7f
	template := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(number[:]), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: s.now().Add(-365 * day), NotAfter: s.now().Add(365 * day), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, IsCA: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	der, err := x509.CreateCertificate(secret.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.config.Data, "localhost.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return nil, err
	}
	s.log.Info("TLS by a certificate made just now, for development", "certificate", path)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// clientAuthorities are those that may sign the certificates of applications;
// none where none are configured.
func (s *server) clientAuthorities() (func() *x509.CertPool, error) {
	path := s.config.MTLS.CA
	if path == "" {
		return func() *x509.CertPool { return nil }, nil
	}
	w, err := watch(s.now, s.log, func() (*x509.CertPool, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("mtls_ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, errors.New("mtls_ca: " + path + " has no certificate in PEM")
		}
		return pool, nil
	}, path)
	return w.get, err
}

// openMTLS listens for clients that show certificates, when that is asked for,
// and says at which address they find it.
func (s *server) openMTLS() (l net.Listener, address *url.URL, err error) {
	m := s.config.MTLS
	if m.URL != "" {
		if address, err = url.Parse(m.URL); err != nil {
			return nil, nil, err
		}
	}
	if m.Listen == "" {
		return nil, address, nil
	}
	certificate, err := s.serverCertificate()
	if err != nil {
		return nil, nil, err
	}
	if l, err = net.Listen("tcp", m.Listen); err != nil {
		return nil, nil, err
	}
	if address == nil {
		_, port, _ := net.SplitHostPort(l.Addr().String())
		address = &url.URL{Scheme: "https", Host: net.JoinHostPort(s.door.Issuer.Hostname(), port)}
	}
	c := asking(certificate)
	c.NextProtos = []string{"h2", "http/1.1"}
	return tls.NewListener(l, c), address, nil
}

// openMain listens at the public address: with TLS when the server has a
// certificate and its issuer is https.
func (s *server) openMain() (net.Listener, error) {
	plain := s.config.TLS.Cert == "" || strings.HasPrefix(s.config.Issuer, "http:")
	var certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	if !plain {
		var err error
		if certificate, err = s.serverCertificate(); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("tcp", s.config.Listen)
	if err != nil || plain {
		return l, err
	}
	c := secured(certificate)
	c.NextProtos = []string{"h2", "http/1.1"}
	return tls.NewListener(l, c), nil
}

// tlsTogether judges what the settings of TLS mean together.
func (c *Config) tlsTogether(refuse func(key, says string)) {
	m := &c.MTLS
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		refuse("tls_cert", "and tls_key belong together: one of them is missing")
	}
	if m.Listen != "" && c.TLS.Cert == "" && !c.Development && c.Issuer != "" {
		refuse("mtls_listen", "needs tls_cert and tls_key: certificates are shown inside TLS, which ends here")
	}
	if m.Listen != "" && !freePort(m.Listen) && (m.Listen == c.Listen || m.Listen == c.OpsListen) {
		refuse("mtls_listen", "is the same address as listen or ops_listen")
	}
	if m.Listen != "" && c.Development && !loopback(m.Listen) {
		refuse("mtls_listen", m.Listen+" can be reached from elsewhere, and an http issuer is for this machine alone")
	}
	if m.Header != "" && len(c.TrustedProxies) == 0 {
		refuse("mtls_header", "needs trusted_proxies: from anybody else a certificate in a header is worth nothing")
	}
	if m.URL != "" && m.Listen == "" && m.Header == "" {
		refuse("mtls_url", "needs mtls_listen or mtls_header: nobody would look at certificates there")
	}
	if m.CA != "" && m.Listen == "" && m.Header == "" {
		refuse("mtls_ca", "needs mtls_listen or mtls_header: no certificate would be shown")
	}
	if m.URL != "" && m.URL == c.Issuer {
		refuse("mtls_url", "is the issuer: browsers would be asked for certificates; it takes a name or a port of its own")
	}
	if u, err := url.Parse(c.Issuer); m.Listen != "" && m.URL == "" && err == nil {
		if _, port, _ := net.SplitHostPort(m.Listen); port == "443" || port == u.Port() {
			refuse("mtls_url", "is missing: at the issuer's own name this port is the issuer's")
		}
	}
}

// machineAddress judges the address at which clients show certificates.
func machineAddress(s string) (says string) {
	if says = issuer(s); says == "" && !strings.HasPrefix(s, "https://") {
		return "must be https: certificates are shown inside TLS"
	}
	return says
}

// fieldName judges the name of a header (RFC 9110 section 5.1), and that it is
// none which means something else.
func fieldName(s string) (says string) {
	taken := []string{"authorization", "cookie", "host", "origin", "x-forwarded-for", "forwarded", "content-type", "dpop"}
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" || slices.Contains(taken, strings.ToLower(s)) {
		return fmt.Sprintf("is %q: the name of a header is wanted, such as Client-Cert", s)
	}
	return ""
}
