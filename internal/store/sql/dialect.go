package sql

import "strings"

// A dialect is everything in which the two engines differ but the way a unit
// is committed.
type dialect struct {
	name  string
	words *strings.Replacer // for migrations and statements
}

// SQLite has no type BIGINT that it holds to, so whole numbers are INTEGER
// there; hot tables leave room on their pages in PostgreSQL so that an update
// stays on its page (fillfactor 75).
var (
	sqliteDialect = dialect{"sqlite", strings.NewReplacer(
		"{{int}}", "integer", "{{blob}}", "blob", "{{nothing}}", "x'00000000000000000000000000000000'", "{{hot}}", "",
		"{{ids $1}}", "(select unhex(value) from json_each($1))",
	)}
	postgresDialect = dialect{"postgres", strings.NewReplacer(
		"{{int}}", "bigint", "{{blob}}", "bytea", "{{nothing}}", `'\x00000000000000000000000000000000'::bytea`, "{{hot}}", "with (fillfactor = 75)",
		"{{ids $1}}", "(select decode(value, 'hex') from json_array_elements_text($1::json))",
	)}
)
