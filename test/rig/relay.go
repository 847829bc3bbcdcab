package rig

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// A Relay stands between a server and its database and can fail as networks
// do.
type Relay struct {
	// URL of the database as seen through the relay.
	URL string

	l  net.Listener
	to string

	mu    sync.Mutex
	open  chan struct{} // closed while traffic flows
	conns map[net.Conn]bool
	cut   bool
}

// NewRelay relays to the database at a URL.
func NewRelay(t testing.TB, database string) *Relay {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{l: l, to: u.Host, open: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(r.open)
	u.Host = l.Addr().String()
	r.URL = u.String()
	go r.accept()
	t.Cleanup(func() {
		l.Close()
		r.Cut()
	})
	return r
}

func (r *Relay) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		go r.serve(c)
	}
}

func (r *Relay) serve(c net.Conn) {
	r.mu.Lock()
	cut := r.cut
	r.mu.Unlock()
	up, err := net.Dial("tcp", r.to)
	if err != nil || cut {
		c.Close()
		if err == nil {
			up.Close()
		}
		return
	}
	r.mu.Lock()
	r.conns[c], r.conns[up] = true, true
	r.mu.Unlock()
	go r.pump(up, c)
	r.pump(c, up)
}

// pump moves bytes from one side to the other, while it may.
func (r *Relay) pump(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			r.mu.Lock()
			open := r.open
			r.mu.Unlock()
			<-open
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil || err == io.EOF {
			return
		}
	}
}

// Pause lets nothing through: connections stand, and nobody answers.
func (r *Relay) Pause() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = make(chan struct{})
}

// Cut breaks every connection and takes no new ones, and frees what was
// paused.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	r.free()
	for c := range r.conns {
		c.Close()
	}
	r.conns = map[net.Conn]bool{}
}

// Resume lets everything through again.
func (r *Relay) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = false
	r.free()
}

func (r *Relay) free() {
	select {
	case <-r.open:
	default:
		close(r.open)
	}
}
