package doorward

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestEveryAlgorithmOfTheListIsAccepted(t *testing.T) {
	i := newIssuer(t)
	var tokens []string
	for _, alg := range algorithms {
		tokens = append(tokens, i.addKey(alg).mint(i.claims(nil)))
	}
	v := i.verifier(t)
	for n, token := range tokens {
		who := wantAccepted(t, v, token)
		if who.Subject != "usr_ana" || who.Session != "ses_1" || who.Client != "web" || who.Grant != "grt_1" ||
			who.TokenID != "jti_1" || who.ACR != "urn:doorward:acr:1" || !who.HasScope("notes:write") || who.HasScope("notes") ||
			len(who.AMR) != 1 || who.SignedInAt.Unix() != start.Unix()-60 || who.Expires.Unix() != start.Unix()+300 || who.Stale {
			t.Errorf("%s: read as %+v", algorithms[n], who)
		}
	}
}

// JWT-01: a closed list, not a list of what is forbidden.
func TestAlgorithmNoneInAnySpelling(t *testing.T) {
	i, s, v, _ := good(t)
	payload, _ := json.Marshal(i.claims(nil))
	for _, alg := range []string{`"none"`, `"None"`, `"nOnE"`, `"NONE"`, `"noNE"`, `" none"`, `null`, `[]`, `""`, `["ES256"]`, `"ES384"`, `"RS384"`, `"es256"`} {
		head := []byte(`{"typ":"at+jwt","kid":"` + s.kid + `","alg":` + alg + `}`)
		token := s.signRaw(head, payload)
		unsigned := token[:strings.LastIndex(token, ".")+1]
		for _, token := range []string{token, unsigned} {
			who, err := v.Verify(t.Context(), token)
			if who != nil || err == nil {
				t.Errorf("alg %s was accepted", alg)
			}
		}
	}
	wantRefused(t, v, s.signRaw([]byte(`{"typ":"at+jwt","kid":"`+s.kid+`"}`), payload), checkAlgorithm)
	wantRefused(t, v, s.signRaw([]byte(`{"typ":"at+jwt","kid":"`+s.kid+`","alg":"none"}`), payload), checkAlgorithm)
}

// JWT-02: a public key is no secret; a key is for one algorithm.
func TestPublicKeyAsHMACSecret(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.RS256)
	v := i.verifier(t)
	i.mu.Lock()
	public := i.keys[0]
	i.mu.Unlock()
	der, _ := x509.MarshalPKIXPublicKey(public.Key)
	asJSON, _ := public.MarshalJSON()
	for _, secret := range [][]byte{der, asJSON, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})} {
		payload, _ := json.Marshal(i.claims(nil))
		head, _ := json.Marshal(map[string]any{"typ": "at+jwt", "alg": "HS256", "kid": s.kid})
		input := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(payload)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		wantRefused(t, v, input+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), checkAlgorithm)
	}
	// The same RSA key with another algorithm of the list is refused as well.
	other := signer{kid: s.kid, alg: jose.PS256, key: s.key}
	wantRefused(t, v, other.mint(i.claims(nil)), checkAlgorithm)
}

// JWT-03 and JWT-04: a token cannot bring its own key, nor name where to get it.
func TestHeaderThatNamesItsOwnKey(t *testing.T) {
	i, _, v, _ := good(t)
	var calls atomic.Int32
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer listener.Close()

	attacker := newIssuer(t).addKey(jose.ES256)
	own := jose.JSONWebKey{Key: attacker.key, KeyID: attacker.kid}
	own = own.Public()
	payload, _ := json.Marshal(i.claims(nil))
	for name, value := range map[string]any{
		"jwk": own, "x5c": []string{"AAAA"}, "jku": listener.URL + "/jwks", "x5u": listener.URL + "/cert",
		"JKU": listener.URL, "crit": []string{"exp"}, "b64": false, "zip": "DEF",
	} {
		head := map[string]any{"typ": "at+jwt", "alg": "ES256", "kid": attacker.kid, name: value}
		wantRefused(t, v, attacker.sign(head, payload), checkKey)
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls to an address that a token named", calls.Load())
	}
}

