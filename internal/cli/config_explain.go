package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/doorward/doorward/internal/app"
)

func (r *root) configExplain() *cobra.Command {
	return &cobra.Command{
		Use: "explain KEY", Short: "Say what a setting is for", Args: cobra.ExactArgs(1),
		Example: "  doorward config explain token.access",
		RunE: func(_ *cobra.Command, args []string) error {
			e, near, ok := app.Explain(args[0])
			if !ok {
				f := &failure{Title: "There is no setting " + args[0] + ".", exit: exitNo}
				if near != "" {
					f.Detail = "Did you mean   doorward config explain " + near
				}
				return f
			}
			return r.print(e, func(w io.Writer) {
				standard := e.Default
				if standard == "" {
					standard = "(none)"
				}
				row(w, e.Key, "default "+standard)
				row(w, "", e.Environment)
				fmt.Fprintln(w, e.Says)
			})
		},
	}
}

func (r *root) configInit() *cobra.Command {
	var issuer, data, mail, file string
	cmd := &cobra.Command{
		Use: "init", Short: "Write a first configuration file, asking for what is not given", Args: cobra.NoArgs,
		Example: "  doorward config init --issuer https://auth.example.com --config doorward.toml",
		RunE: func(*cobra.Command, []string) error {
			for _, q := range []struct {
				at    *string
				says  string
				usual string
			}{
				{&issuer, "The address people will see (https://auth.example.com)", ""},
				{&data, "The directory for database and keys", "/var/lib/doorward"},
				{&mail, "The mail server (smtp://user@host:587?from=ADDRESS; empty: none)", ""},
			} {
				if _, typed := r.terminal(); *q.at == "" && typed {
					fmt.Fprintf(r.stderr, "%s [%s]: ", q.says, q.usual)
					*q.at = r.line()
				}
				if *q.at == "" {
					*q.at = q.usual
				}
			}
			text := app.Starter(issuer, data, mail)
			l := loaded{file: file}
			if l.Config, l.problems = app.Load(text, nil, nil); len(l.problems) > 0 {
				f := l.wrong()
				f.Detail = fmt.Sprint(l.problems[0].Key, " ", l.problems[0].Says)
				return f
			}
			// Never over a file that is there: it may be all that somebody has.
			out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
			if err == nil {
				_, err = out.Write(text)
				err = errors.Join(err, out.Close())
			}
			if err != nil {
				return &failure{Title: "The file cannot be written.", Detail: err.Error(), exit: exitConflict}
			}
			return r.print(struct {
				File string `json:"file"`
			}{file}, func(w io.Writer) {
				fmt.Fprintf(w, "wrote %s\n", file)
				fmt.Fprintf(w, "Next  doorward serve --config %s\n", file)
			})
		},
	}
	cmd.Flags().StringVar(&issuer, "issuer", "", "the address people will see")
	cmd.Flags().StringVar(&mail, "mail", "", "the mail server")
	cmd.Flags().StringVar(&file, "config", usualFile, "the file to write")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		data = r.data
		return nil
	}
	return cmd
}
