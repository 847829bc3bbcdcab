package jose_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
)

func decrypting(t testing.TB, alg jose.KeyAlg) *jose.DecryptionKey {
	t.Helper()
	k, err := jose.GenerateDecryptionKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// encrypting is the public half as its owner would publish it.
func encrypting(t testing.TB, k *jose.DecryptionKey) jose.EncryptionKey {
	t.Helper()
	text, err := json.Marshal(k.JWK())
	if err != nil {
		t.Fatal(err)
	}
	public, err := jose.ReadJWK(text)
	if err != nil {
		t.Fatal(err)
	}
	to, err := public.Encrypting(k.Alg())
	if err != nil || to.KID() != k.KID() {
		t.Fatal(to.KID(), err)
	}
	return to
}

func encrypt(t testing.TB, to jose.EncryptionKey, enc jose.Enc, token string) string {
	t.Helper()
	sealed, err := to.Encrypt(enc, token)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// Both layers of a nested token (RFC 7519 section 5.2), by every pair of
// algorithms, and again by a key that was kept.
func TestNestedTokens(t *testing.T) {
	signer := generate(t, jose.ES256)
	inner, err := signer.Sign("JWT", []byte(`{"sub":"u1"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range jose.KeyAlgs() {
		k := decrypting(t, alg)
		der, err := k.MarshalPKCS8()
		if err != nil {
			t.Fatal(err)
		}
		kept, err := jose.ParseDecryptionKey(alg, der)
		if err != nil || kept.KID() != k.KID() {
			t.Fatal(kept, err)
		}
		for _, enc := range jose.Encs() {
			sealed := encrypt(t, encrypting(t, k), enc, inner)
			if again := encrypt(t, encrypting(t, k), enc, inner); again == sealed {
				t.Errorf("%s, %s: the same text twice", alg, enc)
			}
			var h map[string]any
			raw, _ := base64.RawURLEncoding.DecodeString(sealed[:strings.IndexByte(sealed, '.')])
			if err := json.Unmarshal(raw, &h); err != nil || h["alg"] != string(alg) || h["enc"] != string(enc) || h["cty"] != "JWT" || h["kid"] != k.KID() || h["zip"] != nil {
				t.Errorf("%s, %s: the header is %s", alg, enc, raw)
			}
			opened, err := jose.Decrypt(sealed, decrypting(t, jose.ECDHES), kept)
			if err != nil || string(opened) != inner {
				t.Fatalf("%s, %s: %q, %v", alg, enc, opened, err)
			}
			if claims, _, err := jose.Verify(string(opened), "JWT", ring(signer.Key())); err != nil || string(claims) != `{"sub":"u1"}` {
				t.Errorf("%s, %s: inside is %q, %v", alg, enc, claims, err)
			}
			// JW-03: an encrypted token is no signed one, nor the reverse.
			if _, _, err := jose.Verify(sealed, "JWT", ring(signer.Key())); !errors.Is(err, jose.ErrForm) {
				t.Errorf("%s, %s: read as a signed token: %v", alg, enc, err)
			}
			if _, err := jose.Decrypt(inner, kept); !errors.Is(err, jose.ErrForm) {
				t.Errorf("a signed token read as an encrypted one: %v", err)
			}
		}
	}
}

func TestEncryptionIsByEveryByte(t *testing.T) {
	for _, alg := range []jose.KeyAlg{jose.ECDHES, jose.ECDHESA256KW} {
		k := decrypting(t, alg)
		for _, enc := range jose.Encs() {
			sealed := encrypt(t, encrypting(t, k), enc, "a token of some length")
			for i := range sealed {
				for _, c := range []byte("A_.\n") {
					if sealed[i] == c {
						continue
					}
					if plain, err := jose.Decrypt(sealed[:i]+string(c)+sealed[i+1:], k); err == nil || plain != nil {
						t.Fatalf("%s, %s: opened with %q at %d", alg, enc, c, i)
					}
				}
				if plain, err := jose.Decrypt(sealed[:i], k); err == nil || plain != nil {
					t.Fatalf("%s, %s: opened when cut at %d", alg, enc, i)
				}
			}
		}
	}
}

// JWT-07, JWT-08, JWT-09, JWT-23: what a stranger may make of an encrypted
// token. Each is refused for its form, before the library or a key sees it.
func TestEncryptedTokensThatAreRefused(t *testing.T) {
	k, rs, other := decrypting(t, jose.ECDHESA128KW), decrypting(t, jose.RSAOAEP256), decrypting(t, jose.ECDHESA128KW)
	good := strings.Split(encrypt(t, encrypting(t, k), jose.A128GCM, "a token"), ".")
	byRSA := strings.Split(encrypt(t, encrypting(t, rs), jose.A128GCM, "a token"), ".")
	with := func(parts []string, i int, part string) string {
		changed := append([]string(nil), parts...)
		changed[i] = part
		return strings.Join(changed, ".")
	}
	header := func(format string, args ...any) string { return with(good, 0, b64(fmt.Appendf(nil, format, args...))) }
	epk := jwkOf(t, generate(t, jose.ES256).Key(), "")
	p384 := elliptic.P384().Params()
	to := gojose.Recipient{Algorithm: gojose.ECDH_ES_A128KW, Key: publicOf(t, k)}
	zipped, err := gojose.NewEncrypter(gojose.A128GCM, to, &gojose.EncrypterOptions{Compression: gojose.DEFLATE})
	if err != nil {
		t.Fatal(err)
	}
	bomb, err := zipped.Encrypt(make([]byte, 200<<10))
	if err != nil {
		t.Fatal(err)
	}
	compressed, err := bomb.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		token string
		want  error
	}{
		"as it was":                {strings.Join(good, "."), nil},
		"empty":                    {"", jose.ErrForm},
		"dots":                     {"....", jose.ErrForm},
		"JWT-10 a megabyte":        {strings.Repeat(".", 1<<20), jose.ErrForm},
		"six parts":                {strings.Join(good, ".") + ".AAAA", jose.ErrForm},
		"JSON":                     {`{"protected":"` + good[0] + `","encrypted_key":"` + good[1] + `","iv":"` + good[2] + `","ciphertext":"` + good[3] + `","tag":"` + good[4] + `"}`, jose.ErrForm},
		"over the limit":           {with(good, 3, strings.Repeat("A", jose.MaxEncrypted)), jose.ErrForm},
		"JWT-09 no key":            {with(good, 1, ""), jose.ErrForm},
		"JWT-09 no key for RSA":    {with(byRSA, 1, ""), jose.ErrForm},
		"JWT-09 a short key":       {with(good, 1, "AAAA"), jose.ErrDecrypt},
		"JWT-09 a key of no words": {with(good, 1, b64(make([]byte, 17))), jose.ErrDecrypt},
		"JWT-09 no vector":         {with(good, 2, ""), jose.ErrForm},
		"JWT-09 a short vector":    {with(good, 2, "AAAA"), jose.ErrForm},
		"JWT-09 no text":           {with(good, 3, ""), jose.ErrForm},
		"JWT-09 no tag":            {with(good, 4, ""), jose.ErrForm},
		"JWT-09 a short tag":       {with(good, 4, "AAAA"), jose.ErrForm},
		"JWT-09 half a block":      {header(`{"alg":"ECDH-ES+A128KW","enc":"A128CBC-HS256","epk":%s}`, epk), jose.ErrForm},
		"a key for agreement":      {header(`{"alg":"ECDH-ES","enc":"A128GCM","epk":%s}`, epk), jose.ErrForm},
		"JWT-08 compressed":        {compressed, jose.ErrForm},
		"JWT-08 zip of nothing":    {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","zip":null,"epk":%s}`, epk), jose.ErrForm},
		"JWT-07 PBES2":             {header(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"AAAA"}`), jose.ErrAlgorithm},
		"JWT-07 p2c beside":        {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","p2c":1000000000,"epk":%s}`, epk), jose.ErrAlgorithm},
		"RSA1_5":                   {header(`{"alg":"RSA1_5","enc":"A128GCM"}`), jose.ErrAlgorithm},
		"dir":                      {header(`{"alg":"dir","enc":"A128GCM"}`), jose.ErrAlgorithm},
		"none":                     {header(`{"alg":"none","enc":"none"}`), jose.ErrAlgorithm},
		"other spelling":           {header(`{"alg":"ecdh-es+a128kw","enc":"A128GCM","epk":%s}`, epk), jose.ErrAlgorithm},
		"unknown content":          {header(`{"alg":"ECDH-ES+A128KW","enc":"A192GCM","epk":%s}`, epk), jose.ErrAlgorithm},
		"alg twice":                {header(`{"alg":"dir","alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":%s}`, epk), jose.ErrForm},
		"crit":                     {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","crit":[],"epk":%s}`, epk), jose.ErrForm},
		"a key of its own":         {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","jwk":%s,"epk":%s}`, epk, epk), jose.ErrKey},
		"an address":               {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","jku":"https://attacker.example","epk":%s}`, epk), jose.ErrKey},
		"another kid":              {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","kid":"../../dev/null","epk":%s}`, epk), jose.ErrKey},
		"a long kid":               {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","kid":%q,"epk":%s}`, strings.Repeat("k", 65), epk), jose.ErrForm},
		"none of its algorithm":    {header(`{"alg":"ECDH-ES+A256KW","enc":"A128GCM","epk":%s}`, epk), jose.ErrKey},
		"JWT-23 no point":          {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM"}`), jose.ErrForm},
		"JWT-23 null":              {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":null}`), jose.ErrForm},
		"JWT-23 off the curve":     {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":{"kty":"EC","crv":"P-256","x":%q,"y":%q}}`, b64(make([]byte, 32)), b64(make([]byte, 32))), jose.ErrForm},
		"JWT-23 P-384":             {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":{"kty":"EC","crv":"P-384","x":%q,"y":%q}}`, b64(p384.Gx.Bytes()), b64(p384.Gy.Bytes())), jose.ErrForm},
		"JWT-23 P-256 as P-384":    {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":%s}`, strings.Replace(epk, "P-256", "P-384", 1)), jose.ErrForm},
		"JWT-23 a signature's key": {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":%s}`, jwkOf(t, generate(t, jose.EdDSA).Key(), "")), jose.ErrForm},
		"JWT-23 a private one":     {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":%s}`, jwkOf(t, generate(t, jose.ES256).Key(), `"d":"AAAA"`)), jose.ErrForm},
		"a point for RSA":          {with(byRSA, 0, b64([]byte(`{"alg":"RSA-OAEP-256","enc":"A128GCM","epk":`+epk+`}`))), jose.ErrForm},
		"a number for a party":     {header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","apu":7,"epk":%s}`, epk), jose.ErrDecrypt},
		"another's":                {strings.Join(strings.Split(encrypt(t, encrypting(t, decrypting(t, jose.ECDHESA128KW)), jose.A128GCM, "a token"), "."), "."), jose.ErrKey},
	} {
		plain, err := jose.Decrypt(x.token, k, rs)
		if !errors.Is(err, x.want) || (err == nil) != (string(plain) == "a token") || err != nil && plain != nil {
			t.Errorf("%s: %q, %v, want %v", name, plain, err, x.want)
		}
	}
	// Without a kid and with two keys that could be meant, neither is tried.
	bare := header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":%s}`, epk)
	if _, err := jose.Decrypt(bare, k, other); !errors.Is(err, jose.ErrKey) {
		t.Errorf("two that could be meant: %v", err)
	}
	if _, err := jose.Decrypt(bare); !errors.Is(err, jose.ErrKey) {
		t.Errorf("no keys: %v", err)
	}
}

func publicOf(t testing.TB, k *jose.DecryptionKey) *ecdsa.PublicKey {
	t.Helper()
	text, err := json.Marshal(k.JWK())
	if err != nil {
		t.Fatal(err)
	}
	var j gojose.JSONWebKey
	if err := j.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return j.Key.(*ecdsa.PublicKey)
}

// Which of a client's keys it is written to by.
func TestTheKeyThatIsWrittenTo(t *testing.T) {
	ec, rs, second := generate(t, jose.ES256).Key(), generate(t, jose.RS256).Key(), generate(t, jose.ES256).Key()
	for name, x := range map[string]struct {
		set  string
		alg  jose.KeyAlg
		want string // kid, or nothing
	}{
		"one for encryption":         {setOf(jwkOf(t, ec, `"kid":"sig","use":"sig"`), jwkOf(t, second, `"kid":"enc","use":"enc"`)), jose.ECDHES, "enc"},
		"one that does not say":      {setOf(jwkOf(t, ec, `"kid":"sig","use":"sig"`), jwkOf(t, second, `"kid":"any"`)), jose.ECDHES, "any"},
		"that before any":            {setOf(jwkOf(t, ec, `"kid":"any"`), jwkOf(t, second, `"kid":"enc","use":"enc"`)), jose.ECDHES, "enc"},
		"only for signatures":        {setOf(jwkOf(t, ec, `"kid":"sig","use":"sig"`)), jose.ECDHES, ""},
		"signatures by its alg":      {setOf(jwkOf(t, ec, `"kid":"sig","alg":"ES256"`)), jose.ECDHES, ""},
		"of another algorithm":       {setOf(jwkOf(t, ec, `"kid":"a","alg":"ECDH-ES"`)), jose.ECDHESA128KW, ""},
		"of its own":                 {setOf(jwkOf(t, ec, `"kid":"a","alg":"ECDH-ES"`), jwkOf(t, second, `"kid":"b","alg":"ECDH-ES+A128KW"`)), jose.ECDHESA128KW, "b"},
		"of another kind":            {setOf(jwkOf(t, ec, `"kid":"a"`)), jose.RSAOAEP256, ""},
		"RSA":                        {setOf(jwkOf(t, ec, `"kid":"a"`), jwkOf(t, rs, `"kid":"b","use":"enc"`)), jose.RSAOAEP256, "b"},
		"operations":                 {setOf(jwkOf(t, rs, `"kid":"b","key_ops":["wrapKey"]`)), jose.RSAOAEP256, "b"},
		"operations of another kind": {setOf(jwkOf(t, rs, `"kid":"b","key_ops":["deriveKey"]`)), jose.RSAOAEP256, ""},
		"an algorithm of none":       {setOf(jwkOf(t, rs, `"kid":"b"`)), "RSA1_5", ""},
	} {
		set, err := jose.ReadJWKS([]byte(x.set))
		if err != nil {
			t.Fatal(name, err)
		}
		k, err := set.Encrypting(x.alg)
		if k.KID() != x.want || (err == nil) != (x.want != "") {
			t.Errorf("%s: %q, %v", name, k.KID(), err)
		}
	}
	to := encrypting(t, decrypting(t, jose.ECDHES))
	for name, err := range map[string]error{
		"the key of nothing":  failure(jose.EncryptionKey{}.Encrypt(jose.A128GCM, "a token")),
		"the enc of nothing":  failure(to.Encrypt("", "a token")),
		"an unknown enc":      failure(to.Encrypt("A192GCM", "a token")),
		"nothing":             failure(to.Encrypt(jose.A128GCM, "")),
		"more than is signed": failure(to.Encrypt(jose.A128GCM, strings.Repeat("a", jose.MaxToken+1))),
	} {
		if err == nil {
			t.Errorf("%s encrypts", name)
		}
	}
	// What is the longest to sign is not too long to read.
	if _, err := jose.Decrypt(encrypt(t, to, jose.A256CBCHS512, strings.Repeat("a", jose.MaxToken))); !errors.Is(err, jose.ErrKey) {
		t.Errorf("the longest token: %v", err)
	}
}

func failure(_ string, err error) error { return err }

func FuzzDecrypt(f *testing.F) {
	k := decrypting(f, jose.ECDHESA128KW)
	good := encrypt(f, encrypting(f, k), jose.A128CBCHS256, "a token")
	f.Add(good)
	f.Add("....")
	f.Add(b64([]byte(`{"alg":"ECDH-ES","enc":"A128GCM","epk":{}}`)) + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		plain, err := jose.Decrypt(token, k)
		if (err == nil) != (plain != nil) || err == nil && token != good {
			t.Fatalf("opened %q as %q, %v", token, plain, err)
		}
	})
}
