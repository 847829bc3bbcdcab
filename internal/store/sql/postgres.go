package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/doorward/doorward/internal/core"
)

// commitWithin bounds a unit; no caller's patience does.
const commitWithin = 10 * time.Second

type postgresCommitter struct {
	pool    *pgxpool.Pool
	texts   []string
	moved   chan struct{} // holds one hint to be sent
	stop    chan struct{}
	stopped chan struct{}
}

func openPostgres(ctx context.Context, address string) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The parser's own error repeats the address, password and all.
		return nil, errors.New("not a PostgreSQL address")
	}
	n := int32(max(8, 4*runtime.GOMAXPROCS(0)))
	cfg.MaxConns, cfg.MinIdleConns = n, n/2
	for k, v := range map[string]string{"statement_timeout": "5000", "lock_timeout": "2000", "idle_in_transaction_session_timeout": "10000", "application_name": "doorward"} {
		if _, set := cfg.ConnConfig.RuntimeParams[k]; !set {
			cfg.ConnConfig.RuntimeParams[k] = v
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDBFromPool(pool)
	if err := readyPostgres(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	c := &postgresCommitter{pool: pool, moved: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{})}
	for _, k := range kinds {
		c.texts = append(c.texts, demanding(k))
	}
	go c.tell()
	return &Store{db: db, dialect: postgresDialect, reads: postgresReader{pool}, commits: c}, nil
}

// postgresReader reads on the pool itself; statements are prepared once per
// connection by the driver.
type postgresReader struct{ pool *pgxpool.Pool }

func (r postgresReader) query(ctx context.Context, text string, args []any) (found, error) {
	return r.pool.Query(ctx, text, args...)
}

// channel is where nodes tell each other that the feed moved.
const channel = "doorward_feed"

// tell sends the hints that commits ask for: after the commit, outside the
// unit, many commits in one. A hint that is lost costs a node one poll.
func (c *postgresCommitter) tell() {
	defer close(c.stopped)
	for {
		select {
		case <-c.stop:
			return
		case <-c.moved:
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_, _ = c.pool.Exec(ctx, `select pg_notify($1, '')`, channel)
			cancel()
		}
	}
}

// watch listens on a connection of its own, and begins again when it is lost.
func (c *postgresCommitter) watch(ctx context.Context, moved func()) {
	for ctx.Err() == nil {
		c.listen(ctx, moved)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (c *postgresCommitter) listen(ctx context.Context, moved func()) {
	conn, err := pgx.ConnectConfig(ctx, c.pool.Config().ConnConfig)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return
		}
		moved()
	}
}

func readyPostgres(ctx context.Context, db *sql.DB) error {
	var commit, encoding string
	if err := db.QueryRowContext(ctx, `select current_setting('synchronous_commit'), current_setting('server_encoding')`).Scan(&commit, &encoding); err != nil {
		return err
	}
	if commit == "off" {
		return errors.New("synchronous_commit is off: an acknowledged sign-out could be forgotten; turn it on")
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database's encoding is %s; it must be UTF8", encoding)
	}
	return migrate(ctx, db, postgresDialect)
}

func (c *postgresCommitter) close() error {
	close(c.stop)
	<-c.stopped
	c.pool.Close()
	return nil
}

// demanding is the statement of a kind of write that fails by itself when it
// changed other than so many rows: what comes after it, the commit last, is
// then not run, so a unit needs one trip and no look in between. An insert that
// has no way around a conflict adds its row or fails anyway.
func demanding(k kind) string {
	text := postgresDialect.words.Replace(k.text)
	want := "1"
	switch {
	case k.rows == any_, k.rows == one && strings.HasPrefix(text, "insert") && !strings.Contains(text, "on conflict"):
		return text
	case k.rows == exact:
		want = fmt.Sprintf("$%d", reflect.TypeOf(k.sample).NumField()+1)
	}
	return `with changed as (` + text + ` returning 1) select 1 / (case when count(*) = ` + want + ` then 1 else 0 end) from changed`
}

// commit sends a whole unit in one go, the commit at its end. The first write
// that found other rows than it demands ends it there.
func (c *postgresCommitter) commit(ctx context.Context, u []write) (core.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return core.Receipt{}, fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return core.Receipt{}, fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	defer conn.Release()
	r, err := c.send(ctx, conn.Conn(), u)
	if err != nil {
		// Without an answer to this the connection is not used again.
		if _, rerr := conn.Exec(ctx, "rollback"); rerr != nil {
			conn.Conn().Close(ctx)
		}
		return core.Receipt{}, err
	}
	if r.Seq > 0 {
		select {
		case c.moved <- struct{}{}:
		default:
		}
	}
	return r, nil
}

func (c *postgresCommitter) send(ctx context.Context, conn *pgx.Conn, u []write) (core.Receipt, error) {
	b := &pgx.Batch{}
	b.Queue("begin")
	for _, w := range u {
		args := w.args
		if kinds[w.rank].rows == exact {
			args = append(args[:len(args):len(args)], w.want)
		}
		b.Queue(c.texts[w.rank], args...)
	}
	if revokes(u) {
		b.Queue(headQuery)
	}
	b.Queue("commit")
	res := conn.SendBatch(ctx, b)
	r, err := outcomes(res, u)
	if cerr := res.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("%w: %w", core.ErrUnavailable, cerr)
	}
	return r, err
}

func outcomes(res pgx.BatchResults, u []write) (r core.Receipt, err error) {
	if _, err := res.Exec(); err != nil {
		return core.Receipt{}, fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	for _, w := range u {
		switch _, err := res.Exec(); {
		case err != nil && conflict(err):
			return core.Receipt{}, &core.Lost{Write: w.Write}
		case err != nil:
			return core.Receipt{}, fmt.Errorf("%w: %T: %w", core.ErrUnavailable, w.Write, err)
		}
	}
	if revokes(u) {
		var seq int64
		if err := res.QueryRow().Scan(&seq); err != nil {
			return core.Receipt{}, fmt.Errorf("%w: %w", core.ErrUnavailable, err)
		}
		r.Seq = uint64(seq)
	}
	// Nobody knows whether a commit without an answer was done.
	switch tag, err := res.Exec(); {
	case err != nil:
		return core.Receipt{}, fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	case tag.String() != "COMMIT":
		return core.Receipt{}, fmt.Errorf("%w: the commit ended as %s", core.ErrUnavailable, tag)
	}
	return r, nil
}

// conflict says whether an error means that other rows were met than judged:
// judging again is the answer.
func conflict(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "22012", // what demanding divides by: other rows than the unit was judged on
		"23505", "23503", // unique, foreign key
		"40001", "40P01", "55P03": // serialization, deadlock, lock timeout
		return true
	}
	return false
}
