package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// TestEncryptedRequests is requests that an application signs, and encrypts to the
// server (RFC 9101 section 6.1; JW-03; attacks JWT-07, JWT-08, JWT-09 and JWT-23).
func TestEncryptedRequests(t *testing.T) {
	each(t, func(x *suite) {
		own := newPair(t, jose.ES256)
		register := func(more map[string]any) *app {
			m := map[string]any{"jwks": own.jwks(t)}
			for name, value := range more {
				m[name] = value
			}
			return x.app(m)
		}
		to := func(t *testing.T, alg string) jose.JSONWebKey {
			t.Helper()
			var keys jose.JSONWebKeySet
			x.s.Bearer(http.MethodGet, x.at("jwks_uri"), "").Want(t, http.StatusOK).Into(t, &keys)
			for _, k := range keys.Keys {
				if k.Use == "enc" && k.Algorithm == alg {
					return k
				}
			}
			t.Fatalf("no key of %d is for %s", len(keys.Keys), alg)
			return jose.JSONWebKey{}
		}
		seal := func(t *testing.T, key jose.JSONWebKey, alg jose.KeyAlgorithm, enc jose.ContentEncryption, zip jose.CompressionAlgorithm, inner string) string {
			t.Helper()
			e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: alg, Key: key.Key, KeyID: key.KeyID}, (&jose.EncrypterOptions{Compression: zip}).WithContentType("JWT"))
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := e.Encrypt([]byte(inner))
			if err != nil {
				t.Fatal(err)
			}
			text, err := sealed.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		sent := func(a *app, object string) url.Values { return url.Values{"client_id": {a.ID}, "request": {object}} }
		for _, c := range []struct{ alg, enc string }{{"ECDH-ES", "A128CBC-HS256"}, {"RSA-OAEP-256", "A256GCM"}} {
			x.module(c.alg, func(t *testing.T) {
				a := register(map[string]any{"request_object_encryption_alg": c.alg})
				q := a.request()
				object := seal(t, to(t, c.alg), jose.KeyAlgorithm(c.alg), jose.ContentEncryption(c.enc), jose.NONE, a.object(t, own, q, nil))
				l := a.authorize(x.visitor, sent(a, object))
				if code := a.back(t, l, q).Get("code"); code == "" {
					t.Fatalf("no code: %v", l.Values())
				} else if token, _ := a.identity(t, a.redeem(t, code).ID); token.Nonce != q.Get("nonce") {
					t.Errorf("the nonce is %q", token.Nonce)
				}
			})
		}
		x.module("refused", func(t *testing.T) {
			a, other := register(map[string]any{"request_object_encryption_alg": "ECDH-ES", "request_object_encryption_enc": "A256GCM"}), register(nil)
			q := a.request()
			key, rsa := to(t, "ECDH-ES"), to(t, "RSA-OAEP-256")
			signed := a.object(t, own, q, nil)
			good := seal(t, key, "ECDH-ES", "A256GCM", jose.NONE, signed)
			if a.back(t, a.authorize(x.visitor, sent(a, good)), q).Get("code") == "" {
				t.Fatal("the good one is refused")
			}
			parts := strings.Split(good, ".")
			for name, object := range map[string]string{
				"by another algorithm":       seal(t, rsa, "RSA-OAEP-256", "A256GCM", jose.NONE, signed),
				"by another content":         seal(t, key, "ECDH-ES", "A128GCM", jose.NONE, signed),
				"with its key wrapped":       seal(t, key, "ECDH-ES+A128KW", "A256GCM", jose.NONE, signed),
				"JWT-08 compressed":          seal(t, key, "ECDH-ES", "A256GCM", jose.DEFLATE, signed),
				"not signed":                 seal(t, key, "ECDH-ES", "A256GCM", jose.NONE, `{"client_id":"`+a.ID+`"}`),
				"signed by somebody":         seal(t, key, "ECDH-ES", "A256GCM", jose.NONE, a.object(t, newPair(t, jose.ES256), q, nil)),
				"encrypted twice":            seal(t, key, "ECDH-ES", "A256GCM", jose.NONE, good),
				"JWT-09 without its text":    strings.Join([]string{parts[0], parts[1], parts[2], "", parts[4]}, "."),
				"JWT-09 with another tag":    strings.Join([]string{parts[0], parts[1], parts[2], parts[3], "AAAAAAAAAAAAAAAAAAAAAA"}, "."),
				"JWT-09 nothing but dots":    "....",
				"JWT-07 of a password":       "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJlbmMiOiJBMTI4R0NNIiwicDJjIjoyMDAwMDAwMDAwLCJwMnMiOiJBQUFBIn0.AAAA." + strings.Join(parts[2:], "."),
				"JWT-23 without its own key": "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSJ9.." + strings.Join(parts[2:], "."),
			} {
				if l := a.authorize(x.visitor, sent(a, object)); l.URL != nil && l.Values().Has("code") || l.Page.Status >= 500 {
					t.Errorf("%s: ended at %v (%d)", name, l.URL, l.Page.Status)
				}
			}
			if l := other.authorize(x.visitor, sent(other, seal(t, key, "ECDH-ES", "A256GCM", jose.NONE, other.object(t, own, other.request(), nil)))); l.URL != nil && l.Values().Has("code") {
				t.Error("an application that did not register for it was heard")
			}
		})
	})
}
