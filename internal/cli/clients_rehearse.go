package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"
)

func (r *root) clientsTest() *cobra.Command {
	return &cobra.Command{
		Use: "test CLIENT", Short: "Say what a sign-in to an application would meet, with a link to try one; exit 1 when it could not work", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out struct {
				Findings []finding `json:"findings"`
				Link     string    `json:"link"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/clients/"+url.PathEscape(args[0])+"/test", nil, nil, &out)
			if err != nil {
				return err
			}
			if err := r.print(answer, func(w io.Writer) {
				found(w, out.Findings)
				if out.Link != "" {
					fmt.Fprintln(w, "Try it: "+plain(out.Link))
				}
			}); err != nil {
				return err
			}
			if slices.ContainsFunc(out.Findings, func(f finding) bool { return f.State == "broken" }) {
				return &failure{Title: "A sign-in would not work as it should.", exit: exitNo, documented: true}
			}
			return nil
		},
	}
}
