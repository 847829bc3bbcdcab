package rig

import (
	"bytes"
	"context"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Dump is every byte that the database holds, by file or table.
func (s *Server) Dump() map[string][]byte {
	s.t.Helper()
	out := map[string][]byte{}
	if path, ok := strings.CutPrefix(s.Direct, "sqlite://"); ok {
		for _, name := range []string{path, path + "-wal"} {
			if raw, err := os.ReadFile(name); err == nil {
				out[name] = raw
			}
		}
		return out
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, s.Direct)
	if err != nil {
		s.t.Errorf("the database cannot be read: %v", err)
		return nil
	}
	defer c.Close(ctx)
	rows, _ := c.Query(ctx, "select quote_ident(table_name) from information_schema.tables where table_schema = 'public'")
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Errorf("the tables cannot be listed: %v", err)
	}
	for _, name := range names {
		var b bytes.Buffer
		// Binary, so that bytes are written as they are.
		if _, err := c.PgConn().CopyTo(ctx, &b, "copy "+name+" to stdout (format binary)"); err != nil {
			s.t.Errorf("table %s cannot be read: %v", name, err)
		}
		out["table "+name] = b.Bytes()
	}
	return out
}
