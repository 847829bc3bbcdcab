package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (r *root) clientsShare() *cobra.Command {
	var in struct {
		Alg         string `json:"alg"`
		Secret      string `json:"secret,omitzero"`
		Compromised bool   `json:"compromised,omitzero"`
	}
	var brought bool
	cmd := &cobra.Command{
		Use: "share CLIENT", Short: "Sign an application's tokens by a secret that its one service shares", Args: cobra.ExactArgs(1),
		Long: "Sign an application's access tokens by a secret that its one service shares, for a service that cannot verify by a\n" +
			"public key. Whoever has the secret can make such tokens, so they are for that service alone and this server takes none.\n" +
			"Run again, it gives the service another secret; tokens by the one before are known until they expire.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if brought {
				var err error
				if in.Secret, err = r.password(); err != nil {
					return err
				}
			}
			var out struct {
				KID    string `json:"kid"`
				Alg    string `json:"alg"`
				Secret string `json:"secret"`
			}
			answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/clients/"+url.PathEscape(args[0])+"/shared-secret", nil, in, &out)
			if err != nil {
				return err
			}
			if err := r.print(answer, func(w io.Writer) {
				row(w, "kid", out.KID)
				row(w, "alg", out.Alg)
				if out.Secret != "" {
					row(w, "secret", out.Secret)
				}
			}); err != nil {
				return err
			}
			if out.Secret != "" {
				fmt.Fprintln(r.stderr, "The secret is shown only now: bytes in base64url.")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&in.Alg, "alg", "HS256", "HS256, HS384 or HS512")
	cmd.Flags().BoolVar(&brought, "secret-stdin", false, "read the secret from stdin: random bytes in base64url")
	cmd.Flags().BoolVar(&in.Compromised, "compromised", false, "the secret before is in other hands: its tokens end at once")
	return cmd
}

func (r *root) clientsUnshare() *cobra.Command {
	return &cobra.Command{
		Use: "unshare CLIENT", Short: "Sign an application's tokens by a public key again", Args: cobra.ExactArgs(1),
		Long: "Sign an application's access tokens by a key of the server again. Tokens by a shared secret end at once.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var out client
			answer, err := r.call(cmd.Context(), http.MethodDelete, "/api/v1/clients/"+url.PathEscape(args[0])+"/shared-secret", nil, nil, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "unshared") })
		},
	}
}
