package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A world is a server on every loopback address, a resolver that says what the
// test wants, and a clock.
type world struct {
	t           *testing.T
	server      *httptest.Server
	port        string
	connections atomic.Int32
	requests    atomic.Int32

	mu    sync.Mutex
	names map[string][]netip.Addr
	at    time.Time
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func newWorld(t *testing.T, h http.HandlerFunc) *world {
	w := &world{t: t, names: map[string][]netip.Addr{}, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		h(rw, r)
	}))
	_ = w.server.Listener.Close()
	w.server.Listener = l
	w.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			w.connections.Add(1)
		}
	}
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	_, w.port, _ = net.SplitHostPort(l.Addr().String())
	w.name("example.com", "127.0.0.1")
	return w
}

// name has a name lead to these addresses from now on.
func (w *world) name(name string, addrs ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names[name+"."] = nil
	for _, a := range addrs {
		w.names[name+"."] = append(w.names[name+"."], netip.MustParseAddr(a))
	}
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) fetcher(o Options) *Fetcher {
	o.Now = w.now
	o.Roots = x509.NewCertPool()
	o.Roots.AddCert(w.server.Certificate())
	o.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go w.resolve(there)
		return here, nil
	}}
	return New(o)
}

// resolve answers the questions of one connection (RFC 1035 section 4.2.2).
func (w *world) resolve(c net.Conn) {
	defer c.Close()
	for {
		length := make([]byte, 2)
		if _, err := io.ReadFull(c, length); err != nil {
			return
		}
		b := make([]byte, int(length[0])<<8|int(length[1]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(b) != nil || len(m.Questions) != 1 {
			return
		}
		q := m.Questions[0]
		w.mu.Lock()
		addrs, known := w.names[q.Name.String()]
		w.mu.Unlock()
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		if !known {
			m.RCode = dnsmessage.RCodeNameError
		}
		for _, a := range addrs {
			head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
			switch {
			case a.Is4() && q.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && q.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		out, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...)); err != nil {
			return
		}
	}
}

func (w *world) url(host, path string) string { return "https://" + host + ":" + w.port + path }

// untouched holds that nobody has connected.
func (w *world) untouched(what string) {
	w.t.Helper()
	if n := w.connections.Swap(0); n != 0 {
		w.t.Errorf("%s: %d connections were made", what, n)
	}
}

// old is a server that speaks nothing newer than this version.
func (w *world) old(version uint16) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(fine))
	s.TLS = &tls.Config{MaxVersion: version, MinVersion: tls.VersionTLS10}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	w.t.Cleanup(s.Close)
	return s
}
