package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (r *root) usersDelete() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "delete ID|EMAIL", Short: "Delete a person's account at once", Args: cobra.ExactArgs(1),
		Long: "Delete a person's account at once: sessions and tokens end, and what the server knows of the person is removed. What\n" +
			"the ledger says stays, without addresses and browsers. There is no way back.",
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/api/v1/users/" + url.PathEscape(args[0])
			if !sure {
				if _, person := r.terminal(); !person || r.json {
					return &failure{Title: "This deletes an account and nobody is here to ask.", Detail: "Add --yes to delete it.", exit: exitUsage}
				}
				var u user
				if _, err := r.call(cmd.Context(), http.MethodGet, path, nil, nil, &u); err != nil {
					return err
				}
				if u.Email != "" && !r.typed("This deletes the account of "+plain(u.Email)+" for good.", u.Email) {
					return &failure{Title: "Nothing was deleted.", exit: exitNo}
				}
				path = "/api/v1/users/" + url.PathEscape(u.ID) // whoever has the address by now
			}
			var u user
			answer, err := r.call(cmd.Context(), http.MethodDelete, path, nil, nil, &u)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "deleted "+plain(u.ID)) })
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "delete it without asking")
	return cmd
}
