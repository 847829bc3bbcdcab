package cli

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// federation is whose tokens a machine may trade, and which of them.
type federation struct {
	ID        string            `json:"id,omitzero"`
	Client    string            `json:"client_id"`
	Issuer    string            `json:"issuer"`
	Audiences []string          `json:"audiences,omitempty"`
	Claims    map[string]string `json:"claims"`
	Scopes    []string          `json:"scopes,omitempty"`
	Lifetime  int64             `json:"lifetime,omitzero"`
	JWKS      jsontext.Value    `json:"jwks,omitzero"`
	JWKSURI   string            `json:"jwks_uri,omitzero"`
}

const federationsAt = "/api/v1/federations"

func (r *root) federationsAdd() *cobra.Command {
	var in federation
	var claims []string
	var keys string
	var lifetime time.Duration
	cmd := &cobra.Command{
		Use: "add CLIENT --issuer URL --claim NAME=VALUE (--jwks-uri URL | --jwks FILE)", Short: "Let a machine trade an issuer's tokens for its own", Args: cobra.ExactArgs(1),
		Long: "Let a machine trade the tokens that its platform gives it (a cluster, a pipeline, a workload identity) for its own.\n" +
			"Every --claim must stand in the token with exactly that value; a name that begins with / is the way into nested claims.",
		Example: "  doorward service-accounts federations add deployer --issuer https://token.actions.githubusercontent.com \\\n" +
			"      --jwks-uri https://token.actions.githubusercontent.com/.well-known/jwks --claim sub=repo:example/shop:ref:refs/heads/main",
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Client, in.Lifetime, in.Claims = args[0], int64(lifetime.Seconds()), map[string]string{}
			for _, c := range claims {
				name, value, ok := strings.Cut(c, "=")
				if !ok {
					return &failure{Title: "A claim is NAME=VALUE.", Detail: "This is none: " + plain(c), exit: exitUsage}
				}
				in.Claims[name] = value
			}
			if keys != "" {
				document, err := r.source(keys)
				if err != nil {
					return err
				}
				if in.JWKS = jsontext.Value(document); !in.JWKS.IsValid() {
					return &failure{Title: "The file of public keys is not JSON.", exit: exitUsage}
				}
			}
			var out federation
			answer, err := r.call(cmd.Context(), http.MethodPost, federationsAt, nil, in, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, out.ID) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.Issuer, "issuer", "", "iss of its tokens")
	flags.StringArrayVar(&claims, "claim", nil, "a claim that must stand in them: NAME=VALUE")
	flags.StringArrayVar(&in.Audiences, "audience", nil, "whom they must be for (default: the issuer of this server)")
	flags.StringVar(&in.JWKSURI, "jwks-uri", "", "where the issuer publishes its keys")
	flags.StringVar(&keys, "jwks", "", "the issuer's keys: a file with a JWK Set, or - for stdin")
	flags.StringArrayVar(&in.Scopes, "scope", nil, "a scope that they buy (default: all of the machine's)")
	flags.DurationVar(&lifetime, "lifetime", 0, "how long what they buy is good at most")
	for _, flag := range []string{"issuer", "claim"} {
		_ = cmd.MarkFlagRequired(flag)
	}
	cmd.MarkFlagsOneRequired("jwks", "jwks-uri")
	cmd.MarkFlagsMutuallyExclusive("jwks", "jwks-uri")
	return cmd
}

func (r *root) federationsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List whose tokens machines may trade", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all struct {
				Federations []federation `json:"federations"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, federationsAt, nil, nil, &all)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "ID", "MACHINE", "ISSUER", "CLAIMS")
				for _, f := range all.Federations {
					var claims []string
					for _, name := range slices.Sorted(maps.Keys(f.Claims)) {
						claims = append(claims, name+"="+f.Claims[name])
					}
					row(w, f.ID, f.Client, f.Issuer, strings.Join(claims, " "))
				}
			})
		},
	}
}

func (r *root) federationsRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: "Take a federation away, with what was got by it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out federation
			answer, err := r.call(cmd.Context(), http.MethodDelete, federationsAt+"/"+url.PathEscape(args[0]), nil, nil, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "removed") })
		},
	}
}
