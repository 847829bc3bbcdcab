package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/doorward/doorward/internal/app"
)

// checks shows the catalogue of this program; no server is asked.
func (r *root) checks() *cobra.Command {
	return &cobra.Command{
		Use: "checks [ID]", Short: "Look up the named checks that every exchange is made of", Args: cobra.MaximumNArgs(1),
		Example: "  doorward checks refresh.unspent",
		RunE: func(_ *cobra.Command, args []string) error {
			all := app.Checks()
			if len(args) == 0 {
				return r.print(struct {
					Checks []app.Check `json:"checks"`
				}{all}, func(w io.Writer) {
					row(w, "CHECK", "HOLDS WHEN")
					for _, c := range all {
						row(w, c.ID, c.Says)
					}
				})
			}
			i := slices.IndexFunc(all, func(c app.Check) bool { return c.ID == args[0] })
			if i < 0 {
				return &failure{Title: "There is no check " + args[0] + ".", Detail: "See doorward checks", exit: exitNo}
			}
			c := all[i]
			return r.print(c, func(w io.Writer) {
				row(w, "check", c.ID)
				row(w, "holds when", c.Says)
				row(w, "people read", c.Title)
				shown := c.Shown
				if shown == "" {
					shown = "nothing"
				}
				row(w, "shown as", shown)
				row(w, "source", c.Source)
				row(w, "stops", strings.Join(c.Stops, ", "))
				row(w, "in", strings.Join(c.In, ", "))
			})
		},
	}
}
