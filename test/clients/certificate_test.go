package clients

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/doorward/doorward/internal/base/jose"
	doorward "github.com/doorward/doorward/sdk"
	"github.com/doorward/doorward/test/rig"
)

// certified makes a certificate that nobody but its key speaks for, and the JWK
// Set that says so.
func certified(t *testing.T) (tls.Certificate, jsontext.Value) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jose.NewKey("", jose.ES256, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.Set(public))
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, set
}

// A program with x/oauth2 shows a certificate instead of a secret, and an API
// with the Go SDK takes its token beside that certificate alone (FP-01, FP-02).
func TestGoOAuth2ShowsACertificate(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		s := rig.Start(t, engine, rig.Env("DOORWARD_MTLS_LISTEN="+address))
		mine, set := certified(t)
		other, _ := certified(t)
		s.Register(map[string]any{"client_id": "report", "client_name": "Report", "doorward_type": "machine", "token_endpoint_auth_method": "self_signed_tls_client_auth",
			"jwks": set, "scope": "orders:read", "doorward_resources": []string{"https://orders.example"}, "tls_client_certificate_bound_access_tokens": true})
		owner := s.API("orders", "https://orders.example")

		provider, err := oidc.NewProvider(oidc.ClientContext(t.Context(), s.Client()), s.URL)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Aliases struct {
				Token string `json:"token_endpoint"`
			} `json:"mtls_endpoint_aliases"`
		}
		if err := provider.Claims(&m); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(s.Data, "localhost.pem"))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text)
		speaking := func(certificates ...tls.Certificate) context.Context {
			c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates}}}
			return context.WithValue(t.Context(), oauth2.HTTPClient, c)
		}
		config := clientcredentials.Config{ClientID: "report", TokenURL: m.Aliases.Token, AuthStyle: oauth2.AuthStyleInParams}
		for _, with := range [][]tls.Certificate{nil, {other}} {
			if token, err := config.Token(speaking(with...)); err == nil {
				t.Errorf("a token for somebody else: %v", token)
			}
		}
		token, err := config.Token(speaking(mine))
		if err != nil {
			t.Fatal(err)
		}

		v, err := doorward.New(t.Context(), s.URL, doorward.Audience("https://orders.example"), doorward.Client(owner.ID, owner.Secret), doorward.HTTPClient(s.Client()), doorward.Logger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		api := httptest.NewUnstartedServer(v.Require(doorward.Scope("orders:read"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if who := doorward.From(r.Context()); who.Subject != "report" {
				t.Errorf("the API sees %+v", who)
			}
		})))
		api.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		api.StartTLS()
		defer api.Close()
		roots.AddCert(api.Certificate())
		for _, c := range []struct {
			with []tls.Certificate
			want int
		}{{[]tls.Certificate{mine}, http.StatusOK}, {[]tls.Certificate{other}, http.StatusUnauthorized}, {nil, http.StatusUnauthorized}} {
			res, err := oauth2.NewClient(speaking(c.with...), oauth2.StaticTokenSource(token)).Get(api.URL)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != c.want {
				t.Errorf("the API answers %d, want %d", res.StatusCode, c.want)
			}
		}
	})
}
