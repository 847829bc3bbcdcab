package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestKeysAreAskedAgainOnceAMinute(t *testing.T) {
	var set atomic.Value
	set.Store("old")
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(set.Load().(string))) })
	f := w.fetcher(Options{Allow: loopback})
	want := func(kid string, has string, requests int32) {
		t.Helper()
		b, err := f.Keys(t.Context(), w.url("example.com", "/jwks"), func(set []byte) bool { return bytes.Contains(set, []byte(kid)) })
		if err != nil || string(b) != has || w.requests.Load() != requests {
			t.Errorf("%s: %q %v after %d requests", kid, b, err, w.requests.Load())
		}
	}
	want("old", "old", 1)
	want("old", "old", 1)
	want("unknown", "old", 1) // asked just now
	w.pass(59 * time.Second)
	want("unknown", "old", 1)
	w.pass(2 * time.Second)
	set.Store("old new")
	want("new", "old new", 2)
	want("unknown", "old new", 2)
	for range 10 {
		want("unknown", "old new", 2)
	}
	w.pass(freshUsual + time.Second)
	want("old", "old new", 3)
}

func TestDocumentsServeWhileTheirAddressIsSilent(t *testing.T) {
	var down atomic.Bool
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(rw, "", http.StatusBadGateway)
			return
		}
		fine(rw, r)
	})
	var told atomic.Int32
	f := w.fetcher(Options{Allow: loopback, Failed: func(string, error) { told.Add(1) }})
	get := func() error {
		_, _, err := f.Document(t.Context(), w.url("example.com", "/"))
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	w.pass(freshUsual + time.Minute)
	if err := get(); err != nil || told.Load() != 1 {
		t.Errorf("a minute past its time: %v, told %d times", err, told.Load())
	}
	w.pass(stale)
	if err := get(); !errors.Is(err, ErrAnswer) {
		t.Errorf("long past its time: %v", err)
	}
	n := w.requests.Load()
	if err := get(); !errors.Is(err, ErrAnswer) || w.requests.Load() != n {
		t.Errorf("asked again at once: %v, %d requests", err, w.requests.Load()-n)
	}
	down.Store(false)
	w.pass(afterFailure)
	if err := get(); err != nil {
		t.Errorf("when it answers again: %v", err)
	}
}

func TestOneCallForAll(t *testing.T) {
	hold := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		<-hold
		fine(rw, r)
	})
	f := w.fetcher(Options{Allow: loopback})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, _, err := f.Document(t.Context(), w.url("example.com", "/")); err != nil {
				t.Error(err)
			}
		})
	}
	for w.requests.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(hold)
	all.Wait()
	if n := w.requests.Load(); n != 1 {
		t.Errorf("%d requests for one document", n)
	}
}

// One host that answers slowly takes a few places, and its kind's alone.
func TestCallsAtOnceAreBounded(t *testing.T) {
	hold := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/keys" {
			<-hold
		}
		fine(rw, r)
	})
	f := w.fetcher(Options{Allow: loopback})
	var busy atomic.Int32
	var all sync.WaitGroup
	for i := range 3 * atOnceEach {
		all.Go(func() {
			_, _, err := f.Document(t.Context(), w.url("example.com", fmt.Sprintf("/%d", i)))
			if errors.Is(err, ErrBusy) {
				busy.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for busy.Load() < 2*atOnceEach {
		time.Sleep(time.Millisecond)
	}
	if _, err := f.Keys(t.Context(), w.url("example.com", "/keys"), nil); err != nil {
		t.Errorf("keys of the same host: %v", err)
	}
	close(hold)
	all.Wait()
	if busy.Load() != 2*atOnceEach || len(f.documents.air.each) != 0 || f.documents.air.all != 0 {
		t.Errorf("%d were turned away, %v are left", busy.Load(), f.documents.air)
	}
}

// Attack DOS-01: strangers choose what is kept, not how much.
func TestTheShelfIsBounded(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(make([]byte, 60<<10)) })
	f := w.fetcher(Options{Allow: loopback})
	for i := range mostBytes/(60<<10) + 20 {
		w.pass(time.Second)
		if _, _, err := f.Document(t.Context(), w.url("example.com", fmt.Sprintf("/%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	sum := 0
	for _, e := range f.documents.kept {
		sum += len(e.body)
	}
	if sum != f.documents.bytes || sum > mostBytes+documentSize {
		t.Errorf("%d bytes are kept, %d are counted", sum, f.documents.bytes)
	}
	for i := range 2 * mostKept {
		_, _, _ = f.Document(t.Context(), fmt.Sprintf("https://127.255.0.1:1/%d", i))
	}
	if n := len(f.documents.kept); n > mostKept {
		t.Errorf("%d documents are kept", n)
	}
}

func TestFreshness(t *testing.T) {
	for says, want := range map[string]time.Duration{
		"": freshUsual, "max-age=120": 2 * time.Minute, "public, max-age=600": 10 * time.Minute, "max-age=0": freshLeast, "no-store": freshLeast,
		"max-age=99999999": freshMost, "max-age=999999999999999999999": freshUsual, "max-age=-5": freshUsual, "No-Cache": freshLeast,
	} {
		h := http.Header{}
		if says != "" {
			h.Set("Cache-Control", says)
		}
		if got := freshness(h); got != want {
			t.Errorf("%q: %s", says, got)
		}
	}
}
