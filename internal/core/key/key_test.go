package key

import (
	"bytes"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func sealer(t testing.TB) *secret.Sealer {
	t.Helper()
	kek := secret.Random()
	s, err := secret.NewSealer(kek[:])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rows is what the store would hold after these were added.
func rows(have []Key, added []Add) []Key {
	for _, a := range added {
		have = append(have, Key{Purpose: a.Purpose, Number: a.Number, KID: a.KID, Alg: a.Alg, Wrapped: a.Wrapped, Sealed: a.Sealed, Public: a.Public, Created: a.Created, Since: a.Since})
	}
	return have
}

func TestEveryPurposeGetsItsKeyOnce(t *testing.T) {
	s := sealer(t)
	first, err := Make(t.Context(), nil, s, jose.ES256, start)
	if err != nil {
		t.Fatal(err)
	}
	have := rows(nil, first)
	if again, err := Make(t.Context(), have, s, jose.ES256, start); err != nil || len(again) != 0 {
		t.Fatalf("a full ring was given %d more keys: %v", len(again), err)
	}
	ring, err := Open(t.Context(), have, s, Policy{}, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(ring.Opaque) != 1 || len(ring.Opaque[0].Secret) != secret.Size {
		t.Errorf("opaque keys: %d", len(ring.Opaque))
	}
	// A database of a version that knew no opaque tokens.
	older := have[:len(have)-1]
	if _, err := Open(t.Context(), older, s, Policy{}, start); err == nil {
		t.Error("a ring without a key for opaque tokens was opened")
	}
	more, err := Make(t.Context(), older, s, jose.ES256, start)
	if err != nil || len(more) != 1 || more[0].Purpose != Opaque {
		t.Fatalf("an older database was given %+v: %v", more, err)
	}
}

func TestOpaqueKeysAreNamedByTagAndNotByEachOther(t *testing.T) {
	s := sealer(t)
	first, err := Make(t.Context(), nil, s, jose.ES256, start)
	if err != nil {
		t.Fatal(err)
	}
	have := rows(nil, first)
	other := secret.Random()
	second := Key{Purpose: Opaque, Number: 2, Since: start}
	second.Sealed = s.Seal(second.place(), other[:]) // as an older version kept it
	have = append(have, second)
	ring, err := Open(t.Context(), have, s, Policy{}, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(ring.Opaque) != 2 || ring.Opaque[0].Tag == ring.Opaque[1].Tag || !bytes.Equal(ring.Opaque[1].Secret, other[:]) {
		t.Errorf("opaque keys are not told apart, or the newest is not last")
	}
	have[len(have)-1].Compromised = start
	if ring, err = Open(t.Context(), have, s, Policy{}, start); err != nil || len(ring.Opaque) != 1 {
		t.Errorf("a compromised key opens tokens: %d keys, %v", len(ring.Opaque), err)
	}
}
