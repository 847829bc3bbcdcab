package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
)

// jwkOf is a key as JSON with members of one's own in front.
func jwkOf(t testing.TB, k jose.Key, members string) string {
	t.Helper()
	j := k.JWK()
	var own string
	switch j.Kty {
	case "EC":
		own = fmt.Sprintf(`"kty":"EC","crv":%q,"x":%q,"y":%q`, j.Crv, j.X, j.Y)
	case "OKP":
		own = fmt.Sprintf(`"kty":"OKP","crv":%q,"x":%q`, j.Crv, j.X)
	case "RSA":
		own = fmt.Sprintf(`"kty":"RSA","n":%q,"e":%q`, j.N, j.E)
	}
	if members != "" {
		members += ","
	}
	return "{" + members + own + "}"
}

func setOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func TestKeysOfOthersAreRead(t *testing.T) {
	for _, alg := range algs {
		k := generate(t, alg).Key()
		got, err := jose.ReadJWK([]byte(jwkOf(t, k, `"kid":"theirs","unknown":{"a":1},"x5c":["nobody looks"]`)))
		if err != nil {
			t.Fatal(alg, err)
		}
		if got.KID() != "theirs" || got.Thumbprint() != k.Thumbprint() {
			t.Errorf("%s: read as %q, %q", alg, got.KID(), got.Thumbprint())
		}
		bound, err := got.For(alg)
		if err != nil || bound.Alg() != alg || bound.Thumbprint() != k.Thumbprint() {
			t.Errorf("%s: bound as %v, %v", alg, bound, err)
		}
	}
	if _, err := (jose.PublicKey{}).For(jose.ES256); err == nil {
		t.Error("a key of nothing verifies")
	}
}

// JWT-23 in its form for keys: a point that is not of its curve. With it, all
// that makes a key none of ours to use.
func TestKeysOfOthersThatAreRefused(t *testing.T) {
	ec, ed, small := generate(t, jose.ES256).Key(), generate(t, jose.EdDSA).Key(), generate(t, jose.RS256).Key()
	e, o, r := ec.JWK(), ed.JWK(), small.JWK()
	flip := func(s string) string { // another number in the same form
		b, _ := base64.RawURLEncoding.DecodeString(s)
		b[len(b)-1] ^= 1
		return b64(b)
	}
	p384 := elliptic.P384().Params()
	short, _ := base64.RawURLEncoding.DecodeString(e.X)
	n, _ := base64.RawURLEncoding.DecodeString(r.N)
	for name, text := range map[string]string{
		"nothing":              ``,
		"null":                 `null`,
		"list":                 `[]`,
		"no members":           `{}`,
		"two documents":        jwkOf(t, ec, "") + "{}",
		"a member twice":       jwkOf(t, ec, `"kid":"a","kid":"b"`),
		"a member hidden":      jwkOf(t, ec, `"x":"AAAA"`),
		"kid of another kind":  jwkOf(t, ec, `"kid":7`),
		"a long kid":           jwkOf(t, ec, `"kid":"`+strings.Repeat("k", jose.MaxKID+1)+`"`),
		"10 MB":                jwkOf(t, ec, `"a":"`+strings.Repeat("a", 10<<20)+`"`),
		"bad UTF-8":            jwkOf(t, ec, "\"a\":\"\xff\""),
		"private":              jwkOf(t, ec, `"d":"AAAA"`),
		"private, null":        jwkOf(t, ec, `"d":null`),
		"private, empty":       jwkOf(t, small, `"p":""`),
		"private primes":       jwkOf(t, small, `"oth":[]`),
		"a secret":             `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}`,
		"a secret beside":      jwkOf(t, ec, `"k":"AAAA"`),
		"other kind":           `{"kty":"AKP","pub":"AAAA","alg":"ML-DSA-44"}`,
		"kind in other case":   strings.Replace(jwkOf(t, ec, ""), `"EC"`, `"ec"`, 1),
		"other curve":          strings.Replace(jwkOf(t, ec, ""), "P-256", "secp256k1", 1),
		"P-256 point as P-384": strings.Replace(jwkOf(t, ec, ""), "P-256", "P-384", 1),
		"a real P-384 point":   fmt.Sprintf(`{"kty":"EC","crv":"P-384","x":%q,"y":%q}`, b64(p384.Gx.Bytes()), b64(p384.Gy.Bytes())),
		"off the curve":        fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, e.X, flip(e.Y)),
		"the point of nothing": fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(make([]byte, 32)), b64(make([]byte, 32))),
		"x over the field":     fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(bytes.Repeat([]byte{255}, 32)), e.Y),
		"a short x":            fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(short[1:]), e.Y),
		"a long x":             fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(append([]byte{0}, short...)), e.Y),
		"no y":                 fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q}`, e.X),
		"padding":              fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, e.X+"=", e.Y),
		"Ed25519 of low order": fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, b64(make([]byte, 32))),
		"Ed25519 cut":          fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, o.X[:40]),
		"X25519":               strings.Replace(jwkOf(t, ed, ""), "Ed25519", "X25519", 1),
		"RSA of 1024 bits":     fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB"}`, b64(n[:128])),
		"RSA of 2047 bits":     fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB"}`, b64(new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 2046), 0, 1).Bytes())),
		"RSA of 8192 bits":     fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB"}`, b64(bytes.Repeat(n[:256], 4))),
		"RSA with e = 1":       fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQ"}`, r.N),
		"RSA with e = 2":       fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"Ag"}`, r.N),
		"RSA with a huge e":    fmt.Sprintf(`{"kty":"RSA","n":%q,"e":%q}`, r.N, r.N),
		"RSA n with a zero":    fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB"}`, b64(append([]byte{0}, n...))),
		"RSA e with a zero":    fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AAEAAQ"}`, r.N),
		"RSA without n":        `{"kty":"RSA","e":"AQAB"}`,
		"an unknown alg":       jwkOf(t, ec, `"alg":"ES521"`),
		"none":                 jwkOf(t, ec, `"alg":"none"`),
		"RSA1_5":               jwkOf(t, small, `"alg":"RSA1_5"`),
		"an operation twice":   jwkOf(t, ec, `"key_ops":["verify","verify"]`),
	} {
		got, err := jose.ReadJWK([]byte(text))
		if !errors.Is(err, jose.ErrJWK) || got.Thumbprint() != "" {
			t.Errorf("%s: read as %v, %v", name, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), e.X) || strings.Contains(err.Error(), "AAAA")) {
			t.Errorf("%s: the reason repeats what was sent: %v", name, err)
		}
	}
}

