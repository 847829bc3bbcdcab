package doorward

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysKept   = time.Hour        // how long the last good set serves when the server is away
	keysAgain  = 10 * time.Second // between two fetches that an unknown key id may cause
	keysRetry  = time.Second      // between two fetches while there is no set at all
	keysLeast  = time.Minute      // a shorter max-age than this is not believed
	keysMost   = 15 * time.Minute // nor a longer one: retired keys must go
	keysNormal = 5 * time.Minute  // where the server says nothing
)

// A key is a public key and the one algorithm it is for (RFC 8725 section 3.1).
type key struct {
	id        string
	algorithm jose.SignatureAlgorithm
	public    any    // or the secret that is shared
	thumb     string // RFC 7638, to tell whether a kid still means the same key
}

// verify checks the signature of a compact JWS.
func (k *key) verify(token string) error {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{k.algorithm})
	if err != nil {
		return err
	}
	if _, err = jws.Verify(k.public); err != nil || k.algorithm != jose.PS256 {
		return err
	}
	// RFC 7518 section 3.5: the salt is as long as the hash. The library takes
	// any length.
	public, ok := k.public.(*rsa.PublicKey)
	if !ok {
		return jose.ErrCryptoFailure
	}
	dot := strings.LastIndexByte(token, '.')
	signature, err := strict.DecodeString(token[dot+1:])
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(token[:dot]))
	return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
}

type keySet struct {
	keys    map[string]*key
	fetched time.Time
	due     time.Time
}

// A keyring holds the server's signing keys.
type keyring struct {
	server *server
	life   context.Context
	set    atomic.Pointer[keySet]
	shared bool // the set is of shared secrets: no other is ever read
	flight flight

	mu    sync.Mutex
	tried time.Time       // when the last fetch ended
	err   error           // how
	gone  map[string]bool // keys that were compromised: an old copy of the set does not bring them back
}

// share makes a set of shared secrets the only one there is.
func (r *keyring) share(keys map[string]*key) {
	r.shared = true
	r.set.Store(&keySet{keys: keys})
}

// find returns the key of that id. An id is looked up in a map and nowhere
// else. Errors are refusals.
func (r *keyring) find(ctx context.Context, id string) (*key, error) {
	now := r.server.now()
	if r.distrusted(id) {
		return nil, refuse(checkRevoked, "the key is no longer trusted")
	}
	if set := r.usable(now); set != nil {
		if k := set.keys[id]; k != nil {
			r.renew(set, now)
			return k, nil
		}
	}
	wait := keysAgain
	if r.usable(now) == nil {
		wait = keysRetry
	}
	if r.may(now, wait) {
		// The outcome is read below: it is the same for those who did not wait.
		_ = r.flight.join(ctx, r.life, r.fetch)
	}
	set := r.usable(now)
	if set == nil {
		return nil, unsure(checkReach, "the server's keys could not be read")
	}
	if k := set.keys[id]; k != nil {
		return k, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, unsure(checkReach, "the key is new and the server's keys could not be read")
	}
	return nil, refuse(checkKey, "the server has no key "+quoted(id))
}

// same says whether k is still the server's key of that id.
func (r *keyring) same(k *key, now time.Time) bool {
	set := r.usable(now)
	if set == nil {
		return false
	}
	r.renew(set, now)
	current := set.keys[k.id]
	return current == k || current != nil && current.thumb == k.thumb && current.algorithm == k.algorithm
}

// renew fetches a set that is due, while the old one goes on serving.
func (r *keyring) renew(set *keySet, now time.Time) {
	if now.After(set.due) && r.may(now, keysAgain) {
		r.flight.start(r.life, r.fetch)
	}
}

func (r *keyring) usable(now time.Time) *keySet {
	set := r.set.Load()
	if r.shared {
		return set
	}
	if set == nil || now.Sub(set.fetched) > keysKept {
		return nil
	}
	return set
}

// may says whether a fetch is allowed again, so that strangers with made-up
// key ids cannot make us call the server at their pace.
func (r *keyring) may(now time.Time, wait time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.shared && (r.tried.IsZero() || now.Sub(r.tried) >= wait)
}

// goneAtMost bounds how many compromised keys are remembered.
const goneAtMost = 1000

