package http_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/test/rig"
)

// published reads the server's keys as another's library reads them.
func published(t *testing.T, s *rig.Server) (set jose.JSONWebKeySet) {
	t.Helper()
	s.Browser().Do("GET", "/oauth/jwks", nil).Want(t, 200).Into(t, &set)
	return set
}

// wantJWT verifies a token by the published keys with another's library: its
// algorithm and type, and what it says.
func wantJWT(t *testing.T, s *rig.Server, text, alg, typ string) (claims map[string]any) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatalf("%v: %.80s", err, text)
	}
	h := jws.Signatures[0].Protected
	keys := slices.DeleteFunc(published(t, s).Keys, func(k jose.JSONWebKey) bool { return k.KeyID != h.KeyID })
	if len(keys) != 1 || keys[0].Algorithm != alg || keys[0].Use != "sig" || !keys[0].IsPublic() {
		t.Fatalf("the keys of %q are %+v", h.KeyID, keys)
	}
	raw, err := jws.Verify(keys[0])
	if err != nil || h.ExtraHeaders["typ"] != typ {
		t.Fatalf("%v, of the type %v", err, h.ExtraHeaders["typ"])
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// A reader is a key by which an application is written to.
type reader struct{ *ecdsa.PrivateKey }

func newReader(t *testing.T) reader {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return reader{k}
}

// jwks is what an application registers of it, beside a key for signatures that
// is not to be written to.
func (r reader) jwks(t *testing.T) jsontext.Value {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: newReader(t).Public(), KeyID: "signs", Use: "sig", Algorithm: "ES256"},
		{Key: r.Public(), KeyID: "reads", Use: "enc"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// open gives the token inside an encrypted one.
func (r reader) open(t *testing.T, text, alg, enc string) string {
	t.Helper()
	jwe, err := jose.ParseEncryptedCompact(text, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
	if err != nil {
		t.Fatalf("%v: %.80s", err, text)
	}
	if h := jwe.Header; h.KeyID != "reads" || h.ExtraHeaders["cty"] != "JWT" || h.ExtraHeaders["zip"] != nil {
		t.Errorf("the header is %+v", h)
	}
	plain, err := jwe.Decrypt(r.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// RFC 9701: an answer about a token that can be kept as evidence, by the
// algorithm that the API registered for, encrypted where it asked for that. JW-03,
// JW-11 and JW-12: it is no access token, and both of its layers hold.
func TestIntrospectionIsSignedWhereAskedFor(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		const media = "application/token-introspection+jwt"
		s := rig.Start(t, engine)
		s.App("notes", "https://notes.example.com", "notes-api")
		key := newReader(t)
		api := func(id string, more map[string]any) rig.Client {
			m := map[string]any{"client_id": id, "client_name": id, "doorward_type": "machine", "doorward_resources": []string{"notes-api"}, "scope": "revocations:read"}
			for k, v := range more {
				m[k] = v
			}
			return s.Register(m)
		}
		plain := api("plain", nil)
		rs := api("rs", map[string]any{"introspection_signed_response_alg": "RS256"})
		sealed := api("sealed", map[string]any{"introspection_signed_response_alg": "EdDSA", "introspection_encrypted_response_alg": "ECDH-ES+A256KW", "introspection_encrypted_response_enc": "A256GCM", "jwks": key.jwks(t)})
		b := s.SignInAt(s.User("ana"), "https://notes.example.com")
		ask := func(c rig.Client, token, accept string) string {
			a := introspect(s, c, "token="+token, "Accept", accept).Want(t, 200)
			if a.Header.Get("Content-Type") != media || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", c.ID, a.Header)
			}
			return string(a.Body)
		}
		for _, c := range []struct {
			client rig.Client
			alg    string
		}{{plain, "ES256"}, {rs, "RS256"}, {sealed, "EdDSA"}} {
			for token, active := range map[string]bool{b.Access: true, "nothing": false} {
				text := ask(c.client, token, "application/json;q=0.5, "+media)
				if c.client.ID == "sealed" {
					text = key.open(t, text, "ECDH-ES+A256KW", "A256GCM")
				}
				claims := wantJWT(t, s, text, c.alg, "token-introspection+jwt")
				wantMembers(t, claims, "iss", "aud", "iat", "token_introspection")
				said, _ := claims["token_introspection"].(map[string]any)
				if claims["iss"] != s.URL || claims["aud"] != c.client.ID || said["active"] != active || active && said["client_id"] != "notes" || !active && len(said) != 1 {
					t.Errorf("%s: %v", c.client.ID, claims)
				}
				// JWT-16: it is no access token of ours.
				a := s.Browser()
				if a.Access = text; a.Do("GET", "/session", nil).Status != 401 {
					t.Error("an answer about a token was taken for one")
				}
			}
		}
		for _, accept := range []string{"application/json", "*/*", "application/*", "", media + ";q=0", "text/" + media, strings.ToUpper("x") + media} {
			if a := introspect(s, rs, "token="+b.Access, "Accept", accept).Want(t, 200); a.Header.Get("Content-Type") != "application/json" {
				t.Errorf("Accept %q is answered with %s", accept, a.Header.Get("Content-Type"))
			}
		}
		if a := introspect(s, rig.Client{ID: rs.ID, Secret: "wrong-" + rs.Secret[6:]}, "token=x", "Accept", media); a.Status != 401 || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("a stranger is answered %d, %s", a.Status, a.Header.Get("Content-Type"))
		}
		var m struct {
			Algs []string `json:"introspection_signing_alg_values_supported"`
		}
		s.Browser().Do("GET", "/.well-known/oauth-authorization-server", nil).Want(t, 200).Into(t, &m)
		if !slices.Equal(m.Algs, []string{"ES256", "EdDSA", "RS256", "RS512", "PS256"}) {
			t.Errorf("the metadata says %v", m.Algs)
		}
	})
}

// A secret that one service shares, through the command line: its tokens are for
// that service, which is told about them, and no endpoint of the server's takes
// one. JW-05 and attack JWT-02.
func TestASecretIsShared(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		machine := func(id, scope string) rig.Client {
			return s.Register(map[string]any{"client_id": id, "client_name": id, "doorward_type": "machine", "doorward_resources": []string{"reports-api"}, "scope": scope})
		}
		app, service := machine("reports-app", "reports:read revocations:read"), machine("reports-api", "revocations:read")
		var made struct{ KID, Alg, Secret string }
		r := s.CLI("", "clients", "share", app.ID, "--alg", "HS384", "--json")
		if err := json.Unmarshal([]byte(r.Stdout), &made, json.MatchCaseInsensitiveNames(true)); r.Code != 0 || err != nil || made.Alg != "HS384" {
			t.Fatalf("%d %s %s", r.Code, r.Stdout, r.Stderr)
		}
		secret, err := base64.RawURLEncoding.DecodeString(made.Secret)
		if err != nil || len(secret) != 48 {
			t.Fatalf("a secret of %d bytes, %v", len(secret), err)
		}
		grant := func() string {
			b := s.Browser()
			b.Origin = ""
			var out struct {
				Access string `json:"access_token"`
			}
			b.Do("POST", "/oauth/token", "grant_type=client_credentials", "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic(app)).Want(t, 200).Into(t, &out)
			return out.Access
		}
		text := grant()
		jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.HS384})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := jws.Verify(secret)
		var claims struct {
			Audience []string `json:"aud"`
		}
		if err == nil {
			err = json.Unmarshal(raw, &claims)
		}
		if err != nil || !slices.Equal(claims.Audience, []string{"reports-api"}) || jws.Signatures[0].Header.KeyID != made.KID {
			t.Errorf("%v: %s", err, raw)
		}
		for _, path := range []string{"/session", "/oauth/userinfo", "/revocations"} {
			if a := s.Bearer("GET", path, text); a.Status != 401 {
				t.Errorf("%s took it: %d", path, a.Status)
			}
		}
		active := func(token string) any {
			var out map[string]any
			introspect(s, service, "token="+token).Want(t, 200).Into(t, &out)
			return out["active"]
		}
		if active(text) != true {
			t.Error("its service is told nothing")
		}
		if list := s.CLI("", "clients", "list", "--json").Stdout; strings.Contains(list, made.Secret) || !strings.Contains(list, "HS384") {
			t.Errorf("the list says %s", list)
		}
		if r := s.CLI("", "clients", "unshare", app.ID); r.Code != 0 || active(text) != false {
			t.Errorf("unshared: %d %s, %v", r.Code, r.Stderr, active(text))
		}
		wantJWT(t, s, grant(), "ES256", "at+jwt")
	})
}
