package exchange_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/manage"
)

// keyPolicy is what every node of the tests runs under.
var keyPolicy = key.Policy{Alg: jose.ES256, Every: 90 * day, Access: 5 * time.Minute, Refresh: 90 * day}

// A heldKEK is a key-encryption key in memory, that all nodes of a deployment
// have. It is used through Wrap and Unwrap alone, as a service would be.
type heldKEK struct {
	mu    sync.Mutex
	keys  [][]byte
	newer []byte // what Newer gives
}

func newKEK(t testing.TB) *heldKEK {
	k := secret.Random()
	return &heldKEK{keys: [][]byte{k[:]}}
}

func (k *heldKEK) sealer() *secret.Sealer {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := secret.NewSealer(k.keys[0], k.keys[1:]...)
	if err != nil {
		panic(err) // of keys that are 32 bytes
	}
	return s
}

// hold gives this node other keys, as a file that was changed does.
func (k *heldKEK) hold(keys [][]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
}

func (k *heldKEK) Wrap(ctx context.Context, place string, dataKey []byte) ([]byte, error) {
	return k.sealer().Wrap(ctx, place, dataKey)
}

func (k *heldKEK) Unwrap(ctx context.Context, place string, wrapped []byte) ([]byte, error) {
	return k.sealer().Unwrap(ctx, place, wrapped)
}

func (k *heldKEK) Newer(func(secret.KEK) bool) (secret.KEK, func() error, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.newer == nil {
		return nil, nil, manage.ErrNoNewer
	}
	k.keys = append([][]byte{k.newer}, k.keys...)
	s, err := secret.NewSealer(k.newer)
	return s, func() error {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.keys, k.newer = k.keys[:1], nil
		return nil
	}, err
}
