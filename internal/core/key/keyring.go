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
	wants []jose.Alg // of which a key was asked for when there was none
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

// Want says that keys of some algorithms are needed.
func (k *Keyring) Want(algs ...jose.Alg) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, alg := range algs {
		if alg.Known() && !slices.Contains(k.wants, alg) {
			k.wants = append(k.wants, alg)
		}
	}
}

// Wanted are the algorithms that were asked for and of which there is no key
// that signs.
func (k *Keyring) Wanted() []jose.Alg {
	ring := k.Ring()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wants = slices.DeleteFunc(k.wants, func(alg jose.Alg) bool { return ring.SignerBy(alg) != nil })
	return slices.Clone(k.wants)
}
