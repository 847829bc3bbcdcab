package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/doorward/doorward/test/rig"
)

// A letterbox is a key that an application is written to by.
type letterbox struct {
	private any
	jwks    any
}

func newLetterbox(t *testing.T, kind string) letterbox {
	t.Helper()
	var out letterbox
	var public any
	if kind == "RSA" {
		k, err := rsa.GenerateKey(nil, 2048)
		if err != nil {
			t.Fatal(err)
		}
		out.private, public = k, k.Public()
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), nil)
		if err != nil {
			t.Fatal(err)
		}
		out.private, public = k, k.Public()
	}
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "box", Use: "enc"}}})
	if err == nil {
		err = json.Unmarshal(text, &out.jwks)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// open gives the token inside an encrypted one.
func (l letterbox) open(t *testing.T, text, alg, enc string) string {
	t.Helper()
	jwe, err := jose.ParseEncryptedCompact(text, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
	if err != nil {
		t.Fatalf("%v: %.60s", err, text)
	}
	plain, err := jwe.Decrypt(l.private)
	if err != nil || jwe.Header.KeyID != "box" || jwe.Header.ExtraHeaders["cty"] != "JWT" {
		t.Fatalf("%v, %+v", err, jwe.Header)
	}
	return string(plain)
}

// claims verifies a token by the published keys.
func (x *suite) claims(t *testing.T, text, alg string) map[string]any {
	t.Helper()
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatalf("%v: %.60s", err, text)
	}
	var keys jose.JSONWebKeySet
	x.s.Bearer(http.MethodGet, x.at("jwks_uri"), "").Want(t, http.StatusOK).Into(t, &keys)
	raw, err := signed.Verify(&keys)
	out := map[string]any{}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// told asks userinfo by both methods, and returns the JWT that both gave.
func (x *suite) told(t *testing.T, access string) string {
	t.Helper()
	var text string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		a := x.s.Bearer(method, x.at("userinfo_endpoint"), access).Want(t, http.StatusOK)
		if a.Header.Get("Content-Type") != "application/jwt" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("userinfo came with %v", a.Header)
		}
		text = string(a.Body)
	}
	return text
}

