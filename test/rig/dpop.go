package rig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// A Holder is a client with a P-256 key of its own, which signs proofs of RFC
// 9449 by nothing of the product's.
type Holder struct {
	t          testing.TB
	private    *ecdsa.PrivateKey
	JWK        map[string]any
	Thumbprint string
	// Now is the client's clock.
	Now func() time.Time
}

// Holder makes one.
func (s *Server) Holder() *Holder {
	s.t.Helper()
	p, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	point, err := p.PublicKey.Bytes()
	if err != nil {
		s.t.Fatal(err)
	}
	x, y := b64(point[1:33]), b64(point[33:])
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	return &Holder{s.t, p, map[string]any{"kty": "EC", "crv": "P-256", "x": x, "y": y}, b64(sum[:]), time.Now}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Proof signs a proof for a request, and for the token beside it unless that is
// empty. Claims win over what it would say; a nil one is left out.
func (h *Holder) Proof(method, address, token string, claims map[string]any) string {
	h.t.Helper()
	all := map[string]any{"jti": rand.Text(), "htm": method, "htu": address, "iat": h.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		all["ath"] = b64(sum[:])
	}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			h.t.Fatal(err)
		}
		return b64(b)
	}
	input := part(map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": h.JWK}) + "." + part(all)
	digest := sha256.Sum256([]byte(input))
	r, v, err := ecdsa.Sign(rand.Reader, h.private, digest[:])
	if err != nil {
		h.t.Fatal(err)
	}
	return input + "." + b64(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

// DPoP asks with a bound access token and a fresh proof, as a program.
func (s *Server) DPoP(h *Holder, method, path, token string, claims map[string]any) Answer {
	s.t.Helper()
	b := s.Browser()
	b.Origin = ""
	bare, _, _ := strings.Cut(path, "?")
	return b.Do(method, path, nil, "Authorization", "DPoP "+token, "DPoP", h.Proof(method, s.URL+bare, token, claims))
}

// Token asks the token endpoint as a client, by HTTP Basic when it has a
// secret, with a DPoP proof unless that is empty.
func (s *Server) Token(c Client, proof string, form url.Values) Answer {
	s.t.Helper()
	headers := []string{"Content-Type", "application/x-www-form-urlencoded"}
	if c.Secret == "" {
		form = maps.Clone(form)
		form.Set("client_id", c.ID)
	} else {
		headers = append(headers, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ID)+":"+url.QueryEscape(c.Secret))))
	}
	if proof != "" {
		headers = append(headers, "DPoP", proof)
	}
	b := s.Browser()
	b.Origin = ""
	return b.Do("POST", "/oauth/token", form.Encode(), headers...)
}

// Introspect asks as a resource server what a token is.
func (s *Server) Introspect(c Client, token string) Answer {
	s.t.Helper()
	b := s.Browser()
	b.Origin = ""
	return b.Do("POST", "/oauth/introspect", url.Values{"token": {token}}.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ID)+":"+url.QueryEscape(c.Secret))))
}
