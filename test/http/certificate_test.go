package http_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/test/rig"
)

// A shower is a program with a certificate.
type shower struct {
	tls.Certificate
	thumb string // x5t#S256
	set   jsonValue
}

type jsonValue = map[string]any

// newShower makes a certificate, signed by an authority or, without one, by
// its own key.
func newShower(t *testing.T, by *shower, c x509.Certificate) *shower {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	c.NotBefore, c.NotAfter, c.BasicConstraintsValid = time.Now().Add(-time.Hour), time.Now().Add(time.Hour), true
	parent, signer := &c, key
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey.(*ecdsa.PrivateKey)
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jose.NewKey("", jose.ES256, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(jose.Set(public))
	if err != nil {
		t.Fatal(err)
	}
	s := &shower{Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
	if err := json.Unmarshal(raw, &s.set); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	s.thumb = base64.RawURLEncoding.EncodeToString(sum[:])
	return s
}

// An answered is what came back.
type answered struct {
	status int
	header http.Header
	body   map[string]any
}

// showing speaks to the listener for certificates, showing one or none.
func showing(t *testing.T, data string, with *shower) *http.Client {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "localhost.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AppendCertsFromPEM(text)
	if with != nil {
		c.Certificates = []tls.Certificate{with.Certificate}
	}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
}

func asks(t *testing.T, c *http.Client, method, address string, form url.Values, headers ...string) (a answered) {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(raw, &a.body)
	a.status, a.header = res.StatusCode, res.Header
	return a
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// AS-26, FP-01: applications that prove themselves by certificates, through the
// listener that asks for them.
func TestApplicationsShowCertificates(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		ca := newShower(t, nil, x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true})
		authorities := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(authorities, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Leaf.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		s := rig.Start(t, engine, rig.Env("DOORWARD_MTLS_LISTEN="+freeAddress(t), "DOORWARD_MTLS_CA="+authorities))
		batch := newShower(t, ca, x509.Certificate{Subject: pkix.Name{CommonName: "batch", Organization: []string{"Example"}}})
		stranger := newShower(t, ca, x509.Certificate{Subject: pkix.Name{CommonName: "stranger", Organization: []string{"Example"}}})
		own, other := newShower(t, nil, x509.Certificate{}), newShower(t, nil, x509.Certificate{})
		s.Register(map[string]any{"client_id": "batch", "client_name": "Batch", "doorward_type": "machine", "token_endpoint_auth_method": "tls_client_auth",
			"tls_client_auth_subject_dn": "CN=batch,O=Example", "scope": "batch:run", "doorward_resources": []string{"batch-api"}})
		s.Register(map[string]any{"client_id": "own", "client_name": "Own", "doorward_type": "machine", "token_endpoint_auth_method": "self_signed_tls_client_auth",
			"jwks": own.set, "scope": "own:run", "doorward_resources": []string{"own-api"}})

		var m struct {
			Methods []string          `json:"token_endpoint_auth_methods_supported"`
			Bound   bool              `json:"tls_client_certificate_bound_access_tokens"`
			Aliases map[string]string `json:"mtls_endpoint_aliases"`
		}
		s.Browser().Do(http.MethodGet, "/.well-known/oauth-authorization-server", "").Want(t, http.StatusOK).Into(t, &m)
		if !strings.Contains(fmt.Sprint(m.Methods), "self_signed_tls_client_auth tls_client_auth") || !m.Bound || m.Aliases["token_endpoint"] == "" {
			t.Fatalf("metadata %+v", m)
		}
		grant := func(id string) url.Values { return url.Values{"grant_type": {"client_credentials"}, "client_id": {id}} }
		for _, c := range []struct {
			name, id string
			with     *shower
			says     string
		}{
			{"by its authority", "batch", batch, ""},
			{"by its own key", "own", own, ""},
			{"another of the same authority", "batch", stranger, "the name in the certificate"},
			{"nobody's", "batch", other, "who signed the certificate, its times or its use"},
			{"another key", "own", other, "the key of the certificate"},
			{"none", "batch", nil, "no certificate was shown"},
		} {
			a := asks(t, showing(t, s.Data, c.with), http.MethodPost, m.Aliases["token_endpoint"], grant(c.id))
			if c.says == "" && (a.status != http.StatusOK || a.body["token_type"] != "Bearer") {
				t.Errorf("%s: %d %v", c.name, a.status, a.body)
			}
			if c.says != "" && (a.status != http.StatusUnauthorized || a.body["error"] != "invalid_client" || a.body["check"] != "client.authentic" || !strings.Contains(fmt.Sprint(a.body["error_description"]), c.says)) {
				t.Errorf("%s: %d %v", c.name, a.status, a.body)
			}
		}
		// At the listener of people nobody is asked for a certificate, and none in
		// a header is believed (AS-37).
		a := asks(t, s.Client(), http.MethodPost, s.URL+"/oauth/token", grant("own"), "Client-Cert", ":"+base64.StdEncoding.EncodeToString(own.Leaf.Raw)+":")
		if a.status != http.StatusUnauthorized {
			t.Errorf("a header of nobody's: %d %v", a.status, a.body)
		}
	})
}

// AS-37: behind a proxy that ends TLS, a certificate in the header counts from
// that proxy alone.
func TestCertificatesThroughAProxy(t *testing.T) {
	own := newShower(t, nil, x509.Certificate{})
	header := ":" + base64.StdEncoding.EncodeToString(own.Leaf.Raw) + ":"
	for proxies, want := range map[string]int{"127.0.0.1/32": http.StatusOK, "10.0.0.0/8": http.StatusUnauthorized} {
		s := rig.Start(t, rig.SQLite, rig.Issuer("https://auth.example.com"), rig.Env("DOORWARD_MTLS_HEADER=Client-Cert", "DOORWARD_MTLS_URL=https://mtls.example.com", "DOORWARD_TRUSTED_PROXIES="+proxies))
		s.Register(map[string]any{"client_id": "own", "client_name": "Own", "doorward_type": "machine", "token_endpoint_auth_method": "self_signed_tls_client_auth",
			"jwks": own.set, "scope": "own:run", "doorward_resources": []string{"own-api"}})
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"own"}}
		for _, at := range []string{"https://auth.example.com", "https://mtls.example.com"} {
			if a := asks(t, s.Client(), http.MethodPost, at+"/oauth/token", form, "Client-Cert", header); a.status != want {
				t.Errorf("proxies %s, at %s: %d %v", proxies, at, a.status, a.body)
			}
		}
		if a := asks(t, s.Client(), http.MethodPost, "https://auth.example.com/oauth/token", form, "Client-Cert", header, "Client-Cert", header); want == http.StatusOK && (a.status != http.StatusBadRequest || a.body["check"] != "request.certificate") {
			t.Errorf("two certificates: %d %v", a.status, a.body)
		}
		if a := asks(t, s.Client(), http.MethodGet, "https://mtls.example.com/sign-in", nil); a.status != http.StatusNotFound {
			t.Errorf("a page where certificates are shown: %d", a.status)
		}
	}
}

