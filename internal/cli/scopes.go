package cli

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// scope is what a permission means to people.
type scope struct {
	Name     string   `json:"scope,omitzero"`
	Says     string   `json:"says,omitzero"`
	Optional bool     `json:"optional,omitzero"`
	BuiltIn  bool     `json:"built_in,omitzero"`
	Clients  []string `json:"clients,omitempty"`
}

const scopesAt = "/api/v1/scopes"

func (r *root) scopesList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the permissions that applications may ask for, in words", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all struct {
				Scopes []scope `json:"scopes"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, scopesAt, nil, nil, &all)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "SCOPE", "PEOPLE READ", "OPTIONAL", "APPLICATIONS")
				for _, s := range all.Scopes {
					says := s.Says
					if says == "" && s.BuiltIn {
						says = "(built in)"
					} else if says == "" {
						says = "(nothing: describe it)"
					}
					optional := ""
					if s.Optional {
						optional = "yes"
					}
					row(w, s.Name, says, optional, strings.Join(s.Clients, " "))
				}
			})
		},
	}
}

func (r *root) scopesDescribe() *cobra.Command {
	var in scope
	cmd := &cobra.Command{
		Use: "describe SCOPE --says SENTENCE", Short: "Say what a permission means to people", Args: cobra.ExactArgs(1),
		Long:    "Say what a permission means. People read it after \"It will be able to:\" where they allow an application.",
		Example: "  doorward scopes describe notes:write --says 'write and delete your notes' --optional",
		RunE: func(cmd *cobra.Command, args []string) error {
			var out scope
			answer, err := r.call(cmd.Context(), http.MethodPut, scopesAt+"/"+url.PathEscape(args[0]), nil, in, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "described") })
		},
	}
	cmd.Flags().StringVar(&in.Says, "says", "", "the rest of the sentence \"It will be able to ...\"")
	cmd.Flags().BoolVar(&in.Optional, "optional", false, "people may allow the rest without it")
	_ = cmd.MarkFlagRequired("says")
	return cmd
}

func (r *root) scopesUndescribe() *cobra.Command {
	return &cobra.Command{
		Use: "undescribe SCOPE", Short: "Take your words for a permission away", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out scope
			answer, err := r.call(cmd.Context(), http.MethodDelete, scopesAt+"/"+url.PathEscape(args[0]), nil, nil, &out)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { fmt.Fprintln(w, "forgotten") })
		},
	}
}

// undescribed names the scopes of new applications that people would read no
// words for.
func (r *root) undescribed(cmd *cobra.Command, made []client) {
	asked := map[string]bool{}
	for _, c := range made {
		for _, name := range strings.Fields(c.Scope) {
			asked[name] = asked[name] || !c.FirstParty && c.Type != "machine"
		}
	}
	if !slices.Contains(slices.Collect(maps.Values(asked)), true) {
		return
	}
	var all struct {
		Scopes []scope `json:"scopes"`
	}
	if _, err := r.call(cmd.Context(), http.MethodGet, scopesAt, nil, nil, &all); err != nil {
		return // the applications are made; this is talk
	}
	for _, s := range all.Scopes {
		if asked[s.Name] && s.Says == "" && !s.BuiltIn {
			fmt.Fprintf(r.stderr, "People read no words for %s yet:   doorward scopes describe %s --says '...'\n", plain(s.Name), plain(s.Name))
		}
	}
}