// JWT-05: a key id is looked up in a map and nowhere else.
func TestHostileKeyIDs(t *testing.T) {
	i, s, v, _ := good(t)
	payload, _ := json.Marshal(i.claims(nil))
	for _, kid := range []string{
		`"../../dev/null"`, `"' UNION SELECT 1 --"`, `"\u0000"`, `""`, `"` + strings.Repeat("k", 65) + `"`, `"` + strings.ToUpper(s.kid) + `x"`,
	} {
		wantRefused(t, v, s.signRaw([]byte(`{"typ":"at+jwt","alg":"ES256","kid":`+kid+`}`), payload), checkKey)
	}
	wantRefused(t, v, s.signRaw([]byte(`{"typ":"at+jwt","alg":"ES256","kid":7}`), payload), checkForm)
	wantRefused(t, v, s.signRaw([]byte(`{"typ":"at+jwt","alg":"ES256"}`), payload), checkKey)
	wantRefused(t, v, s.signRaw([]byte(`{"typ":"at+jwt","alg":"ES256","kid":"`+strings.Repeat("k", 1<<20)+`"}`), payload), checkForm)
}

// JWT-10: size is judged before anything is split or decoded.
func TestForm(t *testing.T) {
	i, s, v, token := good(t)
	head, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for name, bad := range map[string]string{
		"empty": "", "a megabyte of dots": strings.Repeat(".", 1<<20), "two parts": head + "." + payload,
		"four parts": token + ".", "five parts (JWE)": "a.b.c.d.e", "no header": "." + rest, "no claims": head + ".." + signature,
		"padding": token + "=", "space": " " + token, "line break": head + "\n." + rest, "standard alphabet": head + "." + payload + "." + strings.Repeat("+/", 43),
		"header is no JSON": "AAAA." + rest, "opaque": "dw_at_AAAA",
		"9 KiB": s.mint(i.claims(map[string]any{"x": strings.Repeat("x", 9<<10)})),
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, v, bad, checkForm) })
	}
	// One spelling only: the last character of 64 bytes holds four free bits.
	last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", token[len(token)-1])
	respelt := token[:len(token)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last^1])
	wantRefused(t, v, respelt, checkForm)
}

// JWT-09: an encrypted token is refused by its form, whole or with parts
// missing, before anything reads them.
func TestEncryptedTokens(t *testing.T) {
	_, s, v, _ := good(t)
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"A128KW","enc":"A128GCM","typ":"at+jwt","kid":"` + s.kid + `"}`))
	for name, bad := range map[string]string{
		"whole": head + ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", "no key": head + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
		"nothing but dots": head + "....", "short text": head + ".AA.AA.AA.AA", "no tag": head + ".AA.AA.AA.", "as three parts": head + ".AA.",
	} {
		t.Run(name, func(t *testing.T) {
			if who, err := v.Verify(t.Context(), bad); who != nil || err == nil {
				t.Errorf("accepted as %+v", who)
			}
		})
	}
	wantRefused(t, v, head+"....", checkForm)
}

func TestStrictJSON(t *testing.T) {
	i, s, v, _ := good(t)
	claims, _ := json.Marshal(i.claims(nil))
	body := string(claims[:len(claims)-1])
	head := `{"typ":"at+jwt","alg":"ES256","kid":"` + s.kid + `"`
	for name, c := range map[string]struct{ head, claims string }{
		"sub twice":          {head + `}`, body + `,"sub":"usr_ben"}`},
		"sub in other case":  {head + `}`, body + `,"Sub":"usr_ben"}`},
		"sub escaped":        {head + `}`, body + `,"\u0073ub":"usr_ben"}`},
		"twice deep inside":  {head + `}`, body + `,"x":[{"a":1,"a":2}]}`},
		"alg twice":          {head + `,"alg":"none"}`, body + `}`},
		"not UTF-8":          {head + `}`, body + ",\"x\":\"\xff\"}"},
		"trailing text":      {head + `}`, body + `}{}`},
		"an array":           {head + `}`, `[` + body + `}]`},
		"null":               {head + `}`, `null`},
		"65 members":         {head + `}`, `{` + strings.Repeat(`"x":1,`, 65) + body[1:] + `}`},
		"too deep":           {head + `}`, body + `,"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`},
		"sub is a number":    {head + `}`, strings.Replace(body, `"usr_ana"`, `7`, 1) + `}`},
		"scope is an array":  {head + `}`, strings.Replace(body, `"notes:read notes:write"`, `["notes:read"]`, 1) + `}`},
		"aud holds a number": {head + `}`, strings.Replace(body, `"notes-api"`, `"notes-api",1`, 1) + `}`},
		"rev is negative":    {head + `}`, strings.Replace(body, `"rev":10`, `"rev":-1`, 1) + `}`},
		"rev is a string":    {head + `}`, strings.Replace(body, `"rev":10`, `"rev":"10"`, 1) + `}`},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, v, s.signRaw([]byte(c.head), []byte(c.claims)), checkForm) })
	}
	wantAccepted(t, v, s.signRaw([]byte(" "+head+" }"), []byte(body+` , "x" : [ { "a" : "}\"," } , [ ] , -1.5e3 , true ] } `)))
}