// FP-02: a stolen token that is bound to a certificate, at each
// listener.
func TestTokensBoundToACertificate(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		address := freeAddress(t)
		s := rig.Start(t, engine, rig.Env("DOORWARD_MTLS_LISTEN="+address))
		own, other := newShower(t, nil, x509.Certificate{}), newShower(t, nil, x509.Certificate{})
		s.Register(map[string]any{"client_id": "own", "client_name": "Own", "doorward_type": "machine", "token_endpoint_auth_method": "self_signed_tls_client_auth",
			"jwks": own.set, "scope": "revocations:read", "doorward_resources": []string{"own-api"}, "tls_client_certificate_bound_access_tokens": true})
		_, port, _ := net.SplitHostPort(address)
		at := "https://localhost:" + port
		got := asks(t, showing(t, s.Data, own), http.MethodPost, at+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"own"}})
		access, _ := got.body["access_token"].(string)
		if got.status != http.StatusOK || got.body["token_type"] != "Bearer" || access == "" {
			t.Fatalf("%d %v", got.status, got.body)
		}
		in := asks(t, showing(t, s.Data, own), http.MethodPost, at+"/oauth/introspect", url.Values{"client_id": {"own"}, "token": {access}})
		if cnf, _ := in.body["cnf"].(map[string]any); in.body["active"] != true || cnf["x5t#S256"] != own.thumb {
			t.Errorf("introspected as %v", in.body)
		}
		for name, c := range map[string]struct {
			client *http.Client
			at     string
			want   int
		}{
			"its certificate":       {showing(t, s.Data, own), at, http.StatusOK},
			"another's certificate": {showing(t, s.Data, other), at, http.StatusUnauthorized},
			"none":                  {showing(t, s.Data, nil), at, http.StatusUnauthorized},
			"at the other listener": {s.Client(), s.URL, http.StatusUnauthorized},
		} {
			for _, path := range []string{"/revocations?after=0", "/oauth/userinfo", "/api/v1/users"} {
				a := asks(t, c.client, http.MethodGet, c.at+path, nil, "Authorization", "Bearer "+access)
				refused := a.body["check"] == "token.certificate"
				if refused != (c.want == http.StatusUnauthorized) || path == "/revocations?after=0" && a.status != c.want {
					t.Errorf("%s, %s: %d %v", name, path, a.status, a.body)
				}
				if refused && (a.status != http.StatusUnauthorized || !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_token"`)) {
					t.Errorf("%s, %s: %d, challenge %q", name, path, a.status, a.header.Get("WWW-Authenticate"))
				}
			}
		}
	})
}

