package jose_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
)

var algs = []jose.Alg{jose.ES256, jose.EdDSA, jose.RS256, jose.RS512, jose.PS256}

func generate(t testing.TB, alg jose.Alg) *jose.SigningKey {
	t.Helper()
	k, err := jose.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The example of RFC 7638 section 3.1.
func TestThumbprintOfRFC7638(t *testing.T) {
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
		"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91" +
		"CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	raw, err := base64.RawURLEncoding.DecodeString(n)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jose.NewKey("", jose.RS256, &rsa.PublicKey{N: new(big.Int).SetBytes(raw), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; key.KID() != want {
		t.Errorf("kid = %s, want %s", key.KID(), want)
	}
}

// What we publish is read by other people's libraries: here by one.
func TestPublishedKeysReadElsewhere(t *testing.T) {
	for _, alg := range algs {
		t.Run(string(alg), func(t *testing.T) {
			k := generate(t, alg)
			doc, err := json.Marshal(jose.Set(k.Key()))
			if err != nil {
				t.Fatal(err)
			}
			var set gojose.JSONWebKeySet
			if err := json.Unmarshal(doc, &set); err != nil {
				t.Fatalf("%v in %s", err, doc)
			}
			got := set.Key(k.KID())
			if len(got) != 1 {
				t.Fatalf("kid %s not in %s", k.KID(), doc)
			}
			if got[0].Algorithm != string(alg) || got[0].Use != "sig" || !got[0].IsPublic() || !got[0].Valid() {
				t.Errorf("read as alg %q use %q public %v", got[0].Algorithm, got[0].Use, got[0].IsPublic())
			}
			token, err := k.Sign("at+jwt", []byte(`{"sub":"u1"}`))
			if err != nil {
				t.Fatal(err)
			}
			jws, err := gojose.ParseSignedCompact(token, []gojose.SignatureAlgorithm{gojose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatal(err)
			}
			if claims, err := jws.Verify(got[0]); err != nil || string(claims) != `{"sub":"u1"}` {
				t.Errorf("verified as %q, %v", claims, err)
			}
		})
	}
}

func TestEmptySetIsAList(t *testing.T) {
	doc, err := json.Marshal(jose.Set())
	if err != nil || string(doc) != `{"keys":[]}` {
		t.Errorf("got %s, %v", doc, err)
	}
}

func TestStoredKeySignsAgain(t *testing.T) {
	for _, alg := range algs {
		t.Run(string(alg), func(t *testing.T) {
			k := generate(t, alg)
			der, err := k.MarshalPKCS8()
			if err != nil {
				t.Fatal(err)
			}
			again, err := jose.ParseSigningKey(alg, der)
			if err != nil {
				t.Fatal(err)
			}
			if again.KID() != k.KID() {
				t.Fatalf("kid changed from %s to %s", k.KID(), again.KID())
			}
			token, err := again.Sign("at+jwt", []byte(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := jose.Verify(token, "at+jwt", ring(k.Key())); err != nil {
				t.Error(err)
			}
			for _, other := range algs {
				// The bytes of an RSA key do not say which of its algorithms it is for:
				// where it is kept does.
				rsa := func(a jose.Alg) bool { return a[1] == 'S' && a[0] != 'E' }
				if _, err := jose.ParseSigningKey(other, der); other != alg && !(rsa(other) && rsa(alg)) && err == nil {
					t.Errorf("a key for %s was taken for %s", alg, other)
				}
			}
		})
	}
	if _, err := jose.ParseSigningKey(jose.ES256, []byte("not a key")); err == nil {
		t.Error("took bytes that are no key")
	}
}

func TestKeysThatDoNotFit(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), nil)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(nil, 1024)
	if err != nil {
		t.Fatal(err)
	}
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	huge := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 16384), E: 65537}
	ours := generate(t, jose.ES256).Key().Public()
	for name, try := range map[string]struct {
		alg jose.Alg
		key any
	}{
		"P-384 for ES256":        {jose.ES256, &p384.PublicKey},
		"point off the curve":    {jose.ES256, off},
		"RSA of 1024 bits":       {jose.RS256, &weak.PublicKey},
		"RSA of 16384 bits":      {jose.RS256, huge},
		"EC key for RS256":       {jose.RS256, ours},
		"EC key for EdDSA":       {jose.EdDSA, ours},
		"shared-key algorithm":   {"HS256", ours},
		"no algorithm":           {"none", ours},
		"the zero algorithm":     {"", ours},
		"bytes instead of a key": {jose.ES256, []byte("secret")},
		"nothing":                {jose.ES256, nil},
	} {
		if k, err := jose.NewKey("k", try.alg, try.key); err == nil {
			t.Errorf("%s: accepted as %v", name, k.Alg())
		}
	}
	for _, alg := range []jose.Alg{"", "none", "HS256", "es256"} {
		if _, err := jose.GenerateKey(alg); err == nil {
			t.Errorf("made a key for %q", alg)
		}
	}
}

// A careless log line must not spill the private key.
func TestSigningKeyPrintsItsID(t *testing.T) {
	k := generate(t, jose.ES256)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, k); got != k.KID() {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestSignRefusesWhatNobodyCouldVerify(t *testing.T) {
	k := generate(t, jose.ES256)
	for name, try := range map[string]struct{ typ, claims string }{
		"no typ":       {"", "{}"},
		"quote in typ": {`a","alg":"none`, "{}"},
		"no claims":    {"at+jwt", ""},
		"too long":     {"at+jwt", `{"x":"` + strings.Repeat("a", jose.MaxToken) + `"}`},
	} {
		if token, err := k.Sign(try.typ, []byte(try.claims)); err == nil || token != "" {
			t.Errorf("%s: signed", name)
		}
	}
}
