package doorward

import (
	"crypto/sha256"
	"strings"
	"sync"
)

// cacheHalf is half of the number of tokens whose signature is remembered.
const cacheHalf = 4096

// A cache remembers tokens whose signature, issuer and audience were good, so
// that they are not computed again. Entries are compared, never invalidated:
// the key, the time and the view are judged at each use.
//
// An entry is found by the SHA-256 of the token's signature and holds the text
// that was signed, to be compared in full. So a hit means the very same token,
// and yet the memory holds none that could be used: the signature is missing.
// An opaque token is found by the SHA-256 of all of it.
type cache struct {
	mu       sync.RWMutex
	now, old map[[sha256.Size]byte]*verified
}

func (c *cache) get(token string) *verified {
	input, id, ok := cacheKey(token)
	if !ok {
		return nil
	}
	c.mu.RLock()
	t, fresh := c.now[id]
	if !fresh {
		t = c.old[id]
	}
	c.mu.RUnlock()
	if t == nil || t.input != input {
		return nil
	}
	if !fresh {
		c.put(token, t)
	}
	return t
}

// put keeps a token. When the newer half is full it becomes the older one, and
// what was not asked for since then is forgotten.
func (c *cache) put(token string, t *verified) {
	_, id, ok := cacheKey(token)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.now) >= cacheHalf {
		c.now, c.old = nil, c.now
	}
	if c.now == nil {
		c.now = make(map[[sha256.Size]byte]*verified)
	}
	c.now[id] = t
}

func cacheKey(token string) (input string, id [sha256.Size]byte, ok bool) {
	if strings.HasPrefix(token, opaquePrefix) {
		return "", sha256.Sum256([]byte(token)), true
	}
	// The largest signature is that of a 4096-bit RSA key, 683 characters.
	var buf [768]byte
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || len(token)-dot-1 > len(buf) {
		return "", id, false
	}
	n := copy(buf[:], token[dot+1:])
	return token[:dot], sha256.Sum256(buf[:n]), true
}
