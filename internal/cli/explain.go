package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// explained is what the server knows of a refusal, a token or a session.
type explained struct {
	Kind     string `json:"kind"`
	Verdict  string `json:"verdict"`
	Check    string `json:"check"`
	At       string `json:"at"`
	Exchange string `json:"exchange"`
	Ref      string `json:"ref"`
	Checks   []struct {
		ID     string `json:"id"`
		OK     bool   `json:"ok"`
		Says   string `json:"says"`
		Detail string `json:"detail"`
	} `json:"checks"`
	NotReached []struct {
		ID    string `json:"id"`
		Would string `json:"would"`
	} `json:"not_reached"`
	Claims *struct {
		Audience  []string `json:"aud"`
		ExpiresAt string   `json:"exp"`
		JTI       string   `json:"jti"`
		Scope     string   `json:"scope"`
		KID       string   `json:"kid"`
		Confirm   struct {
			JKT string `json:"jkt"`
			X5T string `json:"x5t#S256"`
		} `json:"cnf"`
	} `json:"claims"`
	Why  string `json:"why"`
	Fix  string `json:"fix"`
	Seen *struct {
		At       string `json:"at"`
		Exchange string `json:"exchange"`
		Outcome  string `json:"outcome"`
		Ref      string `json:"ref"`
	} `json:"seen"`
	Issued []struct {
		Minute   string     `json:"minute"`
		Exchange string     `json:"exchange"`
		Network  string     `json:"network"`
		Count    int        `json:"count"`
		Checks   []struct{} `json:"checks"`
	} `json:"issued"`
	Story   string `json:"story"`
	User    string `json:"user"`
	Email   string `json:"email"`
	Session string `json:"session"`
	Client  string `json:"client_id"`
}

func (r *root) explain() *cobra.Command {
	return &cobra.Command{
		Use: "explain [REF|SESSION|-]", Short: "Tell why: a refusal by its reference (7KQ2-M4), a session by its id, or a token", Args: cobra.MaximumNArgs(1),
		Long:    "Tell why: the verdict, the checks in the order in which they ran, what was found, what to do. " + tokenWords,
		Example: "  doorward explain 7KQ2-M4\n  doorward explain            # asks for the token",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] != "-" {
				if looksLikeToken(args[0]) {
					return tokenOnCommandLine("explain")
				}
				return r.explainNamed(cmd.Context(), args[0])
			}
			text, err := r.secretLine("Paste a token, reference or session id, then Enter: ")
			if err != nil {
				return err
			}
			if looksLikeToken(text) {
				_, err = r.examine(cmd.Context(), text, "")
				return err
			}
			return r.explainNamed(cmd.Context(), text)
		},
	}
}

// looksLikeToken says whether a text must not stand on a command line.
func looksLikeToken(s string) bool {
	return strings.HasPrefix(s, "dw_") || strings.Count(s, ".") == 2 && !strings.Contains(s, "/")
}

func (r *root) explainNamed(ctx context.Context, name string) error {
	var e explained
	answer, err := r.call(ctx, http.MethodGet, "/api/v1/explain/"+url.PathEscape(name), nil, nil, &e)
	if err != nil {
		return err
	}
	return r.print(answer, func(w io.Writer) { showExplained(w, e) })
}

// examine has the server run every check of a token, and shows them.
func (r *root) examine(ctx context.Context, text, audience string) (e explained, err error) {
	answer, err := r.call(ctx, http.MethodPost, "/api/v1/tokens/verify", nil, tokenIn{text, audience}, &e)
	if err != nil {
		return e, err
	}
	return e, r.print(answer, func(w io.Writer) { showExplained(w, e) })
}

// showExplained always has one order: verdict, checks, why, fix, seen, story.
func showExplained(w io.Writer, e explained) {
	name := map[string]string{"jwt": "Access token", "opaque": "Access token (opaque)", "refresh": "Refresh token", "session": "Session"}[e.Kind]
	switch {
	case e.Kind == "refusal":
		name = fmt.Sprintf("%s  %s  %s", e.Exchange, e.At, e.Ref)
	case e.Claims != nil:
		name += " " + e.Claims.JTI
	case e.Session != "":
		name += " " + e.Session
	default:
		name = "UNVERIFIED  " + name
	}
	if e.User != "" {
		name += "  " + strings.TrimSpace(e.Email+" ("+e.User+")")
	}
	if e.Client != "" {
		name += "  by app " + e.Client
	}
	verdict := "GOOD"
	if e.Verdict != "good" {
		verdict = "REFUSED  " + e.Check
	}
	fmt.Fprintf(w, "%s   %s\n\n", plain(name), plain(verdict))
	// A table of its own, as in showExchange.
	checks := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range e.Checks {
		mark, says := "✓", c.Says
		if !c.OK {
			mark = "✕"
		}
		if c.Detail != "" {
			says += " " + c.Detail
		}
		fmt.Fprintf(checks, "  %s %s\t%s\n", mark, plain(c.ID), plain(says))
	}
	for _, c := range e.NotReached {
		says := "not reached"
		if c.Would != "" {
			says += "; would " + c.Would
		}
		fmt.Fprintf(checks, "  · %s\t%s\n", plain(c.ID), plain(says))
	}
	checks.Flush()
	fmt.Fprintln(w)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "%-6s %s\n", name, plain(text))
		}
	}
	if c := e.Claims; c != nil {
		line("For", strings.Join(c.Audience, ", "))
		line("Scope", c.Scope)
		line("Until", c.ExpiresAt)
		line("Key", c.KID)
		if c.Confirm.JKT != "" {
			line("Bound", "to the key "+c.Confirm.JKT+", by DPoP")
		}
		if c.Confirm.X5T != "" {
			line("Bound", "to the certificate "+c.Confirm.X5T)
		}
	}
	line("Why", e.Why)
	line("Fix", e.Fix)
	if s := e.Seen; s != nil {
		line("Seen", strings.TrimSpace(fmt.Sprintf("%s, %s %s %s", s.At, s.Exchange, s.Outcome, s.Ref)))
	}
	for _, i := range e.Issued {
		line("Given", fmt.Sprintf("%d in the minute of %s, by %s, to %s from %s: %d checks held each time", i.Count, i.Minute, i.Exchange, e.Client, i.Network, len(i.Checks)))
	}
	line("Story", e.Story)
}