// The metadata speak of certificates exactly where they can be shown.
func TestMetadataSayWhereCertificatesAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		with    []string
		methods bool
		aliases string
	}{
		"nowhere":          {nil, false, ""},
		"to a proxy":       {[]string{"DOORWARD_MTLS_HEADER=Client-Cert", "DOORWARD_TRUSTED_PROXIES=10.0.0.0/8"}, true, ""},
		"at a proxy's URL": {[]string{"DOORWARD_MTLS_HEADER=Client-Cert", "DOORWARD_TRUSTED_PROXIES=10.0.0.0/8", "DOORWARD_MTLS_URL=https://mtls.example.com"}, true, "https://mtls.example.com/"},
	} {
		s := rig.Start(t, rig.SQLite, rig.Issuer("https://auth.example.com"), rig.Env(c.with...))
		m := asks(t, s.Client(), http.MethodGet, "https://auth.example.com/.well-known/openid-configuration", nil).body
		methods := fmt.Sprint(m["token_endpoint_auth_methods_supported"])
		aliases, _ := m["mtls_endpoint_aliases"].(map[string]any)
		// Nobody may sign certificates here, so tls_client_auth proves nothing.
		if strings.Contains(methods, "self_signed_tls_client_auth") != c.methods || strings.Contains(methods, " tls_client_auth") || (m["tls_client_certificate_bound_access_tokens"] == true) != c.methods {
			t.Errorf("%s: %v", name, m)
		}
		if (len(aliases) > 0) != (c.aliases != "") {
			t.Errorf("%s: aliases %v", name, aliases)
		}
		for endpoint, at := range aliases {
			if plain, _ := m[endpoint].(string); strings.TrimPrefix(at.(string), c.aliases) != strings.TrimPrefix(plain, "https://auth.example.com/") {
				t.Errorf("%s: %s is at %v, and without certificates at %s", name, endpoint, at, plain)
			}
		}
	}
}

// An assertion may mean the endpoint by the name that it has where certificates
// are shown, and by that name it is none for the other.
func TestAnAssertionForTheEndpointOfCertificates(t *testing.T) {
	address := freeAddress(t)
	s := rig.Start(t, rig.SQLite, rig.Env("DOORWARD_MTLS_LISTEN="+address))
	k, set := keyed(t)
	own := newShower(t, nil, x509.Certificate{})
	s.Register(map[string]any{"client_id": "robot", "client_name": "Robot", "doorward_type": "machine", "token_endpoint_auth_method": "private_key_jwt",
		"jwks": set, "scope": "robots:move", "doorward_resources": []string{"robot-api"}, "tls_client_certificate_bound_access_tokens": true})
	_, port, _ := net.SplitHostPort(address)
	at := "https://localhost:" + port
	send := func(c *http.Client, to, aud string) answered {
		now := time.Now().Unix()
		return asks(t, c, http.MethodPost, to+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {jwtBearer},
			"client_assertion": {signJWT(t, k, map[string]any{"iss": "robot", "sub": "robot", "aud": aud, "jti": fmt.Sprint(time.Now().UnixNano()), "iat": now, "exp": now + 60})}})
	}
	for aud, want := range map[string]int{s.URL: 200, at + "/oauth/token": 200, s.URL + "/oauth/token": 200, at: 401, "https://localhost:1/oauth/token": 401} {
		if a := send(showing(t, s.Data, own), at, aud); a.status != want {
			t.Errorf("for %s: %d %v", aud, a.status, a.body)
		}
	}
	if a := send(s.Client(), s.URL, at+"/oauth/token"); a.status != http.StatusUnauthorized || !strings.Contains(fmt.Sprint(a.body["error_description"]), "aud") {
		t.Errorf("at the other listener: %d %v", a.status, a.body)
	}
}