// JWT-11: a bad signature is said to be that, whatever else is wrong, and no
// claim of it can be read.
func TestSignature(t *testing.T) {
	i, s, v, token := good(t)
	expired := s.mint(i.claims(map[string]any{"exp": start.Unix() - 3600}))
	broken := expired[:len(expired)-20] + "AAAAAAAAAAAAAAAAAAAA"
	if r := wantRefused(t, v, broken, checkSignature); r.named {
		t.Error("the holder of a forged token learns which check failed")
	}
	if r := wantRefused(t, v, expired, checkTime); !r.named {
		t.Error("the holder of a good, expired token is not told why")
	}

	other := newIssuer(t).addKey(jose.EdDSA)
	other.kid, other.alg = s.kid, jose.ES256
	wantRefused(t, v, other.mint(i.claims(nil)), checkSignature)

	// The claims of one token under the signature of another.
	second := s.mint(i.claims(map[string]any{"sub": "usr_ben"}))
	wantAccepted(t, v, token)
	mixed := second[:strings.LastIndex(second, ".")] + token[strings.LastIndex(token, "."):]
	wantRefused(t, v, mixed, checkSignature)
	wantRefused(t, v, token[:strings.LastIndex(token, ".")+1], checkSignature)

	// CVE-2022-21449: a signature of zeros.
	zeros := token[:strings.LastIndex(token, ".")+1] + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	wantRefused(t, v, zeros, checkSignature)
	// The order of the curve in place of r and s.
	n := elliptic.P256().Params().N.Bytes()
	order := token[:strings.LastIndex(token, ".")+1] + base64.RawURLEncoding.EncodeToString(bytes.Repeat(n, 2))
	wantRefused(t, v, order, checkSignature)
	// The other spelling of an ECDSA signature is another token: judged anew,
	// and the same jti dies with it.
	twin := otherS(token)
	wantAccepted(t, v, twin)
	i.revoke(unitToken, "jti_1")
	v.mustPoll(t)
	wantRefused(t, v, twin, checkRevoked)
	wantRefused(t, v, token, checkRevoked)
}

