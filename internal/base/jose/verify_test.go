package jose_test

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
)

// ring looks keys up by kid, as the server does.
func ring(keys ...jose.Key) func(string) (jose.Key, bool) {
	return func(kid string) (jose.Key, bool) {
		for _, k := range keys {
			if k.KID() == kid {
				return k, true
			}
		}
		return jose.Key{}, false
	}
}

var b64 = base64.RawURLEncoding.EncodeToString

// forge signs any header and payload with k, as somebody could who holds a
// private key and a pen of his own.
func forge(t testing.TB, k *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(nil, k, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	var sig [64]byte
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + b64(sig[:])
}

// private returns the bare key behind k.
func private(t testing.TB, k *jose.SigningKey) *ecdsa.PrivateKey {
	t.Helper()
	return privateOf(t, k).(*ecdsa.PrivateKey)
}

func privateOf(t testing.TB, k *jose.SigningKey) any {
	t.Helper()
	der, err := k.MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	p, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refused fails unless the token is refused for this reason, with nothing
// given away.
func refused(t *testing.T, what, token, typ string, keys func(string) (jose.Key, bool), want error) {
	t.Helper()
	claims, kid, err := jose.Verify(token, typ, keys)
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
	if claims != nil || kid != "" {
		t.Errorf("%s: refused, yet gave claims %q of key %q", what, claims, kid)
	}
}

func TestRoundTrip(t *testing.T) {
	const claims = `{"sub":"u1","n":1}`
	for _, alg := range algs {
		t.Run(string(alg), func(t *testing.T) {
			k, other := generate(t, alg), generate(t, jose.ES256)
			for range 2 { // the second one uses the prepared header
				token, err := k.Sign("at+jwt", []byte(claims))
				if err != nil {
					t.Fatal(err)
				}
				got, kid, err := jose.Verify(token, "at+jwt", ring(other.Key(), k.Key()))
				if err != nil || string(got) != claims || kid != k.KID() {
					t.Fatalf("got %q by %q, %v", got, kid, err)
				}
			}
		})
	}
}

func TestSignatureIsOverEveryByte(t *testing.T) {
	k := generate(t, jose.ES256)
	token, err := k.Sign("at+jwt", []byte(`{"sub":"u1"}`))
	if err != nil {
		t.Fatal(err)
	}
	for i := range token {
		for _, c := range []byte("A_.\n") {
			if token[i] == c {
				continue
			}
			if claims, _, err := jose.Verify(token[:i]+string(c)+token[i+1:], "at+jwt", ring(k.Key())); err == nil {
				t.Fatalf("accepted with %q at %d: %q", c, i, claims)
			}
		}
		if _, _, err := jose.Verify(token[:i], "at+jwt", ring(k.Key())); err == nil {
			t.Fatalf("accepted when cut at %d", i)
		}
	}
	stranger := generate(t, jose.ES256)
	swapped, err := jose.NewKey(k.KID(), jose.ES256, stranger.Key().Public())
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "another key under the same kid", token, "at+jwt", ring(swapped), jose.ErrSignature)
}

// JWT-01: no signature, by every spelling of "none".
func TestJWT01NoneIsNoAlgorithm(t *testing.T) {
	k := generate(t, jose.ES256)
	for _, alg := range []string{`"none"`, `"None"`, `"nOnE"`, `"NONE"`, `"noNE"`, `" none"`, `"none "`, `"n\u006fne"`, `null`, `[]`, `""`, `"es256"`, `"ES256 "`, `{}`, `0`} {
		header := fmt.Sprintf(`{"alg":%s,"kid":%q,"typ":"at+jwt"}`, alg, k.KID())
		signed := forge(t, private(t, k), header, `{}`)
		bare := signed[:strings.LastIndexByte(signed, '.')+1]
		want := jose.ErrAlgorithm
		if alg == "[]" || alg == "{}" || alg == "0" { // not even a string
			want = jose.ErrForm
		}
		refused(t, alg+" with a signature", signed, "at+jwt", ring(k.Key()), want)
		refused(t, alg+" without one", bare, "at+jwt", ring(k.Key()), jose.ErrForm)
		refused(t, alg+" with one zero byte", bare+"AA", "at+jwt", ring(k.Key()), want)
	}
	noAlg := forge(t, private(t, k), fmt.Sprintf(`{"kid":%q,"typ":"at+jwt"}`, k.KID()), `{}`)
	refused(t, "no alg member", noAlg, "at+jwt", ring(k.Key()), jose.ErrAlgorithm)
	noAlg = forge(t, private(t, k), `{"alg":"","kid":"zero","typ":"at+jwt"}`, `{}`)
	zero := func(string) (jose.Key, bool) { return jose.Key{}, true }
	refused(t, "empty alg against an empty key", noAlg, "at+jwt", zero, jose.ErrKey)
}

// JWT-02: the public key used as a shared secret, in every form we publish or
// somebody could make of it.
func TestJWT02PublicKeyIsNoSecret(t *testing.T) {
	k := generate(t, jose.ES256)
	der, err := x509.MarshalPKIXPublicKey(k.Key().Public())
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(k.Key().JWK())
	if err != nil {
		t.Fatal(err)
	}
	x, err := base64.RawURLEncoding.DecodeString(k.Key().JWK().X)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{
		"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "JWK": jwk, "x": x, "nothing": nil,
	}
	hashes := map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}
	for name, secret := range secrets {
		for alg, h := range hashes {
			input := b64(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, k.KID())) + "." + b64([]byte(`{}`))
			mac := hmac.New(h, secret)
			mac.Write([]byte(input))
			refused(t, alg+" with "+name, input+"."+b64(mac.Sum(nil)), "at+jwt", ring(k.Key()), jose.ErrAlgorithm)
		}
	}
}

