package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
)

// ending names the sessions to end: by query, or one by its id. AsOf and
// Matched say which effect was agreed to.
type ending struct {
	Query   string `json:"query,omitzero"`
	ID      string `json:"id,omitzero"`
	DryRun  bool   `json:"dry_run"`
	AsOf    string `json:"as_of,omitzero"`
	Matched *int   `json:"matched,omitzero"`
}

// ended is how many sessions matched and how many of them the server ended, or
// what it would end.
type ended struct {
	Matched  int     `json:"matched"`
	Ended    int     `json:"ended"`
	AsOf     string  `json:"as_of,omitzero"`
	People   int     `json:"people,omitzero"`
	Admins   int     `json:"administrators,omitzero"`
	Clients  []share `json:"clients,omitempty"`
	Networks []share `json:"networks,omitempty"`
	Job      *job    `json:"job,omitzero"`
}

type share struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func (r *root) sessionsEnd() *cobra.Command {
	var sure, dryRun bool
	cmd := &cobra.Command{
		Use: "end QUERY|ID", Short: "Sign people out", Long: "Sign people out: the tokens of the sessions stop working. " + queryWords, Args: cobra.MinimumNArgs(1),
		Example: "  doorward sessions end user:ana@example.com --yes\n" +
			"  doorward sessions end 'net:203.0.113.0/24 since:2026-11-01 -client:notes'",
		RunE: func(cmd *cobra.Command, words []string) error {
			which := ending{DryRun: dryRun}
			// Every word of the query language has a colon, and no id does.
			if named := strings.Join(words, " "); strings.Contains(named, ":") {
				which.Query = named
			} else {
				which.ID = named
			}
			if !sure && !dryRun {
				if agreed, err := r.confirm(cmd.Context(), &which); err != nil || !agreed {
					return err
				}
			}
			return r.end(cmd.Context(), which)
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "end them without asking")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would end")
	cmd.MarkFlagsMutuallyExclusive("yes", "dry-run")
	return cmd
}

func (r *root) end(ctx context.Context, which ending) error {
	var out ended
	answer, err := r.call(ctx, http.MethodPost, "/api/v1/sessions/end", nil, which, &out)
	if err != nil {
		return err
	}
	if out.Job != nil && out.Job.State == "running" {
		if err := r.watch(ctx, out.Job, "ending", true); err != nil {
			return err
		}
		out.Ended = out.Job.Did
		if answer, err = json.Marshal(out); err != nil {
			return &failure{Title: "The answer could not be written.", Detail: err.Error(), exit: exitNo}
		}
	}
	// A session that ended by itself meanwhile is not missing.
	if !which.DryRun && out.Ended < out.Matched && (out.Job == nil || out.Job.State != "done") {
		if err := r.print(answer, func(io.Writer) {}); err != nil {
			return err
		}
		f := &failure{Title: fmt.Sprintf("Ended %d of %d sessions.", out.Ended, out.Matched), Detail: "Say it again for the rest.", exit: exitPartly, documented: true}
		if out.Job != nil {
			f.Detail = "Go on: doorward jobs resume " + out.Job.ID
		}
		return f
	}
	return r.print(answer, func(w io.Writer) {
		if which.DryRun {
			fmt.Fprintf(w, "would end %d\n", out.Matched)
			showEffect(w, out)
			return
		}
		fmt.Fprintf(w, "ended %d\n", out.Ended)
	})
}

// showEffect tells whom it would meet.
func showEffect(w io.Writer, e ended) {
	if e.People > 0 {
		fmt.Fprintf(w, "people\t%d\n", e.People)
	}
	if e.Admins > 0 {
		fmt.Fprintf(w, "administrators\t%d\n", e.Admins)
	}
	for _, part := range []struct {
		name string
		of   []share
	}{{"clients", e.Clients}, {"networks", e.Networks}} {
		const most = 8
		var words []string
		others := 0
		for i, s := range part.of {
			if i < most {
				words = append(words, fmt.Sprintf("%s %d", plain(s.Name), s.Count))
			} else {
				others += s.Count
			}
		}
		if others > 0 {
			words = append(words, fmt.Sprintf("other %d", others))
		}
		if len(words) > 0 {
			fmt.Fprintf(w, "%s\t%s\n", part.name, strings.Join(words, " · "))
		}
	}
}

// confirm shows a person what would end and has them type the number of
// sessions, which no reflex does. What begins after that is not ended.
func (r *root) confirm(ctx context.Context, which *ending) (agreed bool, err error) {
	if _, person := r.terminal(); !person || r.json {
		return false, &failure{Title: "This ends sessions and nobody is here to ask.", Detail: "Add --yes to end them, or --dry-run to count them.", exit: exitUsage}
	}
	which.DryRun = true
	var out ended
	if _, err := r.call(ctx, http.MethodPost, "/api/v1/sessions/end", nil, *which, &out); err != nil {
		return false, err
	}
	if out.Matched == 0 {
		fmt.Fprintln(r.stderr, "No live session matches.")
		return false, nil
	}
	fmt.Fprintf(r.stderr, "This would end %d sessions.\n", out.Matched)
	table(r.stderr, func(w io.Writer) { showEffect(w, out) })
	fmt.Fprintf(r.stderr, "Type %d to go on: ", out.Matched)
	if r.line() != strconv.Itoa(out.Matched) {
		return false, &failure{Title: "Nothing was ended.", exit: exitNo}
	}
	which.DryRun = false
	if which.Query != "" {
		which.AsOf, which.Matched = out.AsOf, &out.Matched
	}
	return true, nil
}
