package cli

import (
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

func (r *root) usersList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List everybody", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := struct {
				Users []jsontext.Value `json:"users"`
			}{Users: []jsontext.Value{}}
			query := url.Values{"limit": {"500"}}
			for {
				var page struct {
					Users []jsontext.Value `json:"users"`
					Next  string           `json:"next"`
				}
				if _, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/users", query, nil, &page); err != nil {
					return err
				}
				all.Users = append(all.Users, page.Users...)
				if page.Next == "" || page.Next == query.Get("after") {
					break
				}
				query.Set("after", page.Next)
			}
			people := make([]user, len(all.Users))
			for i, one := range all.Users {
				if err := json.Unmarshal(one, &people[i]); err != nil {
					return &failure{Title: "The server's answer cannot be read.", Detail: err.Error(), exit: exitNo}
				}
			}
			return r.print(all, func(w io.Writer) {
				row(w, "ID", "EMAIL", "NAME", "STATE", "VERIFIED", "CREATED")
				for _, p := range people {
					row(w, p.ID, p.Email, p.Name, p.State, yes(p.Verified), p.Created)
				}
			})
		},
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
