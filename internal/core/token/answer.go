package token

import (
	"fmt"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
)

// Types of what is signed for one application, apart from access tokens: none is
// read as another (RFC 8725 section 3.11).
const (
	IDType            = "JWT" // OpenID Connect Core section 2 names none; this is what verifiers expect
	UserinfoType      = "JWT"
	IntrospectionType = "token-introspection+jwt" // RFC 9701 section 5
)

// Answer signs claims for one application and, where it asked for that, encrypts
// them to the key that it registered: first signed, then encrypted, so that who
// made it is known after it was opened (RFC 7519 section 11.2). It asks for the
// proof that an exchange passed.
func Answer(p check.Passed, by Signer, to client.Client, how client.Sealing, typ string, claims []byte) (string, error) {
	if !p.Proven() {
		return "", ErrNotPassed
	}
	signed, err := by.Sign(typ, claims)
	if err != nil || how.KeyAlg == "" {
		return signed, err
	}
	keys, err := to.Keys()
	if err != nil {
		return "", fmt.Errorf("token: keys of %s: %w", to.ID, err)
	}
	key, err := keys.Encrypting(how.KeyAlg)
	if err != nil {
		return "", fmt.Errorf("token: keys of %s: %w", to.ID, err)
	}
	return key.Encrypt(how.Enc, signed)
}
