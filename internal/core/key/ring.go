package key

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
)

// A Ring is every key of a running server, opened.
type Ring struct {
	Signer  *jose.SigningKey    // signs access tokens now, unless another algorithm was asked for
	also    []*jose.SigningKey  // sign by what was asked for
	Verify  map[string]jose.Key // by kid: every key whose tokens may live, and the next
	Refresh []RefreshKey        // the last makes new families; the others are known
	Ledger  ed25519.PrivateKey
	Sealed  []LedgerKey // whose segments stand
	Form    []byte
	Code    []byte
	Mail    *secret.Sealer // seals what a mail says until it is sent
	Sharing *secret.Sealer // seals what services share; nil while none does
	// Pairwise names people to one sector; nil while nobody asks for that. It is
	// the first there was, whatever came after it: a name never changes.
	Pairwise []byte
	Opaque   []OpaqueKey           // the last seals; the others open
	Opening  []*jose.DecryptionKey // by which applications may write to the server
	State    *secret.Sealer        // seals what browsers and applications carry for us: codes, requests that wait
	Due      time.Time             // when another key takes its turn; zero when none waits
}

// An OpaqueKey seals and opens opaque access tokens.
type OpaqueKey struct {
	Tag    [4]byte // names the key inside a token
	KID    string  // names it in the feed
	Secret []byte  // 32 bytes
}

// A RefreshKey makes and knows refresh tokens: one key derives successors,
// the other authenticates what is on the wire.
type RefreshKey struct {
	Tag         [4]byte // names the key inside a token
	Next, MAC   []byte
	Compromised bool // its MAC is no evidence any more
}

// A LedgerKey is the public half of a key that seals or sealed segments.
type LedgerKey struct {
	Public ed25519.PublicKey
	Until  time.Time // segments that end after it are not believed; zero: all are
}

// SignerBy is the key that signs by an algorithm now; that of the server when
// nothing is asked for. nil says that there is none yet.
func (r *Ring) SignerBy(alg jose.Alg) *jose.SigningKey {
	if alg == "" || alg == r.Signer.Alg() {
		return r.Signer
	}
	for _, k := range r.also {
		if k.Alg() == alg {
			return k
		}
	}
	return nil
}