// ID tokens and userinfo by each algorithm that an application may ask for, and
// encrypted to its key: what others' libraries verify and open. Checks OI-05,
// OI-07, OI-08, OI-15 and OI-19, JW-03, JW-12 and JW-17.
func TestAnswersAsTheApplicationAsks(t *testing.T) {
	each(t, func(x *suite) {
		for _, alg := range []string{"RS256", "RS512", "PS256", "ES256", "EdDSA"} {
			x.module(alg, func(t *testing.T) {
				a := x.app(map[string]any{"id_token_signed_response_alg": alg, "userinfo_signed_response_alg": alg, "doorward_access_token_signed_response_alg": alg})
				got, q := a.tokens(t, x.visitor, "scope", "openid email offline_access")
				token, err := x.op.Verifier(&oidc.Config{ClientID: a.ID, SupportedSigningAlgs: []string{alg}}).Verify(x.context(), got.ID)
				if err != nil {
					t.Fatal(err)
				}
				if token.AccessTokenHash == "" || token.VerifyAccessToken(got.Access) != nil || token.Nonce != q.Get("nonce") {
					t.Errorf("at_hash %q, nonce %q", token.AccessTokenHash, token.Nonce)
				}
				if c := x.claims(t, got.Access, alg); c["sub"] != token.Subject {
					t.Errorf("the access token says %v", c)
				}
				who := x.claims(t, x.told(t, got.Access), alg)
				if who["sub"] != token.Subject || who["iss"] != x.s.URL || who["aud"] != a.ID || who["email"] != x.ana.Email {
					t.Errorf("userinfo says %v", who)
				}
				// JWT-16: neither is taken for the other.
				if _, err := x.op.Verifier(&oidc.Config{ClientID: a.ID, SupportedSigningAlgs: []string{alg}}).Verify(x.context(), x.told(t, got.Access)); err == nil {
					t.Error("userinfo was taken for an ID token")
				}
				if answer := x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.ID); answer.Status != http.StatusUnauthorized || !strings.Contains(answer.Header.Get("WWW-Authenticate"), "invalid_token") {
					t.Errorf("an ID token as an access token was answered %d, %v", answer.Status, answer.Header)
				}
				var again tokens
				a.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", got.Refresh).Want(t, http.StatusOK).Into(t, &again)
				later, err := x.op.Verifier(&oidc.Config{ClientID: a.ID, SupportedSigningAlgs: []string{alg}}).Verify(x.context(), again.ID)
				if err != nil {
					t.Fatal(err)
				}
				var first, second map[string]any
				if err := token.Claims(&first); err != nil {
					t.Fatal(err)
				}
				if err := later.Claims(&second); err != nil {
					t.Fatal(err)
				}
				if later.Subject != token.Subject || later.Issuer != token.Issuer || !slices.Equal(later.Audience, token.Audience) || second["auth_time"] != first["auth_time"] ||
					second["sid"] != first["sid"] || later.IssuedAt.Before(token.IssuedAt) || later.VerifyAccessToken(again.Access) != nil || second["nonce"] != nil {
					t.Errorf("after a refresh the ID token says %v, not %v", second, first)
				}
			})
		}
		for _, c := range []struct{ kind, alg, enc string }{
			{"RSA", "RSA-OAEP-256", "A256GCM"}, {"EC", "ECDH-ES", "A128CBC-HS256"}, {"EC", "ECDH-ES+A128KW", "A128GCM"}, {"EC", "ECDH-ES+A256KW", "A256CBC-HS512"},
		} {
			x.module(c.alg, func(t *testing.T) {
				box := newLetterbox(t, c.kind)
				metadata := map[string]any{"id_token_encrypted_response_alg": c.alg, "userinfo_signed_response_alg": "EdDSA", "userinfo_encrypted_response_alg": c.alg, "jwks": box.jwks}
				if c.enc != "A128CBC-HS256" { // what is meant when nothing is said
					metadata["id_token_encrypted_response_enc"], metadata["userinfo_encrypted_response_enc"] = c.enc, c.enc
				}
				a := x.app(metadata)
				got, _ := a.tokens(t, x.visitor)
				token, _ := a.identity(t, box.open(t, got.ID, c.alg, c.enc))
				who := x.claims(t, box.open(t, x.told(t, got.Access), c.alg, c.enc), "EdDSA")
				if who["sub"] != token.Subject || who["aud"] != a.ID {
					t.Errorf("userinfo says %v", who)
				}
			})
		}
		x.module("claims by name", func(t *testing.T) {
			a := x.app(nil)
			claims := func(more ...string) (id, who map[string]any, got tokens) {
				got, _ = a.tokens(t, x.visitor, append([]string{"scope", "openid offline_access"}, more...)...)
				_, id = a.identity(t, got.ID)
				return id, x.userinfo(t, got.Access), got
			}
			if id, who, _ := claims(); id["email"] != nil || who["email"] != nil {
				t.Errorf("without asking: %v, %v", id, who)
			}
			id, who, got := claims("claims", `{"id_token":{"email":{"essential":true},"email_verified":null,"iss":{"value":"nobody"},"admin":null},"userinfo":{"email":null}}`)
			// OI-19: the address is as verified as it is.
			for where, told := range map[string]map[string]any{"ID token": id, "userinfo": who} {
				if told["email"] != x.ana.Email || told["email_verified"] != false || told["name"] != nil || told["admin"] != nil {
					t.Errorf("the %s says %v", where, told)
				}
			}
			if id["iss"] != x.s.URL {
				t.Errorf("the issuer is %v", id["iss"])
			}
			var again tokens
			a.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", got.Refresh).Want(t, http.StatusOK).Into(t, &again)
			if _, id := a.identity(t, again.ID); id["email"] != x.ana.Email {
				t.Errorf("after a refresh the ID token says %v", id)
			}
			a.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", again.Refresh, "scope", "openid").Want(t, http.StatusOK).Into(t, &again)
			if _, id := a.identity(t, again.ID); id["email"] != nil {
				t.Errorf("without the scope the ID token says %v", id)
			}
			// In an ID token alone: what is not asked for there stays out of it.
			if id, who, _ := claims("scope", "openid email", "claims", `{"userinfo":{"email":null}}`); id["email"] != nil || who["email"] != x.ana.Email {
				t.Errorf("for userinfo alone: %v, %v", id, who)
			}
			if r := x.s.CLI("", "users", "edit", x.ana.Email, "--verified"); r.Code != 0 {
				t.Fatal(r.Stderr)
			}
			if id, _, _ := claims("claims", `{"id_token":{"email_verified":null}}`); id["email_verified"] != true || id["email"] != nil {
				t.Errorf("verified since: %v", id)
			}
		})
		x.module("errors", func(t *testing.T) {
			a := x.app(map[string]any{"userinfo_signed_response_alg": "RS256"})
			got, _ := a.tokens(t, x.visitor)
			without := x.s.Browser()
			without.Origin = ""
			for _, answer := range []rig.Answer{
				without.Do(http.MethodGet, x.at("userinfo_endpoint"), nil), x.s.Bearer(http.MethodPost, x.at("userinfo_endpoint"), "nothing"),
				x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.ID), x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.Refresh),
			} {
				if answer.Status != http.StatusUnauthorized || !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Bearer") || answer.Header.Get("Content-Type") != "application/json" {
					t.Errorf("answered %d, %v", answer.Status, answer.Header)
				}
			}
			for _, bad := range []map[string]any{
				{"id_token_signed_response_alg": "none"}, {"id_token_signed_response_alg": "HS256"}, {"id_token_encrypted_response_alg": "RSA1_5"},
				{"id_token_encrypted_response_alg": "ECDH-ES"}, {"userinfo_signed_response_alg": "none"},
			} {
				text, err := json.Marshal(bad)
				if err != nil {
					t.Fatal(err)
				}
				metadata := `{"client_name":"Notes","redirect_uris":["` + callback + `"],` + string(text[1:])
				if r := x.s.CLI(metadata, "clients", "create", "--metadata", "-", "--json"); r.Code == 0 || !strings.Contains(r.Stdout+r.Stderr, "client.metadata") {
					t.Errorf("%s was registered: %s %s", text, r.Stdout, r.Stderr)
				}
			}
		})
	})
}
