package secret

import "context"

// A KEK is a key-encryption key: it wraps the data keys under which secrets
// lie at rest. It may be a key in memory, as a Sealer is, or stand for a
// service that never gives its key away; then place is the service's
// encryption context, and either call may fail for reasons of its own.
type KEK interface {
	// Wrap encrypts a data key for one place.
	Wrap(ctx context.Context, place string, dataKey []byte) ([]byte, error)
	// Unwrap gives back what Wrap was given for the same place, or an error
	// that is ErrSealed when this is not the key that wrapped it.
	Unwrap(ctx context.Context, place string, wrapped []byte) ([]byte, error)
}

// Wrap makes a Sealer a KEK.
func (s *Sealer) Wrap(_ context.Context, place string, dataKey []byte) ([]byte, error) {
	return s.Seal(place, dataKey), nil
}

// Unwrap makes a Sealer a KEK.
func (s *Sealer) Unwrap(_ context.Context, place string, wrapped []byte) ([]byte, error) {
	return s.Open(place, wrapped)
}

// An Envelope is a secret under a data key of its own, and that key wrapped.
type Envelope struct{ Wrapped, Sealed []byte }

// Enclose seals a secret for one place under a fresh data key.
func Enclose(ctx context.Context, k KEK, place string, plain []byte) (Envelope, error) {
	dataKey := Random()
	s, err := NewSealer(dataKey[:])
	if err != nil {
		return Envelope{}, err
	}
	wrapped, err := k.Wrap(ctx, place, dataKey[:])
	if err != nil {
		return Envelope{}, err
	}
	return Envelope{Wrapped: wrapped, Sealed: s.Seal(place, plain)}, nil
}

// Open gives the secret back.
func (e Envelope) Open(ctx context.Context, k KEK, place string) ([]byte, error) {
	dataKey, err := k.Unwrap(ctx, place, e.Wrapped)
	if err != nil {
		return nil, err
	}
	s, err := NewSealer(dataKey)
	if err != nil {
		return nil, ErrSealed
	}
	return s.Open(place, e.Sealed)
}
