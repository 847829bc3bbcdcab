package cli

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func (r *root) keysRotateKEK() *cobra.Command {
	return &cobra.Command{
		Use: "rotate-kek", Short: "Put every key under a newer key-encryption key", Args: cobra.NoArgs,
		Long: "Put every key under a newer key-encryption key, all at once. A server that keeps it in a file makes a new one there; else put the new one before the present one, in the file or in DOORWARD_KEYS_KEK, on every node first. Nobody is signed out, and no token stops working.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out struct {
				Resealed int `json:"resealed"`
			}
			answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/keys/rotate-kek", nil, struct{}{}, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintf(w, "resealed %d keys\n", out.Resealed) })
		},
	}
}
