package sql_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

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
