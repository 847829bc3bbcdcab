package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// The exit codes, by which scripts tell one no from another.
const (
	exitYes      = 0
	exitNo       = 1
	exitUsage    = 2
	exitReach    = 3
	exitAllowed  = 4
	exitConflict = 5
	exitPartly   = 6
)

// A failure is why a command did not do what it was asked: what happened, what
// to do about it, and for a refusal of the server's the check that refused and
// the reference under which the server's ledger has it (RFC 9457).
type failure struct {
	Title  string `json:"title"`
	Detail string `json:"detail,omitzero"`
	Check  string `json:"check,omitzero"`
	Ref    string `json:"ref,omitzero"`
	exit   int
	// documented says that the one document is on stdout already.
	documented bool
}

func (f *failure) Error() string { return f.Title }

// tell says the failure on stderr, and under --json also as the one document
// on stdout.
func (r *root) tell(f *failure) {
	if r.json && !f.documented {
		if document, err := json.Marshal(f); err == nil {
			fmt.Fprintf(r.stdout, "%s\n", document)
		}
	}
	for _, part := range []string{f.Title, f.Detail, strings.Trim(f.Check+" · "+f.Ref, " ·")} {
		for line := range strings.Lines(part) {
			fmt.Fprintln(r.stderr, plain(strings.TrimSuffix(line, "\n")))
		}
	}
}

// refusal reads an answer that is not a yes.
func refusal(status int, body []byte) *failure {
	f := &failure{}
	if err := json.Unmarshal(body, f); err != nil || f.Title == "" {
		f = &failure{Title: fmt.Sprintf("The server answered %d %s.", status, http.StatusText(status))}
	}
	switch status {
	case http.StatusBadRequest:
		f.exit = exitUsage
	case http.StatusUnauthorized, http.StatusForbidden:
		f.exit = exitAllowed
	case http.StatusConflict:
		f.exit = exitConflict
	case http.StatusServiceUnavailable:
		f.exit = exitReach
	default:
		f.exit = exitNo
	}
	return f
}
