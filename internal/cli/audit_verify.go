package cli

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func (r *root) auditVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Hold the ledger's chains against their signatures", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out struct {
				OK     bool `json:"ok"`
				Chains []struct {
					Chain    string `json:"chain"`
					OK       bool   `json:"ok"`
					Segments int    `json:"segments"`
					Entries  int    `json:"entries"`
					Open     int    `json:"open"`
					Head     string `json:"head"`
					Broken   string `json:"broken"`
				} `json:"chains"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/audit/verify", nil, nil, &out)
			if err != nil {
				return err
			}
			err = r.print(answer, func(w io.Writer) {
				row(w, "CHAIN", "HOLDS", "SEGMENTS", "ENTRIES", "OPEN", "HEAD")
				for _, c := range out.Chains {
					row(w, c.Chain, yes(c.OK), fmt.Sprint(c.Segments), fmt.Sprint(c.Entries), fmt.Sprint(c.Open), c.Head)
				}
			})
			if err != nil || out.OK {
				return err
			}
			for _, c := range out.Chains {
				if !c.OK {
					return &failure{Title: "The ledger was changed.", Detail: c.Broken, exit: exitNo, documented: true}
				}
			}
			return nil
		},
	}
}
