package key

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/doorward/doorward/internal/base/jose"
)

// A Keyring is where everybody on a node finds the ring of keys that counts
// now. Keys rotate while the server runs, so nobody keeps a Ring for longer
// than one judgement, nor anything made from one.
type Keyring struct {
	ring atomic.Pointer[Ring]

	mu    sync.Mutex
	wants []Purpose // of which a key was asked for when there was none
}

// NewKeyring makes a keyring that holds a ring.
func NewKeyring(r *Ring) *Keyring {
	k := new(Keyring)
	k.Swap(r)
	return k
}

// Ring is the ring that counts now.
func (k *Keyring) Ring() *Ring { return k.ring.Load() }

// Swap puts another ring in its place: whoever asks from here on is given it.
func (k *Keyring) Swap(r *Ring) { k.ring.Store(r) }

// SignerBy is Ring.SignerBy of the ring that counts now. An algorithm of which
// there is no key yet is wanted from here on.
func (k *Keyring) SignerBy(alg jose.Alg) *jose.SigningKey {
	s := k.Ring().SignerBy(alg)
	if s == nil {
		k.Want(alg)
	}
	return s
}

// Want says that keys are needed that sign by some algorithms.
func (k *Keyring) Want(by ...jose.Alg) {
	for p, alg := range algs {
		if slices.Contains(by, alg) {
			k.want(p)
		}
	}
}

// WantOpening says that keys are needed that decrypt by an algorithm.
func (k *Keyring) WantOpening(by jose.KeyAlg) {
	for p, alg := range opens {
		if alg == by {
			k.want(p)
		}
	}
}

// WantSharing says that secrets are to be kept which services share.
func (k *Keyring) WantSharing() { k.want(Sharing) }

// WantPairwise says that people are to be named to one sector alone.
func (k *Keyring) WantPairwise() { k.want(Pairwise) }

func (k *Keyring) want(p Purpose) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Contains(k.wants, p) {
		k.wants = append(k.wants, p)
	}
}

// Wanted are the purposes that were asked for and of which there is no key that
// makes anything.
func (k *Keyring) Wanted() []Purpose {
	ring := k.Ring()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wants = slices.DeleteFunc(k.wants, func(p Purpose) bool {
		if p == Sharing {
			return ring.Sharing != nil
		}
		if p.Opens() {
			return slices.ContainsFunc(ring.Opening, func(k *jose.DecryptionKey) bool { return k.Alg() == opens[p] })
		}
		if p == Pairwise {
			return ring.Pairwise != nil
		}
		return ring.SignerBy(algs[p]) != nil
	})
	return slices.Sorted(slices.Values(k.wants))
}
