package jose

import (
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
			JWS     string `json:"jws"`
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

// takes makes the key of a JWK and says whether it opens a token: everything
// that Verify does but the type, which these tokens do not have.
func takes(t *testing.T, jwk []byte, token string) bool {
	t.Helper()
	h, err := readHeader(token)
	if err != nil || h.bringsKey() {
		return false
	}
	var k gojose.JSONWebKey
	if err := k.UnmarshalJSON(jwk); err != nil || k.Use != "" && k.Use != "sig" {
		return false
	}
	alg := k.Algorithm
	if alg == "" {
		alg = h.Alg
	}
	key := k.Key
	if secret, ok := key.([]byte); ok {
		s, err := NewShared("kid", SharedAlg(alg), secret)
		if err != nil {
			return false
		}
		_, err = h.open(token, string(s.alg), s.secret)
		return err == nil
	}
	public, err := NewKey("kid", Alg(alg), k.Public().Key)
	if err != nil {
		return false
	}
	_, err = h.open(token, string(public.alg), public.public)
	return err == nil
}

// Attacks JWT-01, JWT-02, JWT-03 and JWT-10 in the words of others.
func TestWycheproofSignatures(t *testing.T) {
	const (
		empty  = "no claims are no token"
		closed = "the algorithm is not on the list"
		keyOps = "no JWK is read here; the SDK leaves such a key"
		same   = "the case says padding and has none: its token is that of a valid case"
		loose  = "a sign outside the alphabet is no base64url"
	)
	differs := map[int]string{
		259: empty, 268: empty, 272: empty,
		264: closed, 265: closed, 266: closed, 267: closed, 320: closed, 321: closed, 322: closed, 323: closed,
		325: closed, 326: closed, 327: closed, 328: closed, 346: closed, 347: closed, 350: closed, 351: closed,
		355: keyOps, 356: keyOps, 367: same, 370: same, 372: loose, 373: loose,
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
			if got := takes(t, jwk, c.JWS); got == (c.Result == "valid") == differ {
				t.Errorf("%d %s/%s: taken %v, want %s: %.100s", c.ID, g.Comment, c.Comment, got, c.Result, c.JWS)
			}
		}
	}
	if n < 400 {
		t.Errorf("only %d cases", n)
	}
}
