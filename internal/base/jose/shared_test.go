package jose_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
)

var sharedAlgs = map[jose.SharedAlg]int{jose.HS256: 32, jose.HS384: 48, jose.HS512: 64}

func shared(t *testing.T, alg jose.SharedAlg, fill byte) *jose.Shared {
	t.Helper()
	s, err := jose.NewShared("svc", alg, bytes.Repeat([]byte{fill}, sharedAlgs[alg]))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// RFC 7518 section 3.2, RFC 8725 section 3.5: the secret is as long as the hash.
func TestSharedSecretsAreLong(t *testing.T) {
	for alg, least := range sharedAlgs {
		for _, n := range []int{0, 1, 16, least - 1} {
			if _, err := jose.NewShared("svc", alg, make([]byte, n)); err == nil {
				t.Errorf("%s took a secret of %d bytes", alg, n)
			}
		}
		for _, n := range []int{least, least + 1, 200} {
			if _, err := jose.NewShared("svc", alg, make([]byte, n)); err != nil {
				t.Errorf("%s of %d bytes: %v", alg, n, err)
			}
		}
	}
	for _, alg := range []jose.SharedAlg{"", "none", "hs256", "HS1", "ES256"} {
		if _, err := jose.NewShared("svc", alg, make([]byte, 64)); err == nil {
			t.Errorf("%q is an algorithm", alg)
		}
	}
	for _, kid := range []string{"", `a"b`, "a b", strings.Repeat("k", 65)} {
		if _, err := jose.NewShared(kid, jose.HS256, make([]byte, 64)); err == nil {
			t.Errorf("%q is an id", kid)
		}
	}
}

// A secret opens its own tokens under its own algorithm, and nothing else does.
func TestSharedSecretsArePinned(t *testing.T) {
	for alg := range sharedAlgs {
		s := shared(t, alg, 1)
		token, err := s.Sign("svc+jwt", []byte(`{"sub":"u1"}`))
		if err != nil {
			t.Fatal(err)
		}
		if claims, err := s.Verify(token, "svc+jwt"); err != nil || string(claims) != `{"sub":"u1"}` {
			t.Errorf("%s: %s, %v", alg, claims, err)
		}
		if _, err := s.Verify(token, "at+jwt"); err == nil {
			t.Errorf("%s: taken as another type", alg)
		}
		if claims, err := shared(t, alg, 2).Verify(token, "svc+jwt"); err == nil || claims != nil {
			t.Errorf("%s: another secret opened it", alg)
		}
		for other := range sharedAlgs {
			long, err := jose.NewShared("svc", other, bytes.Repeat([]byte{1}, 64))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := long.Verify(token, "svc+jwt"); other != alg && err == nil {
				t.Errorf("a token of %s passes for %s", alg, other)
			}
		}
		// No public key is a way to it, whatever its id.
		for _, pub := range algs {
			k, err := jose.NewKey("svc", pub, generate(t, pub).Key().Public())
			if err != nil {
				t.Fatal(err)
			}
			refused(t, string(alg)+" under a key for "+string(pub), token, "svc+jwt", ring(k), jose.ErrAlgorithm)
		}
		if text := fmt.Sprintf("%v %+v %#v", s, s, s); strings.Contains(text, "1 1") || strings.Contains(text, "0x1") {
			t.Errorf("it prints its secret: %s", text)
		}
		if doc, err := json.Marshal(s); err == nil && strings.Contains(string(doc), "AQEB") {
			t.Errorf("it is written as %s", doc)
		}
	}
}

// JWT-02: what is public of a key is no shared secret, in any form of it, nor
// under the key's own id.
func TestJWT02NoFormOfAPublicKeyOpensUnderRS512AndPS256(t *testing.T) {
	for _, alg := range []jose.Alg{jose.RS512, jose.PS256} {
		k := generate(t, alg)
		der, err := x509.MarshalPKIXPublicKey(k.Key().Public())
		if err != nil {
			t.Fatal(err)
		}
		n := k.Key().Public().(*rsa.PublicKey).N.Bytes()
		for _, hs := range []string{"HS256", "HS384", "HS512"} {
			for _, as := range [][]byte{der, n} {
				input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+hs+`","kid":"`+k.KID()+`","typ":"at+jwt"}`)) + ".e30"
				m := hmac.New(sha256.New, as)
				m.Write([]byte(input))
				refused(t, hs, input+"."+base64.RawURLEncoding.EncodeToString(m.Sum(nil)), "at+jwt", ring(k.Key()), jose.ErrAlgorithm)
			}
		}
	}
}

// One key, one algorithm: the three of RSA do not stand in for one another,
// even over a signature that is good under the other.
func TestOneRSAKeyIsForOneAlgorithm(t *testing.T) {
	k := generate(t, jose.RS256)
	for _, made := range []jose.Alg{jose.RS256, jose.RS512, jose.PS256} {
		der, err := k.MarshalPKCS8()
		if err != nil {
			t.Fatal(err)
		}
		signer, err := jose.ParseSigningKey(made, der)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signer.Sign("at+jwt", []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, pinned := range []jose.Alg{jose.RS256, jose.RS512, jose.PS256} {
			pub, err := jose.NewKey(k.KID(), pinned, k.Key().Public())
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := jose.Verify(token, "at+jwt", ring(pub)); (err == nil) != (made == pinned) {
				t.Errorf("%s under a key for %s: %v", made, pinned, err)
			}
		}
	}
}

// RFC 7518 section 3.5: the salt of PS256 is as long as the hash.
func TestTheSaltOfPS256(t *testing.T) {
	k := generate(t, jose.PS256)
	der, err := k.MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"PS256","kid":"`+k.KID()+`","typ":"at+jwt"}`)) + ".e30"
	digest := sha256.Sum256([]byte(input))
	for salt, good := range map[int]bool{1: false, 20: false, 31: false, 32: true, 33: false, 64: false} {
		sig, err := rsa.SignPSS(secret.Reader, private.(*rsa.PrivateKey), crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = jose.Verify(input+"."+base64.RawURLEncoding.EncodeToString(sig), "at+jwt", ring(k.Key()))
		if (err == nil) != good {
			t.Errorf("salt of %d bytes: %v", salt, err)
		}
	}
}

// JWT-09: an encrypted token is refused by its form, whole or with parts
// missing, before anything reads them.
func TestJWT09EncryptedTokensHaveNoForm(t *testing.T) {
	k := generate(t, jose.ES256)
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"A128KW","enc":"A128GCM","kid":"` + k.KID() + `","typ":"at+jwt"}`))
	for name, token := range map[string]string{
		"whole": head + ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", "no key": head + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
		"nothing but dots": head + "....", "short text": head + ".AA.AA.AA.AA", "no tag": head + ".AA.AA.AA.", "as three parts": head + ".AA.",
	} {
		refused(t, name, token, "at+jwt", ring(k.Key()), jose.ErrForm)
	}
	refused(t, "as a signed one", head+".AA.AA", "at+jwt", ring(k.Key()), jose.ErrAlgorithm)
}
