package jose

import (
	"cmp"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type vectors struct {
	Groups []struct {
		Comment string         `json:"comment"`
		Private jsontext.Value `json:"private"`
		Public  jsontext.Value `json:"public"`
		Tests   []struct {
			ID      int    `json:"tcId"`
			Comment string `json:"comment"`
			JWS     any    `json:"jws"` // in one file a case is an object
			JWE     any    `json:"jwe"`
			Enc     string `json:"enc"`
			Plain   string `json:"pt"`
			Result  string `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

func wycheproof(t *testing.T, name string) (v vectors) {
	t.Helper()
	dir := os.Getenv("DOORWARD_VECTORS")
	if dir == "" {
		t.Skip("DOORWARD_VECTORS is not set: it names the directory that holds wycheproof/ (C2SP/wycheproof, testvectors_v1)")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "wycheproof", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil || len(v.Groups) == 0 {
		t.Fatal(len(v.Groups), err)
	}
	return v
}

// takes says whether one of the keys opens a token: everything that Verify does
// but the type, which these tokens do not have. Keys are what a client registers,
// or one secret that is shared.
func takes(t *testing.T, keys []jsontext.Value, token string) bool {
	t.Helper()
	if secret, alg, ok := shared(keys); ok {
		h, err := readHeader(token)
		if err != nil || h.bringsKey() {
			return false
		}
		s, err := NewShared("kid", SharedAlg(cmp.Or(alg, h.Alg)), secret)
		if err != nil {
			return false
		}
		_, err = h.open(token, string(s.alg), s.secret)
		return err == nil
	}
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ReadJWKS(text)
	if err != nil {
		return false
	}
	_, _, err = set.Verify(token, []string{""}, OthersAlgs())
	return err == nil
}

// shared reads the one key of a set that is a secret for signatures.
func shared(keys []jsontext.Value) (secret []byte, alg string, ok bool) {
	if len(keys) != 1 {
		return nil, "", false
	}
	var k gojose.JSONWebKey
	if err := k.UnmarshalJSON(keys[0]); err != nil || k.Use != "" && k.Use != "sig" {
		return nil, "", false
	}
	secret, ok = k.Key.([]byte)
	return secret, k.Algorithm, ok
}

// keysOf are the keys of a group: a set, or one.
func keysOf(t *testing.T, text jsontext.Value) []jsontext.Value {
	t.Helper()
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	if set.Keys == nil {
		return []jsontext.Value{text}
	}
	return set.Keys
}

// opens is takes for what is encrypted.
func opens(t *testing.T, jwk jsontext.Value, token string) ([]byte, bool) {
	t.Helper()
	var k gojose.JSONWebKey
	if err := k.UnmarshalJSON(jwk); err != nil {
		t.Fatal(err)
	}
	key, err := newDecryptionKey(KeyAlg(k.Algorithm), k.Key)
	if err != nil {
		return nil, false
	}
	key.kid = k.KeyID // theirs
	plain, err := Decrypt(token, key)
	return plain, err == nil
}

// Why this package differs from a case.
const (
	empty  = "no claims are no token"
	closed = "the algorithm is not on the list"
	same   = "the case says padding and has none: its token is that of a valid case"
	loose  = "a sign outside the alphabet is no base64url"
	many   = "a service shares one secret: a set of several is read by nobody"
)

// Attacks JWT-01, JWT-02, JWT-03 and JWT-10 in the words of others.
func TestWycheproofSignatures(t *testing.T) {
	differs := map[int]string{
		259: empty, 268: empty, 272: empty,
		264: closed, 265: closed, 266: closed, 267: closed, 320: closed, 321: closed, 322: closed, 323: closed,
		325: closed, 326: closed, 327: closed, 328: closed, 346: closed, 347: closed, 350: closed, 351: closed,
		367: same, 370: same, 372: loose, 373: loose,
	}
	n := 0
	for _, g := range wycheproof(t, "json_web_signature.json").Groups {
		jwk := g.Public
		if len(jwk) == 0 {
			jwk = g.Private
		}
		for _, c := range g.Tests {
			n++
			_, differ := differs[c.ID]
			text, _ := c.JWS.(string)
			if got := takes(t, keysOf(t, jwk), text); got == (c.Result == "valid") == differ {
				t.Errorf("%d %s/%s: taken %v, want %s: %.100s", c.ID, g.Comment, c.Comment, got, c.Result, text)
			}
		}
	}
	if n < 400 {
		t.Errorf("only %d cases", n)
	}
}

// JWT-02 and JWT-23 for keys: what a client might register.
func TestWycheproofKeys(t *testing.T) {
	differs := map[int]string{2: many}
	n := 0
	for _, g := range wycheproof(t, "json_web_key.json").Groups {
		jwk := g.Public
		if len(jwk) == 0 {
			jwk = g.Private
		}
		for _, c := range g.Tests {
			n++
			_, differ := differs[c.ID]
			text, _ := c.JWS.(string)
			if got := takes(t, keysOf(t, jwk), text); got == (c.Result == "valid") == differ {
				t.Errorf("%d %s/%s: taken %v, want %s", c.ID, g.Comment, c.Comment, got, c.Result)
			}
		}
	}
	if n < 26 {
		t.Errorf("only %d cases", n)
	}
}

// listed says whether a case is by algorithms of the list and P-256. A case that
// is not must be refused, valid or not: nothing here reads RSA1_5, RSA-OAEP with
// SHA-1, keys that are shared (A128KW and its kind), 192 bits, or P-384.
func listed(t *testing.T, jwk jsontext.Value, enc string) bool {
	t.Helper()
	var k struct {
		Alg string `json:"alg"`
		Crv string `json:"crv"`
	}
	if err := json.Unmarshal(jwk, &k); err != nil {
		t.Fatal(err)
	}
	return KeyAlg(k.Alg).Known() && (k.Crv == "" || k.Crv == "P-256") && Enc(enc).Known()
}

// Attacks JWT-07, JWT-08, JWT-09 and JWT-23 in the words of others.
func TestWycheproofEncryption(t *testing.T) {
	n, valid := 0, 0
	for _, g := range wycheproof(t, "json_web_encryption.json").Groups {
		for _, c := range g.Tests {
			n++
			text, _ := c.JWE.(string)
			plain, got := opens(t, g.Private, text)
			want := c.Result == "valid" && listed(t, g.Private, c.Enc)
			if got != want {
				t.Errorf("%d %s/%s: opened %v, want %v", c.ID, g.Comment, c.Comment, got, want)
			}
			if got && hex.EncodeToString(plain) != c.Plain {
				t.Errorf("%d %s/%s: opened as %x", c.ID, g.Comment, c.Comment, plain)
			}
			if got {
				valid++
			}
		}
	}
	if n < 139 || valid < 20 {
		t.Errorf("only %d cases, %d of them opened", n, valid)
	}
}

// The file of signatures and encryption mixed. One key of this package is for one
// thing, so each case is put to what would read it.
func TestWycheproofMixed(t *testing.T) {
	differs := map[int]string{48: many, 50: closed}
	n := 0
	for _, g := range wycheproof(t, "json_web_crypto.json").Groups {
		jwk := g.Public
		if len(jwk) == 0 {
			jwk = g.Private
		}
		for _, c := range g.Tests {
			n++
			_, differ := differs[c.ID]
			got := false
			if text, ok := c.JWE.(string); ok {
				_, got = opens(t, jwk, text)
			} else if text, ok := c.JWS.(string); ok {
				got = takes(t, keysOf(t, jwk), text)
			}
			if got == (c.Result == "valid") == differ {
				t.Errorf("%d %s/%s: taken %v, want %s", c.ID, g.Comment, c.Comment, got, c.Result)
			}
		}
	}
	if n < 83 {
		t.Errorf("only %d cases", n)
	}
}
