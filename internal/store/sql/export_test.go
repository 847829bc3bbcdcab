package sql

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/doorward/doorward/internal/core"
)

// Raw runs SQL of the test's own where units are committed.
func (s *Store) Raw(ctx context.Context, text string, args ...any) error {
	var err error
	if w, ok := s.commits.(*sqliteWriter); ok {
		_, err = w.conn.ExecContext(ctx, text, args...)
	} else {
		_, err = s.db.ExecContext(ctx, text, args...)
	}
	return err
}

// Ask reads one row with SQL of the test's own.
func (s *Store) Ask(ctx context.Context, text string, dest ...any) error {
	return s.db.QueryRowContext(ctx, text).Scan(dest...)
}

// Column reads the first column of all rows with SQL of the test's own.
func (s *Store) Column(ctx context.Context, text string) (out []string, err error) {
	rows, err := s.db.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Pragma is a setting of SQLite on the connection that writes and on one that
// reads.
func (s *Store) Pragma(ctx context.Context, name string) (writer, reader string, err error) {
	if err = s.commits.(*sqliteWriter).conn.QueryRowContext(ctx, "pragma "+name).Scan(&writer); err != nil {
		return "", "", err
	}
	err = s.db.QueryRowContext(ctx, "pragma "+name).Scan(&reader)
	return writer, reader, err
}

// A Hold keeps SQLite's writer standing between two batches.
type Hold struct {
	w       *sqliteWriter
	gate    chan struct{}
	largest atomic.Int64
}

// Stop makes the writer stand still before it applies one unit.
func (s *Store) Stop(one core.Unit) *Hold {
	h := &Hold{w: s.commits.(*sqliteWriter), gate: make(chan struct{})}
	standing := make(chan struct{})
	stopped := false
	h.w.afterRun = func(n int) {
		h.largest.Store(max(h.largest.Load(), int64(n)))
		if !stopped {
			stopped = true
			close(standing)
			<-h.gate
		}
	}
	go s.Commit(context.Background(), one)
	<-standing
	return h
}

// Queued waits until n units wait for the writer.
func (h *Hold) Queued(n int) {
	for len(h.w.serve)+len(h.w.revoke) < n {
		runtime.Gosched()
	}
}

// Go lets the writer go on.
func (h *Hold) Go() { close(h.gate) }

// Largest is the number of units in the largest batch since.
func (h *Hold) Largest() int { return int(h.largest.Load()) }

// LockID is the advisory lock that a migration holds.
const LockID = int64(lockID)
