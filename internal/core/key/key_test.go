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

// A key of an algorithm that is not the server's own is made when it is wanted,
// signs what asked for it and nothing else, and takes turns like the others.
func TestKeysThatApplicationsAskFor(t *testing.T) {
	s := sealer(t)
	have, err := Make(t.Context(), nil, s, jose.ES256, start)
	if err != nil {
		t.Fatal(err)
	}
	keys := rows(nil, have)
	if p := policy.Plan(keys, start); !p.Empty() {
		t.Errorf("nobody wants anything, and %+v is planned", p)
	}
	wants := []Purpose{SigningEdDSA, SigningPS256}
	for _, w := range policy.Plan(keys, start, wants...).Make {
		a, err := New(t.Context(), s, w, start)
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, a)
	}
	keys = rows(nil, have)
	if p := policy.Plan(keys, start, wants...); !p.Empty() {
		t.Errorf("what was wanted is there, and %+v is planned", p)
	}
	r, err := Open(t.Context(), keys, s, policy, start)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Algs(), []jose.Alg{jose.ES256, jose.EdDSA, jose.PS256}) || len(r.Verify) != 3 {
		t.Errorf("published: %v", r.Algs())
	}
	for alg, want := range map[jose.Alg]jose.Alg{"": jose.ES256, jose.ES256: jose.ES256, jose.EdDSA: jose.EdDSA, jose.PS256: jose.PS256, jose.RS256: "", "none": "", "HS256": ""} {
		if k := r.SignerBy(alg); (k == nil) != (want == "") || k != nil && k.Alg() != want {
			t.Errorf("%q is signed by %v", alg, k)
		}
	}
	for _, of := range []Purpose{SigningEdDSA, SigningPS256} {
		name, ok := ParsePurpose(of.String())
		if later := policy.Plan(keys, start.Add(policy.Every)).Make; !ok || name != of || !of.Signs() || !policy.Turns(of) ||
			!slices.ContainsFunc(later, func(w Want) bool { return w.Purpose == of && w.Number == 2 && w.Alg == algs[of] }) {
			t.Errorf("%s takes no turns: %+v", of, later)
		}
	}
	// The server's own algorithm becomes one that was asked for: each purpose
	// keeps its key, and the server's own comes first.
	ed, err := Make(t.Context(), nil, s, jose.EdDSA, start)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = Open(t.Context(), append(rows(nil, ed), rows(nil, have[len(have)-2:])...), s, policy, start); err != nil || r.SignerBy(jose.EdDSA) != r.Signer {
		t.Errorf("%v is signed by %v, %v", jose.EdDSA, r.SignerBy(jose.EdDSA), err)
	}
}

