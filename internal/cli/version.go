package cli

import (
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	sqlite "modernc.org/sqlite/lib"
)

// build is what this program is made of.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitzero"`
	Go      string `json:"go"`
	SQLite  string `json:"sqlite"`
}

func (r *root) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := build{Version: buildVersion(), Go: runtime.Version(), SQLite: sqlite.SQLITE_VERSION}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						b.Commit = s.Value
					}
				}
			}
			return r.print(b, func(w io.Writer) {
				row(w, "doorward", b.Version)
				if b.Commit != "" {
					row(w, "commit", b.Commit)
				}
				row(w, "go", b.Go)
				row(w, "sqlite", b.SQLite)
			})
		},
	}
}

// buildVersion is the version that the program was built as.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
