package http_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// A forger has the published keys, a key of their own, and a good token to
// change.
type forger struct {
	t       *testing.T
	own     *ecdsa.PrivateKey
	public  *ecdsa.PublicKey
	jwk     map[string]string
	kid     string
	payload string // of the good token, encoded
	good    string
}

func newForger(t *testing.T, s *rig.Server, good string) *forger {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	s.Browser().Do("GET", "/oauth/jwks", nil).Want(t, 200).Into(t, &set)
	number := func(text string) *big.Int {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(raw)
	}
	parts := strings.Split(good, ".")
	f := &forger{t: t, own: own, jwk: set.Keys[0], good: good, payload: parts[1]}
	f.kid, _ = part(t, parts[0])["kid"].(string)
	f.public = &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(f.jwk["x"]), Y: number(f.jwk["y"])}
	return f
}

// signed has a signature of the forger's own key.
func (f *forger) signed(header string) string {
	input := b64([]byte(header)) + "." + f.payload
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.own, sum[:])
	if err != nil {
		f.t.Fatal(err)
	}
	return input + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// rest is the good token's signature behind another header.
func (f *forger) rest(header string) string {
	return b64([]byte(header)) + f.good[strings.IndexByte(f.good, '.'):]
}

// all are forged tokens by name.
func (f *forger) all(listener string) map[string]string {
	out := map[string]string{}
	both := func(name, header string) {
		out[name+", signed by somebody"] = f.signed(header)
		out[name+", with the good signature"] = f.rest(header)
		out[name+", without a signature"] = b64([]byte(header)) + "." + f.payload + "."
	}
	// JWT-01
	for _, alg := range []string{`"none"`, `"None"`, `"nOnE"`, `"NONE"`, `" none"`, `"none "`, `null`, `[]`, `""`, `{}`, `0`, `"es256"`, `["ES256"]`, `"n\u006fne"`} {
		both("alg "+alg, fmt.Sprintf(`{"alg":%s,"kid":%q,"typ":"at+jwt"}`, alg, f.kid))
	}
	// JWT-02
	der, err := x509.MarshalPKIXPublicKey(f.public)
	if err != nil {
		f.t.Fatal(err)
	}
	point, _ := f.public.ECDH()
	jwk, _ := json.Marshal(f.jwk, json.Deterministic(true))
	for name, secret := range map[string][]byte{"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "JWK": jwk, "x": f.public.X.Bytes(), "point": point.Bytes(), "nothing": nil} {
		for alg, h := range map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New} {
			input := b64(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, f.kid)) + "." + f.payload
			mac := hmac.New(h, secret)
			mac.Write([]byte(input))
			out[alg+" with "+name] = input + "." + b64(mac.Sum(nil))
		}
	}
	// JWT-03 and JWT-04
	mine := fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(f.own.X.FillBytes(make([]byte, 32))), b64(f.own.Y.FillBytes(make([]byte, 32))))
	for _, member := range []string{`"jwk":` + mine, `"x5c":["MIIB"]`, `"jku":"http://` + listener + `/jwks"`, `"x5u":"http://` + listener + `/cert"`, `"jku":"` + listener + `"`} {
		for _, kid := range []string{f.kid, "mine"} {
			both(member[:8]+" and kid "+kid, fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt",%s}`, kid, member))
		}
	}
	// JWT-05
	for _, kid := range []string{`"../../dev/null"`, `"/proc/self/environ"`, `"' UNION SELECT 'a"`, `"` + strings.Repeat("k", 3000) + `"`, `"\u0000"`, `""`, `7`, `null`, `["a"]`, `"` + f.kid + `\n"`, `"` + f.kid + `","kid":"mine"`} {
		both("kid "+kid[:min(len(kid), 20)], fmt.Sprintf(`{"alg":"ES256","kid":%s,"typ":"at+jwt"}`, kid))
	}
	// JWT-16
	for _, typ := range []string{`"JWT"`, `"jwt"`, `"application/at+jwt"`, `"AT+JWT"`, `"at+jwt "`, `"id+jwt"`, `"logout+jwt"`, `"dpop+jwt"`, `"doorward-assertion+jwt"`, `null`, `""`, `7`} {
		both("typ "+typ, fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":%s}`, f.kid, typ))
	}
	both("no typ", fmt.Sprintf(`{"alg":"ES256","kid":%q}`, f.kid))
	both("crit", fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt","crit":["b64"],"b64":false}`, f.kid))
	// JWT-07, JWT-08, JWT-09
	both("zip", fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt","zip":"DEF"}`, f.kid))
	for _, header := range []string{`{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":1000000000,"p2s":"AAAA"}`, `{"alg":"A128KW","enc":"A128GCM"}`, `{"alg":"dir","enc":"A128GCM","zip":"DEF"}`, `{"alg":"ECDH-ES","enc":"A128GCM","epk":` + mine + `}`, `{}`} {
		for _, rest := range []string{"....", ".AAAA.AAAA.AAAA.AAAA", ".." + f.payload + ".AAAA.AAAA"} {
			out["JWE "+header[:min(12, len(header))]+rest[:4]+fmt.Sprint(len(out))] = b64([]byte(header)) + rest
		}
	}
	// JWT-10, and form
	for _, n := range []int{1, 2, 3, 1000, 8000, 12000} {
		out[fmt.Sprintf("%d dots", n)] = strings.Repeat(".", n)
	}
	out["a nested token"] = b64([]byte(f.good)) + "." + f.payload + ".AAAA"
	out["JSON"] = `{"payload":"` + f.payload + `"}`
	out["9 KiB"] = f.good + strings.Repeat("A", 9<<10)
	return out
}

// Attacks JWT-01 to JWT-05, JWT-02, JWT-03, JWT-04, JWT-07, JWT-08, JWT-09,
// JWT-10 and JWT-16: whoever has no key of ours has no token of ours, however
// it is written; and no address in a token is ever asked.
func TestForgedTokensAreRefused(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		app := c.SignInAt(c.ana, appOrigin)
		c.before = c.State()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var called atomic.Int64
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				called.Add(1)
				conn.Close()
			}
		}()
		forged := newForger(t, c.Server, app.Access).all(l.Addr().String())
		if len(forged) < 100 {
			t.Fatalf("only %d tokens were forged", len(forged))
		}
		for name, token := range forged {
			a := c.Bearer("GET", "/session", token)
			wantClear(t, name, a, 401, 400)
			if r := a.Refusal(t); r.Check != "token.form" && r.Check != "token.signature" && r.Check != "request.authorization" {
				t.Errorf("%s is refused by %s", name, r.Check)
			}
			wantClear(t, name+" to end sessions", c.Bearer("POST", "/sessions/end-others", token), 401, 400)
			var out map[string]any
			if introspect(c.Server, c.reader, "token="+token).Want(t, 200).Into(t, &out); out["active"] != false || len(out) != 1 {
				t.Errorf("%s, introspected, is %v", name, out)
			}
		}
		for _, size := range []int{30 << 10, 1 << 20} {
			b := c.Browser()
			b.Origin = ""
			if a := b.Try("GET", "/session", nil, "Authorization", "Bearer "+strings.Repeat(".", size)); a.Status != 431 && a.Err == nil {
				t.Errorf("%d dots are answered %d", size, a.Status)
			}
		}
		if n := called.Load(); n != 0 {
			t.Errorf("the server called an address out of a token, %d times", n)
		}
		c.intact(t)
	})
}

