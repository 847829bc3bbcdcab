package sql_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/store/sql"
	"github.com/doorward/doorward/internal/store/storetest/postgres"
)

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// With synchronous_commit off PostgreSQL answers before the commit is on its
// disk: a crash would bring back a session that was ended.
func TestForgetfulPostgreSQLIsRefused(t *testing.T) {
	t.Parallel()
	address := postgres.Start(t)
	for _, option := range []url.Values{{"options": {"-c synchronous_commit=off"}}, {"synchronous_commit": {"off"}}} {
		at, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := at.Query()
		for k, v := range option {
			q[k] = v
		}
		at.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
		s, err := sql.Open(t.Context(), at.String(), nil)
		if err == nil {
			s.Close()
			t.Errorf("%v: opened", option)
		} else if !strings.Contains(err.Error(), "synchronous_commit") {
			t.Errorf("%v: %v does not say what to turn on", option, err)
		}
	}
	open(t, address)
}

// An address holds a password, and errors end in logs.
func TestNoErrorRepeatsTheAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://doorward:s3cr3t@127.0.0.1:1/doorward?sslmode=disable&connect_timeout=1",
		"postgres://doorward:s3cr3t@127.0.0.1:port/doorward",
		"postgres://doorward:s3cr3t@127.0.0.1/doorward?sslmode=sometimes",
		"mysql://doorward:s3cr3t@127.0.0.1/doorward",
	} {
		s, err := sql.Open(t.Context(), address, nil)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", address)
		} else if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

// Whoever asked may leave; the unit that is under way ends all the same, and
// its connection is not torn down with it.
func TestTheEndOfACallerNeverEndsAUnit(t *testing.T) {
	t.Parallel()
	address := postgres.Start(t)
	s := open(t, address)
	blocker, watcher := connect(t, address), connect(t, address)
	tx, err := blocker.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), "update feed_head set seq = seq")
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.Commit(ctx, core.Unit{revocation.Next{}, risk.Fail{At: noon}})
		done <- err
	}()
	for waiting := 0; waiting == 0; {
		if err := watcher.QueryRow(t.Context(), "select count(*) from pg_locks where not granted").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil && !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("the caller who left was told %v", err)
	}
	v := s.View(t.Context())
	if head, failures := v.Head(), v.Failures([32]byte{}).Count; head != 1 || failures != 1 || v.Err() != nil {
		t.Errorf("the unit whose caller left: position %d, %d failures, %v", head, failures, v.Err())
	}
}

// Of nodes that start together one migrates; the others ask for its lock.
func TestMigrationAsksForTheLock(t *testing.T) {
	t.Parallel()
	address := postgres.Start(t)
	other := connect(t, address)
	if _, err := other.Exec(t.Context(), "select pg_advisory_lock($1)", sql.LockID); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	opened := make(chan error)
	go func() {
		s, err := sql.Open(ctx, address, nil)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	for refused := 0; refused == 0; {
		select {
		case err := <-opened:
			t.Fatalf("opened during the migration of another: %v", err)
		default:
		}
		if err := other.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database()
			and query like '%pg_try_advisory_lock%' and state = 'idle' and pid <> pg_backend_pid()`).Scan(&refused); err != nil {
			t.Fatal(err)
		}
	}
	var users *string
	if err := other.QueryRow(t.Context(), `select to_regclass('users')::text`).Scan(&users); err != nil || users != nil {
		t.Errorf("tables were made without the lock (%v)", err)
	}
	leave()
	if err := <-opened; err == nil {
		t.Error("opened without the lock")
	}
}
