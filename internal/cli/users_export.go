package cli

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
)

func (r *root) usersExport() *cobra.Command {
	var hashes bool
	cmd := &cobra.Command{
		Use: "export", Short: "Print everybody as JSON lines, as users import reads them", Args: cobra.NoArgs,
		Example: "  doorward users export >people.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if hashes {
				query.Set("hashes", "true")
			}
			n := 0
			err := r.lines(cmd.Context(), "/api/v1/users/export", query, func(line []byte) error {
				n++
				if _, err := fmt.Fprintf(r.stdout, "%s\n", line); err != nil {
					return &failure{Title: "The people could not be written.", Detail: err.Error(), exit: exitNo}
				}
				return nil
			})
			if err == nil {
				fmt.Fprintf(r.stderr, "%d people.\n", n)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&hashes, "with-hashes", false, "the hashes of their passwords too: keep the file as you keep the database")
	return cmd
}
