package cli

import (
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (r *root) usersEdit() *cobra.Command {
	var name string
	var verified bool
	cmd := &cobra.Command{
		Use: "edit ID|EMAIL", Short: "Change a person's name, or whether their address is known to be theirs", Args: cobra.ExactArgs(1),
		Example: "  doorward users edit ana@example.com --name 'Ana Ruiz' --verified",
		RunE: func(cmd *cobra.Command, args []string) error {
			var change struct {
				Name     *string `json:"name,omitzero"`
				Verified *bool   `json:"verified,omitzero"`
			}
			if cmd.Flags().Changed("name") {
				change.Name = &name
			}
			if cmd.Flags().Changed("verified") {
				change.Verified = &verified
			}
			if change.Name == nil && change.Verified == nil {
				return &failure{Title: "Say what to change: --name or --verified.", exit: exitUsage}
			}
			var u user
			answer, err := r.call(cmd.Context(), http.MethodPatch, "/api/v1/users/"+url.PathEscape(args[0]), nil, change, &u)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { showUser(w, u) })
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the person's name")
	cmd.Flags().BoolVar(&verified, "verified", false, "the address is known to be theirs (or --verified=false)")
	return cmd
}
