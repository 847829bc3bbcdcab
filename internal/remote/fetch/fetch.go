// Package fetch is the one way to call an address that somebody else named: an
// application's keys, a document that describes it, the place where it wants
// to hear of sign-outs. Whoever names such an address may mean to reach what
// only this server can reach, to keep it busy, or to fill its memory; so the
// address is judged when the connection is made, nothing is followed, and
// every answer is bounded in size and time.
package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// The bounds of one call (security defaults 3.5).
const (
	within       = 5 * time.Second
	documentSize = 64 << 10
	keysSize     = 256 << 10
	headerSize   = 16 << 10
	// How many calls of one kind are in the air, to one host and to all.
	atOnceEach = 4
	atOnceAll  = 32
)

// Reasons why there is no answer. Callers tell none of them to strangers: they
// would say what is where inside this network.
var (
	// ErrAnswer says that what came back is no answer: too long, too slow, a
	// redirect, another status than 200.
	ErrAnswer = errors.New("fetch: no usable answer")
	// ErrBusy says that too much is being fetched just now.
	ErrBusy = errors.New("fetch: too many calls at once")
)

// Options are what a Fetcher needs. The zero value of each is usable, but Now.
type Options struct {
	// Allow are the networks that may be called although they are not of the
	// internet; only these are called without TLS.
	Allow []netip.Prefix
	Now   func() time.Time
	// Roots replace the system's certificate authorities.
	Roots *x509.CertPool
	// Resolver replaces the system's.
	Resolver *net.Resolver
	// Failed, when set, is told of each call that came to nothing: the host
	// and why, for the operator.
	Failed func(host string, err error)
	// Within bounds a call; five seconds when zero.
	Within time.Duration
}

// A Fetcher calls addresses that others named.
type Fetcher struct {
	o               Options
	secure, plain   *http.Transport
	documents, keys *shelf
	posts           *air
}

// New makes a fetcher.
func New(o Options) *Fetcher {
	if o.Within == 0 {
		o.Within = within
	}
	f := &Fetcher{o: o, documents: newShelf(documentSize), keys: newShelf(keysSize), posts: newAir()}
	f.secure, f.plain = f.transport(false), f.transport(true)
	return f
}

// transport makes connections that are judged, one for each call: a connection
// that was kept would not be judged again. No proxy of the environment stands
// between, which would resolve names itself.
func (f *Fetcher) transport(plain bool) *http.Transport {
	d := &net.Dialer{Timeout: f.o.Within, Resolver: f.o.Resolver, ControlContext: filter(f.o.Allow, plain)}
	return &http.Transport{
		DialContext: d.DialContext, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: headerSize,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: f.o.Roots}, TLSHandshakeTimeout: f.o.Within,
	}
}

// Post hands a body over and gives the status of the answer, whose body does
// not matter. Redirects are not followed: 3xx is a status like any other.
func (f *Fetcher) Post(ctx context.Context, address, media string, body []byte) (status int, err error) {
	_, status, err = f.call(ctx, f.posts, http.MethodPost, address, media, body, 0)
	return status, err
}

// get reads a whole document for a shelf.
func (f *Fetcher) get(ctx context.Context, s *shelf, address string) (answer, error) {
	a, _, err := f.call(ctx, s.air, http.MethodGet, address, "", nil, s.most)
	return a, err
}

// An answer is a document as it came.
type answer struct {
	body  []byte
	media string // the media type alone, in small letters
	fresh time.Duration
}

func (f *Fetcher) call(ctx context.Context, in *air, method, address, media string, body []byte, most int64) (a answer, status int, err error) {
	u, err := target(address)
	if err != nil {
		return answer{}, 0, err
	}
	defer func() {
		if err != nil && f.o.Failed != nil {
			f.o.Failed(u.Host, err)
		}
	}()
	if !in.begin(u.Host) {
		return answer{}, 0, ErrBusy
	}
	defer in.end(u.Host)
	ctx, cancel := context.WithTimeout(ctx, f.o.Within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, 0, ErrAddress
	}
	r.Header.Set("User-Agent", "doorward")
	r.Header.Set("Accept", "application/json, */*;q=0.1")
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	t := f.secure
	if u.Scheme == "http" {
		t = f.plain
	}
	// The transport itself neither follows redirects nor keeps cookies.
	w, err := t.RoundTrip(r)
	switch {
	case errors.Is(err, ErrAddress):
		return answer{}, 0, err
	case err != nil:
		return answer{}, 0, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	defer w.Body.Close()
	if most == 0 {
		return answer{}, w.StatusCode, nil
	}
	if w.StatusCode != http.StatusOK {
		return answer{}, w.StatusCode, fmt.Errorf("%w: status %d", ErrAnswer, w.StatusCode)
	}
	if w.Header.Get("Content-Encoding") != "" || w.ContentLength > most {
		return answer{}, w.StatusCode, fmt.Errorf("%w: too long, or encoded", ErrAnswer)
	}
	b, err := io.ReadAll(io.LimitReader(w.Body, most+1))
	if err == nil {
		// A server that sees us hang up may end its answer in good form, cut short.
		err = ctx.Err()
	}
	if err != nil {
		return answer{}, w.StatusCode, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if int64(len(b)) > most {
		return answer{}, w.StatusCode, fmt.Errorf("%w: too long", ErrAnswer)
	}
	a = answer{body: b, fresh: freshness(w.Header)}
	a.media, _, _ = mime.ParseMediaType(w.Header.Get("Content-Type"))
	return a, w.StatusCode, nil
}

// air counts the calls of one kind that have begun and not ended. Each kind
// has its own, so that whoever has documents fetched from slow hosts does not
// stand in the way of keys.
type air struct {
	mu   sync.Mutex
	all  int
	each map[string]int // by host
}

func newAir() *air { return &air{each: map[string]int{}} }

// begin takes a place for a call, when there is one.
func (a *air) begin(host string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all >= atOnceAll || a.each[host] >= atOnceEach {
		return false
	}
	a.all++
	a.each[host]++
	return true
}

func (a *air) end(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all--
	if a.each[host]--; a.each[host] == 0 {
		delete(a.each, host)
	}
}
