// Package metric counts what a process does and writes it in the text form
// that Prometheus reads (exposition format 0.0.4). The form is a page of code;
// the usual library would be a fifth of the program.
package metric

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Set is what one process measures, written in the order of its making.
type Set struct {
	mu  sync.Mutex
	all []family
}

type family interface{ write(w *bufio.Writer) }

// head is what every family has.
type head struct {
	name, help, kind string
	labels           []string
}

func (h head) write(w *bufio.Writer) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", h.name, h.help, h.name, h.kind)
}

// series is a name with its labels, as it stands before the value. Values are
// words of ours, never a stranger's text: each new one costs memory for good.
func (h head) series(suffix string, values []string, more ...string) string {
	var b strings.Builder
	b.WriteString(h.name + suffix)
	sep := "{"
	pair := func(label, value string) {
		b.WriteString(sep + label + "=" + strconv.Quote(value))
		sep = ","
	}
	for i, label := range h.labels {
		pair(label, values[i])
	}
	for i := 0; i+1 < len(more); i += 2 {
		pair(more[i], more[i+1])
	}
	if sep == "," {
		b.WriteByte('}')
	}
	return b.String()
}

// key is a list of label values as a key of a map.
func (h head) key(values []string) string {
	if len(values) != len(h.labels) {
		panic(fmt.Sprintf("metric: %s has the labels %v, not %d values", h.name, h.labels, len(values)))
	}
	return strings.Join(values, "\x00")
}

func (h head) values(key string) []string {
	if len(h.labels) == 0 {
		return nil
	}
	return strings.Split(key, "\x00")
}

func add[F family](s *Set, f F) F {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, f)
	return f
}

// A Counter only grows, one count for each combination of label values.
type Counter struct {
	head
	mu sync.Mutex
	n  map[string]uint64
}

// Counter makes one; its name ends in _total.
func (s *Set) Counter(name, help string, labels ...string) *Counter {
	c := &Counter{head: head{name, help, "counter", labels}, n: map[string]uint64{}}
	if len(labels) == 0 {
		c.n[""] = 0
	}
	return add(s, c)
}

// Add counts one.
func (c *Counter) Add(values ...string) {
	k := c.key(values)
	c.mu.Lock()
	c.n[k]++
	c.mu.Unlock()
}

func (c *Counter) write(w *bufio.Writer) {
	c.head.write(w)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(c.n)) {
		fmt.Fprintf(w, "%s %d\n", c.series("", c.values(k)), c.n[k])
	}
}

// bounds are the upper ends of a histogram's buckets, in seconds: from what a
// cached read takes to what no request may.
var bounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// A Histogram says how durations are spread.
type Histogram struct {
	head
	mu sync.Mutex
	of map[string]*spread
}

type spread struct {
	in    [15]uint64 // by bucket, the last for what is beyond all bounds
	sum   float64
	count uint64
}

// Histogram makes one; its name ends in _seconds.
func (s *Set) Histogram(name, help string, labels ...string) *Histogram {
	return add(s, &Histogram{head: head{name, help, "histogram", labels}, of: map[string]*spread{}})
}

// Observe adds a duration.
func (h *Histogram) Observe(d time.Duration, values ...string) {
	k, seconds := h.key(values), max(0, d.Seconds())
	bucket, _ := slices.BinarySearch(bounds, seconds)
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.of[k]
	if s == nil {
		s = &spread{}
		h.of[k] = s
	}
	s.in[bucket]++
	s.sum += seconds
	s.count++
}

func (h *Histogram) write(w *bufio.Writer) {
	h.head.write(w)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(h.of)) {
		s, values, upto := h.of[k], h.values(k), uint64(0)
		for i, b := range bounds {
			upto += s.in[i]
			fmt.Fprintf(w, "%s %d\n", h.series("_bucket", values, "le", number(b)), upto)
		}
		fmt.Fprintf(w, "%s %d\n", h.series("_bucket", values, "le", "+Inf"), s.count)
		fmt.Fprintf(w, "%s %s\n", h.series("_sum", values), number(s.sum))
		fmt.Fprintf(w, "%s %d\n", h.series("_count", values), s.count)
	}
}

type gauge struct {
	head
	read func() float64
}

// Gauge adds what is read when it is asked for. NaN says that it cannot be.
func (s *Set) Gauge(name, help string, read func() float64) {
	add(s, gauge{head{name, help, "gauge", nil}, read})
}

// Total adds a counter that somebody else keeps.
func (s *Set) Total(name, help string, read func() float64) {
	add(s, gauge{head{name, help, "counter", nil}, read})
}

// Info adds a gauge that is always one, for what its labels say.
func (s *Set) Info(name, help string, labels, values []string) {
	add(s, info{head{name, help, "gauge", labels}, values})
}

type info struct {
	head
	values []string
}

func (i info) write(w *bufio.Writer) {
	i.head.write(w)
	fmt.Fprintf(w, "%s 1\n", i.series("", i.values))
}

func (g gauge) write(w *bufio.Writer) {
	g.head.write(w)
	fmt.Fprintf(w, "%s %s\n", g.name, number(g.read()))
}

func number(f float64) string {
	if math.IsNaN(f) {
		return "NaN"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// Write writes everything.
func (s *Set) Write(to io.Writer) error {
	s.mu.Lock()
	all := slices.Clone(s.all)
	s.mu.Unlock()
	w := bufio.NewWriter(to)
	for _, f := range all {
		f.write(w)
	}
	return w.Flush()
}