// One alg of the list does not stand in for another.
func TestAlgorithmIsTheKeysOwn(t *testing.T) {
	k := generate(t, jose.ES256)
	for _, alg := range []jose.Alg{jose.EdDSA, jose.RS256} {
		token := forge(t, private(t, k), fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, k.KID()), `{}`)
		refused(t, string(alg)+" for an ES256 key", token, "at+jwt", ring(k.Key()), jose.ErrAlgorithm)
	}
}

// JWT-03, JWT-04: a key in the header, or an address to fetch one from.
func TestJWT03EmbeddedKeyIsNeverUsed(t *testing.T) {
	k, own := generate(t, jose.ES256), generate(t, jose.ES256)
	jwk, err := json.Marshal(own.Key().JWK())
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{
		`"jwk":` + string(jwk), `"jwk":null`, `"jwk":{}`, `"jwk":"x"`,
		`"x5c":["MIIB"]`, `"x5c":[]`, `"jku":"https://attacker.example/jwks"`, `"x5u":"https://attacker.example/cert"`,
	} {
		for _, kid := range []string{k.KID(), own.KID()} {
			header := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt",%s}`, kid, member)
			refused(t, member, forge(t, private(t, own), header, `{}`), "at+jwt", ring(k.Key()), jose.ErrKey)
		}
		// Even over our own signature: the library never parses what came along.
		header := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt",%s}`, k.KID(), member)
		refused(t, member, forge(t, private(t, k), header, `{}`), "at+jwt", ring(k.Key()), jose.ErrKey)
	}
}

// JWT-05: the kid is a key of a map and nothing else.
func TestJWT05KIDIsOnlyLookedUp(t *testing.T) {
	k := generate(t, jose.ES256)
	for kid, want := range map[string]error{
		`"../../dev/null"`:    jose.ErrKey,
		`"' UNION SELECT 1"`:  jose.ErrKey,
		`"$(id)"`:             jose.ErrKey,
		`"\u0000"`:            jose.ErrKey,
		`"` + k.KID() + `\n"`: jose.ErrKey,
		`""`:                  jose.ErrKey,
		`null`:                jose.ErrKey,
		`7`:                   jose.ErrForm,
		`["a"]`:               jose.ErrForm,
		`"` + strings.Repeat("k", jose.MaxKID+1) + `"`: jose.ErrForm,
		`"` + strings.Repeat("k", 1<<20) + `"`:         jose.ErrForm,
	} {
		what := "kid " + kid[:min(len(kid), 40)]
		token := forge(t, private(t, k), `{"alg":"ES256","kid":`+kid+`,"typ":"at+jwt"}`, `{}`)
		looked := ""
		keys := func(kid string) (jose.Key, bool) { looked = kid; return ring(k.Key())(kid) }
		refused(t, what, token, "at+jwt", keys, want)
		if want == jose.ErrForm && looked != "" {
			t.Errorf("%s was looked up", what)
		}
	}
	missing := forge(t, private(t, k), `{"alg":"ES256","typ":"at+jwt"}`, `{}`)
	refused(t, "no kid", missing, "at+jwt", ring(k.Key()), jose.ErrKey)
	longest, err := jose.NewKey(strings.Repeat("k", jose.MaxKID), jose.ES256, k.Key().Public())
	if err != nil {
		t.Fatal(err)
	}
	token := forge(t, private(t, k), `{"alg":"ES256","kid":"`+longest.KID()+`","typ":"at+jwt"}`, `{}`)
	if _, _, err := jose.Verify(token, "at+jwt", ring(longest)); err != nil {
		t.Errorf("kid of %d bytes: %v", jose.MaxKID, err)
	}
}

