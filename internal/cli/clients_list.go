package cli

import (
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func (r *root) clientsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the applications", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all struct {
				Clients []client `json:"clients"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/clients", nil, nil, &all)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "ID", "NAME", "TYPE", "PROVES ITSELF BY", "SCOPE")
				for _, c := range all.Clients {
					row(w, c.ID, c.Name, c.Type, c.Auth, c.Scope)
				}
			})
		},
	}
}
