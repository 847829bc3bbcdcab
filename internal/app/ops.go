package app

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"
)

// openOps listens for whoever runs this server: metrics and profiles, never
// at the public address. When nobody chose the address and it is taken, the
// server goes without; one that was chosen must be had.
func (s *server) openOps() (net.Listener, error) {
	l, err := net.Listen("tcp", s.config.OpsListen)
	if err == nil {
		return l, nil
	}
	for _, v := range s.config.Values {
		if v.Key == "ops_listen" && v.Source != FromDefault {
			return nil, err
		}
	}
	s.log.Warn("no metrics: the usual address for them is taken; choose one with ops_listen", "cause", err)
	return nil, nil
}

// profileWithin bounds a profile that is being taken.
const profileWithin = 2 * time.Minute

// opsServer serves the metrics, and profiles where only this machine can ask
// for them. The command line, which
// may hold a database's password, is none of them.
func (s *server) opsServer(at net.Addr) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = s.measures.set.Write(w)
	})
	var h http.Handler = mux
	if loopback(at.String()) {
		mux.HandleFunc("GET /debug/pprof/{profile}", func(w http.ResponseWriter, r *http.Request) {
			switch p := r.PathValue("profile"); p {
			case "profile":
				pprof.Profile(w, r)
			case "trace":
				pprof.Trace(w, r)
			case "symbol":
				pprof.Symbol(w, r)
			default:
				pprof.Handler(p).ServeHTTP(w, r)
			}
		})
		h = byAddress(mux)
	}
	server := s.httpServer(h)
	server.WriteTimeout = profileWithin
	return server
}

// byAddress answers only requests that name this machine: a page elsewhere
// whose name was made to lead here does not (DNS rebinding).
func byAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, fmt.Sprintf("ask for this by address, not as %q", host), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
