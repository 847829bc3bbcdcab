package cli

import (
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// user is a person as the server tells of them.
type user struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Verified bool   `json:"verified"`
	Admin    bool   `json:"admin"`
	State    string `json:"state"`
	Created  string `json:"created"`
}

func (r *root) usersCreate() *cobra.Command {
	var in struct {
		Email    string `json:"email"`
		Name     string `json:"name,omitzero"`
		Verified bool   `json:"verified,omitzero"`
		Admin    bool   `json:"admin,omitzero"`
		Password string `json:"password,omitzero"`
	}
	var readPassword bool
	cmd := &cobra.Command{
		Use: "create --email ADDRESS", Short: "Make a person", Args: cobra.NoArgs,
		Example: "  doorward users create --email ana@example.com --verified --password-stdin <password.txt",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if readPassword {
				if in.Password, err = r.password(); err != nil {
					return err
				}
			}
			var made user
			answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/users", nil, in, &made)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, made.ID, made.Email)
			})
		},
	}
	cmd.Flags().StringVar(&in.Email, "email", "", "the person's address")
	cmd.Flags().StringVar(&in.Name, "name", "", "the person's name")
	cmd.Flags().BoolVar(&in.Verified, "verified", false, "the address is known to be theirs")
	cmd.Flags().BoolVar(&in.Admin, "admin", false, "they may administer this server")
	cmd.Flags().BoolVar(&readPassword, "password-stdin", false, "read a password from stdin")
	cmd.MarkFlagRequired("email")
	return cmd
}
