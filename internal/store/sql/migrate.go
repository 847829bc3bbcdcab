package sql

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// table is where goose keeps what ran; our own name, for a shared database.
const table = "doorward_migrations"

// lockID is the advisory lock that a migration holds: "doorward" as a number.
const lockID = 0x646f6f7277617264

// migrate brings the schema up to date: embedded, forward only, and safe when
// two processes start at once.
func migrate(ctx context.Context, db *sql.DB, d dialect) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	var steps []*goose.Migration
	for _, f := range files {
		text, err := migrations.ReadFile(f)
		if err != nil {
			return err
		}
		number, _, _ := strings.Cut(path.Base(f), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("migration %s has no number", f)
		}
		run := func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, d.words.Replace(string(text)))
			return err
		}
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: run}, nil))
	}
	engine := goose.DialectSQLite3
	opts := []goose.ProviderOption{goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true)}
	if d.name == "postgres" {
		engine = goose.DialectPostgres
		// A second node that starts at once asks again each second; the lock is
		// our own, whoever else shares the server.
		l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithLockID(lockID))
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(l))
	}
	store, err := database.NewStore(engine, table)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider("", db, nil, append(opts, goose.WithStore(store))...)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	return nil
}

// withFileLock runs f while no other process does: SQLite has no lock that
// outlives a transaction.
func withFileLock(name string, f func() error) error {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return f()
}
