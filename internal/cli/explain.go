package cli

import (
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (r *root) explain() *cobra.Command {
	return &cobra.Command{
		Use: "explain REF", Short: "Tell why something was refused, by its reference (7KQ2-M4)", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var e struct {
				exchange
				User    string `json:"user"`
				Session string `json:"session"`
				Client  string `json:"client_id"`
				Actor   string `json:"actor"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/explain/"+url.PathEscape(args[0]), nil, nil, &e)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "user", e.User)
				row(w, "session", e.Session)
				row(w, "client", e.Client)
				showExchange(w, e.exchange)
			})
		},
	}
}
