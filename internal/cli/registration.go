package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// permission is an initial access token: by it applications register themselves.
type permission struct {
	ID      string    `json:"id"`
	Token   string    `json:"token"`
	Uses    int       `json:"uses"`
	Expires time.Time `json:"expires"`
}

const permissionsAt = "/api/v1/registration-tokens"

func (r *root) registrationTokensCreate() *cobra.Command {
	var uses int
	var lifetime time.Duration
	cmd := &cobra.Command{
		Use: "create", Short: "Let applications register themselves, with a token that you hand on", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made permission
			answer, err := r.call(cmd.Context(), http.MethodPost, permissionsAt, nil, map[string]int64{"uses": int64(uses), "lifetime": int64(lifetime.Seconds())}, &made)
			if err != nil {
				return err
			}
			if err := r.print(answer, func(w io.Writer) { fmt.Fprintln(w, made.Token) }); err != nil {
				return err
			}
			fmt.Fprintln(r.stderr, "The token is shown only now; the server keeps a hash.")
			return nil
		},
	}
	cmd.Flags().IntVar(&uses, "uses", 1, "how many applications may be registered with it")
	cmd.Flags().DurationVar(&lifetime, "lifetime", 24*time.Hour, "how long it is good")
	return cmd
}

func (r *root) registrationTokensList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the tokens by which applications register themselves", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all struct {
				Tokens []permission `json:"tokens"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, permissionsAt, nil, nil, &all)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				for _, t := range all.Tokens {
					row(w, t.ID, fmt.Sprintf("%d left", t.Uses), t.Expires.Format(time.RFC3339))
				}
			})
		},
	}
}

func (r *root) registrationTokensRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: "Take such a token back; what was registered with it stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var gone permission
			answer, err := r.call(cmd.Context(), http.MethodDelete, permissionsAt+"/"+url.PathEscape(args[0]), nil, nil, &gone)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, gone.ID) })
		},
	}
}
