package token

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

// StateAtMost bounds the text of sealed state, in bytes: it travels in
// addresses.
const StateAtMost = 3 << 10

// SealState writes facts that somebody else carries for us: a JSON object,
// sealed for one use and bound to what is named (a browser's key, or nothing).
// It holds facts only: whatever can be used up is a row.
func SealState(s *secret.Sealer, use string, bound []byte, facts any) (string, bool) {
	plain, err := json.Marshal(facts, json.Deterministic(true))
	if err != nil {
		return "", false
	}
	text := secret.Encode(s.Seal(place(use, bound), plain))
	return text, len(text) <= StateAtMost
}

// OpenState reads what SealState wrote for the same use and bound.
func OpenState(s *secret.Sealer, use string, bound []byte, text string, facts any) bool {
	if text == "" || len(text) > StateAtMost {
		return false
	}
	box, ok := secret.Decode(text)
	if !ok {
		return false
	}
	plain, err := s.Open(place(use, bound), box)
	return err == nil && json.Unmarshal(plain, facts) == nil
}

func place(use string, bound []byte) string {
	h := secret.Hash("sealed state "+use, bound)
	return use + " " + secret.Encode(h[:])
}

// CodePrefix begins every authorization code, so that secret scanners find
// leaked ones.
const CodePrefix = "dw_ac_"

// A Code is an authorization code: who allowed what to whom. It is sealed and
// kept nowhere; its id is spent once.
type Code struct {
	ID        [32]byte        `json:"i"`
	Client    string          `json:"c"`
	Redirect  string          `json:"r,omitzero"` // as the request sent it
	Challenge string          `json:"h,omitzero"`
	Scopes    []string        `json:"o"`
	User      identity.UserID `json:"u"`
	Session   session.ID      `json:"s"`
	Consent   client.GrantID  `json:"g"`
	Nonce     string          `json:"n,omitzero"`
	Key       string          `json:"k,omitzero"` // thumbprint of the one key that it is good for (RFC 9449 section 10)
	Rev       uint64          `json:"v"`
	Expires   time.Time       `json:"e"`
	Terms     Terms           `json:"t"`
}

// SealCode writes a code.
func SealCode(s *secret.Sealer, c Code) (string, bool) {
	text, ok := SealState(s, "authorization code", nil, c)
	return CodePrefix + text, ok
}

// OpenCode reads a code of ours.
func OpenCode(s *secret.Sealer, text string) (c Code, ok bool) {
	if len(text) <= len(CodePrefix) || text[:len(CodePrefix)] != CodePrefix {
		return Code{}, false
	}
	ok = OpenState(s, "authorization code", nil, text[len(CodePrefix):], &c)
	return c, ok
}

// Hash is what is kept of a code that was used.
func (c Code) Hash() [32]byte { return SpentHash(AsCode, c.Client, c.ID[:]) }
