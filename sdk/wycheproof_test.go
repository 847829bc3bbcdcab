package doorward

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

type vectors struct {
	Groups []struct {
		Comment string          `json:"comment"`
		Private json.RawMessage `json:"private"`
		Public  json.RawMessage `json:"public"`
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

// takes reads a set of keys and says whether one of them opens a token:
// everything that a verifier does but the type, which these tokens do not have.
func takes(keys []json.RawMessage, token string) bool {
	_, _, h, err := parseToken(token)
	if err != nil || !slices.Contains(algorithms, jose.SignatureAlgorithm(h.algorithm)) {
		return false
	}
	k := readKeys(keys)[h.keyID]
	return k != nil && k.signed(token, h) == nil
}

// Why a verifier of access tokens differs from a case.
const (
	shared = "a verifier has no shared secret: the server signs for all, and publishes the other half"
	closed = "the algorithm is not on the list"
	empty  = "no claims are no token"
	maker  = "the weakness is of one maker's chips, and the server makes its own keys"
)

// Attacks JWT-01, JWT-02, JWT-03, JWT-09, JWT-10 in the words of others.
func TestWycheproofSignatures(t *testing.T) {
	differs := map[int]string{
		259: empty, 268: empty, 272: empty,
		264: closed, 265: closed, 266: closed, 267: closed, 320: closed, 321: closed, 322: closed, 323: closed,
		325: closed, 326: closed, 327: closed, 328: closed, 346: closed, 347: closed, 350: closed, 351: closed,
	}
	n := 0
	for _, g := range wycheproof(t, "json_web_signature.json").Groups {
		for _, c := range g.Tests {
			n++
			keys := []json.RawMessage{g.Public}
			if g.Public == nil {
				keys = []json.RawMessage{g.Private}
			}
			_, differ := differs[c.ID]
			if g.Public == nil && c.Result == "valid" {
				differ = true // shared, each of them
			}
			if got := takes(keys, c.JWS); got == (c.Result == "valid") == differ {
				t.Errorf("%d %s/%s: taken %v, and it is %s: %.120s", c.ID, g.Comment, c.Comment, got, c.Result, c.JWS)
			}
		}
	}
	if n < 400 {
		t.Errorf("only %d cases", n)
	}
}

func TestWycheproofKeys(t *testing.T) {
	differs := map[int]string{2: shared, 13: shared, 14: shared, 15: shared, 7: maker}
	n := 0
	for _, g := range wycheproof(t, "json_web_key.json").Groups {
		text := g.Public
		if text == nil {
			text = g.Private
		}
		var set struct {
			Keys []json.RawMessage `json:"keys"`
		}
		if err := json.Unmarshal(text, &set); err != nil {
			t.Fatal(err)
		}
		for _, c := range g.Tests {
			n++
			_, differ := differs[c.ID]
			if got := takes(set.Keys, c.JWS); got == (c.Result == "valid") == differ {
				t.Errorf("%d %s/%s: taken %v, and it is %s", c.ID, g.Comment, c.Comment, got, c.Result)
			}
		}
	}
	if n < 26 {
		t.Errorf("only %d cases", n)
	}
}