// Attacks OAU-03 and OAU-25: what an application is registered with cannot run
// as a script, and its secret is shown once, to whoever made it.
func TestHostileMetadataIsNotRegistered(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		metadata := func(member string, value any) map[string]any {
			m := map[string]any{"client_id": "hostile", "client_name": "Hostile", "doorward_type": "web", "redirect_uris": []string{"https://app.example.com/cb"}}
			m[member] = value
			return m
		}
		addresses := []string{"javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://app.example.com/x",
			"https://app.example.com/cb#x", "https://user@app.example.com/cb", "https://app.example.com@evil.example/cb", "http://app.example.com/cb", "https://*.example.com/cb", "https://app.example.com/../cb",
			"//evil.example", "/cb", "", "about:blank", "https://app.example.com\\@evil.example/", "https://app.example.com/cb\r\nX: y", "myapp:/cb", "https:///cb"}
		for _, address := range addresses {
			for _, member := range []string{"redirect_uris", "post_logout_redirect_uris"} {
				a := s.Socket("POST", "/api/v1/clients", metadata(member, []string{address}))
				if a.Status != 422 || a.Refusal(t).Check != "client.metadata" {
					t.Errorf("%s %q: %d %s", member, address, a.Status, a.Body)
				}
			}
			if r := s.CLI("", "clients", "create", "--name", "x", "--type", "web", "--redirect", address); r.Code == 0 {
				t.Errorf("the command line registered %q", address)
			}
		}
		for _, origin := range []string{"null", "*", "https://*.example.com", "javascript://x", "https://app.example.com/", "http://app.example.com", "https://APP.example.com"} {
			if a := s.Socket("POST", "/api/v1/clients", metadata("doorward_origins", []string{origin})); a.Status != 422 {
				t.Errorf("the origin %q: %d %s", origin, a.Status, a.Body)
			}
		}
		for member, value := range map[string]any{"client_id": "../x", "token_endpoint_auth_method": "private_key_none", "doorward_type": "admin", "scope": "a\\b"} {
			if a := s.Socket("POST", "/api/v1/clients", metadata(member, value)); a.Status != 422 {
				t.Errorf("%s %v: %d %s", member, value, a.Status, a.Body)
			}
		}
		// OAU-25: no list, refusal or second registration shows a secret again.
		api := s.API("reader", "notes-api")
		for _, a := range []rig.Answer{s.Socket("GET", "/api/v1/clients", nil).Want(t, 200), s.Socket("POST", "/api/v1/clients", map[string]any{"client_id": "reader", "client_name": "x", "doorward_type": "machine", "doorward_resources": []string{"x"}})} {
			if strings.Contains(string(a.Body), api.Secret) || a.Status == 200 && strings.Contains(string(a.Body), "client_secret\"") {
				t.Errorf("a secret is shown again: %s", a.Body)
			}
		}
		if a := s.Browser().Do("GET", "/api/v1/clients", nil); a.Status != 401 || strings.Contains(string(a.Body), "reader") {
			t.Errorf("applications are listed to strangers: %d %s", a.Status, a.Body)
		}
	})
}
