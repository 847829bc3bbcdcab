// Command bench measures a built Doorward against a bare server of this
// machine, in the same run: only the ratios between the two are worth
// comparing from one run to the next. It judges no speed. It fails when an
// answer under load was wrong.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// settings are the flags.
type settings struct {
	binary  string
	build   string // where databases and the report go: on disk, not in memory
	round   time.Duration
	rounds  int
	only    []string
	stores  []string
	profile string
	growth  int
}

// wants says whether a workload was asked for.
func (s settings) wants(id string) bool { return len(s.only) == 0 || slices.Contains(s.only, id) }

// concurrency is how many clients there are, one kept-alive connection each.
var concurrency = []int{1, 16, 64}

func main() {
	// A child dies with the thread that started it (PR_SET_PDEATHSIG), so all
	// are started from this one, which lives as long as the program.
	runtime.LockOSThread()
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case ceilingMode:
			serveCeiling()
			return
		case profiledMode:
			os.Exit(serveProfiled(os.Args[2], os.Args[3:]))
		}
	}
	s, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	right, err := run(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !right {
		fmt.Fprintln(os.Stderr, "bench: some answers were wrong")
		os.Exit(1)
	}
}

func parse(args []string) (s settings, err error) {
	var only, stores string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&s.binary, "binary", "build/doorward", "the binary to measure")
	f.StringVar(&s.build, "build", "build", "a directory on disk for databases and bench.json")
	f.DurationVar(&s.round, "round", 400*time.Millisecond, "how long one round lasts")
	f.IntVar(&s.rounds, "rounds", 3, "how many rounds a median is taken of")
	f.StringVar(&only, "only", "", "workloads by id, such as W3,W4 (default: all)")
	f.StringVar(&stores, "stores", "sqlite,postgres", "where sessions are kept")
	f.StringVar(&s.profile, "profile", "", "serve from this program instead, and write a CPU profile per store to this directory")
	f.IntVar(&s.growth, "growth", 0, "instead of the rest, measure with a thousand people and with so many")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if only != "" {
		s.only = strings.Split(only, ",")
	}
	s.stores = strings.Split(stores, ",")
	s.rounds = max(s.rounds, 1)
	return s, nil
}

// run measures everything that was asked for, and says whether every answer
// was right.
func run(s settings) (right bool, err error) {
	for _, path := range []*string{&s.binary, &s.build} {
		if *path, err = filepath.Abs(*path); err != nil {
			return false, err
		}
	}
	if err := os.MkdirAll(s.build, 0o755); err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp(s.build, "bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	c := divide()
	out := newReport(s, c)
	if inMemory(dir) {
		out.note("%s is in memory: what waits for a disk elsewhere does not wait here", dir)
	}
	if info, err := os.Stat(s.binary); err != nil {
		return false, err
	} else {
		out.figure("", "binary size", float64(info.Size())/1e6, "MB", "at most 45")
	}
	top, err := startCeiling(c)
	if err != nil {
		return false, err
	}
	defer top.stop()
	measure := stage
	if s.growth > 0 {
		measure, concurrency = growth, []int{16}
	}
	for _, store := range s.stores {
		if err := measure(s, c, top, filepath.Join(dir, store), store, out); err != nil {
			return false, fmt.Errorf("%s: %w", store, err)
		}
	}
	out.print(os.Stdout)
	return out.Wrong == 0, out.save(filepath.Join(s.build, "bench.json"))
}
