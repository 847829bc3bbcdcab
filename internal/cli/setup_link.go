package cli

import (
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func (r *root) setupLink() *cobra.Command {
	return &cobra.Command{
		Use: "setup-link", Short: "Print the link that makes the first administrator",
		Long: "Prints a link that makes the first administrator, once, within 30 minutes; a newer one ends it. Where the page runs no script, paste what follows the # into its field. There is none once there was an administrator.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made struct {
				Link string `json:"link"`
			}
			answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/setup-link", nil, nil, &made)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { row(w, made.Link) })
		},
	}
}
