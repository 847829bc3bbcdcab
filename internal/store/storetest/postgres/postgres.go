// Package postgres gives tests a PostgreSQL of their own: one private cluster
// for each test process, from the server binaries that Debian installs, and
// one fresh database for each test.
//
// A package that uses it ends the cluster with its tests:
//
//	func TestMain(m *testing.M) { postgres.Main(m) }
//
// When DOORWARD_TEST_POSTGRES holds the URL of a superuser's database, the
// databases are made on that server instead.
package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/doorward/doorward/internal/base/secret"
)

// shared is the process's one cluster, started when the first test asks.
var shared struct {
	once    sync.Once
	cluster *cluster
	admin   string
	err     error
}

// Start makes an empty database and returns its URL (postgres://...). The
// database is dropped when the test ends, whoever is still connected to it.
func Start(tb testing.TB) (url string) {
	tb.Helper()
	shared.once.Do(func() {
		if shared.admin = os.Getenv("DOORWARD_TEST_POSTGRES"); shared.admin == "" {
			if shared.cluster, shared.err = start(); shared.err == nil {
				shared.admin = shared.cluster.url
			}
		}
	})
	if shared.err != nil {
		tb.Fatalf("PostgreSQL for the tests: %v", shared.err)
	}
	random := secret.Random16()
	name := "doorward_test_" + hex.EncodeToString(random[:])
	if err := run(shared.admin, "create database "+name); err != nil {
		tb.Fatalf("a database for the test: %v", err)
	}
	tb.Cleanup(func() {
		if err := run(shared.admin, "drop database "+name+" with (force)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	address, err := withDatabase(shared.admin, name)
	if err != nil {
		tb.Fatalf("DOORWARD_TEST_POSTGRES: %v", err)
	}
	return address
}

// Main runs the tests of a package, stops the cluster and exits.
func Main(m *testing.M) {
	code := m.Run()
	if shared.cluster != nil {
		shared.cluster.stop()
	}
	os.Exit(code)
}

// run says one statement to the database at admin. CREATE and DROP DATABASE
// can be neither prepared nor part of a transaction.
func run(admin, statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	return err
}

func withDatabase(admin, name string) (string, error) {
	u, err := url.Parse(admin)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("not a URL such as postgres://user@host/database")
	}
	u.Path = "/" + name
	return u.String(), nil
}