func TestWhatIsWantedIsRemembered(t *testing.T) {
	s := sealer(t)
	have, err := Make(t.Context(), nil, s, jose.ES256, start)
	if err != nil {
		t.Fatal(err)
	}
	open := func(have []Add) *Ring {
		r, err := Open(t.Context(), rows(nil, have), s, policy, start)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	k := NewKeyring(open(have))
	k.Want("none", jose.ES256, jose.EdDSA)
	if k.SignerBy(jose.EdDSA) != nil || k.SignerBy(jose.PS256) != nil || k.SignerBy("") != k.Ring().Signer || k.SignerBy("none") != nil {
		t.Error("a key signs that is not there")
	}
	if got := k.Wanted(); !slices.Equal(got, []Purpose{SigningEdDSA, SigningPS256}) {
		t.Errorf("wanted: %v", got)
	}
	a, err := New(t.Context(), s, Want{Purpose: SigningEdDSA, Number: 1, Alg: jose.EdDSA, Since: start}, start)
	if err != nil {
		t.Fatal(err)
	}
	k.Swap(open(append(have, a)))
	if got := k.Wanted(); !slices.Equal(got, []Purpose{SigningPS256}) {
		t.Errorf("wanted still: %v", got)
	}
}

// Keys by which applications write to the server: made when one asks, open what
// was encrypted to them as long as anybody may have them, and sign nothing.
func TestKeysThatAreWrittenTo(t *testing.T) {
	s := sealer(t)
	have, err := Make(t.Context(), nil, s, jose.ES256, start)
	if err != nil {
		t.Fatal(err)
	}
	open := func(have []Add, at time.Time) *Ring {
		r, err := Open(t.Context(), rows(nil, have), s, policy, at)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	k := NewKeyring(open(have, start))
	for _, alg := range []jose.KeyAlg{"", "RSA1_5", jose.ECDHESA128KW, jose.ECDHES} {
		k.WantOpening(alg)
	}
	if got := k.Wanted(); !slices.Equal(got, []Purpose{OpeningECDHES}) || OpeningECDHES.Signs() || !OpeningECDHES.Opens() || Signing.Opens() {
		t.Fatalf("wanted: %v", got)
	}
	for _, w := range policy.Plan(rows(nil, have), start, k.Wanted()...).Make {
		a, err := New(t.Context(), s, w, start)
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, a)
	}
	k.Swap(open(have, start))
	ring := k.Ring()
	if len(k.Wanted()) != 0 || len(ring.Opening) != 1 || len(ring.Verify) != 1 || ring.Opening[0].JWK().Use != "enc" {
		t.Fatalf("%v wanted, %d to open with, %d to verify with", k.Wanted(), len(ring.Opening), len(ring.Verify))
	}
	next, err := New(t.Context(), s, Want{Purpose: OpeningECDHES, Number: 2, Since: start.Add(time.Hour)}, start)
	if err != nil {
		t.Fatal(err)
	}
	have = append(have, next)
	for at, want := range map[time.Duration]int{0: 2, time.Hour: 2, time.Hour + 47*time.Hour: 2, time.Hour + 48*time.Hour: 1} {
		if r := open(have, start.Add(at)); len(r.Opening) != want {
			t.Errorf("after %v there are %d keys to open with", at, len(r.Opening))
		}
	}
	if p, ok := ParsePurpose("opening-ecdh-es"); !ok || p != OpeningECDHES {
		t.Error("the purpose has no name")
	}
}

// The key that shared secrets lie under: made with the first of them, and kept
// for as long as one may lie under it, also when it was compromised.
func TestTheKeyOfSharedSecrets(t *testing.T) {
	s := sealer(t)
	have, err := Make(t.Context(), nil, s, jose.ES256, start)
	if err != nil {
		t.Fatal(err)
	}
	open := func(have []Add) *Ring {
		r, err := Open(t.Context(), rows(nil, have), s, policy, start)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	k := NewKeyring(open(have))
	k.WantSharing()
	if k.Ring().Sharing != nil || !slices.Equal(k.Wanted(), []Purpose{Sharing}) || Sharing.Signs() || policy.Turns(Sharing) {
		t.Fatal("a key of shared secrets is there already, or signs, or takes turns")
	}
	plan := policy.Plan(rows(nil, have), start, k.Wanted()...).Make
	if len(plan) != 1 || plan[0].Purpose != Sharing {
		t.Fatalf("planned: %+v", plan)
	}
	a, err := New(t.Context(), s, plan[0], start)
	if err != nil {
		t.Fatal(err)
	}
	k.Swap(open(append(have, a)))
	box := k.Ring().Sharing.Seal("here", []byte("a secret"))
	if len(k.Wanted()) != 0 {
		t.Errorf("wanted still: %v", k.Wanted())
	}
	second, err := New(t.Context(), s, Want{Purpose: Sharing, Number: 2, Since: start}, start)
	if err != nil {
		t.Fatal(err)
	}
	keys := rows(nil, append(have, a, second))
	keys[len(keys)-2].Compromised = start
	if p := policy.Plan(keys, start.Add(1000*day)); slices.ContainsFunc(p.Erase, func(s Standing) bool { return s.Purpose == Sharing }) {
		t.Error("a key is erased that secrets lie under")
	}
	r, err := Open(t.Context(), keys, s, policy, start)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := r.Sharing.Open("here", box); err != nil || string(plain) != "a secret" {
		t.Errorf("a secret under a key that was compromised: %q, %v", plain, err)
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
