package key

import (
	"bytes"
	"slices"
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

// A change of algorithm: the next key is another's, and both are told of.
func TestARingOfTwoAlgorithms(t *testing.T) {
	s := sealer(t)
	first, err := Make(t.Context(), nil, s, jose.ES256, start)
	if err != nil {
		t.Fatal(err)
	}
	next, err := New(t.Context(), s, Want{Purpose: Signing, Number: 2, Alg: jose.EdDSA, Since: start.Add(time.Hour)}, start)
	if err != nil {
		t.Fatal(err)
	}
	have := rows(nil, append(first, next))
	for _, at := range []struct {
		now  time.Time
		algs []jose.Alg
	}{{start, []jose.Alg{jose.ES256, jose.EdDSA}}, {start.Add(time.Hour), []jose.Alg{jose.EdDSA, jose.ES256}}, {start.Add(50 * time.Hour), []jose.Alg{jose.EdDSA}}} {
		r, err := Open(t.Context(), have, s, policy, at.now)
		if err != nil || !slices.Equal(r.Algs(), at.algs) || r.Signer.Alg() != at.algs[0] || len(r.Verify) != len(at.algs) {
			t.Errorf("at %v: %v, %v", at.now, r.Algs(), err)
		}
		if want := start.Add(time.Hour); at.now.Before(want) != r.Due.Equal(want) {
			t.Errorf("at %v the next turn is at %v", at.now, r.Due)
		}
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
