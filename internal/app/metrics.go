package app

import (
	"context"
	"errors"
	"math"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/doorward/doorward/internal/base/metric"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
)

// measures are what this node counts. Their labels are names of ours: of
// exchanges, checks and routes, never anything that a request brought.
type measures struct {
	set       metric.Set
	exchanges *metric.Counter
	refusals  *metric.Counter
	alarms    *metric.Counter
	requests  *metric.Histogram
	commits   *metric.Histogram
	waiting   atomic.Int64
}

func newMeasures() *measures {
	m := &measures{}
	m.exchanges = m.set.Counter("doorward_exchanges_total", "Exchanges and changes that were settled, by how they ended.", "exchange", "outcome")
	m.refusals = m.set.Counter("doorward_refusals_total", "Refusals by the check that failed.", "check")
	m.alarms = m.set.Counter("doorward_alarms_total", "Things that must not happen; each is in the log.")
	m.requests = m.set.Histogram("doorward_http_request_duration_seconds", "Requests by route and how they ended.", "route", "outcome")
	m.commits = m.set.Histogram("doorward_store_commit_duration_seconds", "Units committed to the database, from queueing to durable.", "outcome")
	m.set.Gauge("doorward_store_commits_waiting", "Units that wait for the database now.", func() float64 { return float64(m.waiting.Load()) })
	return m
}

func (m *measures) settled(of *check.Exchange, refused *check.Refusal) {
	outcome := "passed"
	if refused != nil {
		outcome = "refused"
		m.refusals.Add(refused.Check().ID)
	}
	m.exchanges.Add(of.Name, outcome)
}

// served counts a request by the route it met: a path with names for its
// parts, so that there are as many as the program has.
func (m *measures) served(r *http.Request, err error, took time.Duration) {
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	outcome := "answered"
	var refusal *check.Refusal
	switch {
	case errors.As(err, &refusal):
		outcome = "refused"
	case err != nil:
		outcome = "failed"
	}
	m.requests.Observe(took, route, outcome)
}

// A measured store is one whose commits are timed.
type measured struct {
	core.Store
	by *measures
}

func (s measured) Commit(ctx context.Context, u core.Unit) (core.Receipt, error) {
	began := now()
	s.by.waiting.Add(1)
	r, err := s.Store.Commit(ctx, u)
	s.by.waiting.Add(-1)
	outcome := "committed"
	var lost *core.Lost
	switch {
	case errors.As(err, &lost):
		outcome = "lost"
	case err != nil:
		outcome = "failed"
	}
	s.by.commits.Observe(now().Sub(began), outcome)
	return r, err
}

// scrapeWithin bounds what one look at the metrics asks of the database.
const scrapeWithin = 2 * time.Second

// watchAll adds what is read of the server's parts when somebody looks.
func (s *server) watchAll(hashes func() (running, waiting int)) {
	set := &s.measures.set
	set.Gauge("doorward_password_hashes_running", "Password hashes being computed now.", func() float64 { n, _ := hashes(); return float64(n) })
	set.Gauge("doorward_password_hashes_waiting", "Callers that wait for a place to compute one.", func() float64 { _, n := hashes(); return float64(n) })
	set.Gauge("doorward_feed_position", "The revocation feed's position as this node knows it.", func() float64 { return float64(s.pipe.Feed.Position()) })
	set.Gauge("doorward_feed_streams", "Readers of the revocation feed that this node streams to.", func() float64 { return float64(s.exchange.Streams()) })
	set.Gauge("doorward_feed_age_seconds", "How long ago the read of the feed's head began that this node goes by.", func() float64 {
		age, ever := s.pipe.Feed.Age(s.now())
		if !ever {
			return math.NaN()
		}
		return age.Seconds()
	})
	counted := func(read func(core.View) int) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
			defer cancel()
			v := s.store.View(ctx)
			n := read(v)
			if v.Err() != nil {
				return math.NaN()
			}
			return float64(n)
		}
	}
	set.Gauge("doorward_ledger_open_entries", "Entries of the ledger that are not sealed yet.", counted(core.View.Unsealed))
	set.Gauge("doorward_outbox_waiting", "Mails that wait to be sent.", counted(core.View.Unsent))

	set.Gauge("go_goroutines", "Goroutines.", sample("/sched/goroutines:goroutines"))
	set.Gauge("go_memory_total_bytes", "Memory that the Go runtime has mapped.", sample("/memory/classes/total:bytes"))
	set.Gauge("go_memory_heap_objects_bytes", "Memory of objects on the heap.", sample("/memory/classes/heap/objects:bytes"))
	set.Total("go_gc_cycles_total", "Garbage collections.", sample("/gc/cycles/total:gc-cycles"))
	set.Gauge("process_resident_memory_bytes", "Memory of this process that is in RAM.", resident)
	set.Gauge("process_open_fds", "Open files and sockets.", openFiles)
	set.Total("process_cpu_seconds_total", "Processor time used.", processor)
	began := float64(now().Unix())
	set.Gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", func() float64 { return began })
	version, revision := "unknown", "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		version = b.Main.Version
		for _, x := range b.Settings {
			if x.Key == "vcs.revision" {
				revision = x.Value
			}
		}
	}
	set.Info("doorward_build_info", "The program.", []string{"version", "revision", "database"}, []string{version, revision, s.store.Engine()})
}

// sample reads one value of the Go runtime, without stopping it.
func sample(name string) func() float64 {
	return func() float64 {
		s := []metrics.Sample{{Name: name}}
		metrics.Read(s)
		if s[0].Value.Kind() != metrics.KindUint64 {
			return math.NaN()
		}
		return float64(s[0].Value.Uint64())
	}
}

func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return math.NaN()
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return math.NaN()
	}
	return float64(pages) * float64(os.Getpagesize())
}

func openFiles() float64 {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return math.NaN()
	}
	return float64(len(files))
}

func processor() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return math.NaN()
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
