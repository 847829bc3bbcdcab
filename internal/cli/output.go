package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/go-json-experiment/json"
)

// print writes the one document under --json, else what show writes.
func (r *root) print(document any, show func(w io.Writer)) error {
	var err error
	if r.json {
		var text []byte
		if text, err = json.Marshal(document); err == nil {
			_, err = fmt.Fprintf(r.stdout, "%s\n", text)
		}
	} else {
		err = table(r.stdout, show)
	}
	if err != nil {
		return &failure{Title: "The answer could not be written.", Detail: err.Error(), exit: exitNo}
	}
	return nil
}

// table lays out what show writes, cells under one another.
func table(to io.Writer, show func(w io.Writer)) error {
	table := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	show(table)
	return table.Flush()
}

// row writes the cells of a table's line.
func row(w io.Writer, cells ...string) {
	for i, cell := range cells {
		if cells[i] = plain(cell); cells[i] == "" {
			cells[i] = "-"
		}
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// plain takes out what a terminal would obey or hide: strangers choose names
// and user agents, and an escape sequence could rewrite the screen.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if c == ' ' || unicode.IsPrint(c) {
			return c
		}
		return '\uFFFD'
	}, s)
}
