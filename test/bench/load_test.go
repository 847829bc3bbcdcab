package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// served is the address of a server that answers every request so.
func served(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func getting(addr, want string) func(int) step {
	ask := request("GET", addr, "/", "")
	return func(int) step {
		return func(c *conn) error {
			if err := c.do(ask); err != nil {
				return err
			}
			return c.expect(200, want)
		}
	}
}

func TestEveryAnswerIsCountedOnce(t *testing.T) {
	var asked atomic.Int64
	addr := served(t, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.Write([]byte("yes")) })
	s := crowd{addr: addr, size: 3, client: getting(addr, "yes")}.run(20 * time.Millisecond)
	// Each client's first step is not counted.
	if s.wrong != 0 || len(s.latencies) != int(asked.Load())-3 {
		t.Errorf("%d counted, %d asked, %d wrong: %v", len(s.latencies), asked.Load(), s.wrong, s.why)
	}
}

func TestWrongAnswersAreSeenUnderLoad(t *testing.T) {
	var asked atomic.Int64
	addr := served(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 10 {
			w.Write([]byte("somebody else"))
			return
		}
		w.Write([]byte("yes"))
	})
	s := crowd{addr: addr, size: 2, cold: true, client: getting(addr, "yes")}.run(time.Second)
	if s.wrong != 1 || s.why == nil || !strings.Contains(s.why.Error(), "somebody else") {
		t.Errorf("%d wrong: %v", s.wrong, s.why)
	}
}

func TestDryClientsEndTheRound(t *testing.T) {
	addr := served(t, func(http.ResponseWriter, *http.Request) {})
	var left atomic.Int64
	left.Store(7)
	s := crowd{addr: addr, size: 2, cold: true, client: func(int) step {
		return func(*conn) error {
			if left.Add(-1) < 0 {
				return errDry
			}
			return nil
		}
	}}.run(time.Hour)
	if len(s.latencies) != 7 || s.wrong != 0 {
		t.Errorf("%d counted, %d wrong", len(s.latencies), s.wrong)
	}
}

func TestWatchStopsAtAWrongAnswer(t *testing.T) {
	addr := served(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	if _, err := watch(addr, getting(addr, "yes")(0), time.Millisecond, nil); err == nil {
		t.Error("a wrong answer was not seen")
	}
}

func TestPercentilesAndMedians(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for p, want := range map[int]time.Duration{1: 1, 50: 50, 99: 99, 100: 100} {
		if got := percentile(hundred, p); got != want {
			t.Errorf("p%d of 1..100 is %d", p, got)
		}
	}
	if percentile(hundred[:1], 99) != 1 || percentile(hundred[:3], 50) != 2 || percentile(nil, 99) != 0 {
		t.Error("of one, of three, or of none")
	}
	if median([]float64{9, 1, 5}) != 5 || median([]float64{4, 1, 3, 2}) != 2.5 || median[float64](nil) != 0 {
		t.Error("median")
	}
}

func TestARowSaysWhetherItMetItsTarget(t *testing.T) {
	w := &workload{of: "hello", least: 0.45, tail: 5 * time.Millisecond}
	for _, c := range []struct {
		clients   int
		rate, p99 float64
		met       bool
	}{
		{16, 450, 5, true}, {16, 449, 5, false}, {16, 450, 5.1, false},
		{64, 450, 50, true}, // the tail is promised for sixteen
	} {
		r := row{Clients: c.clients, Rate: c.rate, P99: c.p99}
		if r.compare(w, 1000); *r.Met != c.met {
			t.Errorf("%+v: met is %v", c, *r.Met)
		}
	}
}

func TestStatIsReadAfterTheName(t *testing.T) {
	s, err := parseStat("4711 (a) 1 (b) S 12 4711 4711 0 -1 4194560 1 2 3 4 150 50 7 3 20 0 5 0 99 0 0")
	if err != nil || s.name != "a) 1 (b" || s.parent != 12 || s.own != 2*time.Second || s.children != 100*time.Millisecond {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{"", "4711 (a", "4711 (a) S 12", "4711 (a) S x 1 1 0 -1 1 1 2 3 4 150 50 7 3 20"} {
		if _, err := parseStat(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestFlags(t *testing.T) {
	s, err := parse([]string{"-round", "200ms", "-rounds", "0", "-only", "W3,W4"})
	if err != nil || s.round != 200*time.Millisecond || s.rounds != 1 || !s.wants("W4") || s.wants("W4m") || len(s.stores) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := parse([]string{"-speed"}); err == nil || errors.Is(err, errDry) {
		t.Error("an unknown flag was taken")
	}
}
