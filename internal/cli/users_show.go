package cli

import (
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// aboutUser is a command about one person, named by id or e-mail: it asks and
// shows them as they stand afterwards.
func (r *root) aboutUser(use, short, method, act string) *cobra.Command {
	return &cobra.Command{
		Use: use + " ID|EMAIL", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u user
			answer, err := r.call(cmd.Context(), method, "/api/v1/users/"+url.PathEscape(args[0])+act, nil, nil, &u)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { showUser(w, u) })
		},
	}
}

func showUser(w io.Writer, u user) {
	row(w, "user", u.ID)
	row(w, "e-mail", u.Email)
	row(w, "name", u.Name)
	row(w, "verified", yes(u.Verified))
	row(w, "administrator", yes(u.Admin))
	row(w, "state", u.State)
	row(w, "created", u.Created)
}

func (r *root) usersShow() *cobra.Command {
	return r.aboutUser("show", "Show one person", http.MethodGet, "")
}

func (r *root) usersPause() *cobra.Command {
	return r.aboutUser("pause", "Stop a person from everything: sessions and tokens end at once", http.MethodPost, "/pause")
}

func (r *root) usersRestore() *cobra.Command {
	return r.aboutUser("restore", "Let a paused person sign in again", http.MethodPost, "/restore")
}

func (r *root) usersSetAdmin() *cobra.Command {
	return r.aboutUser("set-admin", "Make a person an administrator", http.MethodPost, "/set-admin")
}

func (r *root) usersUnsetAdmin() *cobra.Command {
	return r.aboutUser("unset-admin", "Take the role of administrator away; the last one keeps it", http.MethodPost, "/unset-admin")
}
