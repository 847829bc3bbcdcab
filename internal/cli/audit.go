package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// ledgerWords is the language of queries of the ledger.
const ledgerWords = "Words of a query, each once: user:ana@example.com client:notes session:ses_... exchange:signin.password\n" +
	"check:password.fits (that refused) outcome:passed|refused, with - before them for all others,\n" +
	"since:2026-11-01 before:2026-11-02T12:00:00Z."

// audited is an entry of the ledger.
type audited struct {
	exchange
	User    string `json:"user"`
	Email   string `json:"email"`
	Session string `json:"session"`
	Client  string `json:"client_id"`
	Actor   string `json:"actor"`
	IP      string `json:"ip"`
	Device  string `json:"device"`
}

// who is whom an entry concerns, and who acted when that was another.
func (e audited) who() string {
	who := e.Email
	for _, other := range []string{e.User, e.Client} {
		if who == "" {
			who = other
		}
	}
	if e.Actor != "" {
		who = strings.TrimSpace(who + " by " + e.Actor)
	}
	return who
}

// why is the check that refused.
func (e audited) why() string {
	for _, c := range e.Checks {
		if !c.OK {
			return c.ID
		}
	}
	return ""
}

func (e audited) mark() string {
	if e.Outcome == "refused" {
		return "✕"
	}
	return "✓"
}

func (r *root) audit() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "audit [QUERY]", Short: "The ledger: what happened, the newest first", Long: "What happened, the newest first. " + ledgerWords, Args: cobra.ArbitraryArgs,
		Example: "  doorward audit user:ana@example.com outcome:refused\n  doorward audit exchange:user.pause since:2026-11-01",
		RunE: func(cmd *cobra.Command, words []string) error {
			for _, w := range words {
				// Every word of the query language has a colon, and no command does.
				if !strings.Contains(w, ":") {
					return &failure{Title: fmt.Sprintf("There is no command %q.", "doorward audit "+w), Detail: "See doorward audit --help", exit: exitUsage}
				}
			}
			all := struct {
				Entries []jsontext.Value `json:"entries"`
			}{Entries: []jsontext.Value{}}
			query := url.Values{"q": {strings.Join(words, " ")}}
			for len(all.Entries) < limit {
				var page struct {
					Entries []jsontext.Value `json:"entries"`
					Next    string           `json:"next"`
				}
				query.Set("limit", fmt.Sprint(min(500, limit-len(all.Entries))))
				if _, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/audit", query, nil, &page); err != nil {
					return err
				}
				all.Entries = append(all.Entries, page.Entries...)
				if page.Next == "" {
					break
				}
				query.Set("after", page.Next)
			}
			entries := make([]audited, len(all.Entries))
			for i, one := range all.Entries {
				if err := json.Unmarshal(one, &entries[i]); err != nil {
					return &failure{Title: "The server's answer cannot be read.", Detail: err.Error(), exit: exitNo}
				}
			}
			return r.print(all, func(w io.Writer) {
				row(w, "AT", "", "EXCHANGE", "WHO", "REFUSED BY", "DEVICE", "IP", "REF")
				for _, e := range entries {
					row(w, e.At, e.mark(), e.Exchange, e.who(), e.why(), e.Device, e.IP, e.Ref)
				}
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	cmd.AddCommand(r.auditVerify(), r.auditExport())
	return cmd
}

func (r *root) auditExport() *cobra.Command {
	return &cobra.Command{
		Use: "export [QUERY]", Short: "Print entries of the ledger as JSON lines, from the oldest", Long: "Print entries of the ledger as JSON lines, each chain from its oldest. " + ledgerWords, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			n := 0
			err := r.lines(cmd.Context(), "/api/v1/audit/export", url.Values{"q": {strings.Join(words, " ")}}, func(line []byte) error {
				n++
				if _, err := fmt.Fprintf(r.stdout, "%s\n", line); err != nil {
					return &failure{Title: "The entries could not be written.", Detail: err.Error(), exit: exitNo}
				}
				return nil
			})
			if err == nil {
				fmt.Fprintf(r.stderr, "%d entries.\n", n)
			}
			return err
		},
	}
}

func (r *root) tail() *cobra.Command {
	return &cobra.Command{
		Use: "tail [QUERY]", Short: "Watch exchanges as they happen, one line each", Long: "Watch exchanges as they happen, one line each, until stopped; with --json one JSON document a line. " + ledgerWords, Args: cobra.ArbitraryArgs,
		Example: "  doorward tail outcome:refused -client:notes",
		RunE: func(cmd *cobra.Command, words []string) error {
			ctx := untilSignal(cmd)
			return r.lines(ctx, "/api/v1/audit/tail", url.Values{"q": {strings.Join(words, " ")}}, func(line []byte) error {
				if len(line) == 0 {
					return nil // the stream lives
				}
				if r.json {
					fmt.Fprintf(r.stdout, "%s\n", line)
					return nil
				}
				var e audited
				if err := json.Unmarshal(line, &e); err != nil {
					return &failure{Title: "The server's answer cannot be read.", Detail: err.Error(), exit: exitNo}
				}
				at := e.At
				if t, err := time.Parse(time.RFC3339Nano, e.At); err == nil {
					at = t.Local().Format(time.TimeOnly)
				}
				about := []string{}
				for _, part := range []string{e.why(), e.Device, e.IP} {
					if part != "" {
						about = append(about, part)
					}
				}
				last := e.Ref
				if last == "" {
					last = e.Session
				}
				fmt.Fprintf(r.stdout, "%s  %s %-22s %-28s %s  %s\n", plain(at), e.mark(), plain(e.Exchange), plain(e.who()), plain(strings.Join(about, " · ")), plain(last))
				return nil
			})
		},
	}
}
