package exchange

import (
	"sync"
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
)

const (
	cacheSize   = 1 << 16
	cacheShards = 64
	cacheFor    = 5 * time.Minute
)

// cache keeps sessions that were live when they were read. It is compared,
// never invalidated: an entry counts only while nothing that it hangs on has
// an event above the position that was taken before it was read.
type cache struct {
	most   int
	shards [cacheShards]struct {
		mu sync.RWMutex
		of map[[32]byte]cached
	}
}

type cached struct {
	session session.Session
	user    identity.User
	rev     uint64
	read    time.Time
}

func newCache(most int) *cache {
	c := &cache{most: most / cacheShards}
	for i := range c.shards {
		c.shards[i].of = map[[32]byte]cached{}
	}
	return c
}

func (c *cache) get(hash [32]byte, now time.Time, feed *revocation.Log) (cached, bool) {
	s := &c.shards[hash[0]%cacheShards]
	s.mu.RLock()
	e, ok := s.of[hash]
	s.mu.RUnlock()
	if !ok || now.Sub(e.read).Abs() > cacheFor || feed.Dead(e.rev, names(e.session)...) ||
		session.Judge(e.session, e.user, now) != session.Live {
		return cached{}, false
	}
	return e, true
}

func (c *cache) put(hash [32]byte, e cached) {
	s := &c.shards[hash[0]%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.of) >= c.most {
		for k := range s.of { // any one: the map's order is random enough
			delete(s.of, k)
			break
		}
	}
	s.of[hash] = e
}

// names are what a session hangs on, and what tells that its row changed.
func names(s session.Session) []revocation.Name {
	id := s.ID.String()
	return []revocation.Name{
		{Unit: revocation.Session, ID: id}, {Unit: revocation.User, ID: s.User.String()}, {Unit: revocation.Changed, ID: id},
	}
}

// apps keeps the applications that origins stand for, compared like sessions.
// Only registered origins are kept, so strangers cannot fill it.
type apps struct {
	mu sync.RWMutex
	of map[string]app
}

type app struct {
	client client.Client
	rev    uint64
	read   time.Time
}

func (a *apps) get(origin string, now time.Time, feed *revocation.Log) (client.Client, bool) {
	a.mu.RLock()
	e, ok := a.of[origin]
	a.mu.RUnlock()
	if !ok || now.Sub(e.read).Abs() > cacheFor ||
		feed.Dead(e.rev, revocation.Name{Unit: revocation.Client, ID: e.client.ID}, revocation.Name{Unit: revocation.Changed, ID: e.client.ID}) {
		return client.Client{}, false
	}
	return e.client, true
}

func (a *apps) put(origin string, e app) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of[origin] = e
}
