package metric

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheTextForm(t *testing.T) {
	var s Set
	plain := s.Counter("alarms_total", "Alarms.")
	by := s.Counter("exchanges_total", "Exchanges.", "exchange", "outcome")
	took := s.Histogram("took_seconds", "Took.", "route")
	s.Gauge("age_seconds", "Age.", func() float64 { return 1.5 })
	s.Gauge("unknown", "Cannot be read.", math.NaN)
	s.Info("build_info", "Build.", []string{"version"}, []string{`a"b\c`})
	by.Add("signin", "refused")
	by.Add("refresh", "passed")
	by.Add("signin", "refused")
	took.Observe(time.Millisecond, "GET /x") // on a bound: inside it
	took.Observe(20*time.Second, "GET /x")
	took.Observe(-time.Hour, "GET /x") // a clock that was set back
	_ = plain
	var b strings.Builder
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# HELP alarms_total Alarms.\n# TYPE alarms_total counter\nalarms_total 0\n",
		"exchanges_total{exchange=\"refresh\",outcome=\"passed\"} 1\nexchanges_total{exchange=\"signin\",outcome=\"refused\"} 2\n",
		"# TYPE took_seconds histogram\ntook_seconds_bucket{route=\"GET /x\",le=\"0.0005\"} 1\ntook_seconds_bucket{route=\"GET /x\",le=\"0.001\"} 2\n",
		"took_seconds_bucket{route=\"GET /x\",le=\"10\"} 2\ntook_seconds_bucket{route=\"GET /x\",le=\"+Inf\"} 3\ntook_seconds_sum{route=\"GET /x\"} 20.001\ntook_seconds_count{route=\"GET /x\"} 3\n",
		"# TYPE age_seconds gauge\nage_seconds 1.5\n", "unknown NaN\n", `build_info{version="a\"b\\c"} 1` + "\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestCountingAtOnceLosesNothing(t *testing.T) {
	var s Set
	c, h := s.Counter("c_total", "x", "l"), s.Histogram("h_seconds", "x")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				c.Add("a")
				h.Observe(time.Second)
				_ = s.Write(new(strings.Builder))
			}
		})
	}
	all.Wait()
	var b strings.Builder
	_ = s.Write(&b)
	if !strings.Contains(b.String(), `c_total{l="a"} 800`) || !strings.Contains(b.String(), "h_seconds_count 800") {
		t.Error(b.String())
	}
}
