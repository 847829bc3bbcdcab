package fetch

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How documents are kept.
const (
	// freshLeast and freshMost bound what Cache-Control says, and freshUsual
	// stands where it says nothing.
	freshLeast = time.Minute
	freshUsual = 5 * time.Minute
	freshMost  = time.Hour
	// again is how soon one address is asked a second time, whatever strangers
	// say is missing from its document.
	again = time.Minute
	// afterFailure is how soon an address is asked again that did not answer.
	afterFailure = 5 * time.Second
	// stale is how long a document serves past its time while its address does
	// not answer (RFC 5861 section 4).
	stale = 10 * time.Minute
	// mostKept and mostBytes bound the memory that strangers can have filled.
	mostKept  = 1024
	mostBytes = 16 << 20
)

// A shelf keeps documents of one kind, each with the last call for it.
type shelf struct {
	most int64 // bytes of one document
	air  *air

	mu    sync.Mutex
	kept  map[string]*entry
	bytes int
}

func newShelf(most int64) *shelf {
	return &shelf{most: most, air: newAir(), kept: map[string]*entry{}}
}

// An entry is what is kept of one address.
type entry struct {
	answer
	has    bool
	until  time.Time     // when the answer is past its time
	asked  time.Time     // when the last call began
	err    error         // what came of it
	flight chan struct{} // closed when the call that is in the air has ended; nil without one
}

// Document gives the document at an address, of at most 64 KiB, and its media
// type, which is for the caller to judge. It may have been fetched up to an
// hour ago, if whoever serves it says so.
func (f *Fetcher) Document(ctx context.Context, address string) (body []byte, media string, err error) {
	a, err := f.keep(ctx, f.documents, address, nil)
	return a.body, a.media, err
}

// Keys gives the JWK Set at an address, of at most 256 KiB. When what is kept
// does not have what is wanted, the address is asked again, at most once a
// minute; what is given may still not have it.
func (f *Fetcher) Keys(ctx context.Context, address string, has func(set []byte) bool) ([]byte, error) {
	a, err := f.keep(ctx, f.keys, address, has)
	return a.body, err
}

// keep gives a document that is kept, or fetches it; all who want one at the
// same time wait for one call.
func (f *Fetcher) keep(ctx context.Context, s *shelf, address string, has func([]byte) bool) (answer, error) {
	if _, err := target(address); err != nil {
		return answer{}, err
	}
	e := s.read(address)
	if e.has && f.o.Now().Before(e.until) && (has == nil || has(e.body)) {
		return e.answer, nil
	}
	if flight := f.ask(ctx, s, address); flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
		e = s.read(address)
	}
	if e.has && (e.err == nil || f.o.Now().Before(e.until.Add(stale))) {
		return e.answer, nil
	}
	if e.err == nil {
		return answer{}, ErrBusy // the shelf was full, and this one had to go
	}
	return answer{}, e.err
}

// read gives an entry as it is now.
func (s *shelf) read(address string) entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.kept[address]; e != nil {
		return *e
	}
	return entry{}
}

// ask starts a call, or joins the one that is in the air; nil when the address
// was asked a moment ago.
func (f *Fetcher) ask(ctx context.Context, s *shelf, address string) chan struct{} {
	now := f.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.kept[address]
	if e == nil {
		s.makeRoom(now)
		e = &entry{}
		s.kept[address] = e
	}
	if e.flight != nil {
		return e.flight
	}
	wait := time.Duration(0)
	switch {
	case e.err != nil:
		wait = afterFailure
	case e.has && now.Before(e.until):
		wait = again
	}
	if !e.asked.IsZero() && now.Sub(e.asked) < wait {
		return nil
	}
	flight := make(chan struct{})
	e.flight, e.asked = flight, now
	// The call belongs to all who wait for it: it does not end with the first
	// who gives up.
	ctx = context.WithoutCancel(ctx)
	go func() {
		a, err := f.get(ctx, s, address)
		now := f.o.Now()
		s.mu.Lock()
		defer s.mu.Unlock()
		if e.err = err; err == nil {
			if s.kept[address] == e {
				s.bytes += len(a.body) - len(e.body)
			}
			e.answer, e.has, e.until = a, true, now.Add(a.fresh)
		}
		e.flight = nil
		close(flight)
	}()
	return flight
}

// makeRoom lets an entry in: what is past its time goes, and then whatever was
// asked longest ago.
func (s *shelf) makeRoom(now time.Time) {
	if len(s.kept) < mostKept && s.bytes < mostBytes {
		return
	}
	drop := func(address string) {
		s.bytes -= len(s.kept[address].body)
		delete(s.kept, address)
	}
	for address, e := range s.kept {
		if e.flight == nil && now.After(e.until.Add(stale)) && now.Sub(e.asked) > again {
			drop(address)
		}
	}
	for len(s.kept) >= mostKept || s.bytes >= mostBytes {
		oldest := ""
		for address, e := range s.kept {
			if oldest == "" || e.asked.Before(s.kept[oldest].asked) {
				oldest = address
			}
		}
		drop(oldest)
	}
}

// freshness is how long an answer may be kept (RFC 9111 section 5.2.2), within
// our bounds.
func freshness(h http.Header) time.Duration {
	d := freshUsual
	for _, directive := range strings.Split(strings.Join(h["Cache-Control"], ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return freshLeast
		case "max-age":
			if n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				d = time.Duration(n) * time.Second
			}
		}
	}
	return min(max(d, freshLeast), freshMost)
}
