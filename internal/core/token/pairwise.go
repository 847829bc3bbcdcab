package token

import (
	"strings"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/identity"
)

// PairwiseSubject is the name by which one sector alone knows a person (OpenID
// Connect Core section 8.1): the same for ever, and nothing to anybody without
// the key. It begins as every person's does, which no application's id may.
func PairwiseSubject(key []byte, sector string, user identity.UserID) string {
	mac := secret.MAC(key, "pairwise subject", []byte(sector), user[:])
	return userPrefix + secret.Encode(mac[:])
}

const userPrefix = "user_"

// IsPairwise says whether a sub is such a name: a person's, and not their id.
func IsPairwise(sub string) bool {
	_, err := identity.ParseUserID(sub)
	return err != nil && strings.HasPrefix(sub, userPrefix)
}
