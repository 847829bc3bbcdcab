package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/doorward/doorward/internal/app"
)

// usualFile is read when no --config is given, if it is there.
const usualFile = "/etc/doorward/doorward.toml"

// A loaded configuration is to be used only when it has no problems.
type loaded struct {
	app.Config
	file     string
	problems []app.Problem
}

// configuration adds the flags that are settings to a command, and gives the
// function that loads the configuration once they are read.
func (r *root) configuration(cmd *cobra.Command) func() (loaded, error) {
	flags := cmd.Flags()
	file := flags.String("config", "", "the TOML file (default "+usualFile+", if there)")
	flags.String("listen", "", "host:port of the server")
	flags.String("issuer", "", "the address people see")
	flags.String("database", "", "sqlite:///path or postgres://...")
	flags.String("ops-listen", "", "host:port of the metrics")
	flags.String("mtls-listen", "", "host:port for applications that show certificates")
	return func() (loaded, error) {
		l := loaded{file: *file}
		content, err := l.read()
		if err != nil {
			return l, err
		}
		given := map[string]string{}
		for _, flag := range []string{"data", "listen", "issuer", "database", "ops-listen", "mtls-listen"} {
			if f := flags.Lookup(flag); f.Changed {
				given[strings.ReplaceAll(flag, "-", "_")] = f.Value.String()
			}
		}
		env, unread := app.Secrets(os.Environ(), os.ReadFile)
		// Only here is the working directory known, so only here ./data may be said.
		fromRoot(given, "data")
		fromRoot(env, "DOORWARD_DATA")
		var wrong []app.Problem
		l.Config, wrong = app.Load(content, env, given)
		l.problems = append(unread, wrong...)
		return l, nil
	}
}

func (l *loaded) read() ([]byte, error) {
	usual := l.file == ""
	if usual {
		l.file = usualFile
	}
	content, err := os.ReadFile(l.file)
	if usual && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &failure{Title: "The configuration cannot be read.", Detail: err.Error(), exit: exitUsage}
	}
	return content, nil
}

func (l *loaded) lines() []string {
	lines := make([]string, len(l.problems))
	for i, p := range l.problems {
		lines[i] = plain(p.In(l.file))
	}
	return lines
}

// wrong is the refusal to go on with problems, nil without.
func (l *loaded) wrong() *failure {
	switch n := len(l.problems); n {
	case 0:
		return nil
	case 1:
		return &failure{Title: "1 problem in the configuration.", exit: exitNo}
	default:
		return &failure{Title: fmt.Sprintf("%d problems in the configuration.", n), exit: exitNo}
	}
}

// good loads a configuration and tells each of its problems on a line.
func (r *root) good(load func() (loaded, error)) (app.Config, error) {
	l, err := load()
	if err != nil {
		return app.Config{}, err
	}
	if f := l.wrong(); f != nil {
		f.Detail = strings.Join(l.lines(), "\n")
		return app.Config{}, f
	}
	return l.Config, nil
}

func fromRoot(values map[string]string, name string) {
	if path := values[name]; path != "" {
		if whole, err := filepath.Abs(path); err == nil {
			values[name] = whole
		}
	}
}
