package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificateFor writes a new certificate and its key for names into a
// directory, and returns the certificate.
func certificateFor(t *testing.T, dir string, names ...string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{SerialNumber: serial, NotBefore: now().Add(-time.Hour), NotAfter: now().Add(time.Hour), DNSNames: names, BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serving runs a server of this configuration and says where it listens.
func serving(t *testing.T, env map[string]string) (s *server, public, machines string) {
	t.Helper()
	c, problems := Load(nil, env, nil)
	if len(problems) > 0 {
		t.Fatal(problems[0].In("test"))
	}
	ctx, stop := context.WithCancel(context.Background())
	began, ended := make(chan struct{}), make(chan error, 1)
	log := slog.New(listening{func(of string) { machines = of }})
	go func() {
		ended <- run(ctx, c, log, func(_ context.Context, made *server, _ *http.ServeMux, at net.Listener) (func(), error) {
			s, public = made, at.Addr().String()
			return func() { close(began) }, nil
		})
	}()
	select {
	case <-began:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, public, machines
}

// listening hears in the log where the server listens for machines.
type listening struct{ heard func(string) }

func (l listening) Enabled(context.Context, slog.Level) bool { return true }
func (l listening) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l listening) WithGroup(string) slog.Handler            { return l }
func (l listening) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "mtls_listen" {
			l.heard(a.Value.String())
		}
		return true
	})
	return nil
}

// caller makes requests over TLS at an address, whatever the name.
func caller(at string, c *tls.Config) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: c,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", at)
		}}}
}

func trusting(c *x509.Certificate) *tls.Config {
	p := x509.NewCertPool()
	p.AddCert(c)
	return &tls.Config{RootCAs: p}
}

func get(t *testing.T, c *http.Client, url string) (int, string, error) {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

func TestTLSEndsHere(t *testing.T) {
	dir := t.TempDir()
	first := certificateFor(t, dir, "auth.example.com", "mtls.example.com")
	_, public, machines := serving(t, map[string]string{"DOORWARD_ISSUER": "https://auth.example.com", "DOORWARD_DATA": filepath.Join(dir, "data"), "DOORWARD_LISTEN": "127.0.0.1:0",
		"DOORWARD_OPS_LISTEN": "127.0.0.1:0", "DOORWARD_TLS_CERT": filepath.Join(dir, "cert.pem"), "DOORWARD_TLS_KEY": filepath.Join(dir, "key.pem"),
		"DOORWARD_MTLS_LISTEN": "127.0.0.1:0", "DOORWARD_MTLS_URL": "https://mtls.example.com"})

	status, body, err := get(t, caller(public, trusting(first)), "https://auth.example.com/.well-known/oauth-authorization-server")
	if err != nil || status != 200 || !strings.Contains(body, `"mtls_endpoint_aliases":{`) || !strings.Contains(body, `"token_endpoint":"https://mtls.example.com/oauth/token"`) {
		t.Fatalf("%d %s %v", status, body, err)
	}
	// The second listener is for machines: the same documents, none of the pages.
	for url, want := range map[string]int{
		"https://mtls.example.com/.well-known/oauth-authorization-server": 200, "https://mtls.example.com/oauth/jwks": 200, "https://mtls.example.com/oauth/token": 405,
		"https://mtls.example.com/sign-in": 404, "https://mtls.example.com/session": 404, "https://mtls.example.com/oauth/authorize": 404, "https://mtls.example.com/account": 404,
		"https://auth.example.com/oauth/jwks": 421, "https://mtls.example.com/healthz": 200,
	} {
		if status, _, err := get(t, caller(machines, trusting(first)), url); err != nil || status != want {
			t.Errorf("at the listener for machines %s: %d %v", url, status, err)
		}
	}
	if status, _, err := get(t, caller(public, trusting(first)), "https://mtls.example.com/oauth/jwks"); err != nil || status != 421 {
		t.Errorf("the name for machines at the public listener: %d %v", status, err)
	}
	for name, spoil := range map[string]func(*tls.Config){
		"TLS 1.1": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		"CBC": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		},
		"no ephemeral": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		},
		"nobody's word":   func(c *tls.Config) { c.RootCAs = x509.NewCertPool() },
		"another's words": func(c *tls.Config) { c.ServerName = "other.example.com" },
	} {
		for _, at := range []string{public, machines} {
			c := trusting(first)
			spoil(c)
			if status, _, err := get(t, caller(at, c), "https://auth.example.com/oauth/jwks"); err == nil {
				t.Errorf("%s: answered with %d", name, status)
			}
		}
	}
	twelve := trusting(first)
	twelve.MaxVersion = tls.VersionTLS12
	if status, _, err := get(t, caller(public, twelve), "https://auth.example.com/oauth/jwks"); err != nil || status != 200 {
		t.Errorf("TLS 1.2: %d %v", status, err)
	}

	// Renewed while it runs; a half-written pair changes nothing.
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(lookEvery + 100*time.Millisecond)
	if status, _, err := get(t, caller(public, trusting(first)), "https://auth.example.com/oauth/jwks"); err != nil || status != 200 {
		t.Errorf("with a key half written: %d %v", status, err)
	}
	second := certificateFor(t, dir, "auth.example.com", "mtls.example.com")
	time.Sleep(lookEvery + 100*time.Millisecond)
	for _, at := range []string{public, machines} {
		if _, _, err := get(t, caller(at, trusting(second)), "https://"+map[string]string{public: "auth", machines: "mtls"}[at]+".example.com/oauth/jwks"); err != nil {
			t.Errorf("the renewed certificate is not shown at %s: %v", at, err)
		}
	}
}

