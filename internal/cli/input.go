package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal is the file of stdin when a person types there.
func (r *root) terminal() (*os.File, bool) {
	f, ok := r.stdin.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// password reads a secret from stdin: typed unseen, or piped, where one line's
// end after it is not part of it.
func (r *root) password() (string, error) {
	var secret []byte
	var err error
	if tty, ok := r.terminal(); ok {
		fmt.Fprint(r.stderr, "Password: ")
		secret, err = term.ReadPassword(int(tty.Fd()))
		fmt.Fprintln(r.stderr)
	} else {
		const most = 4096
		secret, err = io.ReadAll(io.LimitReader(r.stdin, most+1))
		if len(secret) > most {
			return "", &failure{Title: "That is too long for a password.", exit: exitUsage}
		}
	}
	if err != nil {
		return "", &failure{Title: "The password could not be read.", Detail: err.Error(), exit: exitUsage}
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(secret), "\n"), "\r")
	if s == "" {
		return "", &failure{Title: "There was no password on stdin.", exit: exitUsage}
	}
	return s, nil
}

// line reads what a person types.
func (r *root) line() string {
	s, _ := bufio.NewReader(r.stdin).ReadString('\n')
	return strings.TrimSpace(s)
}

// source reads a file, or stdin for "-".
func (r *root) source(path string) ([]byte, error) {
	var content []byte
	var err error
	if path == "-" {
		content, err = io.ReadAll(r.stdin)
	} else {
		content, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, &failure{Title: "The file cannot be read.", Detail: err.Error(), exit: exitUsage}
	}
	return content, nil
}
