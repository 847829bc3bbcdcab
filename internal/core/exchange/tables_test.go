package exchange_test

import (
	"fmt"
	"slices"
	"strings"
)

// everyTable lists the tables of the database.
func (r *rig) everyTable() (names []string) {
	r.t.Helper()
	query := `select name from sqlite_master where type = 'table'`
	if r.engine == "postgres" {
		query = `select table_name from information_schema.tables where table_schema = 'public'`
	}
	rows, err := r.raw().QueryContext(r.t.Context(), query)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			r.t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return names
}

// tables gives the bytes of every row of some tables, in an order of its own.
func (r *rig) tables(names ...string) map[string]string {
	r.t.Helper()
	out := map[string]string{}
	db := r.raw()
	for _, name := range names {
		rows, err := db.QueryContext(r.t.Context(), `select * from `+name)
		if err != nil {
			r.t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			r.t.Fatal(err)
		}
		var lines []string
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				r.t.Fatal(err)
			}
			var line strings.Builder
			for _, v := range values {
				if b, ok := v.([]byte); ok {
					line.Write(b)
				} else {
					fmt.Fprint(&line, v)
				}
				line.WriteByte('|')
			}
			lines = append(lines, line.String())
		}
		if err := rows.Err(); err != nil {
			r.t.Fatal(err)
		}
		rows.Close()
		slices.Sort(lines)
		out[name] = strings.Join(lines, "\n")
	}
	return out
}