// Algs are the algorithms of published keys: what is signed now, and what may
// still be met or comes next.
func (r *Ring) Algs() []jose.Alg {
	out := []jose.Alg{r.Signer.Alg()}
	for _, a := range jose.Algs() {
		for _, k := range r.Verify {
			if k.Alg() == a && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// Open opens every key that still does something. What each does follows from
// the instant.
func Open(ctx context.Context, keys []Key, kek secret.KEK, p Policy, now time.Time) (*Ring, error) {
	r := &Ring{Verify: map[string]jose.Key{}}
	standing := p.Stand(keys, now)
	// The current key comes last, and what is not used yet first.
	slices.SortStableFunc(standing, func(a, b Standing) int { return inRing(a.State) - inRing(b.State) })
	var mails, sharing [][]byte
	named := math.MaxInt
	for _, k := range standing {
		if k.State == Next && (r.Due.IsZero() || k.Since.Before(r.Due)) {
			r.Due = k.Since
		}
		var private []byte
		if !k.Erased() {
			// Also those that do nothing any more: one key-encryption key opens
			// all of them, or it is the wrong one.
			var err error
			if private, err = k.private(ctx, kek); err != nil {
				return nil, err
			}
		}
		if err := r.take(k, private); err != nil {
			return nil, fmt.Errorf("%s key %s: %w", k.Purpose, k.KID, err)
		}
		if k.Purpose == Mail && private != nil {
			mails = append(mails, private)
		}
		if k.Purpose == Pairwise && private != nil && k.Number < named {
			r.Pairwise, named = private, k.Number
		}
		if k.Purpose == Sharing && private != nil {
			sharing = append(sharing, private)
		}
	}
	var err error
	if r.Mail, err = sealing(mails); err != nil {
		return nil, err
	}
	if r.Sharing, err = sealing(sharing); err != nil {
		return nil, err
	}
	if err := r.takeState(); err != nil {
		return nil, err
	}
	if r.Signer == nil || len(r.Refresh) == 0 || r.Ledger == nil || r.Form == nil || r.Code == nil || r.Mail == nil || len(r.Opaque) == 0 {
		return nil, errors.New("a key is missing: no signing, refresh, ledger, form, code, mail or opaque key that may be used")
	}
	return r, nil
}

// sealing seals with the last of some keys, and opens with all of them.
func sealing(keys [][]byte) (*secret.Sealer, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	slices.Reverse(keys)
	return secret.NewSealer(keys[0], keys[1:]...)
}

// inRing orders keys within a purpose: those in use last.
func inRing(s State) int {
	return [...]int{Gone: 0, Compromised: 1, Next: 2, Previous: 3, Current: 4}[s]
}

// take puts one key where it belongs. private is nil when it was erased.
func (r *Ring) take(k Standing, private []byte) error {
	live := k.State == Next || k.State == Current || k.State == Previous
	if k.Purpose.Signs() {
		return r.takeSigning(k, live, private)
	}
	switch k.Purpose {
	case Refresh:
		// A family whose key was compromised goes on: a secret that fits is
		// still evidence, and the next token is made under the same key.
		if private == nil || k.State == Gone {
			return nil
		}
		rk, err := openRefresh(private)
		if err != nil {
			return err
		}
		rk.Compromised = k.State == Compromised
		r.Refresh = append(r.Refresh, rk)
	case Ledger:
		return r.takeLedger(k, private)
	case Form:
		if k.State == Current {
			r.Form = private
		}
	case Code:
		if k.State == Current {
			r.Code = private
		}
	case OpeningECDHES, OpeningRSAOAEP:
		if live {
			dk, err := jose.ParseDecryptionKey(jose.KeyAlg(k.Alg), private)
			if err != nil {
				return err
			}
			r.Opening = append(r.Opening, dk)
		}
	case Opaque:
		if tag := secret.Hash("opaque key tag", private); live {
			r.Opaque = append(r.Opaque, OpaqueKey{Tag: [4]byte(tag[:4]), KID: k.KID, Secret: private})
		}
	}
	return nil
}

func (r *Ring) takeSigning(k Standing, live bool, private []byte) error {
	if !live {
		return nil
	}
	sk, err := jose.ParseSigningKey(jose.Alg(k.Alg), private)
	if err != nil {
		return err
	}
	r.Verify[sk.KID()] = sk.Key()
	switch {
	case k.State != Current:
	case k.Purpose == Signing:
		r.Signer = sk
	default:
		r.also = append(r.also, sk)
	}
	return nil
}

// takeState derives the keys of sealed state from those of opaque tokens: they
// live as long, and turn with them.
func (r *Ring) takeState() error {
	var keys [][]byte
	for _, k := range slices.Backward(r.Opaque) {
		state, err := secret.Derive(k.Secret, "sealed state")
		if err != nil {
			return err
		}
		keys = append(keys, state)
	}
	if len(keys) == 0 {
		return nil
	}
	var err error
	r.State, err = secret.NewSealer(keys[0], keys[1:]...)
	return err
}

// settled is how long after the word of a compromise a node may still have
// sealed with the key, before it had that word.
const settled = time.Minute

func (r *Ring) takeLedger(k Standing, private []byte) error {
	public, err := k.ledger(private)
	if err != nil {
		return err
	}
	l := LedgerKey{Public: public}
	if !k.Compromised.IsZero() {
		l.Until = k.Compromised.Add(settled)
	}
	r.Sealed = append(r.Sealed, l)
	if k.State == Current {
		r.Ledger = ed25519.NewKeyFromSeed(private)
	}
	return nil
}

// ledger is the public half, from the row or, in rows of older versions, from
// the private part.
func (k Key) ledger(private []byte) (ed25519.PublicKey, error) {
	if private != nil {
		return ed25519.NewKeyFromSeed(private).Public().(ed25519.PublicKey), nil
	}
	parsed, err := x509.ParsePKIXPublicKey(k.Public)
	if err != nil {
		return nil, err
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("its public half is of another kind")
	}
	return public, nil
}

// Erasing is the write that erases a key: with its public half, also where
// an older version did not keep that beside it.
func (k Key) Erasing(ctx context.Context, kek secret.KEK) (Erase, error) {
	e := Erase{Purpose: k.Purpose, Number: k.Number, Sealed: k.Sealed, Public: k.Public}
	if k.Purpose != Ledger || len(k.Public) > 0 {
		return e, nil
	}
	private, err := k.private(ctx, kek)
	if err != nil {
		return Erase{}, err
	}
	e.Public, err = ledgerPublic(private)
	return e, err
}

func openRefresh(private []byte) (RefreshKey, error) {
	next, err := secret.Derive(private, "refresh successor")
	if err != nil {
		return RefreshKey{}, err
	}
	mac, err := secret.Derive(private, "refresh authenticity")
	if err != nil {
		return RefreshKey{}, err
	}
	tag := secret.Hash("refresh key tag", private)
	return RefreshKey{Tag: [4]byte(tag[:4]), Next: next, MAC: mac}, nil
}
