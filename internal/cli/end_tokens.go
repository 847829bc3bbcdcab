package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// endTokens is a command that ends all tokens of one person or application, by
// one event.
func (r *root) endTokens(use, short, long, path string, show func(io.Writer, ended)) *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "end-tokens " + use, Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !sure {
				if _, person := r.terminal(); !person || r.json {
					return &failure{Title: "This ends tokens and nobody is here to ask.", Detail: "Add --yes to end them.", exit: exitUsage}
				}
				if !r.typed("This ends every token of "+plain(args[0])+" at once.", args[0]) {
					return &failure{Title: "Nothing was ended.", exit: exitNo}
				}
			}
			var out ended
			answer, err := r.call(cmd.Context(), http.MethodPost, path+url.PathEscape(args[0])+"/end-tokens", nil, nil, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { show(w, out) })
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "end them without asking")
	return cmd
}

// typed says what would happen to something and whether a person typed its
// name to go on, which no reflex does.
func (r *root) typed(says, name string) bool {
	fmt.Fprintf(r.stderr, "%s\nType %s to go on: ", says, plain(name))
	return r.line() == name
}

func (r *root) usersEndTokens() *cobra.Command {
	return r.endTokens("ID|EMAIL", "End every session and token of one person", "End every session and token of one person. They may sign in again; to keep them out, pause them.",
		"/api/v1/users/", func(w io.Writer, out ended) { fmt.Fprintf(w, "ended %d\n", out.Ended) })
}

func (r *root) clientsEndTokens() *cobra.Command {
	return r.endTokens("CLIENT", "End every token of one application", "End every access and refresh token of one application. The people who use it stay signed in here.",
		"/api/v1/clients/", func(w io.Writer, _ ended) { fmt.Fprintln(w, "ended") })
}
