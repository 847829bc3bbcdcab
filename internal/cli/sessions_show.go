package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// exchange is one trade of a proof, with the checks that judged it in order.
type exchange struct {
	ID       string `json:"id"`
	At       string `json:"at"`
	Exchange string `json:"exchange"`
	Outcome  string `json:"outcome"`
	Ref      string `json:"ref"`
	Checks   []struct {
		ID   string `json:"id"`
		OK   bool   `json:"ok"`
		Says string `json:"says"`
	} `json:"checks"`
}

func (r *root) sessionsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Tell the story of a session: each exchange and its checks", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var story struct {
				Session   session    `json:"session"`
				Exchanges []exchange `json:"exchanges"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/sessions/"+url.PathEscape(args[0]), nil, nil, &story)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				showSession(w, story.Session)
				for _, e := range story.Exchanges {
					showExchange(w, e)
				}
			})
		},
	}
}

func showSession(w io.Writer, s session) {
	row(w, "session", s.ID)
	row(w, "user", s.User.Email+" "+s.User.ID)
	row(w, "device", s.Device)
	row(w, "ip", s.IP)
	row(w, "method", s.Method)
	row(w, "created", s.Created)
	row(w, "last seen", s.LastSeen)
	state := s.State
	if s.Ended != "" {
		state += " " + s.Ended
	}
	if s.Why != "" {
		state += ": " + s.Why
	}
	row(w, "state", state)
}

func showExchange(w io.Writer, e exchange) {
	fmt.Fprintf(w, "\n%s  %s  %s  %s\n", plain(e.At), plain(e.Exchange), plain(e.Outcome), plain(e.Ref))
	// A table of its own: check ids are to stand under one another, not under
	// those of other exchanges.
	checks := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range e.Checks {
		mark := "✓"
		if !c.OK {
			mark = "✕"
		}
		fmt.Fprintf(checks, "  %s %s\t%s\n", mark, plain(c.ID), plain(c.Says))
	}
	checks.Flush()
}
