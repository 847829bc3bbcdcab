package fault_test

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/test/rig"
)

// crowded copies one session n times, with ids and secrets of their own.
func crowded(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `select * from sessions limit 1`)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		t.Fatal(err)
	}
	rows.Close()
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = fmt.Sprint("$", i+1)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	insert, err := tx.PrepareContext(t.Context(), `insert into sessions (`+strings.Join(columns, ", ")+`) values (`+strings.Join(marks, ", ")+`)`)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for c, name := range columns {
			switch name {
			case "id":
				id := append([]byte(nil), values[c].([]byte)...)
				binary.BigEndian.PutUint32(id[12:], uint32(i))
				values[c] = id
			case "hash":
				random := secret.Random()
				values[c] = random[:]
			}
		}
		if _, err := insert.ExecContext(t.Context(), values...); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// A job that ends sessions goes on after the machine lost its power, and ends
// each of them once.
func TestAJobGoesOnAfterAKill(t *testing.T) {
	const many = 12_000
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.SignIn(s.User("ana"))
		driver, source := "pgx", s.Direct
		if engine == rig.SQLite {
			driver, source = "sqlite", "file:"+strings.TrimPrefix(s.Direct, "sqlite://")+"?_pragma=busy_timeout(20000)"
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		crowded(t, db, many)
		count := func(text string) (n int) {
			t.Helper()
			if err := db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		var wg sync.WaitGroup
		wg.Go(func() { s.CLI("", "sessions", "end", "net:127.0.0.0/8", "--yes", "--json") }) // its answer is lost
		for end := time.Now().Add(time.Minute); count(`select count(*) from sessions where ended > 0`) == 0; {
			if time.Now().After(end) {
				t.Fatal("nothing ended")
			}
			time.Sleep(5 * time.Millisecond)
		}
		s.Kill()
		wg.Wait()
		ended := count(`select count(*) from sessions where ended > 0`)
		t.Logf("%d of %d had ended", ended, many+1)
		if ended%1000 != 0 || ended > many {
			t.Errorf("%d sessions ended: a part is whole or not there", ended)
		}
		s.Run()
		id := want(t, s.CLI("", "jobs", "list", "--json"))["jobs"].([]any)[0].(map[string]any)["id"].(string)
		if out := want(t, s.CLI("", "jobs", "watch", id, "--json")); out["state"] != "done" || out["did"] != many+1.0 {
			t.Errorf("the job is %v", out)
		}
		if n := count(`select count(*) from sessions where ended = 0`); n != 0 {
			t.Errorf("%d sessions go on", n)
		}
		if n, names := count(`select count(*) from feed_events where unit = 'session'`), count(`select count(distinct name) from feed_events where unit = 'session'`); n != many+1 || names != n {
			t.Errorf("%d events of %d sessions", n, names)
		}
		b.Do("GET", "/session", nil).Want(t, 401)
	})
}

func want(t *testing.T, r rig.Result) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.Stdout), "\n") // a long job tells how far it is
	r.Stdout = lines[len(lines)-1]
	v, err := r.Document()
	if r.Code != 0 || err != nil {
		t.Fatalf("%d %s %s: %v", r.Code, r.Stdout, r.Stderr, err)
	}
	return v
}
