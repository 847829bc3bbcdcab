package cli

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// session is one sign-in as the server tells of it.
type session struct {
	ID   string `json:"id"`
	User struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
	Device   string `json:"device"`
	IP       string `json:"ip"`
	Method   string `json:"method"`
	Created  string `json:"created"`
	LastSeen string `json:"last_seen"`
	State    string `json:"state"`
	Ended    string `json:"ended"`
	Why      string `json:"why"`
}

const queryWords = "A query is made of user:EMAIL|ID, client:ID, net:ADDRESS|RANGE, " +
	"method:NAME and state:live|ended, each with - before it for all others, and since:DAY and before:DAY."

func (r *root) sessionsList() *cobra.Command {
	return &cobra.Command{
		Use: "list [QUERY]", Short: "List sessions", Long: "List sessions. " + queryWords,
		Example: "  doorward sessions list 'user:ana@example.com state:live'",
		RunE: func(cmd *cobra.Command, words []string) error {
			query := url.Values{}
			if len(words) > 0 {
				query.Set("q", strings.Join(words, " "))
			}
			var all struct {
				Sessions []session `json:"sessions"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/sessions", query, nil, &all)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "ID", "USER", "STATE", "DEVICE", "IP", "METHOD", "LAST SEEN")
				for _, s := range all.Sessions {
					row(w, s.ID, s.User.Email, s.State, s.Device, s.IP, s.Method, s.LastSeen)
				}
			})
		},
	}
}
