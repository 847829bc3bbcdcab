package token

import (
	"encoding/binary"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
)

// A Pair is the refresh family and generation that an access token of a strict
// application came with. The zero value is a token that came without one.
type Pair struct {
	Family     FamilyID
	Generation uint32
}

const pairPlace = "strict pair"

// Seal writes a pair as it stands in a token: the family's id never leaves.
func (p Pair) Seal(s *secret.Sealer) string {
	return secret.Encode(s.Seal(pairPlace, binary.BigEndian.AppendUint32(p.Family[:len(p.Family):len(p.Family)], p.Generation)))
}

// OpenPair reads what Seal wrote.
func OpenPair(s *secret.Sealer, text string) (Pair, bool) {
	box, ok := secret.Decode(text)
	if !ok {
		return Pair{}, false
	}
	b, err := s.Open(pairPlace, box)
	if err != nil || len(b) != len(FamilyID{})+4 {
		return Pair{}, false
	}
	return Pair{FamilyID(b), binary.BigEndian.Uint32(b[len(FamilyID{}):])}, true
}

// Stands says whether the family still stands where the token came from it:
// at the generation, or one further while a lost answer may be asked for again.
func (p Pair) Stands(f Family, now time.Time, grace time.Duration) bool {
	switch {
	case p.Family.IsZero():
		return true
	case f.ID != p.Family || !f.Ended.IsZero() || !now.Before(f.MaxUntil):
		return false
	case p.Generation == f.Generation:
		return true
	}
	return p.Generation+1 == f.Generation && now.Sub(f.RotatedAt) <= grace
}

// AccessStands is asked of every use of a strict application's token, and of
// every token of a resource that wants it so.
var AccessStands = check.New(check.Check{Number: 1080, ID: "token.stands", Fault: fault.Unauthenticated, Shown: "token.stands",
	Says: "The person, the session, the grant and the newest refresh of the token still stand, read at this moment.", Source: "RFC 7662 section 4; RFC 9700 section 4.14.2",
	Title: signedOut, Stops: []string{"OAU-12", "OAU-35"}})
