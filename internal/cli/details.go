package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// detailType is a type of authorization details.
type detailType struct {
	Type   string         `json:"type,omitzero"`
	Schema jsontext.Value `json:"schema,omitzero"`
	Says   string         `json:"says,omitzero"`
}

const detailTypesAt = "/api/v1/authorization-details-types"

func (r *root) detailsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the types of authorization details", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all struct {
				Types []detailType `json:"authorization_details_types"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, detailTypesAt, nil, nil, &all)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "TYPE", "PEOPLE READ")
				for _, t := range all.Types {
					row(w, t.Type, t.Says)
				}
			})
		},
	}
}

func (r *root) detailsDeclare() *cobra.Command {
	var in detailType
	var schema string
	cmd := &cobra.Command{
		Use: "declare TYPE --schema FILE|- --says SENTENCE", Short: "Say what details of a type look like, and mean", Args: cobra.ExactArgs(1),
		Long:    "Declare a type of authorization details (RFC 9396). Each detail is checked against the JSON Schema; in the sentence that people read, {amount.value} stands for a member of it.",
		Example: "  doorward details declare payment --schema payment.json --says 'pay {amount.value} {amount.currency} to {to}'",
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := r.source(schema)
			if err != nil {
				return err
			}
			if in.Schema = jsontext.Value(document); !in.Schema.IsValid() {
				return &failure{Title: "The schema is not JSON.", exit: exitUsage}
			}
			var out detailType
			answer, err := r.call(cmd.Context(), http.MethodPut, detailTypesAt+"/"+url.PathEscape(args[0]), nil, in, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "declared") })
		},
	}
	cmd.Flags().StringVar(&schema, "schema", "", "the JSON Schema: a file, or - for stdin")
	cmd.Flags().StringVar(&in.Says, "says", "", "the sentence that people read")
	_ = cmd.MarkFlagRequired("schema")
	_ = cmd.MarkFlagRequired("says")
	return cmd
}

func (r *root) detailsUndeclare() *cobra.Command {
	return &cobra.Command{
		Use: "undeclare TYPE", Short: "Take a type away: nobody may ask for it any more", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out detailType
			answer, err := r.call(cmd.Context(), http.MethodDelete, detailTypesAt+"/"+url.PathEscape(args[0]), nil, nil, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "forgotten") })
		},
	}
}
