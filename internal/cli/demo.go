package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

func (r *root) demo() *cobra.Command {
	options := DemoOptions{Talk: r.stderr}
	var keep string
	cmd := &cobra.Command{
		Use: "demo", Short: "Run everything on http://localhost:8400: server, demo page, API and mailbox", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep != "" {
				whole, err := filepath.Abs(keep)
				if err != nil {
					return &failure{Title: "The directory to keep cannot be found.", Detail: err.Error(), exit: exitUsage}
				}
				options.Keep = whole
			}
			if err := r.programs.Demo(untilSignal(cmd), options); err != nil {
				return &failure{Title: "The demo stopped.", Detail: err.Error(), exit: exitNo}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&keep, "keep", "", "keep everything in this directory")
	cmd.Flags().StringVar(&options.Listen, "listen", "127.0.0.1:8400", "host:port to listen on")
	return cmd
}
