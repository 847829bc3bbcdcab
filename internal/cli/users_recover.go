package cli

import (
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (r *root) usersRecover() *cobra.Command {
	var in struct {
		PrintLink bool `json:"print_link"`
	}
	cmd := &cobra.Command{
		Use: "recover ID|EMAIL", Short: "Send a person a way back into their account", Args: cobra.ExactArgs(1),
		Long: "Send a person a way back into their account. They choose a password themselves; nobody else sees or sets one.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var out struct {
				Email string `json:"email"`
				Until string `json:"until"`
				Link  string `json:"link"`
			}
			answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/users/"+url.PathEscape(args[0])+"/recover", nil, in, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "e-mail", out.Email)
				row(w, "until", out.Until)
				if out.Link != "" {
					row(w, "link", out.Link)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&in.PrintLink, "print-link", false, "print the link too: it works once, for an hour")
	return cmd
}
