package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/doorward/doorward/internal/app"
)

func (r *root) configShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show", Short: "Show every setting and where it came from", Args: cobra.NoArgs}
	load := r.configuration(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		config, err := r.good(load)
		if err != nil {
			return err
		}
		document := struct {
			Development bool        `json:"development"`
			Settings    []app.Value `json:"settings"`
		}{config.Development, config.Values}
		return r.print(document, func(w io.Writer) {
			row(w, "KEY", "VALUE", "FROM")
			for _, v := range config.Values {
				row(w, v.Key, v.Value, string(v.Source))
			}
		})
	}
	return cmd
}