// RFC 7517 sections 4.2 to 4.4: a key that says what it is for is for nothing
// else.
func TestAKeyIsForWhatItSays(t *testing.T) {
	ec, rs := generate(t, jose.ES256).Key(), generate(t, jose.RS256).Key()
	for members, want := range map[string][]jose.Alg{
		``:                                     {jose.RS256, jose.RS512, jose.PS256},
		`"alg":"PS256"`:                        {jose.PS256},
		`"use":"sig"`:                          {jose.RS256, jose.RS512, jose.PS256},
		`"use":"enc"`:                          nil,
		`"use":"tls"`:                          nil,
		`"alg":"RSA-OAEP-256"`:                 nil,
		`"key_ops":["verify"]`:                 {jose.RS256, jose.RS512, jose.PS256},
		`"key_ops":["sign","verify"]`:          {jose.RS256, jose.RS512, jose.PS256},
		`"key_ops":["encrypt","wrapKey"]`:      nil,
		`"key_ops":[]`:                         nil,
		`"use":"sig","key_ops":["wrapKey"]`:    nil,
		`"use":"enc","key_ops":["verify"]`:     nil,
		`"alg":"ES256"`:                        nil,
		`"alg":null,"use":null,"key_ops":null`: {jose.RS256, jose.RS512, jose.PS256},
	} {
		k, err := jose.ReadJWK([]byte(jwkOf(t, rs, members)))
		if err != nil {
			t.Fatal(members, err)
		}
		var got []jose.Alg
		for _, alg := range jose.OthersAlgs() {
			if bound, err := k.For(alg); err == nil && bound.Alg() == alg {
				got = append(got, alg)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: verifies %v, want %v", members, got, want)
		}
	}
	k, err := jose.ReadJWK([]byte(jwkOf(t, ec, "")))
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []jose.Alg{"", "none", "HS256", jose.RS256, jose.EdDSA, jose.Ed25519} {
		if _, err := k.For(alg); err == nil {
			t.Errorf("an EC key verifies %q", alg)
		}
	}
}

func TestSetsOfKeys(t *testing.T) {
	a, b := generate(t, jose.ES256).Key(), generate(t, jose.EdDSA).Key()
	one, two := jwkOf(t, a, `"kid":"a"`), jwkOf(t, b, `"kid":"b"`)
	const other, secret = `{"kty":"EC","crv":"P-521","kid":"c","x":"AA","y":"AA"}`, `{"kty":"oct","k":"AAAA"}`
	many := slices.Repeat([]string{jwkOf(t, a, "")}, jose.MaxKeys+1)
	for name, c := range map[string]struct {
		text string
		kids []string // nothing: refused
	}{
		"two":                         {setOf(one, two), []string{"a", "b"}},
		"one of another kind":         {setOf(one, other, `{"kty":"AKP"}`), []string{"a"}},
		"members of one's own":        {`{"x":1,"keys":[` + two + `]}`, []string{"b"}},
		"two without a kid":           {setOf(jwkOf(t, a, ""), jwkOf(t, b, "")), []string{"", ""}},
		"as many as may be":           {setOf(many[1:]...), make([]string, jose.MaxKeys)},
		"one more":                    {setOf(many...), nil},
		"one kid twice":               {setOf(one, jwkOf(t, b, `"kid":"a"`)), nil},
		"one kid twice, one left out": {setOf(one, strings.Replace(other, `"c"`, `"a"`, 1)), nil},
		"none":                        {setOf(), nil},
		"none of use":                 {setOf(other), nil},
		"keys twice":                  {`{"keys":[` + one + `],"keys":[` + two + `]}`, nil},
		"no keys":                     {`{}`, nil},
		"null":                        {`null`, nil},
		"null keys":                   {`{"keys":null}`, nil},
		"a null key":                  {setOf(one, `null`), nil},
		"a number":                    {setOf(one, `7`), nil},
		"a key alone":                 {one, nil},
		"a list":                      {`[` + one + `]`, nil},
		"a private one":               {setOf(one, jwkOf(t, b, `"d":"AAAA"`)), nil},
		"a secret":                    {setOf(one, secret), nil},
		"a wrong one":                 {setOf(one, `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`), nil},
		"a megabyte":                  {setOf(one) + strings.Repeat(" ", 1<<20), nil},
	} {
		set, err := jose.ReadJWKS([]byte(c.text))
		var kids []string
		for _, k := range set.Keys() {
			kids = append(kids, k.KID())
		}
		if (err == nil) != (c.kids != nil) || !slices.Equal(kids, c.kids) || err != nil && !errors.Is(err, jose.ErrJWK) {
			t.Errorf("%s: %q, %v", name, kids, err)
		}
	}
}

// signed is a token by a key that is not ours, with a header of its own.
func signed(t testing.TB, k *jose.SigningKey, alg, members string) string {
	t.Helper()
	header := `{"alg":"` + alg + `"`
	if members != "" {
		header += "," + members
	}
	header += "}"
	if p, ok := privateOf(t, k).(ed25519.PrivateKey); ok {
		input := b64([]byte(header)) + "." + b64([]byte(`{"a":1}`))
		return input + "." + b64(ed25519.Sign(p, []byte(input)))
	}
	return forge(t, private(t, k), header, `{"a":1}`)
}

func TestTokensOfOthers(t *testing.T) {
	ec, second, ed := generate(t, jose.ES256), generate(t, jose.ES256), generate(t, jose.EdDSA)
	set := func(keys ...string) jose.KeySet {
		s, err := jose.ReadJWKS([]byte(setOf(keys...)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b, c := jwkOf(t, ec.Key(), `"kid":"a"`), jwkOf(t, second.Key(), `"kid":"b"`), jwkOf(t, ed.Key(), `"kid":"c"`)
	types, es256 := []string{"", "JWT"}, []jose.Alg{jose.ES256}
	all := jose.OthersAlgs()
	for name, x := range map[string]struct {
		token string
		set   jose.KeySet
		types []string
		algs  []jose.Alg
		want  error
	}{
		"by its kid":               {signed(t, ec, "ES256", `"kid":"a","typ":"JWT"`), set(a, b, c), types, es256, nil},
		"without a typ":            {signed(t, ec, "ES256", `"kid":"a"`), set(a, b, c), types, es256, nil},
		"without one that must be": {signed(t, ec, "ES256", `"kid":"a"`), set(a, b, c), types[1:], es256, jose.ErrType},
		"of another typ":           {signed(t, ec, "ES256", `"kid":"a","typ":"dpop+jwt"`), set(a, b, c), types, es256, jose.ErrType},
		"of no typ that is asked":  {signed(t, ec, "ES256", `"kid":"a"`), set(a, b, c), nil, es256, jose.ErrType},
		"no kid, one that fits":    {signed(t, ec, "ES256", ``), set(a, c), types, es256, nil},
		"no kid, two that fit":     {signed(t, ec, "ES256", ``), set(a, b), types, es256, jose.ErrKey},
		"no kid, two but for use":  {signed(t, ec, "ES256", ``), set(a, jwkOf(t, second.Key(), `"use":"enc"`)), types, es256, nil},
		"another kid":              {signed(t, ec, "ES256", `"kid":"d"`), set(a, b, c), types, es256, jose.ErrKey},
		"kid of a key of its own":  {signed(t, ec, "ES256", `"kid":"a"`), set(jwkOf(t, ec.Key(), "")), types, es256, jose.ErrKey},
		"the kid of a second":      {signed(t, ec, "ES256", `"kid":"b"`), set(a, b, c), types, es256, jose.ErrSignature},
		"by a stranger":            {signed(t, generate(t, jose.ES256), "ES256", `"kid":"a"`), set(a, b, c), types, es256, jose.ErrSignature},
		"EdDSA":                    {signed(t, ed, "EdDSA", `"kid":"c"`), set(a, b, c), types, all, nil},
		"Ed25519":                  {signed(t, ed, "Ed25519", `"kid":"c"`), set(a, b, c), types, all, nil},
		"Ed25519 by another":       {signed(t, generate(t, jose.EdDSA), "Ed25519", `"kid":"c"`), set(a, b, c), types, all, jose.ErrSignature},
		"EdDSA, not allowed":       {signed(t, ed, "EdDSA", `"kid":"c"`), set(a, b, c), types, es256, jose.ErrAlgorithm},
		"nothing allowed":          {signed(t, ec, "ES256", `"kid":"a"`), set(a, b, c), types, nil, jose.ErrAlgorithm},
		"RS256 by an EC key":       {signed(t, ec, "RS256", `"kid":"a"`), set(a, b, c), types, all, jose.ErrKey},
		"EdDSA, a key of Ed25519":  {signed(t, ed, "EdDSA", `"kid":"c"`), set(jwkOf(t, ed.Key(), `"kid":"c","alg":"Ed25519"`)), types, all, nil},
		"Ed25519, a key of EdDSA":  {signed(t, ed, "Ed25519", `"kid":"c"`), set(jwkOf(t, ed.Key(), `"kid":"c","alg":"EdDSA"`)), types, []jose.Alg{jose.EdDSA}, nil},
		"a key that says another":  {signed(t, ec, "ES256", `"kid":"a"`), set(jwkOf(t, ec.Key(), `"kid":"a","alg":"ECDH-ES"`)), types, all, jose.ErrKey},
		"a key for encryption":     {signed(t, ec, "ES256", `"kid":"a"`), set(jwkOf(t, ec.Key(), `"kid":"a","use":"enc"`)), types, es256, jose.ErrKey},
		"JWT-01 none":              {signed(t, ec, "none", `"kid":"a"`), set(a, b, c), types, all, jose.ErrAlgorithm},
		"JWT-01 nOnE":              {signed(t, ec, "nOnE", `"kid":"a"`), set(a, b, c), types, all, jose.ErrAlgorithm},
		"JWT-02 HS256":             {signed(t, ec, "HS256", `"kid":"a"`), set(a, b, c), types, all, jose.ErrAlgorithm},
		"JWT-03 jwk":               {signed(t, second, "ES256", `"kid":"a","jwk":`+b), set(a), types, es256, jose.ErrKey},
		"JWT-03 x5c":               {signed(t, second, "ES256", `"kid":"a","x5c":[]`), set(a), types, es256, jose.ErrKey},
		"JWT-04 jku":               {signed(t, second, "ES256", `"kid":"a","jku":"https://attacker.example/jwks"`), set(a), types, es256, jose.ErrKey},
		"JWT-04 x5u":               {signed(t, second, "ES256", `"kid":"a","x5u":"https://attacker.example/"`), set(a), types, es256, jose.ErrKey},
		"crit":                     {signed(t, ec, "ES256", `"kid":"a","crit":["exp"],"exp":1`), set(a), types, es256, jose.ErrForm},
		"no keys":                  {signed(t, ec, "ES256", `"kid":"a"`), jose.KeySet{}, types, es256, jose.ErrKey},
		"JWT-10 dots":              {strings.Repeat(".", 1<<20), set(a), types, es256, jose.ErrForm},
	} {
		claims, by, err := x.set.Verify(x.token, x.types, x.algs)
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
		if x.want != nil && (claims != nil || by.Public() != nil) || x.want == nil && (string(claims) != `{"a":1}` || by.Public() == nil) {
			t.Errorf("%s: claims %q by %v", name, claims, by)
		}
	}
}

// A proof is signed by the key in its header, and that is all it says.
func TestProofsOfPossession(t *testing.T) {
	ec, other, ed := generate(t, jose.ES256), generate(t, jose.ES256), generate(t, jose.EdDSA)
	jwk := func(k *jose.SigningKey, members string) string {
		return `"typ":"dpop+jwt","jwk":` + jwkOf(t, k.Key(), members)
	}
	for name, x := range map[string]struct {
		token string
		want  error
	}{
		"good":                    {signed(t, ec, "ES256", jwk(ec, "")), nil},
		"with a kid":              {signed(t, ec, "ES256", `"kid":"whatever",`+jwk(ec, "")), nil},
		"that says what it is":    {signed(t, ec, "ES256", jwk(ec, `"alg":"ES256","use":"sig"`)), nil},
		"no key":                  {signed(t, ec, "ES256", `"typ":"dpop+jwt"`), jose.ErrKey},
		"null":                    {signed(t, ec, "ES256", `"typ":"dpop+jwt","jwk":null`), jose.ErrKey},
		"another's key":           {signed(t, ec, "ES256", jwk(other, "")), jose.ErrSignature},
		"a private key":           {signed(t, ec, "ES256", jwk(ec, `"d":"AAAA"`)), jose.ErrKey},
		"for encryption":          {signed(t, ec, "ES256", jwk(ec, `"use":"enc"`)), jose.ErrAlgorithm},
		"of another kind":         {signed(t, ec, "ES256", jwk(ed, "")), jose.ErrAlgorithm},
		"not an allowed one":      {signed(t, ed, "EdDSA", jwk(ed, "")), jose.ErrAlgorithm},
		"of another typ":          {signed(t, ec, "ES256", `"typ":"JWT","jwk":`+jwkOf(t, ec.Key(), "")), jose.ErrType},
		"of the typ in full":      {signed(t, ec, "ES256", `"typ":"application/dpop+jwt","jwk":`+jwkOf(t, ec.Key(), "")), jose.ErrType},
		"without a typ":           {signed(t, ec, "ES256", `"jwk":`+jwkOf(t, ec.Key(), "")), jose.ErrType},
		"a jku too":               {signed(t, ec, "ES256", `"jku":"https://attacker.example",`+jwk(ec, "")), jose.ErrKey},
		"a certificate too":       {signed(t, ec, "ES256", `"x5c":["AAAA"],`+jwk(ec, "")), jose.ErrKey},
		"JWT-01 none":             {signed(t, ec, "none", jwk(ec, "")), jose.ErrAlgorithm},
		"JWT-02 a secret":         {signed(t, ec, "HS256", `"typ":"dpop+jwt","jwk":{"kty":"oct","k":"AAAA"}`), jose.ErrAlgorithm},
		"JWT-23 a point of none":  {signed(t, ec, "ES256", `"typ":"dpop+jwt","jwk":{"kty":"EC","crv":"P-256","x":"`+b64(make([]byte, 32))+`","y":"`+b64(make([]byte, 32))+`"}`), jose.ErrKey},
		"critical":                {signed(t, ec, "ES256", `"crit":["a"],"a":1,`+jwk(ec, "")), jose.ErrForm},
		"a megabyte of something": {signed(t, ec, "ES256", `"a":"`+strings.Repeat("a", 1<<20)+`",`+jwk(ec, "")), jose.ErrForm},
	} {
		claims, by, err := jose.VerifyProof(x.token, "dpop+jwt", []jose.Alg{jose.ES256})
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
		if x.want != nil && (claims != nil || by.Thumbprint() != "") || x.want == nil && (string(claims) != `{"a":1}` || by.Thumbprint() != ec.Key().Thumbprint()) {
			t.Errorf("%s: claims %q by %v", name, claims, by)
		}
	}
}

// A key reads as itself again, whatever else its text says, and is of the list.
func FuzzReadJWK(f *testing.F) {
	for _, alg := range []jose.Alg{jose.ES256, jose.EdDSA, jose.RS256} {
		f.Add([]byte(jwkOf(f, generate(f, alg).Key(), `"kid":"a","key_ops":["verify"],"use":"sig"`)))
	}
	f.Add([]byte(`{"kty":"oct","k":"AAAA"}`))
	f.Add([]byte(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := jose.ReadJWK(data)
		if err != nil {
			if k.Thumbprint() != "" {
				t.Fatalf("refused %q, yet gave a key", data)
			}
			return
		}
		for _, alg := range jose.OthersAlgs() {
			bound, err := k.For(alg)
			if err != nil {
				continue
			}
			switch p := bound.Public().(type) {
			case *ecdsa.PublicKey, ed25519.PublicKey:
			case *rsa.PublicKey:
				if p.N.BitLen() < 2048 {
					t.Fatalf("an RSA key of %d bits", p.N.BitLen())
				}
			default:
				t.Fatalf("a key of the kind %T", p)
			}
			text, err := json.Marshal(bound.JWK())
			if err != nil {
				t.Fatal(err)
			}
			if again, err := jose.ReadJWK(text); err != nil || again.Thumbprint() != k.Thumbprint() {
				t.Fatalf("%q is %v again, %v", text, again, err)
			}
		}
	})
}

func FuzzReadJWKS(f *testing.F) {
	one := jwkOf(f, generate(f, jose.ES256).Key(), `"kid":"a"`)
	f.Add([]byte(setOf(one, jwkOf(f, generate(f, jose.EdDSA).Key(), `"kid":"b"`))))
	f.Add([]byte(setOf(one, one)))
	f.Add([]byte(`{"keys":[null,7,{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := jose.ReadJWKS(data)
		if (err == nil) != (len(set.Keys()) > 0) || len(set.Keys()) > jose.MaxKeys {
			t.Fatalf("%d keys of %q, %v", len(set.Keys()), data, err)
		}
		kids := map[string]bool{}
		for _, k := range set.Keys() {
			if k.Thumbprint() == "" || k.KID() != "" && kids[k.KID()] {
				t.Fatalf("the keys of %q are %v", data, set)
			}
			kids[k.KID()] = true
		}
	})
}

// Whatever a stranger sends: no claims without a signature by the set's key, or
// by the key of the header where that is what is asked.
func FuzzTokensOfOthers(f *testing.F) {
	k := generate(f, jose.ES256)
	set, err := jose.ReadJWKS([]byte(setOf(jwkOf(f, k.Key(), `"kid":"a"`))))
	if err != nil {
		f.Fatal(err)
	}
	good := signed(f, k, "ES256", `"kid":"a"`)
	proof := signed(f, k, "ES256", `"typ":"dpop+jwt","jwk":`+jwkOf(f, k.Key(), ""))
	f.Add(good)
	f.Add(proof)
	f.Add(b64([]byte(`{"alg":"none","kid":"a"}`)) + ".e30.")
	f.Fuzz(func(t *testing.T, token string) {
		claims, by, err := set.Verify(token, []string{""}, jose.OthersAlgs())
		if (err == nil) != (claims != nil) || (err == nil) != (by.Public() != nil) || err == nil && token != good {
			t.Fatalf("accepted %q: %v", token, err)
		}
		claims, brought, err := jose.VerifyProof(token, "dpop+jwt", jose.OthersAlgs())
		if (err == nil) != (claims != nil) || (err == nil) != (brought.Thumbprint() != "") || brought.Thumbprint() == k.Key().Thumbprint() && token != proof {
			t.Fatalf("accepted %q: %v", token, err)
		}
	})
}
