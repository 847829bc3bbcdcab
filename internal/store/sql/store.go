// Package sql keeps state in SQLite or PostgreSQL: one SQL text for both.
// Units are data, so what differs is only how a unit is committed.
package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/doorward/doorward/internal/core"
)

// A Store is an open database.
type Store struct {
	db      *sql.DB // for migrations, and reads on SQLite
	dialect dialect
	reads   reader
	commits committer
	closing sync.Once
}

// A committer applies one unit whole, its writes in lock order.
type committer interface {
	commit(ctx context.Context, u []write) (core.Receipt, error)
	// watch calls moved when another node may have moved the feed, until ctx
	// ends. It is a hint: the head is read anyway.
	watch(ctx context.Context, moved func())
	close() error
}

// A reader runs one read. Texts are those of this package, few and constant.
type reader interface {
	query(ctx context.Context, text string, args []any) (found, error)
}

type found interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Watch calls moved when another node may have moved the feed, until ctx ends.
func (s *Store) Watch(ctx context.Context, moved func()) { s.commits.watch(ctx, moved) }

// write is a Write with its line of the table looked up and its parameters bound.
type write struct {
	core.Write
	rank   int
	args   []any
	want   int64
	strict bool // want must be met
}

// Open opens the database that a URL names, sqlite:///path or postgres://...,
// and brings its schema up to date. fatal is called when the disk fails under
// a commit: the process must end, for nobody can say what is on it.
func Open(ctx context.Context, address string, fatal func(error)) (*Store, error) {
	var s *Store
	var err error
	switch u, perr := url.Parse(address); {
	case perr != nil:
		return nil, fmt.Errorf("database: not a URL")
	case u.Scheme == "sqlite":
		s, err = openSQLite(ctx, strings.TrimPrefix(address, "sqlite://"), fatal)
	case u.Scheme == "postgres" || u.Scheme == "postgresql":
		s, err = openPostgres(ctx, address)
	default:
		return nil, fmt.Errorf("database: %q is neither sqlite:///path nor postgres://...", u.Scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return s, nil
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.dialect.name }

// Close lets go of the database after what is queued has been committed.
// Readers go first: the writer's last checkpoint wants the log for itself.
func (s *Store) Close() (err error) {
	s.closing.Do(func() { err = errors.Join(s.db.Close(), s.commits.close()) })
	return err
}

// Commit applies a unit whole; see core.Store.
func (s *Store) Commit(ctx context.Context, u core.Unit) (core.Receipt, error) {
	ws, err := bound(u)
	if err != nil || len(ws) == 0 {
		return core.Receipt{}, err
	}
	return s.commits.commit(ctx, ws)
}

// bound looks up and sorts a unit's writes: by kind, and within a kind by
// their parameters, of which the first name the row. So two units that write
// the same rows take the locks in the same order, however they were put down.
func bound(u core.Unit) ([]write, error) {
	ws := make([]write, len(u))
	for i, w := range u {
		r, ok := rank[reflect.TypeOf(w)]
		if !ok {
			return nil, fmt.Errorf("sql: %T is not in the table of writes", w)
		}
		want, strict := kinds[r].want(w)
		ws[i] = write{w, r, bind(w), want, strict}
	}
	slices.SortStableFunc(ws, func(a, b write) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return slices.CompareFunc(a.args, b.args, compareBound)
	})
	return ws, nil
}

// revokes says whether a bound unit takes a feed position.
func revokes(ws []write) bool { return ws[0].rank == 0 }

const headQuery = `select seq from feed_head`