// distrust drops a key for good. Another has taken its place, so the next key
// id that is not known is asked for at once.
func (r *keyring) distrust(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.gone) < goneAtMost {
		if r.gone == nil {
			r.gone = make(map[string]bool)
		}
		r.gone[id] = true
	}
	r.tried = time.Time{}
	if set := r.set.Load(); set != nil && set.keys[id] != nil {
		r.keep(set)
	}
}

func (r *keyring) distrusted(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone[id]
}

// takes says whether a token may be of an algorithm: of the closed list, or of
// shared secrets where there are those instead, and never of both.
func (r *keyring) takes(alg jose.SignatureAlgorithm) bool {
	if _, ok := sharedAlgorithms[alg]; ok || r.shared {
		return ok && r.shared
	}
	return slices.Contains(algorithms, alg)
}

// keep makes a set the one in use, without the keys that are gone.
func (r *keyring) keep(set *keySet) {
	left := *set
	left.keys = make(map[string]*key, len(set.keys))
	for id, k := range set.keys {
		if !r.gone[id] {
			left.keys[id] = k
		}
	}
	r.set.Store(&left)
}

func (r *keyring) fetch(ctx context.Context) error {
	if r.shared {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	set, err := r.read(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.keep(set)
	}
	r.tried, r.err = r.server.now(), err
	return err
}

func (r *keyring) read(ctx context.Context) (*keySet, error) {
	m, err := r.server.discover(ctx)
	if err != nil {
		return nil, err
	}
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	now := r.server.now()
	h, err := r.server.get(ctx, m.JWKS, false, smallAnswer, &document)
	if err != nil {
		return nil, err
	}
	keys := readKeys(document.Keys)
	if len(keys) == 0 {
		return nil, &shapeError{"jwks_uri has no key that can be used"}
	}
	return &keySet{keys: keys, fetched: now, due: now.Add(maxAge(h))}, nil
}

// readKeys takes the keys that can verify a token and leaves the rest. Two keys
// of one id are both left: none can say which is meant.
func readKeys(raw []json.RawMessage) map[string]*key {
	keys := make(map[string]*key, len(raw))
	for _, data := range raw {
		var j jose.JSONWebKey
		if j.UnmarshalJSON(data) != nil || !j.Valid() || !j.IsPublic() {
			continue
		}
		// RFC 7517 section 4.3: a key that says what it is for is for nothing else.
		var is struct {
			Ops []string `json:"key_ops"`
		}
		if json.Unmarshal(data, &is) != nil || is.Ops != nil && !slices.Contains(is.Ops, "verify") {
			continue
		}
		if j.KeyID == "" || len(j.KeyID) > maxKeyID || j.Use != "" && j.Use != "sig" {
			continue
		}
		if _, twice := keys[j.KeyID]; twice {
			keys[j.KeyID] = nil
			continue
		}
		keys[j.KeyID] = newKey(j)
	}
	for id, k := range keys {
		if k == nil {
			delete(keys, id)
		}
	}
	return keys
}

// newKey pins a key to its algorithm, or returns nil. An RSA key that does not
// say which of the three it is for is left out.
func newKey(j jose.JSONWebKey) *key {
	alg := jose.SignatureAlgorithm(j.Algorithm)
	switch public := j.Key.(type) {
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() || alg != "" && alg != jose.ES256 {
			return nil
		}
		alg = jose.ES256
	case ed25519.PublicKey:
		if alg != "" && alg != jose.EdDSA {
			return nil
		}
		alg = jose.EdDSA
	case *rsa.PublicKey:
		if public.N.BitLen() < 2048 || alg != jose.RS256 && alg != jose.RS512 && alg != jose.PS256 {
			return nil
		}
	default:
		return nil
	}
	thumb, err := j.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil
	}
	return &key{id: j.KeyID, algorithm: alg, public: j.Key, thumb: string(thumb)}
}

// maxAge reads Cache-Control within bounds.
func maxAge(h http.Header) time.Duration {
	for part := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		if n, err := strconv.ParseUint(value, 10, 31); err == nil {
			return min(max(time.Duration(n)*time.Second, keysLeast), keysMost)
		}
	}
	return keysNormal
}
