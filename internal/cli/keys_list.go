package cli

import (
	"context"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// managedKeys are the server's keys as it tells of them, never what they are.
type managedKeys struct {
	Keys []struct {
		Purpose string `json:"purpose"`
		KID     string `json:"kid"`
		Alg     string `json:"alg"`
		State   string `json:"state"`
		Since   string `json:"since"`
		Until   string `json:"until"`
	} `json:"keys"`
}

// aboutKeys asks for a change of keys, or none, and shows how they stand afterwards.
func (r *root) aboutKeys(ctx context.Context, method, path string, body any) error {
	var all managedKeys
	answer, err := r.call(ctx, method, path, nil, body, &all)
	if err != nil {
		return err
	}
	return r.print(answer, func(w io.Writer) {
		row(w, "PURPOSE", "KID", "ALG", "STATE", "SINCE", "UNTIL")
		for _, k := range all.Keys {
			row(w, k.Purpose, k.KID, k.Alg, k.State, k.Since, k.Until)
		}
	})
}

func (r *root) keysList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List keys and where each is in its life", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.aboutKeys(cmd.Context(), http.MethodGet, "/api/v1/keys", nil)
		},
	}
}
