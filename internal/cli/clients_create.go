package cli

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

func (r *root) clientsCreate() *cobra.Command {
	var metadata string
	var in registering
	cmd := &cobra.Command{
		Use: "create (--metadata FILE|- | --name NAME --type web|spa|native|machine)", Short: "Make an application, or several from a file", Args: cobra.NoArgs,
		Example: "  doorward clients create --name Notes --type web --redirect https://notes.example.com/callback --scope openid",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var body any
			if metadata == "" {
				if err := in.complete(r); err != nil {
					return err
				}
				body = in.client
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
	flags.StringVar(&in.Type, "type", "", "web (with a server), spa, native or machine")
	in.flags(flags)
	cmd.MarkFlagsOneRequired("metadata", "name")
	for _, flag := range append(slices.Sorted(maps.Keys(members)), "type") {
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
