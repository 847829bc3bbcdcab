package cli

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// client is an application in the words of RFC 7591 section 2, and ours
// beginning with doorward_.
type client struct {
	ID         string   `json:"client_id,omitzero"`
	Secret     string   `json:"client_secret,omitzero"`
	Name       string   `json:"client_name,omitzero"`
	Redirects  []string `json:"redirect_uris,omitempty"`
	PostLogout []string `json:"post_logout_redirect_uris,omitempty"`
	Scope      string   `json:"scope,omitzero"`
	Auth       string   `json:"token_endpoint_auth_method,omitzero"`
	Grants     []string `json:"grant_types,omitempty"`
	Type       string   `json:"doorward_type,omitzero"`
	FirstParty bool     `json:"doorward_first_party,omitzero"`
	Resources  []string `json:"doorward_resources,omitempty"`
	Origins    []string `json:"doorward_origins,omitempty"`
	Format     string   `json:"doorward_token_format,omitzero"`

	JWKS    jsontext.Value `json:"jwks,omitzero"`
	JWKSURI string         `json:"jwks_uri,omitzero"`
}

func (r *root) clientsCreate() *cobra.Command {
	var metadata, keys string
	var scopes []string
	var in client
	cmd := &cobra.Command{
		Use: "create (--metadata FILE|- | --name NAME --type web|spa|native|machine)", Short: "Make an application, or several from a file", Args: cobra.NoArgs,
		Example: "  doorward clients create --name Notes --type web --redirect https://notes.example.com/callback --scope openid",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var body any
			if metadata == "" {
				in.Scope = strings.Join(scopes, " ")
				if keys != "" {
					document, err := r.source(keys)
					if err != nil {
						return err
					}
					if in.JWKS = jsontext.Value(document); !in.JWKS.IsValid() {
						return &failure{Title: "The file of public keys is not JSON.", exit: exitUsage}
					}
				}
				body = in
			} else {
				document, err := r.source(metadata)
				if err != nil {
					return err
				}
				// As given: the server knows members that this program does not.
				value := jsontext.Value(document)
				if kind := value.Kind(); !value.IsValid() || kind != '{' && kind != '[' {
					return &failure{Title: "The metadata is neither a JSON object nor an array of them.", exit: exitUsage}
				}
				body = value
			}
			var made jsontext.Value
			answer, err := r.call(cmd.Context(), http.MethodPost, "/api/v1/clients", nil, body, &made)
			if err != nil {
				return err
			}
			return r.printMade(cmd, answer)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&metadata, "metadata", "", "RFC 7591 JSON from a file or stdin; an array makes all or none")
	flags.StringVar(&in.Name, "name", "", "its name, as people see it")
	flags.StringVar(&in.Type, "type", "", "web (with a server), spa, native or machine")
	flags.StringArrayVar(&in.Redirects, "redirect", nil, "an address to come back to after sign-in")
	flags.StringArrayVar(&in.PostLogout, "post-logout", nil, "an address to come back to after sign-out")
	flags.StringArrayVar(&scopes, "scope", nil, "a scope it may ask for")
	flags.StringVar(&in.Auth, "auth", "", "how it proves itself: client_secret_basic, private_key_jwt, none, ...")
	flags.StringVar(&keys, "jwks", "", "its public keys: a file with a JWK Set, or - for stdin")
	flags.StringVar(&in.JWKSURI, "jwks-uri", "", "where it publishes its public keys")
	flags.StringArrayVar(&in.Resources, "resource", nil, "an API its tokens are for")
	flags.StringArrayVar(&in.Origins, "origin", nil, "an origin its pages are served from")
	flags.StringArrayVar(&in.Grants, "grant", nil, "a grant it may use")
	flags.StringVar(&in.Format, "token-format", "", "of its access tokens: jwt (default) or opaque")
	flags.BoolVar(&in.FirstParty, "first-party", false, "it is ours: no consent is asked")
	cmd.MarkFlagsOneRequired("metadata", "name")
	for _, flag := range []string{"name", "type", "redirect", "post-logout", "scope", "auth", "resource", "origin", "grant", "token-format", "first-party", "jwks", "jwks-uri"} {
		cmd.MarkFlagsMutuallyExclusive("metadata", flag)
	}
	cmd.MarkFlagsMutuallyExclusive("jwks", "jwks-uri")
	cmd.MarkFlagsRequiredTogether("name", "type")
	return cmd
}

// printMade shows one client or several, with their secrets: the only time.
func (r *root) printMade(cmd *cobra.Command, answer jsontext.Value) error {
	var clients []client
	var err error
	if answer.Kind() == '[' {
		err = json.Unmarshal(answer, &clients)
	} else {
		clients = make([]client, 1)
		err = json.Unmarshal(answer, &clients[0])
	}
	if err != nil {
		return &failure{Title: "The server's answer cannot be read.", Detail: err.Error(), exit: exitNo}
	}
	if err := r.print(answer, func(w io.Writer) {
		for _, c := range clients {
			row(w, "client_id", c.ID)
			if c.Secret != "" {
				row(w, "client_secret", c.Secret)
			}
		}
	}); err != nil {
		return err
	}
	if slices.ContainsFunc(clients, func(c client) bool { return c.Secret != "" }) {
		fmt.Fprintln(r.stderr, "A secret is shown only now; the server keeps a hash.")
	}
	r.undescribed(cmd, clients)
	return nil
}
