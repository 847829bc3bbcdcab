package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/doorward/doorward/internal/core"
)

const (
	batchAtMost = 256                    // units that share one fsync
	idleFor     = 200 * time.Millisecond // after which the writer checkpoints the log itself
)

// sqliteWriter is the one connection that writes. What queued while the disk
// was syncing shares the next transaction, a savepoint a unit.
type sqliteWriter struct {
	db       *sql.DB
	conn     *sql.Conn
	kinds    []*sql.Stmt
	control  map[string]*sql.Stmt
	revoke   chan *queued // units that take trust away go first
	serve    chan *queued
	stop     chan struct{}
	stopped  chan struct{}
	fatal    func(error)
	afterRun func(n int) // tests count batches
}

type queued struct {
	unit []write
	done chan outcome
}

type outcome struct {
	receipt core.Receipt
	err     error
}

func sqlitePragmas(path string, writer bool) string {
	p := "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=secure_delete(FAST)&_pragma=wal_autocheckpoint(8000)"
	if !writer {
		p += "&_pragma=query_only(1)"
	}
	return p
}

func openSQLite(ctx context.Context, path string, fatal func(error)) (*Store, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("sqlite:///path wants an absolute path, not %q", path)
	}
	// The database holds personal data and sealed keys: for its owner alone.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	wdb, err := sql.Open("sqlite", sqlitePragmas(path, true))
	if err != nil {
		return nil, err
	}
	wdb.SetMaxOpenConns(1)
	if err := withFileLock(path+".lock", func() error { return migrate(ctx, wdb, sqliteDialect) }); err != nil {
		wdb.Close()
		return nil, err
	}
	rdb, err := sql.Open("sqlite", sqlitePragmas(path, false))
	if err != nil {
		return nil, err
	}
	n := max(4, runtime.GOMAXPROCS(0))
	rdb.SetMaxOpenConns(n)
	rdb.SetMaxIdleConns(n)
	w := &sqliteWriter{db: wdb, revoke: make(chan *queued, batchAtMost), serve: make(chan *queued, batchAtMost),
		stop: make(chan struct{}), stopped: make(chan struct{}), fatal: fatal, control: map[string]*sql.Stmt{}}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, wdb.Close(), rdb.Close())
	}
	go w.run()
	return &Store{db: rdb, dialect: sqliteDialect, reads: &sqliteReader{db: rdb, prepared: map[string]*sql.Stmt{}}, commits: w}, nil
}