// otherS replaces s by n - s.
func otherS(token string) string {
	cut := strings.LastIndex(token, ".") + 1
	sig, _ := base64.RawURLEncoding.DecodeString(token[cut:])
	s := new(big.Int).SetBytes(sig[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(sig[32:])
	return token[:cut] + base64.RawURLEncoding.EncodeToString(sig)
}

// JWT-12
func TestAudience(t *testing.T) {
	i, s, v, _ := good(t)
	for _, aud := range []any{[]string{}, []string{""}, "", "billing-api", "notes-ap", "NOTES-API", []string{"x", "notes-api2"}, nil, i.URL} {
		if r := wantRefused(t, v, s.mint(i.claims(map[string]any{"aud": aud})), checkAudience); !r.named {
			t.Errorf("aud %v: its holder is not told why", aud)
		}
	}
	wantAccepted(t, v, s.mint(i.claims(map[string]any{"aud": "notes-api"})))
	wantAccepted(t, v, s.mint(i.claims(map[string]any{"aud": []string{"x", "notes-api"}})))
	wantRefused(t, v, s.mint(i.claims(map[string]any{"aud": map[string]any{"notes-api": 1}})), checkForm)
	if _, err := New(t.Context(), i.URL, Stateless()); err == nil {
		t.Error("a verifier without an audience was made")
	}
	if _, err := New(t.Context(), i.URL, Stateless(), Audience("")); err == nil {
		t.Error("a verifier with an empty audience was made")
	}
}

func TestIssuer(t *testing.T) {
	i, s, v, _ := good(t)
	for _, iss := range []any{i.URL + "/", strings.ToUpper(i.URL), "https://evil.example", i.URL + "#"} {
		wantRefused(t, v, s.mint(i.claims(map[string]any{"iss": iss})), checkIssuer)
	}
}

// JWT-16: only an access token is one.
func TestType(t *testing.T) {
	i, s, v, _ := good(t)
	payload, _ := json.Marshal(i.claims(nil))
	for _, typ := range []string{"JWT", "jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "doorward-assertion+jwt", ""} {
		wantRefused(t, v, s.sign(map[string]any{"typ": typ, "alg": "ES256", "kid": s.kid}, payload), checkType)
	}
	wantRefused(t, v, s.sign(map[string]any{"alg": "ES256", "kid": s.kid}, payload), checkType)
}

// JWT-20
func TestTimes(t *testing.T) {
	i, s, v, _ := good(t)
	payload, _ := json.Marshal(i.claims(nil))
	var base map[string]json.RawMessage
	_ = json.Unmarshal(payload, &base)
	for _, name := range []string{"exp", "nbf", "iat", "auth_time"} {
		for _, bad := range []string{`"1800000000"`, `1e308`, `1.5`, `-1`, `true`, `null`, `9007199254740993`, `[1]`, `{}`, `1e9`} {
			c := maps.Clone(base)
			c[name] = json.RawMessage(bad)
			raw, _ := json.Marshal(c)
			wantRefused(t, v, s.sign(map[string]any{"typ": "at+jwt", "alg": "ES256", "kid": s.kid}, raw), checkTime)
		}
	}
	for _, name := range []string{"exp", "iat"} {
		wantRefused(t, v, s.mint(i.claims(map[string]any{name: nil})), checkTime)
	}
	for _, name := range []string{"sub", "jti", "client_id", "iss"} {
		wantRefused(t, v, s.mint(i.claims(map[string]any{name: nil})), checkForm)
	}
	now := start.Unix()
	wantAccepted(t, v, s.mint(i.claims(map[string]any{"nbf": nil})))
	// The leeway is 30 s on each side, and not a second more.
	for _, c := range []struct {
		name    string
		in, out int64
	}{{"exp", now - 29, now - 30}, {"nbf", now + 30, now + 31}, {"iat", now + 30, now + 31}} {
		wantAccepted(t, v, s.mint(i.claims(map[string]any{c.name: c.in})))
		wantRefused(t, v, s.mint(i.claims(map[string]any{c.name: c.out})), checkTime)
	}
}

// A cached token is judged again at each use.
func TestCachedTokenExpires(t *testing.T) {
	i, s, v, token := good(t)
	wantAccepted(t, v, token)
	wantAccepted(t, v, token)
	if got := v.cache.get(token); got == nil {
		t.Fatal("the token is not cached")
	}
	i.clock.advance(331 * time.Second)
	v.mustPoll(t)
	wantRefused(t, v, token, checkTime)

	// A key that is gone takes its cached tokens along, and so does another
	// key under the same id.
	token = s.mint(i.claims(nil))
	wantAccepted(t, v, token)
	i.mu.Lock()
	i.keys = i.keys[:0]
	i.mu.Unlock()
	other := i.addKey(jose.EdDSA)
	i.mu.Lock()
	i.keys[0].KeyID = s.kid
	i.mu.Unlock()
	other.kid = s.kid
	if err := v.keys.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, v, token, checkAlgorithm)

	// Nor does a key of the same kind under that id vouch for what it did not sign.
	other.alg, other.key = jose.ES256, freshES256()
	i.keys[0] = jose.JSONWebKey{Key: other.key.(crypto.Signer).Public(), KeyID: s.kid, Algorithm: "ES256"}
	first := v.keys.set.Load()
	v.keys.set.Store(&keySet{keys: map[string]*key{s.kid: {id: s.kid, algorithm: jose.ES256, public: s.key.(crypto.Signer).Public()}}, fetched: first.fetched, due: first.due})
	wantAccepted(t, v, token)
	if err := v.keys.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, v, token, checkSignature)
}

