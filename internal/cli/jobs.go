package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// job is long work of the server's.
type job struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Query   string `json:"query"`
	State   string `json:"state"`
	Matched int    `json:"matched"`
	Seen    int    `json:"seen"`
	Did     int    `json:"did"`
	By      string `json:"by"`
	Asked   string `json:"asked"`
	Changed string `json:"changed"`
}

func (j job) path(act string) string { return "/api/v1/jobs/" + url.PathEscape(j.ID) + act }

func (r *root) jobsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List long work, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all struct {
				Jobs []job `json:"jobs"`
			}
			answer, err := r.call(cmd.Context(), http.MethodGet, "/api/v1/jobs", nil, nil, &all)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) {
				row(w, "ID", "WHAT", "STATE", "DONE", "OF", "BY", "ASKED", "QUERY")
				for _, j := range all.Jobs {
					row(w, j.ID, j.Kind, j.State, fmt.Sprint(j.Did), fmt.Sprint(j.Matched), j.By, j.Asked, j.Query)
				}
			})
		},
	}
}

func (r *root) jobsWatch() *cobra.Command {
	return &cobra.Command{
		Use: "watch ID", Short: "Follow a job to its end", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.follow(cmd.Context(), http.MethodGet, args[0], "")
		},
	}
}

func (r *root) jobsResume() *cobra.Command {
	return &cobra.Command{
		Use: "resume ID", Short: "Let a stopped job go on from where it was", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.follow(cmd.Context(), http.MethodPost, args[0], "/resume")
		},
	}
}

func (r *root) jobsStop() *cobra.Command {
	return &cobra.Command{
		Use: "stop ID", Short: "Stop a job between two of its parts; what is done stays done", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			j := job{ID: args[0]}
			answer, err := r.call(cmd.Context(), http.MethodPost, j.path("/stop"), nil, nil, &j)
			if err != nil {
				return err
			}
			return r.print(answer, func(w io.Writer) { showJob(w, j) })
		},
	}
}

func (r *root) follow(ctx context.Context, method, id, act string) error {
	j := job{ID: id}
	if _, err := r.call(ctx, method, j.path(act), nil, nil, &j); err != nil {
		return err
	}
	if err := r.watch(ctx, &j, "working", false); err != nil {
		return err
	}
	if err := r.print(j, func(w io.Writer) { showJob(w, j) }); err != nil {
		return err
	}
	if j.State != "done" {
		return &failure{Title: "The job is " + j.State + ".", Detail: "Go on: doorward jobs resume " + j.ID, exit: exitPartly, documented: true}
	}
	return nil
}

func showJob(w io.Writer, j job) {
	row(w, "job", j.ID)
	row(w, "what", j.Kind)
	row(w, "query", j.Query)
	row(w, "state", j.State)
	row(w, "done", fmt.Sprintf("%d of %d", j.Did, max(j.Matched, j.Did)))
	row(w, "by", j.By)
	row(w, "asked", j.Asked)
}

const (
	lookEvery = 200 * time.Millisecond
	tellEvery = 5 * time.Second
	rateOver  = 10 * time.Second
)

// watch follows a job until it is done or stopped. On a terminal a bar moves;
// without one there is a line each five seconds, under --json one event. An
// interrupt stops the job when it was this command that asked for it; a watcher
// only leaves.
func (r *root) watch(ctx context.Context, j *job, doing string, own bool) error {
	ctx, quiet := signal.NotifyContext(ctx, os.Interrupt)
	defer quiet()
	terminal, person := r.screen()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var p pace
	var told time.Time
	for j.State == "running" {
		select {
		case <-ctx.Done():
			if person {
				fmt.Fprintln(terminal)
			}
			return r.left(j, own)
		case now := <-tick.C:
			if _, err := r.call(context.WithoutCancel(ctx), http.MethodGet, j.path(""), nil, nil, j); err != nil {
				return err
			}
			p.note(now, j.Did)
			if told.IsZero() {
				told = now
			}
			switch {
			case person:
				fmt.Fprint(terminal, "\r\x1b[K"+p.bar(doing, *j))
			case now.Sub(told) >= tellEvery:
				told = now
				if err := r.progress(p, doing, *j); err != nil {
					return err
				}
			}
		}
	}
	if person {
		fmt.Fprint(terminal, "\r\x1b[K")
	}
	return nil
}

// left is what an interrupt does.
func (r *root) left(j *job, own bool) error {
	const interrupted = 130
	if !own {
		return &failure{Title: "The job goes on.", Detail: "Watch it: doorward jobs watch " + j.ID, exit: interrupted}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := r.call(ctx, http.MethodPost, j.path("/stop"), nil, nil, j); err != nil {
		return err
	}
	return &failure{Title: fmt.Sprintf("Stopped: %d done, none half-done.", j.Did), Detail: "Go on: doorward jobs resume " + j.ID, exit: interrupted}
}

func (r *root) progress(p pace, doing string, j job) error {
	if !r.json {
		fmt.Fprintln(r.stderr, p.line(doing, j))
		return nil
	}
	text, err := json.Marshal(j)
	if err == nil {
		_, err = fmt.Fprintf(r.stdout, "%s\n", text)
	}
	if err != nil {
		return &failure{Title: "The answer could not be written.", Detail: err.Error(), exit: exitNo}
	}
	return nil
}

// screen is the file of stderr when a person looks at it.
func (r *root) screen() (*os.File, bool) {
	f, ok := r.stderr.(*os.File)
	return f, ok && !r.json && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}

// pace is how fast a job went over the last ten seconds.
type pace struct{ points []point }

type point struct {
	at  time.Time
	did int
}

func (p *pace) note(at time.Time, did int) {
	p.points = append(p.points, point{at, did})
	for len(p.points) > 2 && at.Sub(p.points[0].at) > rateOver {
		p.points = p.points[1:]
	}
}

// rate is things a second; 0 before two seconds have shown one.
func (p pace) rate() int {
	if len(p.points) == 0 {
		return 0
	}
	a, b := p.points[0], p.points[len(p.points)-1]
	if b.at.Sub(a.at) < 2*time.Second {
		return 0
	}
	return int(float64(b.did-a.did) / b.at.Sub(a.at).Seconds())
}

// line is progress in one line: "ending 61% 12204/19986 1830/s eta=4s". How
// long it takes is not guessed where the length is not known.
func (p pace) line(doing string, j job) string {
	out := doing + fmt.Sprintf(" %d", j.Did)
	if j.Matched > 0 {
		out = doing + fmt.Sprintf(" %d%% %d/%d", min(100, 100*j.Did/j.Matched), j.Did, j.Matched)
	}
	if n := p.rate(); n > 0 {
		out += fmt.Sprintf(" %d/s", n)
		if left := j.Matched - j.Did; left > 0 {
			out += fmt.Sprintf(" eta=%ds", (left+n-1)/n)
		}
	}
	return out
}

func (p pace) bar(doing string, j job) string {
	const width = 28
	if j.Matched == 0 {
		return p.line(doing, j)
	}
	full := min(width, width*j.Did/j.Matched)
	_, numbers, _ := strings.Cut(p.line(doing, j), " ")
	return doing + " " + strings.Repeat("█", full) + strings.Repeat("·", width-full) + " " + numbers
}
