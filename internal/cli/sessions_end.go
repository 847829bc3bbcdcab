package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// ending names the sessions to end: by query, or one by its id.
type ending struct {
	Query  string `json:"query,omitzero"`
	ID     string `json:"id,omitzero"`
	DryRun bool   `json:"dry_run"`
}

// ended is how many sessions matched, and how many of them the server ended.
type ended struct {
	Matched int `json:"matched"`
	Ended   int `json:"ended"`
}

func (r *root) sessionsEnd() *cobra.Command {
	var sure, dryRun bool
	cmd := &cobra.Command{
		Use: "end QUERY|ID", Short: "Sign people out", Long: "Sign people out: the tokens of the sessions stop working. " + queryWords, Args: cobra.MinimumNArgs(1),
		Example: "  doorward sessions end user:ana@example.com --yes",
		RunE: func(cmd *cobra.Command, words []string) error {
			which := ending{DryRun: dryRun}
			// Every word of the query language has a colon, and no id does.
			if named := strings.Join(words, " "); strings.Contains(named, ":") {
				which.Query = named
			} else {
				which.ID = named
			}
			if !sure && !dryRun {
				if agreed, err := r.confirm(cmd.Context(), which); err != nil || !agreed {
					return err
				}
			}
			return r.end(cmd.Context(), which)
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "end them without asking")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only count them")
	cmd.MarkFlagsMutuallyExclusive("yes", "dry-run")
	return cmd
}

func (r *root) end(ctx context.Context, which ending) error {
	var out ended
	answer, err := r.call(ctx, http.MethodPost, "/api/v1/sessions/end", nil, which, &out)
	if err != nil {
		return err
	}
	if !which.DryRun && out.Ended < out.Matched {
		if err := r.print(answer, func(io.Writer) {}); err != nil {
			return err
		}
		return &failure{Title: fmt.Sprintf("Ended %d of %d sessions.", out.Ended, out.Matched), Detail: "Say it again for the rest.", exit: exitPartly, documented: true}
	}
	return r.print(answer, func(w io.Writer) {
		if which.DryRun {
			fmt.Fprintf(w, "would end %d\n", out.Matched)
			return
		}
		fmt.Fprintf(w, "ended %d\n", out.Ended)
	})
}

// confirm shows a person how many sessions would end and has them type that
// number, which no reflex does.
func (r *root) confirm(ctx context.Context, which ending) (agreed bool, err error) {
	if _, person := r.terminal(); !person || r.json {
		return false, &failure{Title: "This ends sessions and nobody is here to ask.", Detail: "Add --yes to end them, or --dry-run to count them.", exit: exitUsage}
	}
	which.DryRun = true
	var out ended
	if _, err := r.call(ctx, http.MethodPost, "/api/v1/sessions/end", nil, which, &out); err != nil {
		return false, err
	}
	if out.Matched == 0 {
		fmt.Fprintln(r.stderr, "No live session matches.")
		return false, nil
	}
	fmt.Fprintf(r.stderr, "This would end %d sessions.\nType %d to go on: ", out.Matched, out.Matched)
	if r.line() != strconv.Itoa(out.Matched) {
		return false, &failure{Title: "Nothing was ended.", exit: exitNo}
	}
	return true, nil
}
