package sql

import (
	"context"
	"time"
)

// Health is what an operator may want to know of the database itself.
type Health struct {
	Engine  string
	Version string
	// Now is the database's own clock; zero when it has none of its own.
	Now time.Time
	// Durable says that an answered commit survives a crash of the machine.
	Durable bool
	// Why says which setting makes it not durable.
	Why string
}

// Health asks the database how it is set.
func (s *Store) Health(ctx context.Context) (Health, error) {
	h := Health{Engine: s.dialect.name}
	if h.Engine == "sqlite" {
		var synchronous int
		err := s.db.QueryRowContext(ctx, `select sqlite_version()`).Scan(&h.Version)
		if err == nil {
			err = s.db.QueryRowContext(ctx, `pragma synchronous`).Scan(&synchronous)
		}
		// 2 is FULL, 3 EXTRA.
		if h.Durable = synchronous >= 2; !h.Durable {
			h.Why = "synchronous is below FULL"
		}
		return h, err
	}
	var us int64
	var commit, fsync, pages string
	err := s.db.QueryRowContext(ctx, `select current_setting('server_version'), (extract(epoch from clock_timestamp()) * 1000000)::bigint,
		current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes')`).Scan(&h.Version, &us, &commit, &fsync, &pages)
	h.Now = instant(us)
	switch {
	case commit == "off":
		h.Why = "synchronous_commit is off"
	case fsync == "off":
		h.Why = "fsync is off"
	case pages == "off":
		h.Why = "full_page_writes is off"
	default:
		h.Durable = true
	}
	return h, err
}
