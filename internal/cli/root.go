// Package cli is the command line: one file per command. Commands that change
// or show what a server holds talk to it over the socket in its data
// directory; only serve and demo run one. What is data goes to stdout, all
// talk to stderr.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/doorward/doorward/internal/app"
)

// Programs are what serve and demo run. Each returns when its context ends;
// an error ends the process with 1.
type Programs struct {
	Serve func(context.Context, app.Config) error
	Demo  func(context.Context, DemoOptions) error
	// ServeFlags, when set, adds flags to serve that are no configuration: the
	// test build's clock.
	ServeFlags func(*pflag.FlagSet)
	// Now is the clock, for commands that measure.
	Now func() time.Time
}

// DemoOptions are the flags of demo. Keep is an absolute directory, empty to
// keep nothing; what the demo has to say goes to Talk.
type DemoOptions struct {
	Listen string
	Keep   string
	Talk   io.Writer
}

// untilSignal is the context of serve and demo: the first SIGINT or SIGTERM
// ends it, the second kills.
func untilSignal(cmd *cobra.Command) context.Context {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// A root is one run of the program: its streams and the flags of every command.
type root struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	programs       Programs
	json           bool
	data           string
}

// Main runs the command that args (without the program's name) ask for and
// returns the exit code: 0 yes, 1 no, 2 usage, 3 cannot reach, 4 not allowed,
// 5 conflict, 6 partly.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, programs Programs) int {
	r := &root{stdin: stdin, stdout: stdout, stderr: stderr, programs: programs}
	cmd := r.command()
	cmd.SetArgs(args)
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	ran, err := cmd.ExecuteC()
	if err == nil {
		return exitYes
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		// Only cobra's own refusals of the command line come bare.
		f = &failure{Title: err.Error(), Detail: "See " + ran.CommandPath() + " --help", exit: exitUsage}
		if slices.ContainsFunc(args, func(a string) bool { return len(a) > 2 && a[0] == '-' && a[1] != '-' && strings.Contains(a, ":") }) {
			f.Detail = "A query with - before a word goes in quotes:   " + ran.CommandPath() + " 'state:live -client:notes'"
		}
		// It stops reading at a flag it does not know, and --json may stand after it.
		r.json = r.json || slices.Contains(args, "--json")
	}
	r.tell(f)
	return f.exit
}

func (r *root) command() *cobra.Command {
	cmd := group("doorward", "Sign-in, sessions and tokens for your own applications",
		r.serve(), r.demo(),
		group("users", "People who sign in", r.usersCreate(), r.usersInvite(), r.usersList(), r.usersShow(), r.usersPause(), r.usersRestore(), r.usersRecover(), r.usersDelete(),
			r.usersEdit(), r.usersSetAdmin(), r.usersUnsetAdmin(), r.usersImport(), r.usersExport(), r.usersEndTokens()),
		group("clients", "Applications", r.clientsCreate(), r.clientsList(), r.clientsShow(), r.clientsEdit(), r.clientsRotateSecret(), r.clientsRetireSecret(), r.clientsTest(),
			r.clientsPause(), r.clientsResume(), r.clientsEndTokens(), r.clientsDelete(), r.clientsShare(), r.clientsUnshare()),
		group("service-accounts", "Machines without a secret of ours",
			group("federations", "Whose tokens a machine may trade for its own", r.federationsAdd(), r.federationsList(), r.federationsRemove())),
		group("registration-tokens", "Tokens by which applications register themselves", r.registrationTokensCreate(), r.registrationTokensList(), r.registrationTokensRemove()),
		group("details", "Authorization details, by type", r.detailsList(), r.detailsDeclare(), r.detailsUndeclare()),
		group("scopes", "Permissions, in the words that people read", r.scopesList(), r.scopesDescribe(), r.scopesUndescribe()),
		group("sessions", "Who is signed in, and how that went", r.sessionsList(), r.sessionsShow(), r.sessionsEnd()),
		group("tokens", "Tokens in your hand: what they say, whether they count, their end", r.tokensInspect(), r.tokensVerify(), r.tokensRevoke()),
		group("jobs", "Long work, and how far it has come", r.jobsList(), r.jobsWatch(), r.jobsStop(), r.jobsResume()),
		group("keys", "What tokens are signed and sealed with", r.keysList(), r.keysRotate(), r.keysRetire(), r.keysRotateKEK()),
		r.audit(), r.tail(), r.checks(), r.doctor(),
		r.explain(), r.drill(), r.setupLink(),
		group("config", "The configuration", r.configCheck(), r.configShow(), r.configExplain(), r.configInit()),
		r.version())
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.PersistentFlags().BoolVar(&r.json, "json", false, "print one JSON document on stdout")
	cmd.PersistentFlags().StringVar(&r.data, "data", "", "the server's data directory (or DOORWARD_DATA; default /var/lib/doorward)")
	return cmd
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short, SuggestionsMinimumDistance: 2,
		// A misspelt command is the mistake to name, not that its flags are unknown here.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			f := &failure{Title: fmt.Sprintf("There is no command %q.", cmd.CommandPath()+" "+args[0]), Detail: "See " + cmd.CommandPath() + " --help", exit: exitUsage}
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				f.Detail = "Did you mean   " + cmd.CommandPath() + " " + strings.Join(append(near[:1], args[1:]...), " ")
			}
			return f
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(cmd.ErrOrStderr())
			cmd.Help()
			return &failure{Title: "Say which command.", exit: exitUsage}
		},
	}
	g.AddCommand(commands...)
	return g
}
