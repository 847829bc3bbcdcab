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
		Use: "delete CLIENT", Short: "Forget a machine's application", Args: cobra.ExactArgs(1),
		Long: "Forget a machine's application: its secret and its tokens stop working. One that people use cannot be forgotten;\n" +
			"its tokens can be ended.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !sure {
				if _, person := r.terminal(); !person || r.json {
					return &failure{Title: "This forgets an application and nobody is here to ask.", Detail: "Add --yes to forget it.", exit: exitUsage}
				}
				if !r.typed("This forgets "+plain(args[0])+" and ends what it was given.", args[0]) {
					return &failure{Title: "Nothing was forgotten.", exit: exitNo}
				}
			}
			var out client
			answer, err := r.call(cmd.Context(), http.MethodDelete, "/api/v1/clients/"+url.PathEscape(args[0]), nil, nil, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "forgotten") })
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "forget it without asking")
	return cmd
}