// JWT-10: size and dots are looked at before anything is split, decoded or
// copied, so a flood of dots costs no memory.
func TestJWT10FormIsCheckedFirst(t *testing.T) {
	k := generate(t, jose.ES256)
	good, err := k.Sign("at+jwt", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	keys := ring(k.Key())
	parts := strings.Split(good, ".")
	last := len(good) - 1
	// The last letter of 64 bytes carries four bits that must be zero.
	spelling := good[:last] + string(good[last]+1)
	for name, token := range map[string]string{
		"empty":                "",
		"dots":                 strings.Repeat(".", 1<<20),
		"10 MB":                strings.Repeat("a", 10<<20),
		"dots in bounds":       strings.Repeat(".", jose.MaxToken),
		"one dot":              parts[0] + "." + parts[1],
		"three dots":           good + ".",
		"JSON serialization":   `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
		"no payload":           parts[0] + ".." + parts[2],
		"no signature":         parts[0] + "." + parts[1] + ".",
		"no header":            "." + parts[1] + "." + parts[2],
		"padding":              good + "==",
		"standard alphabet":    parts[0] + "." + parts[1] + ".++++" + parts[2][4:],
		"space":                " " + good,
		"line break at end":    good + "\n",
		"line break in middle": good[:40] + "\r\n" + good[40:],
		"line break in sig":    good[:last-3] + "\n" + good[last-3:],
		"other spelling":       spelling,
		"over the limit":       parts[0] + "." + strings.Repeat("A", jose.MaxToken) + "." + parts[2],
	} {
		refused(t, name, token, "at+jwt", keys, jose.ErrForm)
	}
	dots := strings.Repeat(".", 1<<20)
	if n := testing.AllocsPerRun(10, func() { _, _, _ = jose.Verify(dots, "at+jwt", keys) }); n > 4 {
		t.Errorf("a megabyte of dots took %v allocations", n)
	}
}

func TestHeaderThatCouldBeReadTwoWays(t *testing.T) {
	k := generate(t, jose.ES256)
	kid := k.KID()
	for name, header := range map[string]string{
		"alg twice":         `{"alg":"none","alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"alg twice, hidden": `{"\u0061lg":"none","alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"unknown twice":     `{"a":1,"a":2,"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"nested twice":      `{"a":{"b":1,"b":2},"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"crit":              `{"crit":["exp"],"exp":1,"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"empty crit":        `{"crit":[],"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"null crit":         `{"crit":null,"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"b64":               `{"b64":false,"crit":["b64"],"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"b64 alone":         `{"b64":false,"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"trailing":          `{"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}{}`,
		"list":              `["alg","ES256"]`,
		"null":              `null`,
		"bad UTF-8":         "{\"a\":\"\xff\",\"alg\":\"ES256\",\"kid\":\"" + kid + "\",\"typ\":\"at+jwt\"}",
	} {
		refused(t, name, forge(t, private(t, k), header, `{}`), "at+jwt", ring(k.Key()), jose.ErrForm)
	}
	// Case counts: a member called ALG says nothing.
	shouted := forge(t, private(t, k), `{"ALG":"ES256","kid":"`+kid+`","typ":"at+jwt"}`, `{}`)
	refused(t, "ALG", shouted, "at+jwt", ring(k.Key()), jose.ErrAlgorithm)
	// Unknown members are ignored (RFC 7515 section 4).
	extra := forge(t, private(t, k), `{"alg":"ES256","kid":"`+kid+`","typ":"at+jwt","x5t":"abc","zip":"DEF"}`, `{}`)
	if _, _, err := jose.Verify(extra, "at+jwt", ring(k.Key())); err != nil {
		t.Errorf("unknown members: %v", err)
	}
}

// JWT-16: a token of one kind is no token of another.
func TestJWT16TypIsExact(t *testing.T) {
	k := generate(t, jose.ES256)
	kinds := []string{"at+jwt", "JWT", "logout+jwt", "doorward-assertion+jwt"}
	for _, made := range kinds {
		token, err := k.Sign(made, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, wanted := range kinds {
			if made == wanted {
				if _, _, err := jose.Verify(token, wanted, ring(k.Key())); err != nil {
					t.Errorf("%s as itself: %v", made, err)
				}
				continue
			}
			refused(t, made+" as "+wanted, token, wanted, ring(k.Key()), jose.ErrType)
		}
	}
	for _, typ := range []string{``, `,"typ":""`, `,"typ":"application/at+jwt"`, `,"typ":"AT+JWT"`, `,"typ":"at+jwt "`, `,"typ":null`} {
		token := forge(t, private(t, k), `{"alg":"ES256","kid":"`+k.KID()+`"`+typ+`}`, `{}`)
		refused(t, "typ "+typ, token, "at+jwt", ring(k.Key()), jose.ErrType)
		refused(t, "typ "+typ+" with none asked", token, "", ring(k.Key()), jose.ErrType)
	}
}

// Whatever the bytes: no panic, no claims without a signature, and nothing
// accepted that is not exactly one of the tokens signed here.
func FuzzVerify(f *testing.F) {
	k := generate(f, jose.ES256)
	good, err := k.Sign("at+jwt", []byte(`{"sub":"u1"}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("..")
	f.Add(b64([]byte(`{"alg":"none"}`)) + ".e30.")
	f.Add(b64([]byte(`{"alg":"ES256","kid":"`+k.KID()+`","typ":"at+jwt"}`)) + ".e30.AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		claims, kid, err := jose.Verify(token, "at+jwt", ring(k.Key()))
		if err != nil && (claims != nil || kid != "") {
			t.Fatalf("refused %q, yet gave %q of %q", token, claims, kid)
		}
		if err == nil && token != good {
			t.Fatalf("accepted %q", token)
		}
	})
}
