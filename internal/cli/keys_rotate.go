package cli

import (
	"net/http"

	"github.com/spf13/cobra"
)

func (r *root) keysRotate() *cobra.Command {
	var in struct {
		Purpose string `json:"purpose"`
		Now     bool   `json:"now"`
	}
	cmd := &cobra.Command{
		Use: "rotate", Short: "Give a purpose its next key ahead of time", Args: cobra.NoArgs,
		Long: "Give a purpose its next key ahead of time. It is published at once and used ten minutes later, when every verifier has it; the key before it stays until nothing it made lives. No token stops working.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.aboutKeys(cmd.Context(), http.MethodPost, "/api/v1/keys/rotate", in)
		},
	}
	cmd.Flags().StringVar(&in.Purpose, "purpose", "signing", "signing, signing-rs256 and its kind, refresh, opaque, mail or ledger")
	cmd.Flags().BoolVar(&in.Now, "now", false, "use it after 15 seconds; verifiers that cache the JWKS for longer may refuse its tokens meanwhile")
	return cmd
}
