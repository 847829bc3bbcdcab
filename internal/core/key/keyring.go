package key

import "sync/atomic"

// A Keyring is where everybody on a node finds the ring of keys that counts
// now. Keys rotate while the server runs, so nobody keeps a Ring for longer
// than one judgement, nor anything made from one.
type Keyring struct{ ring atomic.Pointer[Ring] }

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
