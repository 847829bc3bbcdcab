package http_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// part reads one part of a JWT.
func part(t *testing.T, text string) (members map[string]any) {
	t.Helper()
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &members)
	}
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return members
}

func wantMembers(t *testing.T, got map[string]any, want ...string) {
	t.Helper()
	slices.Sort(want)
	if have := slices.Sorted(maps.Keys(got)); !slices.Equal(have, want) {
		t.Errorf("the members are %q, want %q", have, want)
	}
}

func TestAccessTokenIsLeanAndSigned(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		s.App("notes", "https://notes.example.com", "notes-api")
		b := s.SignInAt(ana, "https://notes.example.com")
		parts := strings.Split(b.Access, ".")
		if len(parts) != 3 {
			t.Fatalf("the token has %d parts", len(parts))
		}
		header, claims := part(t, parts[0]), part(t, parts[1])
		wantMembers(t, header, "alg", "kid", "typ")
		if header["typ"] != "at+jwt" || header["alg"] != "ES256" {
			t.Errorf("the header is %v", header)
		}
		// Lean: no name, no address, nothing of the person but their id.
		wantMembers(t, claims, "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "sid", "grant_id", "rev", "acr", "amr", "auth_time")
		iat, _ := claims["iat"].(float64)
		for name, want := range map[string]any{"iss": s.URL, "sub": ana.ID, "client_id": "notes", "scope": "account notes:read", "sid": b.Session,
			"acr": "urn:doorward:acr:1", "nbf": iat, "exp": iat + 300} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if aud, _ := claims["aud"].([]any); !slices.Equal(aud, []any{s.URL, "notes-api"}) {
			t.Errorf("aud is %v", claims["aud"])
		}
		if age := time.Since(time.Unix(int64(iat), 0)); age < -time.Second || age > time.Minute {
			t.Errorf("the token was issued %v ago", age)
		}
		if family := b.Cookies["doorward_refresh"]; strings.Contains(family, strings.TrimPrefix(claims["grant_id"].(string), "grant_")) {
			t.Error("the grant is the family inside the refresh token")
		}
		wantSignature(t, s, b.Access, header["kid"])
	})
}

// wantSignature verifies a token by the published keys and nothing of ours.
func wantSignature(t *testing.T, s *rig.Server, token string, kid any) {
	t.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	s.Browser().Do("GET", "/oauth/jwks", nil).Want(t, 200).Into(t, &set)
	signed, signature := token[:strings.LastIndexByte(token, '.')], token[strings.LastIndexByte(token, '.')+1:]
	for _, k := range set.Keys {
		if k["d"] != "" {
			t.Error("a private key is published")
		}
		if k["kid"] != kid {
			continue
		}
		if k["kty"] != "EC" || k["crv"] != "P-256" || k["alg"] != "ES256" || k["use"] != "sig" {
			t.Errorf("the key is %v", k)
		}
		number := func(text string) *big.Int {
			raw, err := base64.RawURLEncoding.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			return new(big.Int).SetBytes(raw)
		}
		public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(k["x"]), Y: number(k["y"])}
		raw, err := base64.RawURLEncoding.DecodeString(signature)
		if err != nil || len(raw) != 64 {
			t.Fatalf("the signature is %q", signature)
		}
		hash := sha256.Sum256([]byte(signed))
		if !ecdsa.Verify(public, hash[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])) {
			t.Error("the signature is not the key's")
		}
		return
	}
	t.Errorf("the key %v is not among those published: %v", kid, set.Keys)
}

func TestMetadataIsTrue(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.Browser()
		b.Origin = ""
		var first map[string]any
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
			a := b.Do("GET", path, nil).Want(t, 200)
			var m map[string]any
			a.Into(t, &m)
			if m["issuer"] != s.URL || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %v, headers %v", path, m, a.Header)
			}
			if first == nil {
				first = m
			}
			if len(m) != len(first) {
				t.Errorf("the two addresses say different things: %v and %v", first, m)
			}
		}
		addresses := 0
		for name, value := range first {
			at, ok := value.(string)
			if !ok || name == "issuer" || !strings.HasPrefix(at, "http") {
				continue
			}
			addresses++
			if !strings.HasPrefix(at, s.URL+"/") {
				t.Errorf("%s is elsewhere: %s", name, at)
				continue
			}
			// There is something: no address that is named is one that is not there.
			a := b.Do("GET", strings.TrimPrefix(at, s.URL), nil)
			if a.Status == http.StatusNotFound || a.Status >= 500 {
				t.Errorf("%s: %s answers %d", name, at, a.Status)
			}
		}
		if addresses < 3 {
			t.Errorf("only %d addresses are named: %v", addresses, first)
		}
	})
}

// Attacks OAU-08 and JWT-12.
func TestIntrospectionIsForTheTokensOwnAPI(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		s.App("notes", "https://notes.example.com", "notes-api")
		own, other := s.API("notes-server", "notes-api"), s.API("other-server", "other-api")
		b := s.SignInAt(s.User("ana"), "https://notes.example.com")
		claims := part(t, strings.Split(b.Access, ".")[1])
		ask := func(c rig.Client) (out map[string]any) {
			introspect(s, c, "token="+b.Access).Want(t, 200).Into(t, &out)
			return out
		}
		got := ask(own)
		for _, name := range []string{"iss", "sub", "exp", "iat", "jti", "client_id", "scope", "sid", "grant_id", "rev", "acr", "auth_time"} {
			if got[name] != claims[name] && !(name == "rev" && got[name] == nil && claims[name] == 0.0) {
				t.Errorf("%s is %v, in the token %v", name, got[name], claims[name])
			}
		}
		if got["active"] != true {
			t.Errorf("the token is %v", got)
		}
		wantMembers(t, ask(other), "active")
		b.Do("DELETE", "/session", nil).Want(t, 204)
		wantMembers(t, ask(own), "active")
		if a := introspect(s, rig.Client{ID: own.ID, Secret: "wrong-" + own.Secret[6:]}, "token=x"); a.Status != 401 || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("a wrong secret is answered %d with %v", a.Status, a.Header)
		}
	})
}

// introspect asks with a form as it is.
func introspect(s *rig.Server, c rig.Client, form string, headers ...string) rig.Answer {
	b := s.Browser()
	b.Origin = ""
	return b.Do("POST", "/oauth/introspect", form, append([]string{"Content-Type", "application/x-www-form-urlencoded", "Authorization", basic(c)}, headers...)...)
}

func basic(c rig.Client) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.ID+":"+c.Secret))
}
