package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (r *root) clientsDelete() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "delete CLIENT", Short: "Delete an application", Args: cobra.ExactArgs(1),
		Long: "Delete an application: its secrets and everything it was given stop working at once. Its id is never given again.\n" +
			"To stop it for a while, pause it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !sure {
				if _, person := r.terminal(); !person || r.json {
					return &failure{Title: "This deletes an application and nobody is here to ask.", Detail: "Add --yes to delete it.", exit: exitUsage}
				}
				if !r.typed("This deletes "+plain(args[0])+" for good and ends what it was given.", args[0]) {
					return &failure{Title: "Nothing was deleted.", exit: exitNo}
				}
			}
			var out client
			answer, err := r.call(cmd.Context(), http.MethodDelete, "/api/v1/clients/"+url.PathEscape(args[0]), nil, nil, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "deleted") })
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "delete it without asking")
	return cmd
}