// In development the listener needs no files: it makes a certificate for this
// machine, and leaves it where a client can be told to trust it.
func TestCertificatesInDevelopment(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	_, public, machines := serving(t, map[string]string{"DOORWARD_ISSUER": "http://localhost:8400", "DOORWARD_DATA": data, "DOORWARD_LISTEN": "127.0.0.1:0",
		"DOORWARD_OPS_LISTEN": "127.0.0.1:0", "DOORWARD_MTLS_LISTEN": "127.0.0.1:0"})
	text, err := os.ReadFile(filepath.Join(data, "localhost.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	_, port, _ := net.SplitHostPort(machines)
	status, body, err := get(t, caller(machines, &tls.Config{RootCAs: pool}), "https://localhost:"+port+"/.well-known/openid-configuration")
	if err != nil || status != 200 || !strings.Contains(body, `"introspection_endpoint":"https://localhost:`+port+`/oauth/introspect"`) {
		t.Errorf("%d %s %v", status, body, err)
	}
	if status, _, err := get(t, caller(public, nil), "http://localhost:8400/oauth/jwks"); err != nil || status != 200 {
		t.Errorf("the public listener: %d %v", status, err)
	}
}

func TestTLSSettingsFitTogether(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"half a pair", "tls_cert = \"/c\"", "tls_cert and tls_key belong together: one of them is missing"},
		{"certificates without TLS", "mtls_listen = \":8443\"", "mtls_listen needs tls_cert and tls_key"},
		{"the public address", "tls_cert = \"/c\"\ntls_key = \"/k\"\nlisten = \":8443\"\nmtls_listen = \":8443\"", "mtls_listen is the same address as listen"},
		{"the usual port, no name", "tls_cert = \"/c\"\ntls_key = \"/k\"\nmtls_listen = \"10.0.0.1:443\"", "mtls_url is missing"},
		{"a header from nobody", "mtls_header = \"Client-Cert\"", "mtls_header needs trusted_proxies"},
		{"a header that is taken", "trusted_proxies = [\"10.0.0.3/32\"]\nmtls_header = \"Cookie\"", "mtls_header is \"Cookie\""},
		{"an address of nothing", "mtls_url = \"https://mtls.example.com\"", "mtls_url needs mtls_listen or mtls_header"},
		{"an address without TLS", "mtls_url = \"http://localhost:1\"", "mtls_url must be https"},
		{"the issuer itself", "trusted_proxies = [\"10.0.0.3/32\"]\nmtls_header = \"Client-Cert\"\nmtls_url = \"https://auth.example.com\"", "mtls_url is the issuer"},
		{"authorities of nothing", "mtls_ca = \"/ca\"", "mtls_ca needs mtls_listen or mtls_header"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := Load([]byte("issuer = \"https://auth.example.com\"\n"+test.file), nil, nil)
			if len(problems) != 1 || !strings.Contains(problems[0].In("f"), test.want) {
				t.Errorf("%v", problems)
			}
		})
	}
	if _, problems := Load(nil, map[string]string{"DOORWARD_ISSUER": "http://localhost:8400", "DOORWARD_MTLS_LISTEN": "0.0.0.0:8443"}, nil); len(problems) != 1 {
		t.Errorf("development, reachable from elsewhere: %v", problems)
	}
}

func TestDoctorKnowsTheCertificate(t *testing.T) {
	at := now()
	for state, end := range map[string]time.Time{"good": at.Add(15 * day), "warning": at.Add(13 * day), "broken": at.Add(-time.Second)} {
		if f := certificateUntil(end, at); f.State != state || (f.Fix == "") != (state == "good") {
			t.Errorf("until %s: %+v", end, f)
		}
	}
	dir := t.TempDir()
	certificateFor(t, dir, "auth.example.com")
	s, _, _ := serving(t, map[string]string{"DOORWARD_ISSUER": "https://auth.example.com", "DOORWARD_DATA": filepath.Join(dir, "data"), "DOORWARD_LISTEN": "127.0.0.1:0",
		"DOORWARD_OPS_LISTEN": "127.0.0.1:0", "DOORWARD_TLS_CERT": filepath.Join(dir, "cert.pem"), "DOORWARD_TLS_KEY": filepath.Join(dir, "key.pem")})
	found := false
	for _, f := range s.diagnose(t.Context()) {
		found = found || f.ID == "certificate" && f.State == "warning"
	}
	if !found {
		t.Error("an hour before the end the doctor says nothing")
	}
}