// sqliteReader prepares each read once: that is most of what a point read costs.
type sqliteReader struct {
	db       *sql.DB
	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

// query asks without the caller's context, which would cost as much again as
// the read itself, and the read is over in microseconds.
func (r *sqliteReader) query(_ context.Context, text string, args []any) (found, error) {
	st, err := r.statement(text)
	if err != nil {
		return nil, err
	}
	rows, err := st.Query(args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{rows}, nil
}

func (r *sqliteReader) statement(text string) (*sql.Stmt, error) {
	r.mu.RLock()
	st := r.prepared[text]
	r.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if st := r.prepared[text]; st != nil {
		return st, nil
	}
	st, err := r.db.Prepare(sqliteDialect.words.Replace(text))
	if err == nil {
		r.prepared[text] = st
	}
	return st, err
}

type sqliteRows struct{ *sql.Rows }

// Close drops the error that Err has already told.
func (r sqliteRows) Close() { _ = r.Rows.Close() }

// watch has nobody to hear from: a SQLite file has one server.
func (w *sqliteWriter) watch(ctx context.Context, _ func()) { <-ctx.Done() }

func (w *sqliteWriter) prepare(ctx context.Context) (err error) {
	if w.conn, err = w.db.Conn(ctx); err != nil {
		return err
	}
	for _, k := range kinds {
		st, err := w.conn.PrepareContext(ctx, sqliteDialect.words.Replace(k.text))
		if err != nil {
			return fmt.Errorf("%T: %w", k.sample, err)
		}
		w.kinds = append(w.kinds, st)
	}
	for _, text := range []string{"begin immediate", "commit", "rollback", "savepoint u", "release u", "rollback to u", headQuery} {
		if w.control[text], err = w.conn.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (w *sqliteWriter) commit(ctx context.Context, u []write) (core.Receipt, error) {
	j := &queued{unit: u, done: make(chan outcome, 1)}
	lane := w.serve
	if revokes(u) {
		lane = w.revoke
	}
	select {
	case lane <- j:
	case <-w.stop:
		return core.Receipt{}, fmt.Errorf("%w: closing", core.ErrUnavailable)
	case <-ctx.Done():
		return core.Receipt{}, fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
	}
	select {
	case o := <-j.done:
		return o.receipt, o.err
	case <-w.stopped:
		// The last batch may have held this unit.
		select {
		case o := <-j.done:
			return o.receipt, o.err
		default:
			return core.Receipt{}, fmt.Errorf("%w: closing", core.ErrUnavailable)
		}
	case <-ctx.Done():
		// The unit goes on; whoever asked does not learn how it ended.
		return core.Receipt{}, fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
	}
}

func (w *sqliteWriter) close() error {
	close(w.stop)
	<-w.stopped
	_, _ = w.conn.ExecContext(context.Background(), "pragma wal_checkpoint(truncate)")
	return errors.Join(w.conn.Close(), w.db.Close())
}

// run commits batches until stopped, then what is still queued.
func (w *sqliteWriter) run() {
	defer close(w.stopped)
	idle := time.NewTimer(idleFor)
	dirty := false
	for {
		var first *queued
		select {
		case first = <-w.revoke:
		default:
			select {
			case first = <-w.revoke:
			case first = <-w.serve:
			case <-idle.C:
				if dirty {
					// A checkpoint inside a commit would show in its tail latency.
					_, _ = w.conn.ExecContext(context.Background(), "pragma wal_checkpoint(passive)")
					dirty = false
				}
				continue
			case <-w.stop:
				for batch := w.collect(nil); len(batch) > 0; batch = w.collect(nil) {
					w.apply(batch)
				}
				return
			}
		}
		w.apply(w.collect(first))
		dirty = true
		idle.Reset(idleFor)
	}
}

// collect takes what is waiting, units that take trust away before others.
func (w *sqliteWriter) collect(first *queued) []*queued {
	batch := make([]*queued, 0, 16)
	if first != nil {
		batch = append(batch, first)
	}
	for len(batch) < batchAtMost {
		select {
		case j := <-w.revoke:
			batch = append(batch, j)
			continue
		default:
		}
		select {
		case j := <-w.serve:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// apply commits a batch. Nobody is answered before the commit. Any error but
// a lost condition ends the transaction, which SQLite may have rolled back by
// itself: nothing more runs in it, and the units run again one by one.
func (w *sqliteWriter) apply(batch []*queued) {
	if w.afterRun != nil {
		w.afterRun(len(batch))
	}
	outcomes, err := w.transact(batch)
	switch c := code(err) & 0xff; {
	case c == sqlite3.SQLITE_IOERR || c == sqlite3.SQLITE_CORRUPT:
		// A second try that seems to work may have lost the pages of the
		// first: nothing runs again.
		w.fatal(err)
	case err != nil && len(batch) > 1:
		for _, j := range batch {
			w.apply([]*queued{j})
		}
		return
	}
	for i, j := range batch {
		if err != nil {
			j.done <- outcome{err: fmt.Errorf("%w: %w", core.ErrUnavailable, err)}
			continue
		}
		j.done <- outcomes[i]
	}
}

func (w *sqliteWriter) transact(batch []*queued) ([]outcome, error) {
	if err := w.do("begin immediate"); err != nil {
		return nil, err
	}
	outcomes := make([]outcome, len(batch))
	for i, j := range batch {
		o, err := w.unit(j.unit)
		if err != nil {
			// It fails too when SQLite has rolled back already: no matter.
			_ = w.do("rollback")
			return nil, err
		}
		outcomes[i] = o
	}
	if err := w.do("commit"); err != nil {
		_ = w.do("rollback")
		return nil, err
	}
	return outcomes, nil
}

// unit applies one unit under a savepoint. A lost condition is its own
// outcome; any other error is the batch's.
func (w *sqliteWriter) unit(u []write) (outcome, error) {
	if err := w.do("savepoint u"); err != nil {
		return outcome{}, err
	}
	var o outcome
	for _, x := range u {
		res, err := w.kinds[x.rank].ExecContext(context.Background(), x.args...)
		lost := code(err)&0xff == sqlite3.SQLITE_CONSTRAINT
		if err != nil && !lost {
			return outcome{}, err
		}
		if !lost && x.strict {
			n, err := res.RowsAffected()
			if err != nil {
				return outcome{}, err
			}
			lost = n != x.want
		}
		if lost {
			if err := w.do("rollback to u"); err != nil {
				return outcome{}, err
			}
			o = outcome{err: &core.Lost{Write: x.Write}}
			break
		}
	}
	if o.err == nil && revokes(u) {
		var seq int64
		if err := w.control[headQuery].QueryRowContext(context.Background()).Scan(&seq); err != nil {
			return outcome{}, err
		}
		o.receipt.Seq = uint64(seq)
	}
	return o, w.do("release u")
}

func (w *sqliteWriter) do(text string) error {
	_, err := w.control[text].ExecContext(context.Background())
	return err
}

// code is SQLite's result code in an error; 0 when there is none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
