package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/doorward/doorward/internal/drill"
)

// named is an attack as --list tells of it.
type named struct {
	ID      string   `json:"id"`
	Group   string   `json:"group"`
	Tries   string   `json:"tries"`
	Of      []string `json:"attacks"`
	Expects []string `json:"expects,omitempty"`
}

func (r *root) drill() *cobra.Command {
	var only []string
	var list, wait bool
	var report string
	cmd := &cobra.Command{
		Use: "drill", Short: "Run the known attacks against this deployment", Args: cobra.NoArgs,
		Long: "Run the known attacks against the deployment whose socket this is, at its public address, as a stranger's client\n" +
			"would, and say of each whether it held. It makes two people and four applications named drill-..., takes them away\n" +
			"afterwards, and sends at most 100 requests a second. 0: all held. 1: one broke.",
		Example: "  doorward drill --only alg-none,csrf",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				return r.listAttacks()
			}
			return r.runDrill(untilSignal(cmd), drill.Options{Manage: r.manage, Now: r.programs.Now, Version: buildVersion(), Only: only, Wait: wait}, report)
		},
	}
	cmd.Flags().StringSliceVar(&only, "only", nil, "attacks by id, with commas between")
	cmd.Flags().BoolVar(&list, "list", false, "list the attacks and run none")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for a token to expire, for the attack that needs one")
	cmd.Flags().StringVar(&report, "report", "", "also write the report to this file, as a page")
	cmd.MarkFlagsMutuallyExclusive("list", "only")
	return cmd
}

// manage is call for a drill, which has no use for the answer as it came.
func (r *root) manage(ctx context.Context, method, path string, body, out any) error {
	_, err := r.call(ctx, method, path, nil, body, out)
	return err
}

func (r *root) listAttacks() error {
	var all []named
	for _, a := range drill.All() {
		all = append(all, named{a.ID, a.Group, a.Tries, a.Of, a.Expects})
	}
	return r.print(struct {
		Attacks []named `json:"attacks"`
	}{all}, func(w io.Writer) {
		for _, a := range all {
			row(w, a.Group, a.ID, a.Tries)
		}
	})
}

var marks = map[drill.Outcome]string{drill.Held: "✓", drill.Broke: "✕", drill.Skipped: "·"}

func (r *root) runDrill(ctx context.Context, o drill.Options, file string) error {
	o.Ready = func(target string, attacks int) {
		fmt.Fprintf(r.stderr, "Target  %s   proved yours (socket and challenge)\n", plain(target))
		fmt.Fprintf(r.stderr, "Plan    %d attacks, at most 100 requests a second, 2 people and 4 applications for the time of it\n\n", attacks)
	}
	o.After = func(a drill.Result) {
		fmt.Fprintf(r.stderr, "%s %-8s %-20s %s\n", marks[a.Outcome], a.Group, a.ID, a.Outcome)
		for _, what := range a.What {
			fmt.Fprintf(r.stderr, "           %s\n", plain(what))
		}
	}
	report, err := drill.Run(ctx, o)
	for _, left := range report.Left {
		fmt.Fprintf(r.stderr, "Left behind: %s.\n", plain(left))
	}
	if err != nil {
		if p, ok := errors.AsType[*drill.Problem](err); ok {
			code := exitReach
			if strings.HasPrefix(p.Title, "There is no attack") {
				code = exitUsage
			}
			return &failure{Title: p.Title, Detail: p.Detail, exit: code}
		}
		if f, ok := errors.AsType[*failure](err); ok {
			return f
		}
		return &failure{Title: "The drill was stopped.", Detail: "What it had made was taken away.", exit: exitNo}
	}
	if file != "" {
		var b bytes.Buffer
		if err := errors.Join(report.HTML(&b), os.WriteFile(file, b.Bytes(), 0o600)); err != nil {
			return &failure{Title: "The report could not be written.", Detail: err.Error(), exit: exitUsage}
		}
	}
	if err := r.print(report, func(w io.Writer) {
		fmt.Fprintf(w, "%d held · %d broke · %d skipped\n", report.Held, report.Broke, report.Skipped)
	}); err != nil {
		return err
	}
	if report.Broke > 0 {
		return &failure{Title: fmt.Sprintf("%d of %d attacks broke something.", report.Broke, len(report.Results)), Detail: "What each is and what stops it is in docs/attacks.md.", exit: exitNo, documented: true}
	}
	return nil
}
