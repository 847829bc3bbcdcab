package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/doorward/doorward/internal/app"
)

func (r *root) configCheck() *cobra.Command {
	cmd := &cobra.Command{Use: "check", Short: "Say what is wrong with the configuration; changes nothing", Args: cobra.NoArgs}
	load := r.configuration(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		l, err := load()
		if err != nil {
			return err
		}
		document := struct {
			Problems []app.Problem `json:"problems"`
		}{append([]app.Problem{}, l.problems...)}
		if err := r.print(document, func(w io.Writer) {
			for _, line := range l.lines() {
				fmt.Fprintln(w, line)
			}
			if len(l.problems) == 0 {
				fmt.Fprintln(w, "no problem")
			}
		}); err != nil {
			return err
		}
		if f := l.wrong(); f != nil {
			f.documented = true
			return f
		}
		return nil
	}
	return cmd
}
