package cli

import (
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func (r *root) usersInvite() *cobra.Command {
	var in struct {
		Email string `json:"email"`
		Name  string `json:"name,omitzero"`
		Print bool   `json:"print_link,omitzero"`
	}
	cmd := &cobra.Command{
		Use: "invite --email ADDRESS", Short: "Let a person make their account",
		Long: "Sends a mail whose link makes the account, once, within 72 hours. The link is printed when the server sends no mail.", Args: cobra.NoArgs,
		Example: "  doorward users invite --email ana@example.com --name Ana",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made struct {
				Email string `json:"email"`
				Sent  bool   `json:"sent"`
				Until string `json:"expires_at"`
				Link  string `json:"link"`
			}
			answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/users/invite", nil, in, &made)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				if made.Link != "" {
					row(w, made.Link)
				} else {
					row(w, "invited by mail", made.Email, "until "+made.Until)
				}
			})
		},
	}
	cmd.Flags().StringVar(&in.Email, "email", "", "the person's address")
	cmd.Flags().StringVar(&in.Name, "name", "", "the person's name")
	cmd.Flags().BoolVar(&in.Print, "print-link", false, "print the link too")
	cmd.MarkFlagRequired("email")
	return cmd
}
