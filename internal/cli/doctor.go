package cli

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// A finding is one thing that was looked at.
type finding struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Says  string `json:"says"`
	Fix   string `json:"fix"`
}

// found writes findings, and how many are of which kind.
func found(w io.Writer, all []finding) {
	marks := map[string]string{"good": "✓", "warning": "!", "broken": "✕"}
	count := map[string]int{}
	for _, f := range all {
		count[f.State]++
		row(w, marks[f.State]+" "+f.ID, f.Says)
		if f.Fix != "" {
			fmt.Fprintf(w, "\tFix: %s\n", plain(f.Fix))
		}
	}
	fmt.Fprintf(w, "%d good, %d warnings, %d broken\n", count["good"], count["warning"], count["broken"])
}

func (r *root) doctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look at the server and what it stands on; exit 1 when something is broken", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out struct {
				OK       bool      `json:"ok"`
				Findings []finding `json:"findings"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/doctor", nil, nil, &out)
			if err != nil {
				return err
			}
			err = r.print(answer, func(w io.Writer) { found(w, out.Findings) })
			if err == nil && !out.OK {
				err = &failure{Title: "Something is broken.", exit: exitNo, documented: true}
			}
			return err
		},
	}
}
