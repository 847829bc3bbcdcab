package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// A batch is what goes to the server at once: so many lines, so many bytes.
const (
	batchLines = 500
	batchBytes = 512 << 10
	lineBytes  = 64 << 10
)

// imported is what came of an import.
type imported struct {
	Lines     int       `json:"lines"`
	Created   int       `json:"created"`
	Updated   int       `json:"updated"`
	Unchanged int       `json:"unchanged"`
	Refused   int       `json:"refused"`
	Errors    []badLine `json:"errors"`
	report    func(badLine) error
	progress  func(lines int)
	pending   bytes.Buffer
	held      []int // the lines that are pending, by number
	query     url.Values
}

type badLine struct {
	Line  int    `json:"line"`
	Check string `json:"check,omitzero"`
	Title string `json:"title"`
}

func (r *root) usersImport() *cobra.Command {
	var update bool
	var errorFile string
	cmd := &cobra.Command{
		Use: "import FILE|-", Short: "Bring people in from JSON lines", Args: cobra.ExactArgs(1),
		Long: "Bring people in, one JSON object a line: email, and where known name, verified, id, state, created and\n" +
			"password_hash (argon2id as a PHC string, or bcrypt). Whoever is here already is left as they are, so an\n" +
			"import may be repeated. Bad lines are told on stderr, and the others imported (exit 6).",
		Example: "  doorward users import people.jsonl --errors bad.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			from := r.stdin
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return &failure{Title: "The file cannot be read.", Detail: err.Error(), exit: exitUsage}
				}
				defer f.Close()
				from = f
			}
			im := &imported{Errors: []badLine{}, query: url.Values{}, progress: func(int) {}}
			if update {
				im.query.Set("update", "true")
			}
			bad := io.Discard
			if errorFile != "" {
				f, err := os.OpenFile(errorFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
				if err != nil {
					return &failure{Title: "The file for errors cannot be written.", Detail: err.Error(), exit: exitUsage}
				}
				defer f.Close()
				bad = f
			}
			im.report = func(b badLine) error {
				fmt.Fprintf(r.stderr, "line %d: %s\n", b.Line, plain(b.Title))
				text, err := json.Marshal(b)
				if err == nil {
					_, err = fmt.Fprintf(bad, "%s\n", text)
				}
				return err
			}
			if f, ok := r.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !r.json {
				im.progress = func(n int) { fmt.Fprintf(r.stderr, "\r%d lines", n) }
				defer fmt.Fprintln(r.stderr)
			}
			if err := im.all(cmd.Context(), r, from); err != nil {
				return err
			}
			if err := r.print(im, func(w io.Writer) {
				row(w, "LINES", "CREATED", "UPDATED", "UNCHANGED", "REFUSED")
				row(w, fmt.Sprint(im.Lines), fmt.Sprint(im.Created), fmt.Sprint(im.Updated), fmt.Sprint(im.Unchanged), fmt.Sprint(im.Refused))
			}); err != nil {
				return err
			}
			switch {
			case im.Refused == 0:
				return nil
			case im.Refused == im.Lines:
				return &failure{Title: "No line could be imported.", exit: exitNo, documented: true}
			}
			return &failure{Title: fmt.Sprintf("%d of %d lines could not be imported.", im.Refused, im.Lines), exit: exitPartly, documented: true}
		},
	}
	cmd.Flags().BoolVar(&update, "update", false, "bring name and verified of people who are here already up to date")
	cmd.Flags().StringVar(&errorFile, "errors", "", "write the bad lines' numbers and reasons here, as JSON lines")
	return cmd
}

// all sends the lines in batches: however long the file, one is in memory.
func (im *imported) all(ctx context.Context, r *root, from io.Reader) error {
	in := bufio.NewReaderSize(from, lineBytes)
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			im.Lines++
			if err := im.refuse(badLine{Line: number, Title: fmt.Sprintf("The line is longer than %d bytes.", lineBytes)}); err != nil {
				return err
			}
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			line = nil
		}
		if err != nil && err != io.EOF {
			return &failure{Title: "The file cannot be read.", Detail: err.Error(), exit: exitUsage}
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			im.Lines++
			im.held = append(im.held, number)
			im.pending.Write(line)
			im.pending.WriteByte('\n')
		}
		if err == io.EOF || len(im.held) >= batchLines || im.pending.Len() >= batchBytes {
			if ferr := im.flush(ctx, r); ferr != nil {
				return ferr
			}
			im.progress(im.Lines)
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (im *imported) refuse(b badLine) error {
	im.Refused++
	im.Errors = append(im.Errors, b)
	if err := im.report(b); err != nil {
		return &failure{Title: "The file for errors cannot be written.", Detail: err.Error(), exit: exitNo}
	}
	return nil
}

func (im *imported) flush(ctx context.Context, r *root) error {
	if len(im.held) == 0 {
		return nil
	}
	var answer struct {
		Results []struct {
			Line    int    `json:"line"`
			Outcome string `json:"outcome"`
			Check   string `json:"check"`
			Title   string `json:"title"`
		} `json:"results"`
	}
	var raw jsontext.Value
	raw, err := r.send(ctx, http.MethodPost, "/api/v1/users/import", im.query, "application/jsonl", im.pending.Bytes(), &answer)
	if err != nil {
		return err
	}
	if len(answer.Results) != len(im.held) {
		return &failure{Title: "The server's answer cannot be read.", Detail: fmt.Sprintf("%.200s", raw), exit: exitNo}
	}
	for _, x := range answer.Results {
		switch x.Outcome {
		case "created":
			im.Created++
		case "updated":
			im.Updated++
		case "unchanged":
			im.Unchanged++
		default:
			if err := im.refuse(badLine{Line: im.held[x.Line-1], Check: x.Check, Title: x.Title}); err != nil {
				return err
			}
		}
	}
	im.held = im.held[:0]
	im.pending.Reset()
	return nil
}
