package cli

import (
	"net/http"

	"github.com/spf13/cobra"
)

func (r *root) keysRetire() *cobra.Command {
	var in struct {
		KID         string `json:"kid"`
		Compromised bool   `json:"compromised"`
	}
	cmd := &cobra.Command{
		Use: "retire KID", Short: "End a key", Args: cobra.ExactArgs(1),
		Long:    "End a key. The one in use is followed by another after ten minutes and stays until nothing it made lives. One that was compromised is believed no more from this moment on: all tokens it signed are dead, and another key is used at once.",
		Example: "  doorward keys retire KID --compromised",
		RunE: func(cmd *cobra.Command, args []string) error {
			in.KID = args[0]
			return r.aboutKeys(cmd.Context(), http.MethodPost, "/api/v1/keys/retire", in)
		},
	}
	cmd.Flags().BoolVar(&in.Compromised, "compromised", false, "it is in other hands: what it made is dead at once")
	return cmd
}