// A caller who writes into an identity changes nobody else's.
func TestIdentityIsTheCallersOwn(t *testing.T) {
	_, _, v, token := good(t)
	who := wantAccepted(t, v, token)
	who.Scopes[0], who.AMR[0], who.Subject = "admin", "hwk", "usr_ben"
	if who.Scopes = append(who.Scopes, "root"); who.AMR[0] != "hwk" {
		t.Error("one list grows into the other")
	}
	who = wantAccepted(t, v, token)
	if who.HasScope("admin") || who.HasScope("root") || who.AMR[0] != "pwd" || who.Subject != "usr_ana" {
		t.Errorf("another caller's changes are seen: %+v", who)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c cache
	token := func(n int) string {
		var sig [64]byte
		sig[0], sig[1] = byte(n), byte(n>>8)
		return "h.p." + base64.RawURLEncoding.EncodeToString(sig[:])
	}
	for n := range 3 * cacheHalf {
		c.put(token(n), &verified{input: "h.p"})
		c.get(token(0))
	}
	if len(c.now)+len(c.old) > 2*cacheHalf {
		t.Errorf("%d entries", len(c.now)+len(c.old))
	}
	if c.get(token(0)) == nil {
		t.Error("a token in use was forgotten")
	}
	if c.get(token(3)) != nil {
		t.Error("a token that nobody asked for is still there")
	}
	// The text is compared in full: the same signature over another text is no hit.
	c.put(token(1), &verified{input: "h.p"})
	if c.get("h.q"+token(1)[3:]) != nil {
		t.Error("another text under a known signature is a hit")
	}
}

func TestReference(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		ref := reference()
		if len(ref) != 7 || ref[4] != '-' || strings.Trim(ref[:4]+ref[5:], refAlphabet) != "" {
			t.Fatalf("reference %q", ref)
		}
		seen[ref] = true
	}
	if len(seen) < 990 {
		t.Errorf("%d different of 1000", len(seen))
	}
}

// Who acts for the subject is there to be read, the latest first, and a chain
// that is none refuses the token.
func TestActors(t *testing.T) {
	i, s, v, _ := good(t)
	chain := func(subs ...string) (act map[string]any) {
		for _, sub := range slices.Backward(subs) {
			outer := map[string]any{"sub": sub}
			if act != nil {
				outer["act"] = act
			}
			act = outer
		}
		return act
	}
	who, err := v.Verify(t.Context(), s.mint(i.claims(map[string]any{"act": chain("store", "front")})))
	if err != nil || !slices.Equal(who.Actors, []string{"store", "front"}) {
		t.Errorf("%+v, %v", who, err)
	}
	for name, act := range map[string]any{"text": "front", "a list": []string{"front"}, "no sub": map[string]any{}, "an empty sub": chain(""), "a number": map[string]any{"sub": 1},
		"no sub within": map[string]any{"sub": "a", "act": map[string]any{}}, "too many": chain("1", "2", "3", "4", "5", "6", "7", "8", "9")} {
		if _, err := v.Verify(t.Context(), s.mint(i.claims(map[string]any{"act": act}))); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// What a service has for a machine ends with that machine's trust, and with the
// service's.
func TestAMachineThatAnotherActsFor(t *testing.T) {
	i, s, v, _ := good(t)
	v.mustPoll(t)
	c := i.claims(map[string]any{"sub": "deployer", "client_id": "front", "act": map[string]any{"sub": "front"}})
	c["rev"] = i.head
	text := s.mint(c)
	wantAccepted(t, v, text)
	i.revoke("client", "deployer")
	v.mustPoll(t)
	wantRefused(t, v, text, checkRevoked)
}
