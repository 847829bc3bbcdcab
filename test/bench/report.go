package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A report is everything that a run found.
type report struct {
	At        time.Time `json:"at"`
	Processor string    `json:"processor"`
	Cores     string    `json:"cores"`
	Go        string    `json:"go"`
	Round     string    `json:"round"`
	Rounds    int       `json:"rounds"`
	Notes     []string  `json:"notes,omitempty"`
	Rows      []row     `json:"rows"`
	Figures   []figure  `json:"figures"`
	Wrong     int       `json:"wrong"`
	Why       []string  `json:"why,omitempty"`

	begun time.Time
}

// A row is one workload at one concurrency: medians of its rounds, but the
// memory, which is the most.
type row struct {
	ID       string  `json:"id"`
	Workload string  `json:"workload"`
	Store    string  `json:"store"`
	Clients  int     `json:"clients"`
	Rate     float64 `json:"per_second"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	// CPU time of the server and of its database for a thousand acts.
	CPU         float64 `json:"cpu_ms_per_1000"`
	CPUDatabase float64 `json:"cpu_ms_per_1000_database,omitzero"`

	RSS    float64 `json:"rss_mib,omitzero"`
	Load   float64 `json:"load_core"` // share of its core that the load took
	Of     string  `json:"of,omitzero"`
	Ratio  float64 `json:"ratio,omitzero"`
	Least  float64 `json:"least,omitzero"`
	Target string  `json:"target,omitzero"`
	Met    *bool   `json:"met,omitzero"`
}

// A figure is a single number.
type figure struct {
	Store  string  `json:"store,omitzero"`
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit,omitzero"`
	Target string  `json:"target,omitzero"`
}

func newReport(s settings, c cores) *report {
	now := time.Now()
	return &report{At: now.UTC().Truncate(time.Second), begun: now, Processor: processor(), Cores: c.String(), Go: runtime.Version(),
		Round: s.round.String(), Rounds: s.rounds}
}

func (out *report) note(format string, args ...any) {
	out.Notes = append(out.Notes, fmt.Sprintf(format, args...))
}

func (out *report) figure(store, name string, value float64, unit, target string) {
	out.Figures = append(out.Figures, figure{store, name, value, unit, target})
}

// wrong counts wrong answers and keeps what the first few were.
func (out *report) wrong(n int, why error) {
	out.Wrong += n
	if why != nil && len(out.Why) < 10 {
		out.Why = append(out.Why, why.Error())
	}
}

// row adds a row and the wrong answers of its rounds.
func (out *report) row(r row, rounds []round) {
	out.Rows = append(out.Rows, r)
	for _, one := range rounds {
		if one.wrong > 0 {
			out.wrong(one.wrong, fmt.Errorf("%s, %s, %d clients: %w", r.ID, r.Store, r.Clients, one.why))
		}
	}
}

// progress says what goes on, for whoever waits.
func (out *report) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%4.0fs  %s\n", time.Since(out.begun).Seconds(), fmt.Sprintf(format, args...))
}

// print writes the table that people read.
func (out *report) print(to io.Writer) {
	fmt.Fprintf(to, "%s, %s\n%s; medians of %d rounds of %s\n", out.Processor, out.Go, out.Cores, out.Rounds, out.Round)
	for _, n := range out.Notes {
		fmt.Fprintln(to, n)
	}
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nid\tworkload\tstore\tclients\tops/s\tp50 ms\tp99 ms\tCPU ms/1k\tRSS MiB\tload core\tratio\ttarget\tmet")
	for _, r := range out.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.0f\t%.3f\t%.3f\t%s\t%s\t%.0f %%\t%s\t%s\t%s\n", r.ID, r.Workload, r.Store, r.Clients, r.Rate, r.P50, r.P99,
			fmt.Sprintf("%.0f", r.CPU)+some(r.CPUDatabase, "+%.0f"), some(r.RSS, "%.0f"), 100*r.Load, some(r.Ratio, "%.2f"), r.Target, met(r.Met))
	}
	fmt.Fprintln(t, "\nfigure\t\tstore\t\tvalue\tunit\ttarget")
	for _, f := range out.Figures {
		fmt.Fprintf(t, "%s\t\t%s\t\t%.4g\t%s\t%s\n", f.Name, f.Store, f.Value, f.Unit, f.Target)
	}
	t.Flush()
	fmt.Fprintf(to, "\nwrong answers: %d\n", out.Wrong)
	for _, why := range out.Why {
		fmt.Fprintln(to, "  "+why)
	}
}

// some is a number where there is one.
func some(n float64, format string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

func met(m *bool) string {
	switch {
	case m == nil:
		return ""
	case *m:
		return "yes"
	}
	return "no"
}

// save writes the report for programs.
func (out *report) save(path string) error {
	b, err := json.Marshal(out, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
