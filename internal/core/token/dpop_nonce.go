package token

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/key"
)

// A server nonce is a minute and a MAC of it, so nothing is kept of those that
// were given and every node knows them. It is good for the minute, the four
// after it, and the one before: nodes do not agree on a clock to the second.
const (
	nonceEvery  = time.Minute
	nonceBehind = 4
	nonceAhead  = 1
	nonceLen    = 4 + 12
)

// NewNonce is the nonce that proofs are asked for now (RFC 9449 section 8).
func NewNonce(r *key.Ring, now time.Time) string {
	return nonceOf(r.Opaque[len(r.Opaque)-1], nonceMinute(now))
}

func nonceMinute(now time.Time) uint32 { return uint32(now.Unix() / int64(nonceEvery/time.Second)) }

func nonceOf(k key.OpaqueKey, minute uint32) string {
	at := be32(minute)
	m := secret.MAC(k.Secret, "dpop nonce", at)
	return secret.Encode(append(at, m[:nonceLen-4]...))
}

// knowsNonce says whether a nonce is one of ours and not too old.
func knowsNonce(r *key.Ring, text string, now time.Time) bool {
	b, ok := secret.Decode(text)
	if !ok || len(b) != nonceLen {
		return false
	}
	minute, current := binary.BigEndian.Uint32(b), nonceMinute(now)
	if minute > current+nonceAhead || minute+nonceBehind < current {
		return false
	}
	known := false
	for _, k := range r.Opaque {
		known = secret.Equal([]byte(nonceOf(k, minute)), []byte(text)) || known
	}
	return known
}

// seenAtMost is how many proofs one generation of Seen holds.
const seenAtMost = 1 << 16

// Seen remembers proofs where nothing is written that could keep them: in this
// process, for as long as a proof can be good. It is bounded, so a flood makes
// it forget early; what is forgotten is one more use of a proof and of the
// token beside it, within a minute, by somebody who could read both.
type Seen struct {
	mu         sync.Mutex
	young, old map[[32]byte]struct{}
	turned     time.Time
}

// First says whether a proof is seen for the first time.
func (s *Seen) First(p Proof, now time.Time) bool {
	h := p.Hash()
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.turned); age >= ProofKept || age < 0 || len(s.young) >= seenAtMost {
		if s.old = s.young; age >= 2*ProofKept {
			s.old = nil
		}
		s.young, s.turned = map[[32]byte]struct{}{}, now
	}
	if _, again := s.old[h]; again {
		return false
	}
	if _, again := s.young[h]; again {
		return false
	}
	s.young[h] = struct{}{}
	return true
}
