package cli

import "github.com/spf13/cobra"

func (r *root) serve() *cobra.Command {
	cmd := &cobra.Command{Use: "serve", Short: "Run the server", Args: cobra.NoArgs}
	load := r.configuration(cmd)
	if r.programs.ServeFlags != nil {
		r.programs.ServeFlags(cmd.Flags())
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := r.good(load)
		if err != nil {
			return err
		}
		if err := r.programs.Serve(untilSignal(cmd), config); err != nil {
			return &failure{Title: "The server stopped.", Detail: err.Error(), exit: exitNo}
		}
		return nil
	}
	return cmd
}
